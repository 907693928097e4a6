"""Names of certificates, compared as browsers do: a wildcard stands for a label with an underscore, too.

OpenSSL lets a wildcard stand for letters, digits and hyphens alone, and knows none before a domain
with an underscore. Sites with such names are common, and every browser opens them.
"""

from __future__ import annotations

import ssl
from collections.abc import Collection
from typing import Final

HOSTNAME_MISMATCH: Final = 62  # X509_V_ERR_HOSTNAME_MISMATCH (OpenSSL's x509_vfy.h)


def is_named(host: str, names: Collection[str]) -> bool:
    """Whether one of the names of a certificate is that of a host (RFC 9525, 6.3).

    A wildcard is the whole first label, stands for one label, and never before a top-level domain.
    """
    host = host.lower().rstrip(".")
    label, _, domain = host.partition(".")
    accepted_names = {host, f"*.{domain}"} if label and "." in domain else {host}
    return any(name.lower().rstrip(".") in accepted_names for name in names)


class NamedTlsObject(ssl.SSLObject):
    """A TLS connection that compares the name of its host itself, where OpenSSL cannot."""

    def do_handshake(self) -> None:
        """Shake hands.

        Raises:
            ssl.SSLCertVerificationError: the certificate is for another name.
        """
        super().do_handshake()
        host = self.server_hostname or ""
        if _is_beyond_openssl(host):
            pairs = (self.getpeercert() or {}).get("subjectAltName", ())
            if not is_named(host, [str(pair[1]) for pair in pairs if pair[0] == "DNS"]):
                raise _mismatch(host)


class TlsContext(ssl.SSLContext):
    """A context of clients, for the connections of asyncio and uvloop, which make them by `wrap_bio`."""

    sslobject_class = NamedTlsObject

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002 - the signature is ssl's
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Make a connection; OpenSSL compares the name unless the connection does it itself."""
        # OpenSSL takes what the context says when a connection is made, so that this is of one alone.
        self.check_hostname = not _is_beyond_openssl(str(server_hostname))
        try:
            return super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        finally:
            self.check_hostname = True


def _is_beyond_openssl(host: str) -> bool:
    return "_" in host


def _mismatch(host: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, f"certificate is not valid for {host!r}")
    error.verify_code = HOSTNAME_MISMATCH
    error.verify_message = f"certificate is not valid for {host!r}"
    return error
