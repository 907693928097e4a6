"""What a TLS connection says of itself: its version, and when the certificate of the server ends."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Tls:
    """One connection's protocol ("TLSv1.3") and the end of its leaf certificate, UTC in ISO 8601.

    `expires` is None where the certificate was not verified: Python does not read it then.
    """

    version: str
    expires: str | None


def tls_of(transport: asyncio.BaseTransport | None) -> Tls | None:
    """What there is to know of a connection; None of a plain one."""
    wrapped = transport.get_extra_info("ssl_object") if transport is not None else None
    if wrapped is None:
        return None
    # Both loops read the certificate once, in the handshake, and keep it with the transport.
    certificate: dict[str, Any] = transport.get_extra_info("peercert") or {} if transport else {}
    return Tls(wrapped.version() or "", _moment(certificate.get("notAfter")))


def _moment(text: str | None) -> str | None:
    if text is None:
        return None
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)
    return end.strftime("%Y-%m-%dT%H:%M:%SZ")


def note(evidence: dict[str, object], host: str, tls: Tls) -> None:
    """Keep under "tls" the certificate of a chain of requests that ends first."""
    known = evidence.get("tls")
    ends = known.get("expires") if isinstance(known, dict) else None
    if known is None or (tls.expires is not None and (ends is None or tls.expires < ends)):
        evidence["tls"] = {"host": host, "expires": tls.expires, "version": tls.version}
