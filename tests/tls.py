"""Servers with every fault of TLS that an OpenSSL of today can be talked into."""

from __future__ import annotations

import base64
import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.certs import Issuer, Key, authority, ca

DAY: Final = timedelta(days=1)


# What `openssl req` puts into a certificate; its own default differs from system to system.
REQUEST: Final = """
[req]
distinguished_name = names
x509_extensions = extensions
[names]
[extensions]
basicConstraints = critical,CA:{ca}
{names}
"""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate under the authority of the tests: its key, digest, names, and life in days."""

    key: str = "ec256"
    digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 = field(default_factory=hashes.SHA256)
    common_name: str | None = "site.example"
    names: tuple[str, ...] = ("site.example",)
    days: tuple[float, float] = (-2, 20)
    organisation: str | None = None
    policy: str | None = None
    revocation: str | None = None


@dataclass(frozen=True, slots=True)
class Speech:
    """How a server speaks: its ciphers, versions, Diffie-Hellman group, and wish to see the client."""

    ciphers: str = "DEFAULT:@SECLEVEL=0"
    least: ssl.TLSVersion = ssl.TLSVersion.MINIMUM_SUPPORTED
    most: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED
    group: bytes | None = None
    client: ssl.VerifyMode = ssl.CERT_NONE


GOOD: Final = Leaf()
PLAIN: Final = Speech()


@lru_cache
def key(kind: str) -> Key:
    """A private key: ec256, ec384, or rsa with its bits; made once, since it costs time."""
    if kind.startswith("ec"):
        return ec.generate_private_key(ec.SECP256R1() if kind == "ec256" else ec.SECP384R1())
    return rsa.generate_private_key(65_537, int(kind.removeprefix("rsa")))


def sign(leaf: Leaf, issuer: Issuer | None = None) -> x509.Certificate:
    """A server's certificate; by the authority of the tests where no issuer is given."""
    certificate, secret = issuer or authority()
    now = datetime.now(UTC)
    said = {NameOID.ORGANIZATION_NAME: leaf.organisation, NameOID.COMMON_NAME: leaf.common_name}
    named = [x509.NameAttribute(kind, text) for kind, text in said.items() if text]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(named))
        .issuer_name(certificate.subject)
        .public_key(key(leaf.key).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + leaf.days[0] * DAY)
        .not_valid_after(now + leaf.days[1] * DAY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if leaf.names:
        names = x509.SubjectAlternativeName([x509.DNSName(name) for name in leaf.names])
        builder = builder.add_extension(names, critical=not named)
    if leaf.policy:
        policy = x509.PolicyInformation(x509.ObjectIdentifier(leaf.policy), None)
        builder = builder.add_extension(x509.CertificatePolicies([policy]), critical=False)
    if leaf.revocation:
        place = [x509.UniformResourceIdentifier(leaf.revocation)]
        points = x509.CRLDistributionPoints([x509.DistributionPoint(place, None, None, None)])
        builder = builder.add_extension(points, critical=False)
    return builder.sign(secret, leaf.digest)


def pem(*things: x509.Certificate | Key) -> bytes:
    """Certificates and keys as a file has them."""
    parts = []
    for thing in things:
        if isinstance(thing, x509.Certificate):
            parts.append(thing.public_bytes(serialization.Encoding.PEM))
            continue
        form = serialization.PrivateFormat.TraditionalOpenSSL
        parts.append(thing.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return b"".join(parts)


def group(modulus: int, generator: int = 2) -> bytes:
    """A Diffie-Hellman group as a file has it (PKCS #3): no library makes bad ones any more."""
    der = _der(0x30, _der(0x02, _bytes(modulus)) + _der(0x02, _bytes(generator)))
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN DH PARAMETERS-----\n{text}-----END DH PARAMETERS-----\n".encode()


def prime(bits: int) -> int:
    """A prime of so many bits."""
    secret = key(f"rsa{2 * bits}")
    assert isinstance(secret, rsa.RSAPrivateKey)
    return secret.private_numbers().p


def _bytes(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _der(tag: int, data: bytes) -> bytes:
    if len(data) < 128:
        return bytes([tag, len(data)]) + data
    size = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    return bytes([tag, 128 + len(size)]) + size + data


def speaking(chain: bytes, folder: Path, speech: Speech = PLAIN) -> ssl.SSLContext:
    """A server that shows this chain of certificates, the key in the same file.

    Raises:
        ssl.SSLError: this OpenSSL cannot speak so.
    """
    path = folder / "chain.pem"
    path.write_bytes(chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(speech.ciphers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of versions that are over
        context.minimum_version, context.maximum_version = speech.least, speech.most
    if speech.group is not None:
        (folder / "group.pem").write_bytes(speech.group)
        context.load_dh_params(str(folder / "group.pem"))
    context.load_cert_chain(path)
    if speech.client is not ssl.CERT_NONE:
        context.load_verify_locations(cadata=pem(authority()[0]).decode())
        context.verify_mode = speech.client
    return context


def server(folder: Path, leaf: Leaf = GOOD, speech: Speech = PLAIN) -> ssl.SSLContext:
    """A server with a certificate straight under the authority of the tests."""
    return speaking(pem(key(leaf.key), sign(leaf)), folder, speech)


def middle(secret: Key) -> Issuer:
    """An authority between that of the tests and a server."""
    return ca("Middle", secret, authority()), secret


def by_hand(folder: Path, issuer: Issuer, *options: str, ca: bool = False) -> tuple[bytes, bytes]:
    """A certificate and its key, made by OpenSSL itself: libraries refuse what is as weak as this."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("there is no openssl here to make such a certificate")
    (folder / "root.pem").write_bytes(pem(issuer[0]))
    (folder / "root.key").write_bytes(pem(issuer[1]))
    made = folder / "made.pem", folder / "made.key"
    names = "" if ca else "subjectAltName=DNS:site.example"
    (folder / "req.cnf").write_text(REQUEST.format(ca="TRUE" if ca else "FALSE", names=names))
    words = ["-x509", "-nodes", "-days", "20", "-subj", "/CN=site.example", "-out", str(made[0])]
    words += ["-CA", str(folder / "root.pem"), "-CAkey", str(folder / "root.key"), "-keyout", str(made[1])]
    words += ["-config", str(folder / "req.cnf")]
    subprocess.run([program, "req", *words, *options], check=True, capture_output=True, timeout=60)
    return made[0].read_bytes(), made[1].read_bytes()


def weak(folder: Path, *options: str) -> ssl.SSLContext:
    """A server whose certificate was made with these options of `openssl req`."""
    issuer = middle(key("rsa2048"))
    certificate, secret = by_hand(folder, issuer, *options)
    return speaking(secret + certificate + pem(issuer[0]), folder)


def weak_middle(folder: Path) -> ssl.SSLContext:
    """A server below an intermediate that is signed with SHA-1."""
    certificate, secret = by_hand(folder, authority(), "-newkey", "rsa:2048", "-sha1", ca=True)
    loaded = serialization.load_pem_private_key(secret, None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    issuer = x509.load_pem_x509_certificate(certificate)
    chain = pem(key(GOOD.key), sign(GOOD, (issuer, loaded)), issuer)
    return speaking(chain, folder)


@contextlib.contextmanager
def serve(context: ssl.SSLContext, status: int = 200) -> Iterator[int]:
    """Answer every request with a status, on a port of loopback, in a thread.

    The handshake is OpenSSL's on a plain socket: asyncio's server closes without the alert that
    tells a client why.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_serve, args=(listener, context, status))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


def _serve(listener: socket.socket, context: ssl.SSLContext, status: int) -> None:
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        sock.settimeout(5)
        tls = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        with tls, contextlib.suppress(OSError):
            try:
                tls.do_handshake()
                if tls.recv(65_536):
                    tls.sendall(f"HTTP/1.1 {status} Said\r\nContent-Length: 0\r\n\r\n".encode())
            except ssl.SSLError:
                # What came and was not read would turn the alert into a reset.
                tls.shutdown(socket.SHUT_WR)
                while tls.recv(65_536):
                    pass
