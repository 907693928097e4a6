"""Judgement as tables: a status, an error, a chain, and what each of them means. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from crawler import errors
from crawler.data import table
from storage.model import Redirect, Verdict

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

# Where a wall between robots and people leaves its mark, and the marks, by header and by page.
WALLED: Final = frozenset({202, 403, 405, 406, 429, 503})
WALLS: Final = table("walls")["wall"]
WALL_HEADERS: Final = tuple(name for wall in WALLS for name in wall["headers"])
WALL_PAGES: Final = tuple(text.encode() for wall in WALLS for text in wall["pages"])


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
    """The verdict on an answer that is fine: did the chain move for good, for a while, or not."""
    if not redirects:
        return Verdict.OK
    return Verdict.MOVED if moved_to is not None else Verdict.REDIRECTED
