"""What a TLS connection says of itself: its version, and when the certificate of the server ends."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime

from storage.frozen import frozen
from storage.model import Evidence, TlsEvidence, iso_utc


@frozen
class TlsInfo:
    """One connection's protocol ("TLSv1.3") and the end of its leaf certificate, UTC in ISO 8601.

    `expires` is None where the certificate was not verified: Python does not read it then.
    """

    version: str
    expires: str | None


def tls_of(transport: asyncio.BaseTransport | None) -> TlsInfo | None:
    """What there is to know of a connection; None of a plain one."""
    tls_object = transport.get_extra_info("ssl_object") if transport is not None else None
    if tls_object is None:
        return None
    # Both loops read the certificate once, in the handshake, and keep it with the transport.
    certificate = transport.get_extra_info("peercert") or {} if transport else {}
    return TlsInfo(tls_object.version() or "", _iso_time(certificate.get("notAfter")))


def _iso_time(text: str | None) -> str | None:
    if text is None:
        return None
    return iso_utc(datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC))


def note_certificate(evidence: Evidence, host: str, tls: TlsInfo) -> None:
    """Keep the certificate of a chain of requests that ends first."""
    earliest = evidence.tls.expires if evidence.tls else None
    if evidence.tls is None or (tls.expires is not None and (earliest is None or tls.expires < earliest)):
        evidence.tls = TlsEvidence(host, tls.expires, tls.version)
