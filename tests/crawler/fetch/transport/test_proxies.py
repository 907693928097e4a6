"""Proxies: whose fault a failure is, which one is asked, and what is never asked of one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

import pytest

from crawler.config import Config
from crawler.doctor import examine
from crawler.engine.context import RunContext
from crawler.engine.parts import proxies_of
from crawler.engine.plan import by_lane
from crawler.fetch.transport.address_guard import AddressGuard
from crawler.fetch.transport.proxies import ProxySettings
from crawler.policies import lanes_of
from crawler.progress import QuietProgress
from crawler.wiring import open_run
from storage.model import Finding, Kind, Target
from tests.check import Kept, config

URL: Final = "http://page.example/a"
SECURE: Final = "https://page.example/a"
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
NAMES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose environment names no proxy."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@asynccontextmanager
async def proxy(answer: bytes, log: list[str]) -> AsyncIterator[str]:
    """A proxy on loopback that answers everything alike, and writes down what it was asked."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                log.append(head.partition(b" HTTP")[0].decode())
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def findings(settings: Config, *urls: str) -> Mapping[str, Finding]:
    """The findings on URLs, with nothing that leads elsewhere."""
    kept = Kept()
    async with open_run(RunContext(settings, kept, QuietProgress(), ())) as running:
        targets = [Target(number, url, Kind.AMP_CDN) for number, url in enumerate(urls, 1)]
        await running.check(by_lane(targets, lanes_of(settings)))
    return kept.findings


@pytest.mark.parametrize("status", ["407 Authenticate", "403 No", "502 Bad", "503 No", "504 No"])
async def test_a_proxy_that_does_not_lead_on_says_nothing_of_the_target(status: str) -> None:
    """Its answer to CONNECT is about itself, or about a way that only it knows."""
    async with proxy(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode(), []) as url:
        settings = config(network={"proxy": url, "outage_wait": 0.1})
        finding = (await findings(settings, SECURE))[SECURE]

    assert str(finding.verdict) == "local-outage"
    assert (finding.detail or "").startswith(f"the proxy answers {status[:3]}")


async def test_a_proxy_that_wants_a_password_says_nothing_of_a_plain_target() -> None:
    """Without CONNECT a 407 is the proxy's as well."""
    async with proxy(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", []) as url:
        finding = (await findings(config(network={"proxy": url}), URL))[URL]

    assert str(finding.verdict) == "local-outage"
    assert "the proxy" in (finding.detail or "")


@pytest.mark.parametrize("url", [URL, SECURE])
@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://proxy.invalid:3128"])
async def test_a_proxy_that_is_not_there_says_nothing_of_the_target(address: str, url: str) -> None:
    """Neither a refused connection nor a name that does not exist is the target's."""
    finding = (await findings(config(network={"proxy": address, "outage_wait": 0.1}), url))[url]

    assert str(finding.verdict) == "local-outage"
    assert "the proxy" in (finding.detail or "")


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "http://10.0.0.1/",
        "https://10.0.0.1/",
        "http://[::ffff:7f00:1]/",
        "http://localhost/",
        "http://a.localhost./",
        "http://metadata.google.internal/",
        "http://printer.local/",
        "http://intranet/",
        "http://0x7f.1/",
    ],
)
async def test_what_is_not_public_is_not_asked_of_a_proxy(url: str) -> None:
    """The proxy stands where those addresses lead somewhere."""
    log: list[str] = []
    async with proxy(OK, log) as address:
        found = await findings(config(network={"proxy": address}), url)

    assert {str(finding.verdict) for finding in found.values()} == {"blocked-address"}
    assert log == []


async def test_a_redirect_to_what_is_not_public_ends_there() -> None:
    """Every hop is checked."""
    log: list[str] = []
    head = b"HTTP/1.1 302 X\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    async with proxy(head, log) as address:
        finding = (await findings(config(network={"proxy": address}), URL))[URL]

    assert str(finding.verdict) == "blocked-address"
    assert log == [f"GET {URL}"]


def test_a_name_passes_where_any_network_is_allowed() -> None:
    """The operator then knows what stands in it."""
    assert not AddressGuard().passes_name("wiki")
    assert AddressGuard(["10.0.0.0/8"]).passes_name("wiki")
    assert AddressGuard(["10.0.0.0/8"]).passes_name("10.1.2.3")
    assert not AddressGuard(["10.0.0.0/8"]).passes_name("127.0.0.1")
    assert AddressGuard().passes_name("page.example")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (None, None)),
        ({"HTTP_PROXY": "http://p:1"}, ("http://p:1", None)),
        ({"HTTPS_PROXY": "p:2"}, (None, "http://p:2")),
        ({"ALL_PROXY": "http://p:3"}, ("http://p:3", "http://p:3")),
        ({"all_proxy": "http://p:3", "https_proxy": "http://p:4"}, ("http://p:3", "http://p:4")),
        ({"ALL_PROXY": "socks5://p:5"}, (None, None)),
        ({"ALL_PROXY": "http://p:3", "NO_PROXY": "other.example, .example"}, (None, None)),
        ({"ALL_PROXY": "http://p:3", "NO_PROXY": "*"}, (None, None)),
        ({"ALL_PROXY": "http://p:3", "NO_PROXY": "age.example"}, ("http://p:3", "http://p:3")),
    ],
)
def test_the_environment_names_proxies(
    environment: dict[str, str], expected: tuple[str | None, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As curl and urllib read it; the configuration goes before it, and so does a `connect_to`."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    proxies = proxies_of(Config(), ())

    assert (proxies.of(URL), proxies.of(SECURE)) == expected
    assert proxies_of(config(network={"proxy_from_env": False}), ()) == ProxySettings()
    assert proxies_of(config(network={"proxy": "http://q:9"}), ()).of(URL) == "http://q:9"
    assert proxies_of(Config(), ("::127.0.0.1:80",)).of(URL) is None


async def test_a_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else names it, and the doctor tells it without its password."""
    log: list[str] = []
    async with proxy(OK, log) as address:
        monkeypatch.setenv("HTTP_PROXY", address.replace("//", "//me:secret@"))
        finding = (await findings(config(), URL))[URL]
        observations = [result.observation for result in examine(config()) if result.name == "proxy"]

    assert str(finding.verdict) == "ok"
    assert log == [f"GET {URL}"]
    assert observations == [f"http by {address.replace('//', '//***@')}/, by the environment"]
