"""Certificates for tests: an authority of our own, and every way to be wrong under it."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Issuer: TypeAlias = tuple[x509.Certificate, Key]


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _sign(
    subject: str, key: Key, issuer: Issuer | None, *, ca: bool, days: tuple[float, float]
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer[0].subject if issuer else _name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * DAY)
        .not_valid_after(now + days[1] * DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not ca:
        names = x509.SubjectAlternativeName([x509.DNSName(subject)])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def ca(name: str, key: Key, issuer: Issuer | None = None) -> x509.Certificate:
    """The certificate of an authority, a root where no issuer is given."""
    return _sign(name, key, issuer, ca=True, days=(-30, 30))


@lru_cache
def authority(name: str = "Test root") -> Issuer:
    """A root."""
    key = ec.generate_private_key(ec.SECP256R1())
    return ca(name, key), key


def roots(folder: Path) -> str:
    """A file with the root that the tests trust."""
    path = folder / "roots.pem"
    path.write_bytes(_pem(authority()[0]))
    return str(path)


def server(folder: Path, fault: str, host: str, *, last: float = 20) -> ssl.SSLContext:
    """A server's context whose certificate has one fault, or none (`good`) and lasts so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer: Issuer | None = authority()
    if fault == "self-signed":
        issuer = None
    if fault == "unknown root":
        issuer = authority("Another root")
    middle_key = ec.generate_private_key(ec.SECP256R1())
    if fault == "missing intermediate":
        issuer = ca("Middle", middle_key, issuer), middle_key
    days: tuple[float, float] = {"expired": (-20, -1), "not yet valid": (1, 20)}.get(fault, (-2, last))
    subject = "other.example" if fault == "other name" else host
    leaf = _sign(subject, key, issuer, ca=False, days=days)
    path = folder / f"{fault}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(secret + _pem(leaf))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
