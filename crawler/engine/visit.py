"""One target, one finding: the only place where answers and errors become verdicts."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from crawler.checks.amp import note_amphtml
from crawler.checks.base import Check, Judgement
from crawler.checks.fragments import note_fragments
from crawler.content.inspector import ContentInspector
from crawler.engine.https_upgrade import HttpsUpgrade
from crawler.engine.verdict_details import DEFECT, NO_DETAILS, VerdictDetails
from crawler.errors import FetchError, HostPostponed, LaneClosed, UrlError
from crawler.fetch.base import RANGE_NOT_SATISFIABLE, Fetch, Request, Response, Trace
from crawler.fetch.headers.conditional import is_not_modified
from crawler.fetch.headers.retry_after import requested_wait
from crawler.fetch.middleware.redirects import moved_to
from crawler.fetch.middleware.retry import TRANSIENT_STATUSES
from crawler.urls import basic, host_of, masked, request_url, without_credentials
from crawler.verdicts.bot_walls import walled
from crawler.verdicts.tables import of_chain, of_error, of_status
from storage.errors import StorageError
from storage.frozen import frozen
from storage.model import Finding, Hop, Kind, Redirect, Target, Verdict

log: Final = logging.getLogger(__name__)
MAX_REQUESTS: Final = 4  # requests a check may make of one target, growing ones included


@frozen
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
    doubt: ContentInspector | None = None
    walls: Callable[[str], frozenset[int]] = lambda _: frozenset()
    upgrade: HttpsUpgrade | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def at_once(self, target: Target) -> Finding | None:
        """The finding on a target that needs no request, or None."""
        try:
            return self._at_once(target)
        except Exception:  # noqa: BLE001 - the last resort, which logs it
            return self.crashed(target, Trace())

    def _at_once(self, target: Target) -> Finding | None:
        try:
            url = request_url(target.url)
        except UrlError as exc:
            return self._finding(target, Trace(), of_error(exc), details=VerdictDetails(str(exc)))
        if self.excluded(url):
            return self._finding(
                target, Trace(), Verdict.EXCLUDED, details=VerdictDetails("by configuration")
            )
        if self.doubt is not None and target.kind is Kind.WEB:
            self.doubt.expect(without_credentials(url)[0])
        return None

    async def visit(self, target: Target, trace: Trace) -> Finding:
        """Check one target; whatever happens on the network, there is a finding.

        A visit that the run cut short is `not-reached`, one that a host put off `postponed`: half a
        check is no evidence.

        Raises:
            StorageError: the image cache cannot be used.
        """
        try:
            return await self._upgraded(target, trace)
        except LaneClosed as exc:
            return self._closed(target, trace, exc)
        except FetchError as exc:
            verdict = of_error(exc)
            return self._finding(target, trace, verdict, details=VerdictDetails(str(exc) or None))
        except StorageError:
            raise
        except Exception:  # noqa: BLE001 - the last resort, which logs it
            return self.crashed(target, trace)

    def crashed(self, target: Target, trace: Trace) -> Finding:
        """The finding on a target whose check met the exception that is being handled.

        It fails on nothing: what the trace has is left out where no finding can be built of it.
        """
        log.error("a defect of this program, met at %s", _loggable(target.url), exc_info=sys.exception())
        details = VerdictDetails(DEFECT)
        try:
            return self._finding(target, trace, Verdict.CRASHED, details=details)
        except Exception:  # noqa: BLE001 - what crashed the check may well be in the trace
            return Finding(target.id, target.url, Verdict.CRASHED, datetime.now(UTC), detail=DEFECT)

    async def _upgraded(self, target: Target, trace: Trace) -> Finding:
        finding = await self._check(target, trace)
        if self.upgrade is not None:
            await self.upgrade.look(finding)
        return finding

    async def _check(self, target: Target, trace: Trace) -> Finding:
        check = self.checks[target.kind]
        request = self._private(check.ask(target, trace))
        doubt = self.doubt if target.kind is Kind.WEB else None
        if doubt is not None:
            request = doubt.first_request(request)
        for _ in range(MAX_REQUESTS):
            answer = await self.fetch(request)
            if not _for_check(request, answer):
                return self._of_answer(target, trace, answer)
            judgement = check.judge(request, answer)
            if isinstance(judgement, Judgement):
                if doubt is not None and walled(answer.status, answer.headers, answer.body) is None:
                    answer, judgement = await doubt.inspect(request, answer)
                if not _for_check(request, answer):
                    return self._of_answer(target, trace, answer)
                if target.kind is Kind.WEB:
                    note_amphtml(request, answer)
                    note_fragments(target.fragments, request, answer)
                if judgement.later is not None:
                    answer = replace(answer, body=b"")  # while it waits, the bytes are on the disk
                    judgement = await judgement.later
                return self._judged(target, trace, answer, judgement)
            request = replace(judgement, private=request.private)
        return self._judged(target, trace, answer, Judgement())

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

    def _of_answer(self, target: Target, trace: Trace, answer: Response) -> Finding:
        if self.doubt is not None:
            self.doubt.note_absent(answer)
        verdict, detail = of_status(answer.status), None
        mark = walled(answer.status, answer.headers, answer.body)
        wait = requested_wait(answer, self._seconds) if answer.status in TRANSIENT_STATUSES else None
        if mark is None and answer.status in self.walls(host_of(answer.url)):
            mark = f"this host turns robots away with {answer.status}"
        if mark is not None:
            verdict, detail = Verdict.BOT_BLOCKED, mark
        if wait is not None and wait > self.max_wait:
            trace.retry_at = self._seconds() + wait
            verdict, detail = Verdict.RATE_LIMITED, f"asks to come back in {wait:.0f} s"
        return self._finding(target, trace, verdict, answer, VerdictDetails(detail))

    def _judged(self, target: Target, trace: Trace, answer: Response, judgement: Judgement) -> Finding:
        mark = walled(answer.status, answer.headers, answer.body)
        if mark is not None:
            return self._finding(target, trace, Verdict.BOT_BLOCKED, answer, VerdictDetails(mark))
        verdict, destination = judgement.verdict, moved_to(trace.redirects, answer.url)
        if verdict is Verdict.OK:
            verdict = of_chain(trace.redirects, destination)
        destination = destination if verdict is Verdict.MOVED else None
        details = VerdictDetails(judgement.detail, judgement.picture, destination, judgement.cached)
        return self._finding(target, trace, verdict, answer, details)

    def _closed(self, target: Target, trace: Trace, exc: LaneClosed) -> Finding:
        trace.retry_at = exc.until
        verdict = Verdict.POSTPONED if isinstance(exc, HostPostponed) else Verdict.NOT_REACHED
        return self._finding(target, trace, verdict, details=VerdictDetails(str(exc)))

    def _finding(
        self,
        target: Target,
        trace: Trace,
        verdict: Verdict,
        answer: Response | None = None,
        details: VerdictDetails = NO_DETAILS,
    ) -> Finding:
        return Finding(
            target=target.id,
            url=target.url,
            verdict=verdict,
            checked_at=self.now(),
            status=answer.status if answer else _last_status(trace, verdict),
            final_url=masked(answer.url) if answer else None,
            moved_to=masked(details.moved_to) if details.moved_to else None,
            redirects=tuple(Redirect(masked(hop.url), hop.status) for hop in trace.redirects),
            hops=tuple(_masked(hop) for hop in trace.hops),
            attempts=trace.attempts,
            requests=len(trace.hops),
            elapsed=time.monotonic() - trace.started if trace.hops else 0.0,
            bytes=trace.bytes,
            detail=details.detail,
            picture=details.picture,
            cached=details.cached,
            retry_at=_moment(trace.retry_at),
            evidence=trace.evidence,
            probes=self.doubt.take_probes() if self.doubt is not None else (),
        )


def _loggable(url: str) -> str:
    """A URL without its credentials; none of one that cannot be parsed."""
    try:
        return masked(url)
    except Exception:  # noqa: BLE001 - a URL that crashes the parser is no reason to crash again
        return "a URL that cannot be parsed"


def _for_check(request: Request, answer: Response) -> bool:
    """Whether the check has a word on this answer: a success, no change, or a Range that failed."""
    if answer.ok:
        return True
    return is_not_modified(request, answer) or (
        answer.status == RANGE_NOT_SATISFIABLE and "Range" in request.headers
    )


def _last_status(trace: Trace, verdict: Verdict) -> int | None:
    """The status that a failed chain ended with: redirects that lead nowhere have one."""
    redirects = {Verdict.REDIRECT_LOOP, Verdict.TOO_MANY_REDIRECTS, Verdict.BAD_REDIRECT}
    return trace.redirects[-1].status if trace.redirects and verdict in redirects else None


def _masked(hop: Hop) -> Hop:
    return replace(hop, url=masked(hop.url)) if "@" in hop.url else hop


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
