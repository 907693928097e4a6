"""Foreign errors to our own: two tables, most specific first."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import ClientHttpProxyError

from crawler.errors import (
    ConnectionRefused,
    ConnectionReset,
    FetchError,
    FetchTimeout,
    LocalFault,
    ProxyFault,
    TlsExpired,
    TlsFault,
    TlsHostname,
    TlsProtocol,
    TlsUntrusted,
    Unreachable,
)
from storage.errors import original, own_words, system_reason

ERRNO_ERRORS: Final[dict[int, type[FetchError]]] = {
    errno.ECONNREFUSED: ConnectionRefused,
    errno.ECONNRESET: ConnectionReset,
    errno.ECONNABORTED: ConnectionReset,
    errno.EPIPE: ConnectionReset,
    errno.ENOTCONN: ConnectionReset,
    errno.ETIMEDOUT: FetchTimeout,
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

NO_DESCRIPTOR_ERRNOS: Final = frozenset({errno.EMFILE, errno.ENFILE})
CLOSED_ERRORS: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError)

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

KIND_REASONS: Final[dict[type[TlsFault], str]] = {
    TlsExpired: "the certificate is out of its dates",
    TlsHostname: "the certificate is for another name",
    TlsUntrusted: "the certificate is not trusted",
}
VERIFY_REASONS: Final[dict[int, str]] = {
    9: "the certificate is not yet valid",
    10: "the certificate has expired",
    18: "the certificate is signed by itself",
    19: "the certificate's chain ends in a root that is not trusted",
    20: "the certificate's issuer is not known",
    21: "the certificate comes without those of its issuers",
    23: "the certificate was revoked",
    62: "the certificate is for another name",
    64: "the certificate is for another address",
}


def tls_fault(exc: Exception) -> TlsFault:
    """Tell the four ways in which a handshake fails."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        kind = VERIFY_CODES.get(exc.verify_code, TlsUntrusted)
        meaning = VERIFY_REASONS.get(exc.verify_code, KIND_REASONS[kind])
        return kind(f"{meaning}{original(exc.verify_message)}", phase="tls")
    if isinstance(exc, ssl.CertificateError):
        return TlsHostname(f"{KIND_REASONS[TlsHostname]}{original(exc)}", phase="tls")
    return TlsProtocol(f"handshake failed{original(getattr(exc, 'reason', None) or exc)}", phase="tls")


def tls_cause(exc: BaseException) -> Exception | None:
    """The error of OpenSSL in or behind another one; None where the other end merely closed."""
    for error in (exc.__cause__, exc):
        if isinstance(error, (ssl.SSLError, ssl.CertificateError)) and not isinstance(error, CLOSED_ERRORS):
            return error
    return None


def connect_fault(exc: OSError, phase: str) -> FetchError:
    """Tell what an operating system's error means in a phase of a request."""
    number = exc.errno or _inner_errno(exc)
    kind = ERRNO_ERRORS.get(number, Unreachable if phase == "connect" else ConnectionReset)
    if phase == "tls" and kind is ConnectionReset:
        return TlsProtocol("closed in the handshake", phase=phase)
    name = errno.errorcode.get(number, type(exc).__name__)
    return kind(f"{phase}: {name}", phase=phase)


def proxy_fault(exc: Exception) -> ProxyFault:
    """Tell what went wrong between this machine and the proxy."""
    if isinstance(exc, ClientHttpProxyError):
        return ProxyFault(f"the proxy answers {exc.status} to CONNECT{original(exc.message)}", phase="proxy")
    if isinstance(exc, FetchError):
        return ProxyFault(f"the proxy cannot be reached: {own_words(exc)}", phase="proxy")
    if isinstance(exc, OSError):
        return ProxyFault(f"the proxy cannot be reached: {system_reason(exc)}", phase="proxy")
    return ProxyFault(f"the proxy does not lead on{original(exc)}", phase="proxy")


@contextmanager
def mapped_errors(phase: str, seconds: float) -> Iterator[None]:
    """Map what goes wrong in one phase of a connection, which may take so many seconds."""
    try:
        yield
    except FetchError:
        raise
    except TimeoutError as exc:
        raise FetchTimeout(f"{phase}: nothing within {seconds:g} s", phase=phase) from exc
    except (ssl.SSLError, ssl.CertificateError) as exc:
        raise tls_fault(exc) from exc
    except OSError as exc:
        raise connect_fault(exc, phase) from exc


def lacks_descriptors(exc: FetchError) -> bool:
    """Whether a failure is that too many files are open, in this process or on this machine."""
    cause = exc.__cause__
    return isinstance(cause, OSError) and (cause.errno or _inner_errno(cause)) in NO_DESCRIPTOR_ERRNOS


def _inner_errno(exc: OSError) -> int:
    """The errno of the first of several failed attempts, where the outer one has none."""
    causes = getattr(exc, "exceptions", ()) or (exc.__cause__,)
    return next((cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno), 0)
