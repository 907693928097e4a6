"""Foreign errors to our own: two tables, most specific first."""

from __future__ import annotations

import errno
import ssl
from typing import Final

from crawler.errors import (
    FetchError,
    LocalFault,
    Refused,
    Reset,
    Timeout,
    TlsExpired,
    TlsFault,
    TlsHostname,
    TlsProtocol,
    TlsUntrusted,
    Unreachable,
)

ERRNOS: Final[dict[int, type[FetchError]]] = {
    errno.ECONNREFUSED: Refused,
    errno.ECONNRESET: Reset,
    errno.ECONNABORTED: Reset,
    errno.EPIPE: Reset,
    errno.ENOTCONN: Reset,
    errno.ETIMEDOUT: Timeout,
    errno.EHOSTUNREACH: Unreachable,
    errno.ENETUNREACH: Unreachable,
    errno.EHOSTDOWN: Unreachable,
    errno.ENETDOWN: Unreachable,
    errno.EACCES: Unreachable,
    errno.EPERM: Unreachable,
    errno.EADDRNOTAVAIL: LocalFault,
    errno.EMFILE: LocalFault,
    errno.ENFILE: LocalFault,
    errno.ENOBUFS: LocalFault,
    errno.ENOMEM: LocalFault,
}

CLOSED: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError)

# OpenSSL's X509_V_ERR codes (x509_vfy.h).
VERIFY_CODES: Final[dict[int, type[TlsFault]]] = {
    9: TlsExpired,  # not yet valid
    10: TlsExpired,  # has expired
    13: TlsExpired,  # error in notBefore
    14: TlsExpired,  # error in notAfter
    62: TlsHostname,
    63: TlsHostname,
    64: TlsHostname,  # IP address mismatch
}


def tls_fault(exc: Exception) -> TlsFault:
    """Tell the four ways in which a handshake fails."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        kind = VERIFY_CODES.get(exc.verify_code, TlsUntrusted)
        return kind(exc.verify_message or "certificate verify failed", phase="tls")
    if isinstance(exc, ssl.CertificateError):
        return TlsHostname(str(exc), phase="tls")
    reason = getattr(exc, "reason", None) or str(exc)
    return TlsProtocol(f"handshake failed: {reason}", phase="tls")


def tls_cause(exc: BaseException) -> Exception | None:
    """The error of OpenSSL in or behind another one; None where the other end merely closed."""
    for one in (exc.__cause__, exc):
        if isinstance(one, (ssl.SSLError, ssl.CertificateError)) and not isinstance(one, CLOSED):
            return one
    return None


def connect_fault(exc: OSError, phase: str) -> FetchError:
    """Tell what an operating system's error means in a phase of a request."""
    number = exc.errno or _inner(exc)
    kind = ERRNOS.get(number, Unreachable if phase == "connect" else Reset)
    if phase == "tls" and kind is Reset:
        return TlsProtocol("closed in the handshake", phase=phase)
    name = errno.errorcode.get(number, type(exc).__name__)
    return kind(f"{phase}: {name}", phase=phase)


def _inner(exc: OSError) -> int:
    """The errno of the first of several failed attempts, where the outer one has none."""
    causes = getattr(exc, "exceptions", ()) or (exc.__cause__,)
    return next((one.errno for one in causes if isinstance(one, OSError) and one.errno), 0)
