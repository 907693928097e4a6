"""When certificates end: kept with each finding, told by explain, warned of by reports."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.errors import FetchTimeout
from crawler.fetch.base import Request
from crawler.fetch.transport.address_guard import AddressGuard
from crawler.fetch.transport.address_slots import AddressSlots
from crawler.fetch.transport.client import ClientSettings, HttpClient, open_session
from crawler.fetch.transport.connect_to import ConnectTo
from crawler.fetch.transport.connector import Connector
from crawler.fetch.transport.dns_cache import DnsCache
from crawler.fetch.transport.routes import ConnectorSettings
from crawler.fetch.transport.system_resolver import SystemResolver
from crawler.fetch.transport.tls import TlsInfo, note_certificate
from crawler.report.certificates import Certificates
from storage.model import Evidence, Finding, Kind, TlsEvidence, Verdict
from tests import certs, program
from tests.check import check, check_all, config
from tests.site import answer, page, serve

pytestmark = pytest.mark.libraries

HOST = "site.example"
S = f"https://{HOST}"
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def ends(finding: Finding) -> timedelta:
    """How long the certificate in the evidence of a finding still lasts."""
    tls = finding.evidence.tls
    assert tls is not None
    assert tls.expires is not None
    assert (tls.host, tls.version) == (HOST, "TLSv1.3")
    return datetime.fromisoformat(tls.expires) - datetime.now(UTC)


async def test_every_finding_over_tls_knows_the_certificate(tmp_path: Path) -> None:
    """New connections and kept ones alike, whatever the answer; plain ones know nothing."""
    settings = config(network={"ca_file": certs.roots(tmp_path)}, hosts={"per_host": 1})
    async with serve(certs.server(tmp_path, "good", HOST, last=9)) as site:
        for name in "abc":
            site.add(f"{S}/{name}", page())
        targets = {f"{S}/{name}": Kind.WEB for name in "abcd"}
        found = await check_all(site, targets, settings)
    async with serve() as site:
        site.add(f"http://{HOST}/a", page())
        plain = await check(site, f"http://{HOST}/a")

    assert {finding.verdict.value for finding in found.values()} == {"ok", "not-found"}
    assert all(timedelta(8.9) < ends(finding) <= timedelta(9) for finding in found.values())
    assert plain.evidence.tls is None


async def test_a_failure_after_the_handshake_knows_it_too(tmp_path: Path) -> None:
    """A server that breaks off has shown its certificate all the same."""
    settings = config(network={"ca_file": certs.roots(tmp_path)}, retry={"attempts": 1})
    async with serve(certs.server(tmp_path, "good", HOST)) as site:
        site.add(f"{S}/a", answer(500))
        finding = await check(site, f"{S}/a", Kind.WEB, settings)

    assert finding.verdict == "unavailable"
    assert ends(finding) > timedelta(19)


def test_the_first_to_end_counts() -> None:
    """Of the certificates of a chain of redirects, the one that ends first is kept."""
    evidence = Evidence()
    later, sooner = "2027-01-01T00:00:00Z", "2026-12-01T00:00:00Z"
    for host, end in (("a", None), ("b", later), ("c", sooner), ("d", later), ("e", None)):
        note_certificate(evidence, host, TlsInfo("TLSv1.3", end))

    assert evidence == Evidence(tls=TlsEvidence("c", sooner, "TLSv1.3"))


def finding(host: str, days: float, checked: float = 0) -> Finding:
    """A finding made so many days ago, of a host whose certificate ends in so many days from now."""
    end = (NOW + timedelta(days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    tls = TlsEvidence(host, end, "TLSv1.3")
    at = NOW - timedelta(checked)
    return Finding(1, f"https://{host}/", Verdict.OK, at, evidence=Evidence(tls=tls))


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (30, []),
        (21, []),
        (20.9, ["a on 2026-12-13 (in 20 days)"]),
        (1.5, ["a on 2026-11-24 (in 1 day)"]),
        (0.5, ["a on 2026-11-23 (today)"]),
        (-3, ["a on 2026-11-20 (over)"]),
    ],
)
def test_only_certificates_under_21_days_are_told(days: float, said: list[str]) -> None:
    """A certificate that is renewed in time is never told of."""
    certificates = Certificates(NOW)
    certificates.add(finding("a", days))
    certificates.add(None)

    assert list(certificates) == said


def test_a_renewed_certificate_is_told_no_more() -> None:
    """The newest check of a host knows best, in whatever order the findings come."""
    certificates = Certificates(NOW)
    for one in (finding("a", 2, checked=5), finding("a", 80, checked=1), finding("a", 3, checked=4)):
        certificates.add(one)

    assert list(certificates) == []


def test_a_long_list_is_cut() -> None:
    """Ten are named, the first to end first, the others counted."""
    certificates = Certificates(NOW)
    for number in range(15):
        certificates.add(finding(f"h{number:02}", 15 - number))

    told = list(certificates)
    assert told[0] == "h14 on 2026-11-24 (in 1 day)"
    assert (len(told), told[-1]) == (11, "5 more")


def deaf(listener: socket.socket, context: ssl.SSLContext) -> bool:
    """Shake hands, never say a word more, and tell once the other end has closed."""
    sock, _ = listener.accept()
    tls = context.wrap_socket(sock, server_side=True)
    with socket.socket(fileno=tls.detach()) as plain:
        plain.settimeout(20)
        while plain.recv(65_536):
            pass
    return True


async def test_a_deaf_server_keeps_no_socket_open(tmp_path: Path) -> None:
    """Who does not answer the goodbye of TLS is left without one."""
    context = ssl.create_default_context(cafile=certs.roots(tmp_path))
    book, places = DnsCache(SystemResolver()), AddressSlots(8)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        way = ConnectorSettings(connect_to=[ConnectTo(None, None, "127.0.0.1", listener.getsockname()[1])])
        closed = asyncio.create_task(asyncio.to_thread(deaf, listener, certs.server(tmp_path, "good", HOST)))
        dialer = Connector(book, AddressGuard(()), way, context, places)
        async with open_session(dialer, ClientSettings("test", 0.1)) as session:
            with pytest.raises(FetchTimeout):
                await HttpClient(session)(Request(f"{S}/a"))
            async with asyncio.timeout(10):
                assert await closed
    await book.close()


async def test_the_program_tells(tmp_path: Path) -> None:
    """The table and the page warn in one line, and explain tells of one target."""
    program.records(tmp_path, f"{S}/a")
    text = program.QUICK.replace("[network]", f'[network]\nca_file = "{certs.roots(tmp_path)}"')
    (tmp_path / "config.toml").write_text(text)
    async with serve(certs.server(tmp_path, "good", HOST, last=9.5)) as site:
        site.add(f"{S}/a", page())
        audit = await program.run(tmp_path, "audit", "--connect-to", site.detour)
    html = await program.run(tmp_path, "report", "--format", "html")
    story = await program.run(tmp_path, "explain", f"{S}/a")

    assert audit.code == 0
    warning = f"Certificates that end soon: {HOST} on "
    for said in (audit.out, re.sub("</?bdi>", "", html.out)):
        assert said.count(warning) == 1
        assert "(in 9 days)." in said
    assert f"TLS: TLSv1.3 with {HOST}, certificate ends 20" in story.out
