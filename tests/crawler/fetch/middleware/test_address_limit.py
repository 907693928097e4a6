"""Many names at one address: how many connections to it are in use at a time, on real sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from crawler.config import Config, Duration
from crawler.engine.context import RunContext
from crawler.engine.plan import by_lane
from crawler.engine.run import CheckRun
from crawler.fetch.base import Request, RequestState, Trace
from crawler.fetch.transport.address_guard import AddressGuard
from crawler.fetch.transport.address_slots import AddressSlots, NoFreeSlot
from crawler.fetch.transport.client import ClientSettings, HttpClient, open_session
from crawler.fetch.transport.connector import Connector
from crawler.fetch.transport.dns_cache import DnsCache
from crawler.fetch.transport.dns_client import DnsResolver, NameServers
from crawler.fetch.transport.routes import ConnectorSettings
from crawler.fetch.transport.system_resolver import SystemResolver
from crawler.policies import lanes_of
from crawler.progress import QuietProgress
from crawler.wiring import open_run
from storage.model import Finding, Kind, RunEnd, Target
from tests import names
from tests.check import Kept, config
from tests.site import Site, Wire, close, hang, page, raw, redirect, reset, serve

pytestmark = pytest.mark.libraries

HERE, THERE = "127.0.0.1", "127.0.0.2"


@dataclass(slots=True)
class Web:
    """Hosts by name, found by a real name server; the site behind them counts and holds requests."""

    site: Site
    server: names.Names
    settings: Config
    kept: Kept = field(default_factory=Kept)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0
    most: int = 0
    running: CheckRun | None = None

    async def held(self, wire: Wire) -> None:
        """Answer once the web is open; count until then."""
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.open.wait()
        self.under_way -= 1
        await page()(wire)

    def url(self, host: str, path: str = "/", address: str = HERE) -> str:
        """The URL of a host that is found at an address."""
        self.server.add(host, "A", names.at(address))
        self.server.add(host, "AAAA", names.NOTHING)
        return f"http://{host}:{self.site.port}{path}"

    async def check(self, urls: list[str], *detours: str) -> Mapping[str, Finding]:
        """The finding on each URL, in one run of the real engine."""
        resolver = DnsResolver(SystemResolver(), NameServers([f"{HERE}:{self.server.port}"], 5, 1))
        context = RunContext(self.settings, self.kept, QuietProgress(), detours, resolver=resolver)
        async with open_run(context) as running:
            self.running = running
            targets = (Target(n, url, Kind.WEB) for n, url in enumerate(urls, 1))
            await running.check(by_lane(targets, lanes_of(self.settings)))
        return self.kept.findings

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(10):
            while not holds():  # noqa: ASYNC110 - what is awaited rings no bell
                await asyncio.sleep(0)

    def waiting(self) -> int:
        """How many requests wait for a place."""
        return sum(lane.waiting_for_address for lane in self.running.parts.scheduler) if self.running else 0


@asynccontextmanager
async def web(per_address: int, **network: object) -> AsyncIterator[Web]:
    """A web on loopback, which may be asked."""
    settings = config(
        network={
            "allow_networks": ("127.0.0.0/8",),
            "read_timeout": Duration(5),
            "total_timeout": Duration(20),
            **network,
        },
        hosts={"per_address": per_address},
    )
    async with serve() as site, names.serve() as server:
        found = Web(site, server, settings)
        site.fallback = found.held
        other = await asyncio.start_server(site.handle, THERE, site.port)
        try:
            yield found
        finally:
            found.open.set()
            other.close()
            await site.close()
            await other.wait_closed()


async def test_never_more_than_the_limit_at_one_address() -> None:
    """Twenty names at one address: eight requests are under way, twelve wait, and all are answered."""
    async with web(8) as here:
        run = asyncio.create_task(here.check([here.url(f"h{n}.example") for n in range(20)]))
        await here.until(lambda: here.under_way == 8 and here.waiting() == 12)
        here.open.set()
        found = await run

    assert here.most == 8
    assert {finding.verdict for finding in found.values()} == {"ok"}
    assert {finding.requests for finding in found.values()} == {1}
    assert len(found) == len(here.site.log) == 20


async def test_who_waits_for_a_place_holds_no_seat() -> None:
    """A crowded address leaves every seat of the run but its own to the others."""
    async with web(1, concurrency=2) as here:
        crowded = [here.url(f"h{n}.example") for n in range(30)]
        other = here.url("other.example", "/quick", THERE)
        here.site.add(other, page())
        run = asyncio.create_task(here.check([*crowded, other]))
        await here.until(lambda: other in here.kept.findings and here.waiting() == 29)
        here.open.set()
        found = await run

    assert here.most == 1
    assert {finding.verdict for finding in found.values()} == {"ok"}


async def test_a_crowded_lane_starts_no_more_jobs() -> None:
    """However many targets wait at a crowded address, each of four lanes has but a few started."""
    async with web(1) as here:
        urls = [here.url(f"h{n}.example", f"/{m}") for n in range(4) for m in range(40)]
        run = asyncio.create_task(here.check(urls))
        await here.until(lambda: here.under_way == 1 and here.waiting() >= 4)
        started = sum(lane.visits for lane in here.running.parts.scheduler) if here.running else 0
        here.open.set()
        found = await run

    assert started <= 16
    assert here.most == 1
    assert {finding.verdict for finding in found.values()} == {"ok"}


async def test_every_end_of_a_request_gives_its_place_back() -> None:
    """With a single place, one request that kept it would hold up the whole run for ever."""
    ends = {
        "close": close,
        "reset": reset,
        "garbage": raw(b"nonsense\r\n\r\n"),
        "short": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx"),
        "hang": hang(),
        "page": page(),
        "big": page("x" * 300_000),
    }
    short = {"connect_timeout": Duration(1), "read_timeout": Duration(0.5)}
    async with web(1, **short) as here:
        ends["moved"] = redirect(302, here.url("page1.example", "/page"))
        urls = []
        for name, step in ends.items():
            for n in range(3):
                urls.append(here.url(f"{name}{n}.example", f"/{name}"))
                here.site.add(urls[-1], step)
        urls.append(here.url("tls.example").replace("http:", "https:"))
        urls.append(here.url("refused.example").replace(f":{here.site.port}", ":1"))
        async with asyncio.timeout(60):
            found = await here.check(urls)

    assert len(found) == len(urls)
    # What hangs keeps the only place from the question whether this machine is on line.
    assert {finding.verdict.value for finding in found.values()} >= {
        "ok",
        "redirected",
        "reset",
        "bad-response",
        "refused",
    }
    assert "crashed" not in {finding.verdict for finding in found.values()}


async def test_a_run_that_ends_leaves_nobody_waiting() -> None:
    """Who waits for a place when the run is interrupted is not reached."""
    async with web(1) as here:
        run = asyncio.create_task(here.check([here.url(f"h{n}.example") for n in range(5)]))
        await here.until(lambda: here.under_way == 1 and here.waiting() == 4)
        assert here.running is not None
        here.running.abort(RunEnd.INTERRUPTED, "the run was interrupted")
        async with asyncio.timeout(10):
            found = await run

    assert {finding.verdict for finding in found.values()} <= {"not-reached"}


async def test_detours_are_not_counted() -> None:
    """The operator's own host is asked as the operator says."""
    async with web(1) as here:
        urls = [here.url(f"h{n}.example") for n in range(3)]
        run = asyncio.create_task(here.check(urls, here.site.detour))
        await here.until(lambda: here.under_way == 3)
        here.open.set()
        await run

    assert here.most == 3


async def test_the_other_address_is_taken_when_one_is_full() -> None:
    """A host at two addresses waits only if both are full."""
    async with web(1) as here:
        urls = [here.url(f"h{n}.example") for n in range(3)]
        for n in range(3):
            here.server.add(f"h{n}.example", "A", names.at(HERE, THERE))
        run = asyncio.create_task(here.check(urls))
        await here.until(lambda: here.under_way == 2 and here.waiting() == 1)
        here.open.set()
        await run

    assert here.most == 2


async def test_places_go_to_the_first_that_waits() -> None:
    """Places are handed on in order; one given to a request that is gone goes to the next."""
    places = AddressSlots(1)
    assert places.take(("a", "b")) == ["a", "b"]
    assert places.take(("a",)) == []
    order: list[str] = []

    async def wait(name: str, *addresses: str) -> None:
        order.append(f"{name} {await places.wait(addresses)}")

    tasks = [asyncio.create_task(wait(*words)) for words in (("1", "a"), ("2", "a", "b"), ("3", "a"))]
    await asyncio.sleep(0)
    places.free("a")
    tasks[0].cancel()
    await asyncio.gather(*tasks[:2], return_exceptions=True)
    places.free("b")
    places.free("a")
    await tasks[2]
    places.free("a")

    assert order == ["2 a", "3 a"]
    assert len(places) == 0


@pytest.mark.parametrize("most", [1, 8])
async def test_a_place_that_nobody_waits_for_is_free(most: int) -> None:
    """Taking and giving back leaves nothing behind."""
    places = AddressSlots(most)
    for _ in range(20):
        assert places.take(("a",)) == ["a"]
        places.free("a")

    assert len(places) == 0


async def test_a_request_that_is_not_counted_passes_by() -> None:
    """A canary is not kept waiting by what it is to judge, and takes no place from others."""
    places = AddressSlots(1)
    guard, book = AddressGuard(("127.0.0.0/8",)), DnsCache(SystemResolver())
    async with serve() as site:
        site.fallback = page()
        dialer = Connector(book, guard, ConnectorSettings(), ssl.create_default_context(), places)
        async with open_session(dialer, ClientSettings("test")) as session:
            http, url = HttpClient(session), f"http://{HERE}:{site.port}/"
            await http(Request(url))
            assert places.take((HERE,)) == [HERE]
            with pytest.raises(NoFreeSlot):
                await http(Request(url))
            trace = Trace(state=RequestState(takes_slots=False))
            answer = await http(Request(url, trace=trace))
        await book.close()

    assert answer.status == 200
    assert len(places) == 1
    assert len(trace.hops) == 1
