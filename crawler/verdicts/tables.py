"""Judgement as tables: a status, an error, a chain, and what each of them means. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from crawler import errors
from storage.model import Redirect, Verdict

VERDICT_OF_STATUS: Final[Mapping[int, Verdict]] = {
    401: Verdict.AUTH_REQUIRED,
    402: Verdict.AUTH_REQUIRED,
    403: Verdict.FORBIDDEN,
    404: Verdict.NOT_FOUND,
    407: Verdict.AUTH_REQUIRED,
    408: Verdict.UNAVAILABLE,
    410: Verdict.GONE,
    418: Verdict.BOT_BLOCKED,
    420: Verdict.RATE_LIMITED,
    425: Verdict.UNAVAILABLE,
    429: Verdict.RATE_LIMITED,
    451: Verdict.LEGAL_BLOCK,
    500: Verdict.UNAVAILABLE,
    502: Verdict.UNAVAILABLE,
    503: Verdict.UNAVAILABLE,
    504: Verdict.UNAVAILABLE,
    509: Verdict.UNAVAILABLE,
    511: Verdict.AUTH_REQUIRED,
    **dict.fromkeys(range(520, 528), Verdict.UNAVAILABLE),
    529: Verdict.UNAVAILABLE,
    530: Verdict.UNAVAILABLE,
    999: Verdict.BOT_BLOCKED,
}
VERDICT_OF_STATUS_CLASS: Final[Mapping[int, Verdict]] = {
    2: Verdict.OK,
    3: Verdict.BAD_REDIRECT,
    4: Verdict.CLIENT_ERROR,
    5: Verdict.SERVER_ERROR,
}

VERDICT_OF_ERROR: Final[Mapping[type[errors.CrawlerError], Verdict]] = {
    errors.InvalidUrl: Verdict.INVALID_URL,
    errors.UnsupportedScheme: Verdict.UNSUPPORTED_SCHEME,
    errors.NoSuchHost: Verdict.NO_SUCH_HOST,
    errors.DnsFailure: Verdict.DNS_FAILURE,
    errors.BlockedAddress: Verdict.BLOCKED_ADDRESS,
    errors.RobotsDenied: Verdict.ROBOTS_DENIED,
    errors.ExcludedUrl: Verdict.EXCLUDED,
    errors.FetchTimeout: Verdict.TIMEOUT,
    errors.ConnectionRefused: Verdict.REFUSED,
    errors.ConnectionReset: Verdict.RESET,
    errors.Unreachable: Verdict.UNREACHABLE,
    errors.LocalFault: Verdict.LOCAL_OUTAGE,
    errors.ProxyFault: Verdict.LOCAL_OUTAGE,
    errors.TlsExpired: Verdict.TLS_EXPIRED,
    errors.TlsHostname: Verdict.TLS_HOSTNAME,
    errors.TlsUntrusted: Verdict.TLS_UNTRUSTED,
    errors.TlsProtocol: Verdict.TLS_PROTOCOL,
    errors.BadResponse: Verdict.BAD_RESPONSE,
    errors.IncompleteResponse: Verdict.BAD_RESPONSE,
    errors.RedirectLoop: Verdict.REDIRECT_LOOP,
    errors.TooManyRedirects: Verdict.TOO_MANY_REDIRECTS,
    errors.BadRedirect: Verdict.BAD_REDIRECT,
}


def of_status(status: int) -> Verdict:
    """The verdict on the status of a last answer to GET, leaving marks and chain aside."""
    return VERDICT_OF_STATUS.get(status) or VERDICT_OF_STATUS_CLASS.get(status // 100, Verdict.BAD_RESPONSE)


def of_error(error: errors.CrawlerError) -> Verdict:
    """The verdict on a failure; a kind that no table names is a defect of ours."""
    return next(
        (VERDICT_OF_ERROR[kind] for kind in type(error).__mro__ if kind in VERDICT_OF_ERROR), Verdict.CRASHED
    )


def of_chain(redirects: Sequence[Redirect], moved_to: str | None) -> Verdict:
    """The verdict on an answer that is fine: did the chain move for good, for a while, or not."""
    if not redirects:
        return Verdict.OK
    return Verdict.MOVED if moved_to is not None else Verdict.REDIRECTED
