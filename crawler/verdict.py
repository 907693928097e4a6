"""Judgement as tables: a status, an error, a history, and what each of them means. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from crawler import errors
from storage.model import Class, Finding, Redirect, Standing, State, Verdict

STATUSES: Final[Mapping[int, Verdict]] = {
    401: Verdict.AUTH_REQUIRED,
    402: Verdict.AUTH_REQUIRED,
    403: Verdict.FORBIDDEN,
    404: Verdict.NOT_FOUND,
    407: Verdict.AUTH_REQUIRED,
    408: Verdict.UNAVAILABLE,
    410: Verdict.GONE,
    420: Verdict.RATE_LIMITED,
    425: Verdict.UNAVAILABLE,
    429: Verdict.RATE_LIMITED,
    451: Verdict.LEGAL_BLOCK,
    500: Verdict.UNAVAILABLE,
    502: Verdict.UNAVAILABLE,
    503: Verdict.UNAVAILABLE,
    504: Verdict.UNAVAILABLE,
    **dict.fromkeys(range(520, 528), Verdict.UNAVAILABLE),
    529: Verdict.UNAVAILABLE,
    530: Verdict.UNAVAILABLE,
    999: Verdict.BOT_BLOCKED,
}
CLASSES: Final[Mapping[int, Verdict]] = {
    2: Verdict.OK,
    3: Verdict.BAD_REDIRECT,
    4: Verdict.CLIENT_ERROR,
    5: Verdict.SERVER_ERROR,
}

ERRORS: Final[Mapping[type[errors.CrawlerError], Verdict]] = {
    errors.InvalidUrl: Verdict.INVALID_URL,
    errors.UnsupportedScheme: Verdict.UNSUPPORTED_SCHEME,
    errors.NoSuchHost: Verdict.NO_SUCH_HOST,
    errors.DnsFailure: Verdict.DNS_FAILURE,
    errors.BlockedAddress: Verdict.BLOCKED_ADDRESS,
    errors.Denied: Verdict.ROBOTS_DENIED,
    errors.Excluded: Verdict.EXCLUDED,
    errors.Timeout: Verdict.TIMEOUT,
    errors.Refused: Verdict.REFUSED,
    errors.Reset: Verdict.RESET,
    errors.Unreachable: Verdict.UNREACHABLE,
    errors.LocalFault: Verdict.LOCAL_OUTAGE,
    errors.TlsExpired: Verdict.TLS_EXPIRED,
    errors.TlsHostname: Verdict.TLS_HOSTNAME,
    errors.TlsUntrusted: Verdict.TLS_UNTRUSTED,
    errors.TlsProtocol: Verdict.TLS_PROTOCOL,
    errors.BadResponse: Verdict.BAD_RESPONSE,
    errors.RedirectLoop: Verdict.REDIRECT_LOOP,
    errors.TooManyRedirects: Verdict.TOO_MANY_REDIRECTS,
    errors.BadRedirect: Verdict.BAD_REDIRECT,
}

# Where a wall between robots and people leaves its mark, and the marks.
WALLED: Final = frozenset({202, 403, 405, 406, 429, 503})
WALL_HEADERS: Final = ("cf-mitigated", "x-datadome", "x-amzn-waf-action")
WALL_PAGES: Final = (
    b"<title>Just a moment...</title>",
    b"/cdn-cgi/challenge-platform/",
    b"Attention Required! | Cloudflare",
    b"captcha-delivery.com",
    b"_Incapsula_Resource",
    b"px-captcha",
    b"/.within.website/x/cmd/anubis/",
    b"awsWafCookieDomainList",
    b"Pardon Our Interruption",
)


def walled(status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    """The mark of a bot wall on an answer, or None."""
    if status not in WALLED:
        return None
    mark = next((name for name in WALL_HEADERS if name in headers), None)
    if mark is not None:
        return f"header {mark}"
    page = next((text for text in WALL_PAGES if text in body), None)
    return None if page is None else f"challenge page ({page.decode()})"


def of_status(status: int) -> Verdict:
    """The verdict on the status of a last answer to GET, leaving marks and chain aside."""
    return STATUSES.get(status) or CLASSES.get(status // 100, Verdict.BAD_RESPONSE)


def of_error(error: errors.CrawlerError) -> Verdict:
    """The verdict on a failure; a kind that no table names is a defect of ours."""
    return next((ERRORS[kind] for kind in type(error).__mro__ if kind in ERRORS), Verdict.CRASHED)


def of_chain(redirects: Sequence[Redirect], moved_to: str | None) -> Verdict:
    """The verdict on an answer that is fine: did the chain move for good, for now, or not."""
    if not redirects:
        return Verdict.OK
    return Verdict.MOVED if moved_to is not None else Verdict.REDIRECTED


@dataclass(frozen=True, slots=True)
class Evidence:
    """How many failing checks, over how long, make a suspect dead."""

    hard_failures: int = 2
    hard_span: timedelta = timedelta(hours=24)
    soft_failures: int = 3
    soft_span: timedelta = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long each kind of finding stays fresh; `failing` is a ladder, a step a failure.

    `splay` spreads each interval over itself to (1 + splay) times itself, by the URL.
    """

    alive: timedelta = timedelta(days=7)
    failing: tuple[timedelta, ...] = (timedelta(hours=1), timedelta(days=1), timedelta(days=3))
    dead: timedelta = timedelta(days=30)
    unknown: timedelta = timedelta(days=1)
    splay: float = 1.0


FAILING: Final = frozenset({Class.HARD, Class.SOFT, Class.TRANSIENT, Class.CONTENT})
# Unchecked verdicts that stand for a check all the same: asking again today says the same.
SETTLED: Final = frozenset({Verdict.BLOCKED_ADDRESS, Verdict.ROBOTS_DENIED})


def advance(standing: Standing, finding: Finding, evidence: Evidence, freshness: Freshness) -> Standing:
    """What the history says once this finding is part of it."""
    after = _state_after(standing, finding, evidence)
    checked = finding.verdict.cls is not Class.UNCHECKED or finding.verdict in SETTLED
    at = finding.checked_at if checked else standing.checked_at
    return replace(after, checked_at=at, next_due=_due(after, finding, freshness))


def _state_after(standing: Standing, finding: Finding, evidence: Evidence) -> Standing:
    cls = finding.verdict.cls
    if cls is Class.ALIVE:
        return _alive(standing, finding.checked_at)
    if cls in FAILING:
        return _failing(standing, finding.checked_at, evidence, hard=cls is Class.HARD)
    return standing


def _alive(standing: Standing, at: datetime) -> Standing:
    since = standing.since if standing.state is State.ALIVE else at
    return Standing(State.ALIVE, since, alive_streak=standing.alive_streak + 1)


def _failing(standing: Standing, at: datetime, evidence: Evidence, *, hard: bool) -> Standing:
    after = replace(
        standing,
        failing_since=standing.failing_since or at,
        failures=standing.failures + 1,
        hard_since=standing.hard_since or (at if hard else None),
        hard=standing.hard + hard,
        alive_streak=0,
    )
    proven = (hard and _proven_hard(after, at, evidence)) or _proven_soft(after, at, evidence)
    dead = standing.state is State.DEAD or proven
    state = State.DEAD if dead else State.SUSPECT
    return replace(after, state=state, since=standing.since if state is standing.state else at)


def _proven_hard(standing: Standing, at: datetime, evidence: Evidence) -> bool:
    first = standing.hard_since
    return first is not None and standing.hard >= evidence.hard_failures and at - first >= evidence.hard_span


def _proven_soft(standing: Standing, at: datetime, evidence: Evidence) -> bool:
    first = standing.failing_since
    return (
        first is not None and standing.failures >= evidence.soft_failures and at - first >= evidence.soft_span
    )


def _due(standing: Standing, finding: Finding, freshness: Freshness) -> datetime | None:
    """When to check again; None is at once. A time that the server named is never undercut."""
    if finding.verdict.cls is Class.UNCHECKED and finding.verdict not in SETTLED:
        return finding.retry_at or standing.next_due
    due = finding.checked_at + _interval(standing, finding, freshness) * _splay(finding, freshness)
    return max(due, finding.retry_at) if finding.retry_at else due


def _interval(standing: Standing, finding: Finding, freshness: Freshness) -> timedelta:
    if finding.verdict.cls is Class.ALIVE:
        return freshness.alive
    if finding.verdict.cls not in FAILING:
        return freshness.unknown
    if standing.state is State.DEAD:
        return freshness.dead
    step = min(standing.failures, len(freshness.failing)) - 1
    return freshness.failing[step]


def _splay(finding: Finding, freshness: Freshness) -> float:
    """A factor from 1 to 1 + splay, the same for a URL each time, so that load spreads."""
    share = zlib.crc32(finding.url.encode("utf-8", "surrogatepass")) / 2**32
    return 1.0 + share * freshness.splay
