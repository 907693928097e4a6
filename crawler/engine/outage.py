"""A local outage: what is found while this machine is off line is not believed.

Findings that a cut cable, a silent resolver or a captive portal would make, too, are held back until
a control question that was asked after them has its answer: hosts that answered before are asked
anew, and names that exist are looked up anew, on connections of their own. If they are silent,
nothing more is started, and they are asked again for a while. If they come back, what was held back
is checked anew; if not, it is `local-outage`, no state changes, and the run ends.

Control questions are rare: the first comes soon after the first such finding, the next ones ever
later as long as all is well, and at once where many lanes fail in a row.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Final, Protocol

from crawler.fetch.middleware.connectivity import CAPTIVE_PORTAL_STATUS, Connectivity
from crawler.urls import host_of
from storage.frozen import frozen
from storage.model import Finding, Target, Verdict

NAME_VERDICTS: Final = frozenset({Verdict.DNS_FAILURE, Verdict.NO_SUCH_HOST})
OFFLINE_VERDICTS: Final = NAME_VERDICTS | {Verdict.LOCAL_OUTAGE, Verdict.TIMEOUT, Verdict.UNREACHABLE}
CANARY_INTERVAL: Final = 3.0  # seconds between two questions of an outage
FIRST_CONTROL_PAUSE: Final = 1.0  # seconds from the first finding in doubt to the first control question
MAX_CONTROL_PAUSE: Final = 30.0  # seconds a finding in doubt waits for its control question
OFFLINE_SENTENCE: Final = "this machine is off line: no host answers, not even those that did before"


class RunBrake(Protocol):
    """What an outage does to the scheduler of a run."""

    def pause(self) -> None:
        """Start nothing more."""

    def resume(self) -> None:
        """Go on."""


@frozen
class HeldFinding:
    """A finding that is not believed yet, with what it takes to check it anew; `at` is loop time."""

    lane: str
    target: Target
    finding: Finding
    at: float


class OutageHandler(Protocol):
    """What a run does with findings that are decided, and once an outage has ended or does not end."""

    def recheck(self, held_finding: HeldFinding) -> None:
        """Check a target anew: the machine is on line again."""

    def give_up(self, reason: str) -> None:
        """End the run: the machine stays off line."""


class Outage:
    """Holds findings back while it is in doubt whether this machine is on line.

    `wait` are the seconds that an outage may last before the run ends.
    """

    def __init__(self, contact: Connectivity, brake: RunBrake, wait: float, handler: OutageHandler) -> None:
        self._contact = contact
        self._brake = brake
        self._wait = wait
        self._handler = handler
        self._off_line = False
        self._pause = FIRST_CONTROL_PAUSE
        self._held: list[HeldFinding] = []
        self._settled: list[HeldFinding] = []
        self._rechecked: set[int] = set()  # ids of targets
        self._answer_count = 0
        self._inspection: asyncio.Task[None] | None = None
        self._urgent = asyncio.Event()

    def doubts(self, finding: Finding) -> bool:
        """Whether a finding may be this machine's own fault; then it is to be held."""
        if finding.status == CAPTIVE_PORTAL_STATUS:
            return True
        if finding.verdict not in OFFLINE_VERDICTS:
            return False
        return not self._contact.is_reserved(_last_url(finding))

    def hold(self, lane: str, target: Target, finding: Finding) -> None:
        """Take a finding that is in doubt."""
        self._held.append(HeldFinding(lane, target, finding, asyncio.get_running_loop().time()))
        self._inspect_soon()

    def take_settled(self) -> list[HeldFinding]:
        """The findings that are decided: true ones, and those of an outage; each is given once."""
        findings = self._settled
        self._settled = []
        return findings

    async def settle(self) -> None:
        """Decide on all that is held: a run has nothing more to ask."""
        while self._held and not self._off_line:
            if not await self._is_answered():
                break  # there is no way to tell
        self._settle_all()

    def close(self) -> None:
        """Ask no canary any more: a run that was ended believes what it held, unless it was off line."""
        if self._inspection is not None:
            self._inspection.cancel()
        self._settle_all()

    async def _is_answered(self) -> bool:
        """Ask a control question at once, or wait for the one under way; tell whether it has an answer."""
        before = self._answer_count
        inspection = self._inspect_soon()
        self._urgent.set()
        await asyncio.wait({inspection})
        return self._answer_count > before

    def _inspect_soon(self) -> asyncio.Task[None]:
        if self._contact.suspicious:
            self._urgent.set()
        if self._inspection is None:
            self._inspection = asyncio.create_task(self._inspect())
        return self._inspection

    def _settle(self, findings: list[HeldFinding]) -> None:
        self._settled += (
            [_as_outage(held_finding) for held_finding in findings] if self._off_line else findings
        )

    def _settle_all(self) -> None:
        findings = self._held
        self._held = []
        self._settle(findings)

    async def _inspect(self) -> None:
        """Ask a control question in a while, or at once where it is urgent."""
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._urgent.wait(), self._pause)
            self._urgent.clear()
            await self._judge(len(self._held))
        finally:
            # Not in a callback of the task: what is held from here on needs a question of its own.
            self._inspection = None

    async def _judge(self, count: int) -> None:
        """Decide on as many of the findings that are held, by a control question."""
        alive = await self._ask()
        if alive is False:
            await self._sit_out()
        elif alive:
            self._pause = min(MAX_CONTROL_PAUSE, 2 * self._pause)
            existing_names = await self._existing_names(self._held[:count])
            findings = self._held[:count]
            self._held = self._held[count:]
            self._decide(findings, existing_names)
        self._answer_count += alive is not None  # once what it decides is decided

    async def _existing_names(self, findings: list[HeldFinding]) -> frozenset[str]:
        """Which names are found after all, of those that were not.

        The fault may have been this machine's, and have ended before the control question was asked.
        """
        hosts = {
            _last_host(held_finding.finding) for held_finding in findings if self._is_refutable(held_finding)
        }
        return await self._contact.existing_names(hosts) if hosts else frozenset()

    def _is_refutable(self, held_finding: HeldFinding) -> bool:
        """Whether a finding says that a name is not found, and was made for the first time."""
        return held_finding.finding.verdict in NAME_VERDICTS and held_finding.target.id not in self._rechecked

    def _decide(self, findings: list[HeldFinding], existing_names: frozenset[str]) -> None:
        """Believe findings; where a name is found after all, have its target checked anew."""
        for held_finding in findings:
            if self._is_refutable(held_finding) and _last_host(held_finding.finding) in existing_names:
                self._rechecked.add(held_finding.target.id)
                self._handler.recheck(held_finding)
            else:
                self._settle([held_finding])

    async def _ask(self) -> bool | None:
        verdicts = {held_finding.finding.verdict for held_finding in self._held}
        return await self._contact.alive(names=bool(verdicts & NAME_VERDICTS))

    async def _sit_out(self) -> None:
        """Start nothing until this machine is on line again, or the wait is over."""
        self._brake.pause()
        try:
            back = await self._comes_back()
        finally:
            self._brake.resume()
        if back:
            self._recheck()
        else:
            self._give_up()

    async def _comes_back(self) -> bool:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._wait
        while loop.time() < end:
            await asyncio.sleep(min(CANARY_INTERVAL, end - loop.time()))
            if await self._ask():
                return True
        return False

    def _recheck(self) -> None:
        self._pause = FIRST_CONTROL_PAUSE
        findings = self._held
        self._held = []
        for held_finding in findings:
            self._handler.recheck(held_finding)

    def _give_up(self) -> None:
        self._off_line = True
        self._settle_all()
        self._handler.give_up(OFFLINE_SENTENCE)


def _last_url(finding: Finding) -> str:
    """The URL that was asked last."""
    return finding.hops[-1].url if finding.hops else finding.url


def _last_host(finding: Finding) -> str:
    return host_of(_last_url(finding))


def _as_outage(held_finding: HeldFinding) -> HeldFinding:
    finding = held_finding.finding
    detail = f"this machine was off line ({finding.detail or finding.verdict})"
    return replace(held_finding, finding=replace(finding, verdict=Verdict.LOCAL_OUTAGE, detail=detail))
