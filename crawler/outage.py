"""A local outage: what is found while this machine is off line is not believed.

Findings that a cut cable would make, too, are held back until anybody answers. When many lanes
fail in a row, canaries are asked; if they are silent as well, nothing more is started, and the
canaries are asked again for a while. If they come back, what was held back is checked anew; if
not, it is `local-outage`, no state changes, and the run ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from crawler.fetch.contact import Contact
from storage.model import Finding, Target, Verdict

DOUBTFUL: Final = frozenset(
    {
        Verdict.DNS_FAILURE,
        Verdict.LOCAL_OUTAGE,
        Verdict.NO_SUCH_HOST,
        Verdict.TIMEOUT,
        Verdict.UNREACHABLE,
    }
)
AGAIN: Final = 3.0  # seconds between two questions to the canaries
SENTENCE: Final = "this machine is off line: nobody answers, not even hosts that did before"


class Gate(Protocol):
    """What an outage does to a run."""

    def pause(self) -> None:
        """Start nothing more."""

    def resume(self) -> None:
        """Go on."""


@dataclass(frozen=True, slots=True)
class Held:
    """A finding that is not believed yet, with what it takes to check it anew."""

    lane: str
    target: Target
    finding: Finding


class Outage:
    """Holds findings back while it is in doubt whether this machine is on line.

    `wait` are the seconds that an outage may last before the run ends.
    """

    def __init__(self, contact: Contact, gate: Gate, wait: float) -> None:
        self._contact, self._gate, self._wait = contact, gate, wait
        self._off_line = False
        self._held: list[Held] = []
        self._believed: list[Held] = []
        self._inspection: asyncio.Task[None] | None = None
        self.again: Callable[[Held], None] = lambda _: None
        self.over: Callable[[str], None] = lambda _: None
        contact.heard = self._believe

    def doubts(self, finding: Finding) -> bool:
        """Whether a finding may be this machine's own fault; then it is to be held."""
        return self._contact.doubtful and finding.verdict in DOUBTFUL

    def hold(self, held: Held) -> None:
        """Take a finding that is in doubt."""
        self._held.append(held)
        self._wonder()

    def believed(self) -> list[Held]:
        """The findings that turned out to be true, or to be none; each is given once."""
        believed, self._believed = self._believed, []
        return believed

    async def settle(self) -> None:
        """Decide on all that is held: once a run has nothing to ask, nobody answers by chance."""
        if self._held:
            self._wonder()
        if self._inspection is not None:
            await asyncio.wait({self._inspection})
        self._believe()

    def close(self) -> None:
        """Ask no canary any more: a run that was ended believes what it held, unless it was off line."""
        if self._inspection is not None:
            self._inspection.cancel()
        self._believe()

    def _wonder(self) -> None:
        if self._contact.suspicious and self._inspection is None:
            self._inspection = asyncio.create_task(self._inspect())
            self._inspection.add_done_callback(self._inspected)

    def _inspected(self, _: asyncio.Task[None]) -> None:
        self._inspection = None

    def _believe(self) -> None:
        held, self._held = self._held, []
        self._believed += [_disbelieved(one) for one in held] if self._off_line else held

    async def _inspect(self) -> None:
        alive = await self._contact.alive()
        if alive is None:
            return
        if alive:
            self._believe()
            return
        self._gate.pause()
        try:
            back = await self._comes_back()
        finally:
            self._gate.resume()
        (self._check_anew if back else self._disbelieve)()

    async def _comes_back(self) -> bool:
        """Ask again and again until somebody answers, or the wait is over."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._wait
        while loop.time() < end:
            await asyncio.sleep(min(AGAIN, end - loop.time()))
            if not self._contact.doubtful or await self._contact.alive():
                return True
        return False

    def _check_anew(self) -> None:
        held, self._held = self._held, []
        for one in held:
            self.again(one)

    def _disbelieve(self) -> None:
        self._off_line = True
        self._believe()
        self.over(SENTENCE)


def _disbelieved(held: Held) -> Held:
    detail = f"this machine was off line ({held.finding.detail or held.finding.verdict})"
    return replace(held, finding=replace(held.finding, verdict=Verdict.LOCAL_OUTAGE, detail=detail))
