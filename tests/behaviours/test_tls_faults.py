"""Every server of badssl.com that can be served here, and what is said of it.

Each name of the gathered list is in the table, or in one of two lists with the reason why not.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from cryptography.hazmat.primitives import hashes

from storage.model import Kind
from tests import certs
from tests.check import check, config
from tests.site import Site
from tests.tls import (
    GOOD,
    PLAIN,
    group,
    key,
    middle,
    pem,
    prime,
    serve,
    server,
    sign,
    speaking,
    weak,
    weak_middle,
)

pytestmark = pytest.mark.libraries

Recipe: TypeAlias = Callable[[Path], ssl.SSLContext]
HOST: Final = "site.example"
DOCS: Final = Path(__file__).parents[2] / "docs"
TLS12: Final = replace(PLAIN, most=ssl.TLSVersion.TLSv1_2)
RSA: Final = replace(GOOD, key="rsa2048")
SANS: Final = tuple(f"n{number}.example" for number in range(10_000))


def reversed_chain(folder: Path) -> ssl.SSLContext:
    """The server first, then root and intermediate the wrong way round."""
    issuer = middle(key("ec384"))
    chain = pem(key(GOOD.key), sign(GOOD, issuer), certs.authority()[0], issuer[0])
    return speaking(chain, folder)


def foreign(name: str) -> Recipe:
    """A server under a root of this name, which nobody here trusts."""
    return lambda folder: speaking(pem(key(GOOD.key), sign(GOOD, certs.authority(name))), folder)


def agreed(modulus: Callable[[], int], generator: int = 2) -> Recipe:
    """A server that agrees on keys by Diffie-Hellman in this group alone."""

    def make(folder: Path) -> ssl.SSLContext:
        number = modulus()
        found = group(number, generator % number)
        return server(folder, RSA, replace(TLS12, ciphers="kDHE+aRSA:@SECLEVEL=0", group=found))

    return make


def preferring(folder: Path) -> ssl.SSLContext:
    """A server that would rather agree in a group that is too short, and knows elliptic curves, too."""
    ciphers = "kDHE+aRSA+AESGCM:kECDHE+aRSA+AESGCM:@SECLEVEL=0"
    context = server(folder, RSA, replace(TLS12, ciphers=ciphers, group=group(prime(1024))))
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    return context


def composite() -> int:
    """A number of 2048 bits that is no prime."""
    return prime(1024) * prime(1024 + 8)


def leaf(**changes: object) -> Recipe:
    """A server whose certificate differs from a good one by this."""
    return lambda folder: server(folder, replace(GOOD, **changes))  # type: ignore[arg-type]  # its fields


def by_openssl(*options: str) -> Recipe:
    """A server whose certificate was made with these options of `openssl req`."""
    return lambda folder: weak(folder, *options)


def ciphers(text: str) -> Recipe:
    """A server of TLS 1.2 with these ciphers alone."""
    return lambda folder: server(folder, RSA, replace(TLS12, ciphers=f"{text}:@SECLEVEL=0"))


def version(name: str) -> Recipe:
    """A server that speaks one version alone."""
    said = ssl.TLSVersion[name]
    return lambda folder: server(folder, RSA, replace(PLAIN, least=said, most=said))


def asking(wish: ssl.VerifyMode, **changes: object) -> Recipe:
    """A server that wants to see the client's certificate."""
    speech = replace(PLAIN, client=wish, **changes)  # type: ignore[arg-type]  # its fields
    return lambda folder: server(folder, GOOD, speech)


@dataclass(frozen=True, slots=True)
class Case:
    """A server, the verdict on it, and where that matters its name and the status it answers."""

    make: Recipe
    verdict: str = "ok"
    host: str = HOST
    status: int = 200


def policy(folder: Path) -> ssl.SSLContext:
    """A certificate of extended validation."""
    return server(folder, replace(GOOD, policy="2.23.140.1.1"))


UNDERSCORED: Final = "a_b.wild.example"
IDN: Final = "xn--n1aae7f7o.example"
good = leaf()
WILD: Final = leaf(names=("*.wild.example", "*.wild_er.example", "x_y.whole.example", "*.example"))
CASES: Final = {
    # Certificates.
    "1000-sans": Case(leaf(names=(HOST, *SANS[:1000]))),
    "10000-sans": Case(leaf(names=(HOST, *SANS)), "tls-protocol"),  # OpenSSL reads 100 KiB of certificates
    "ecc256": Case(good),
    "ecc384": Case(leaf(key="ec384")),
    "rsa512": Case(by_openssl("-newkey", "rsa:512", "-sha256"), "tls-protocol"),  # too short to sign with
    "rsa1024": Case(leaf(key="rsa1024"), "tls-untrusted"),
    "rsa2048": Case(leaf(key="rsa2048")),
    "rsa3072": Case(leaf(key="rsa3072")),
    "rsa4096": Case(leaf(key="rsa4096")),
    "md5": Case(by_openssl("-newkey", "rsa:2048", "-md5"), "tls-untrusted"),
    "sha1": Case(by_openssl("-newkey", "rsa:2048", "-sha1"), "tls-untrusted"),
    "sha1-intermediate": Case(weak_middle, "tls-untrusted"),
    "sha256": Case(good),
    "sha384": Case(leaf(digest=hashes.SHA384())),
    "sha512": Case(leaf(digest=hashes.SHA512())),
    "no-common-name": Case(leaf(organisation="Nobody", common_name=None)),
    # OpenSSL's wildcards stand for no underscore; those of browsers do, for one whole label.
    "underscore below a wildcard": Case(WILD, host="a_b.wild.example"),
    "underscore alone below a wildcard": Case(WILD, host="_.wild.example"),
    "underscore in the domain of a wildcard": Case(WILD, host="a.wild_er.example"),
    "underscore in a whole name": Case(WILD, host="x_y.whole.example"),
    "underscore two labels below a wildcard": Case(WILD, "tls-hostname", "a_b.c.wild.example"),
    "underscore below a wildcard of a top-level domain": Case(WILD, "tls-hostname", "a_b.example"),
    "underscore of another name": Case(WILD, "tls-hostname", "a_b.tame.example"),
    "underscore out of its dates": Case(
        leaf(names=("*.wild.example",), days=(-9, -1)), "tls-expired", UNDERSCORED
    ),
    "underscore by an unknown root": Case(foreign("Wild"), "tls-untrusted", UNDERSCORED),
    "no-subject": Case(leaf(common_name=None)),
    "no-san": Case(leaf(names=()), "tls-hostname"),  # RFC 9525, 2: the common name is no identity
    "reversed-chain": Case(reversed_chain),
    "extended-validation": Case(policy),
    "xn--n1aae7f7o": Case(leaf(names=(IDN,)), host=IDN),
    # Nobody asks for revocation: browsers do by lists of their own, and a link goes on working.
    "revoked": Case(leaf(revocation="http://crl.example/list")),
    # Rules that browsers hold for names of their own lists: transparency, pins.
    "no-sct": Case(good),
    "invalid-expected-sct": Case(good),
    "pinning-test": Case(good),
    "preloaded-expect-ct": Case(good),
    # Roots that no system trusts.
    "captive-portal": Case(foreign("Captive portal"), "tls-untrusted"),
    "blocked-interception": Case(foreign("Blocked"), "tls-untrusted"),
    "known-interception": Case(foreign("Interception"), "tls-untrusted"),
    "dsdtestprovider": Case(foreign("DSDTestProvider"), "tls-untrusted"),
    "edellroot": Case(foreign("eDellRoot"), "tls-untrusted"),
    "mitm-software": Case(foreign("Software"), "tls-untrusted"),
    "preact-cli": Case(foreign("Preact"), "tls-untrusted"),
    "superfish": Case(foreign("Superfish"), "tls-untrusted"),
    "webpack-dev-server": Case(foreign("Webpack"), "tls-untrusted"),
    # Ciphers.
    "3des": Case(ciphers("3DES"), "tls-protocol"),
    "cbc": Case(ciphers("ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA")),
    "mozilla-intermediate": Case(ciphers("ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM")),
    "mozilla-modern": Case(version("TLSv1_3")),
    "mozilla-old": Case(lambda folder: server(folder, RSA, replace(PLAIN, ciphers="ALL:@SECLEVEL=0"))),
    "null": Case(ciphers("eNULL"), "tls-protocol"),
    "anonymous": Case(ciphers("aNULL"), "tls-protocol"),
    "rc4": Case(ciphers("RC4"), "tls-protocol"),
    "rc4-md5": Case(ciphers("RC4-MD5"), "tls-protocol"),
    # Client certificates: by HTTP, as nginx does, and by TLS, which 1.3 tells after its handshake.
    "client": Case(asking(ssl.CERT_OPTIONAL), "client-error", status=400),
    "client-cert-missing": Case(asking(ssl.CERT_OPTIONAL), "client-error", status=400),
    "client certificate or nothing": Case(asking(ssl.CERT_REQUIRED), "tls-protocol"),
    "the same by TLS 1.2": Case(asking(ssl.CERT_REQUIRED, most=ssl.TLSVersion.TLSv1_2), "tls-protocol"),
    # Agreement on keys.
    "dh480": Case(agreed(lambda: prime(512) >> 32 | 1), "tls-protocol"),
    "dh512": Case(agreed(lambda: prime(512)), "tls-protocol"),
    "dh1024": Case(agreed(lambda: prime(1024)), "tls-protocol"),
    # Browsers offer no Diffie-Hellman in finite fields, so they open none of these.
    "dh2048": Case(agreed(lambda: prime(2048)), "tls-protocol"),
    "dh-composite": Case(agreed(composite), "tls-protocol"),
    "a short group preferred, but not alone": Case(preferring),
    "dh-small-subgroup": Case(agreed(lambda: prime(2048), -1), "tls-protocol"),
    "static-rsa": Case(ciphers("kRSA+AES")),
    # Versions.
    "ssl-v3": Case(version("SSLv3"), "tls-protocol"),
    "tls-v1-0": Case(version("TLSv1"), "tls-protocol"),
    "tls-v1-1": Case(version("TLSv1_1"), "tls-protocol"),
    "tls-v1-2": Case(version("TLSv1_2")),
}

ELSEWHERE: Final = {
    "expired": "test_behaviours.test_certificates: expired",
    "wrong.host": "test_behaviours.test_certificates: other name",
    "self-signed": "test_behaviours.test_certificates: self-signed",
    "untrusted-root": "test_behaviours.test_certificates: unknown root",
    "incomplete-chain": "test_behaviours.test_certificates: missing intermediate",
    "sha1-2016": "ended in 2016, so: expired",
    "sha1-2017": "ended in 2017, so: expired",
    "spoof": "a redirect to xn--n1aae7f7o: redirects are proven without TLS",
    "rsa8192": "as rsa4096; to make such a key takes a minute",
    "ssl-v2": "no OpenSSL since 1.1.0 has it",
}
PAGES: Final = {
    "http": "forms on pages without TLS",
    "mixed": "pages that load things without TLS: a good handshake",
    "misc": "good handshakes",
    "ui": "names and icons that deceive a reader: good handshakes",
    "upgrade": "headers that make a browser upgrade: good handshakes",
}


@pytest.mark.parametrize("name", CASES)
async def test_tls_fault(name: str, tmp_path: Path) -> None:
    """The server gets its verdict at the first attempt, for a fault of TLS passes by no waiting."""
    case = CASES[name]
    try:
        context = case.make(tmp_path)
    except (ssl.SSLError, ValueError) as exc:
        pytest.skip(f"this OpenSSL serves no {name}: {exc}")
    site = Site()
    with serve(context, case.status) as site.port:
        settings = config(network={"ca_file": certs.roots(tmp_path)})
        finding = await check(site, f"https://{case.host}/a", Kind.WEB, settings)

    assert finding.verdict == case.verdict, finding.detail
    assert finding.attempts == 1


def test_every_server_of_the_list_is_here(corpus: Path) -> None:
    """No name of the list is without a case or a reason."""
    rows = json.loads((corpus / "vectors" / "badssl_subdomains.json").read_text())["subdomains"]
    faults = {row["name"] for row in rows if row["category"] not in PAGES}

    assert len(rows) == 88
    assert faults <= {*CASES, *ELSEWHERE}
    assert {row["category"] for row in rows} >= {*PAGES}


@asynccontextmanager
async def proxy(to: int) -> AsyncIterator[int]:
    """A proxy on a port of loopback that leads every CONNECT to one other port."""

    async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith((b"CONNECT site.example:443 ", b"CONNECT a_b.wild.example:443 "))
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        there = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(carry(reader, there[1]), carry(there[0], writer))

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("good", "ok"),
        ("expired", "tls-expired"),
        ("other name", "tls-hostname"),
        ("unknown root", "tls-untrusted"),
    ],
)
async def test_faults_behind_a_proxy(fault: str, verdict: str, tmp_path: Path) -> None:
    """A proxy that only carries bytes hides no fault of the server behind it."""
    site = Site()
    with serve(certs.server(tmp_path, fault, HOST)) as port:
        async with proxy(port) as site.port:
            network = {"ca_file": certs.roots(tmp_path), "proxy": f"http://127.0.0.1:{site.port}"}
            finding = await check(site, f"https://{HOST}/a", Kind.WEB, config(network=network))

    assert finding.verdict == verdict, finding.detail
    assert finding.attempts == 1


async def test_an_underscore_behind_a_proxy(tmp_path: Path) -> None:
    """What is behind a proxy is compared by the same rules."""
    site = Site()
    with serve(leaf(names=("*.wild.example",))(tmp_path)) as port:
        async with proxy(port) as site.port:
            network = {"ca_file": certs.roots(tmp_path), "proxy": f"http://127.0.0.1:{site.port}"}
            finding = await check(site, f"https://{UNDERSCORED}/a", Kind.WEB, config(network=network))

    assert finding.verdict == "ok", finding.detail


def test_the_table_of_the_manual_is_that_of_the_servers() -> None:
    """Each row names a server of these tests, with its verdict."""
    section = (DOCS / "verdicts.md").read_text("utf-8").partition("## TLS")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|`]+) \|[^|]*\| `([^`]+)` \|$", section, re.MULTILINE)

    assert len(rows) >= 20
    assert rows == [(name, CASES[name].verdict) for name, _ in rows]
