"""One target, one finding: the only place where answers and errors become verdicts."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from crawler.checks.amp import note_amphtml
from crawler.checks.base import Check, Judgement
from crawler.checks.fragments import note_fragments
from crawler.doubt import Doubt
from crawler.errors import FetchError, LaneClosed, UrlError
from crawler.fetch.base import Answer, Fetch, Request, Trail
from crawler.fetch.redirects import moved_to
from crawler.fetch.retry import STATUSES as PASSING
from crawler.fetch.retry import asked_wait
from crawler.fetch.revalidate import confirms
from crawler.upgrade import Upgrade
from crawler.urls import basic, host_of, masked, request_url, without_credentials
from crawler.verdict import of_chain, of_error, of_status, walled
from storage.errors import StorageError
from storage.model import Cached, Finding, Hop, Kind, Picture, Redirect, Target, Verdict

log: Final = logging.getLogger(__name__)
QUESTIONS: Final = 4  # requests a check may make of one target, growing ones included
UNSATISFIABLE: Final = 416  # the answer to a Range that the file does not have


@dataclass(frozen=True, slots=True)
class Said:
    """What else there is to say of a target: why, what picture, where it moved, what is cached."""

    detail: str | None = None
    picture: Picture | None = None
    moved_to: str | None = None
    cached: Cached | None = None


NOTHING: Final = Said()


@dataclass(frozen=True, slots=True)
class Visitor:
    """Visits targets.

    `headers` are the configured ones by host; `excluded` tells which URLs are; `max_wait` is the
    longest wait in seconds that this run accepts; `doubt` looks twice at web pages; `walls` tells
    the statuses by which a host is known to turn robots away; `upgrade` tries https; `now` is UTC.
    """

    fetch: Fetch
    checks: Mapping[Kind, Check]
    headers: Mapping[str, Mapping[str, str]]
    excluded: Callable[[str], bool]
    max_wait: float
    doubt: Doubt | None = None
    walls: Callable[[str], frozenset[int]] = lambda _: frozenset()
    upgrade: Upgrade | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def at_once(self, target: Target) -> Finding | None:
        """The finding on a target that needs no request, or None."""
        try:
            url = request_url(target.url)
        except UrlError as exc:
            return self._finding(target, Trail(), of_error(exc), said=Said(str(exc)))
        if self.excluded(url):
            return self._finding(target, Trail(), Verdict.EXCLUDED, said=Said("by configuration"))
        if self.doubt is not None and target.kind is Kind.WEB:
            self.doubt.expect(without_credentials(url)[0])
        return None

    async def visit(self, target: Target, trail: Trail) -> Finding:
        """Check one target; whatever happens on the network, there is a finding.

        A visit that the run cut short is `not-reached`: half a check is no evidence.

        Raises:
            StorageError: the image cache cannot be used.
        """
        try:
            return await self._upgraded(target, trail)
        except LaneClosed as exc:
            return self._closed(target, trail, exc)
        except FetchError as exc:
            verdict = of_error(exc)
            return self._finding(target, trail, verdict, said=Said(str(exc) or None))
        except StorageError:
            raise
        except Exception:
            log.exception("a defect of this program, met at %s", masked(target.url))
            said = Said("a defect of this program; the log has the traceback")
            return self._finding(target, trail, Verdict.CRASHED, said=said)

    async def _upgraded(self, target: Target, trail: Trail) -> Finding:
        finding = await self._check(target, trail)
        if self.upgrade is not None:
            await self.upgrade.look(finding)
        return finding

    async def _check(self, target: Target, trail: Trail) -> Finding:
        check = self.checks[target.kind]
        request = self._private(check.ask(target, trail))
        doubt = self.doubt if target.kind is Kind.WEB else None
        if doubt is not None:
            request = doubt.first(request)
        for _ in range(QUESTIONS):
            answer = await self.fetch(request)
            if not _for_check(request, answer):
                return self._of_answer(target, trail, answer)
            judged = check.judge(request, answer)
            if isinstance(judged, Judgement):
                if doubt is not None and walled(answer.status, answer.headers, answer.body) is None:
                    answer, judged = await doubt.look(request, answer)
                if not _for_check(request, answer):
                    return self._of_answer(target, trail, answer)
                if target.kind is Kind.WEB:
                    note_amphtml(request, answer)
                    note_fragments(target.fragments, request, answer)
                if judged.later is not None:
                    answer = replace(answer, body=b"")  # while it waits, the bytes are on the disk
                    judged = await judged.later
                return self._judged(target, trail, answer, judged)
            request = replace(judged, private=request.private)
        return self._judged(target, trail, answer, Judgement())

    def _private(self, request: Request) -> Request:
        """Add the credentials of the URL and the headers configured for its host."""
        if not self.headers and "@" not in request.url:
            return request
        url, credentials = without_credentials(request.url)
        private = dict(self.headers.get(host_of(url), {}))
        if credentials is not None:
            private["Authorization"] = basic(credentials)
        return replace(request, url=url, private=private) if private else request

    def _seconds(self) -> float:
        return self.now().timestamp()

    def _of_answer(self, target: Target, trail: Trail, answer: Answer) -> Finding:
        if self.doubt is not None:
            self.doubt.heard(answer)
        verdict, detail = of_status(answer.status), None
        mark = walled(answer.status, answer.headers, answer.body)
        wait = asked_wait(answer, self._seconds) if answer.status in PASSING else None
        if mark is None and answer.status in self.walls(host_of(answer.url)):
            mark = f"this host turns robots away with {answer.status}"
        if mark is not None:
            verdict, detail = Verdict.BOT_BLOCKED, mark
        if wait is not None and wait > self.max_wait:
            trail.retry_at = self._seconds() + wait
            verdict, detail = Verdict.RATE_LIMITED, f"asks to come back in {wait:.0f} s"
        return self._finding(target, trail, verdict, answer, Said(detail))

    def _judged(self, target: Target, trail: Trail, answer: Answer, judged: Judgement) -> Finding:
        mark = walled(answer.status, answer.headers, answer.body)
        if mark is not None:
            return self._finding(target, trail, Verdict.BOT_BLOCKED, answer, Said(mark))
        verdict, moved = judged.verdict, moved_to(trail.redirects, answer.url)
        if verdict is Verdict.OK:
            verdict = of_chain(trail.redirects, moved)
        moved = moved if verdict is Verdict.MOVED else None
        said = Said(judged.detail, judged.picture, moved, judged.cached)
        return self._finding(target, trail, verdict, answer, said)

    def _closed(self, target: Target, trail: Trail, exc: LaneClosed) -> Finding:
        trail.retry_at = exc.until
        return self._finding(target, trail, Verdict.NOT_REACHED, said=Said(str(exc)))

    def dropped(self, target: Target, why: LaneClosed) -> Finding:
        """The finding on a target that was never started."""
        return self._closed(target, Trail(), why)

    def _finding(
        self,
        target: Target,
        trail: Trail,
        verdict: Verdict,
        answer: Answer | None = None,
        said: Said = NOTHING,
    ) -> Finding:
        return Finding(
            target=target.id,
            url=target.url,
            verdict=verdict,
            checked_at=self.now(),
            status=answer.status if answer else _last_status(trail, verdict),
            final_url=masked(answer.url) if answer else None,
            moved_to=masked(said.moved_to) if said.moved_to else None,
            redirects=tuple(Redirect(masked(hop.url), hop.status) for hop in trail.redirects),
            hops=tuple(_masked(hop) for hop in trail.hops),
            attempts=trail.attempts,
            requests=len(trail.hops),
            elapsed=time.monotonic() - trail.started if trail.hops else 0.0,
            bytes=trail.bytes,
            detail=said.detail,
            picture=said.picture,
            cached=said.cached,
            retry_at=_moment(trail.retry_at),
            evidence=trail.evidence,
            probes=self.doubt.learned() if self.doubt is not None else (),
        )


def _for_check(request: Request, answer: Answer) -> bool:
    """Whether the check has a word on this answer: a success, no change, or a Range that failed."""
    if 200 <= answer.status < 300:  # noqa: PLR2004 - the class of success
        return True
    return confirms(request, answer) or (answer.status == UNSATISFIABLE and "Range" in request.headers)


def _last_status(trail: Trail, verdict: Verdict) -> int | None:
    """The status that a failed chain ended with: redirects that lead nowhere have one."""
    redirects = {Verdict.REDIRECT_LOOP, Verdict.TOO_MANY_REDIRECTS, Verdict.BAD_REDIRECT}
    return trail.redirects[-1].status if trail.redirects and verdict in redirects else None


def _masked(hop: Hop) -> Hop:
    return replace(hop, url=masked(hop.url)) if "@" in hop.url else hop


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
