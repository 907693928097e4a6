"""Outages of this machine with a real name server and real sockets: nothing found in one is believed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from crawler.config import Config, Duration
from crawler.engine.context import RunContext
from crawler.engine.plan import by_lane
from crawler.fetch.middleware.connectivity import CONTROL_NAMES
from crawler.fetch.transport.dns_client import DnsResolver, NameServers
from crawler.fetch.transport.system_resolver import SystemResolver
from crawler.policies import lanes_of
from crawler.progress import QuietProgress
from crawler.wiring import open_run
from storage.model import Kind, RunEnd, Target, Verdict
from tests import names
from tests.check import Kept, config
from tests.site import Site, Wire, answer, hang, page, serve

pytestmark = pytest.mark.libraries

HERE = "127.0.0.1"
DOMAINS = 100
PAGES = 3
RESOLVER_OUTAGES = {
    "silent": names.SILENCE,
    "SERVFAIL": names.Reply(code=names.SERVFAIL),
    "REFUSED": names.Reply(code=names.REFUSED),
    "NXDOMAIN": names.Reply(code=names.NXDOMAIN),
    "no address": names.NOTHING,
}


@dataclass(slots=True)
class Net:
    """Domains that a name server knows, and one site behind all of them."""

    site: Site
    server: names.Names
    kept: Kept = field(default_factory=Kept)
    ended: RunEnd = RunEnd.FINISHED

    def urls(self, count: int = DOMAINS, *, known: bool = True) -> list[str]:
        """Pages of domains; the name server is told of those that are known."""
        hosts = [f"www.{'known' if known else 'gone'}{number}.example" for number in range(count)]
        for host in hosts if known else ():
            self.server.add(host, "A", names.at(HERE))
            self.server.add(host, "AAAA", names.NOTHING)
        return [f"http://{host}:{self.site.port}/{page_}" for page_ in range(PAGES) for host in hosts]

    async def check(self, urls: list[str], settings: Config, seconds: float = 5.0) -> Counter[Verdict]:
        """Count the verdicts of one run over these URLs; a name server has so many seconds to answer."""
        servers = NameServers([f"{HERE}:{self.server.port}"], seconds, 1)
        resolver = DnsResolver(SystemResolver(), servers)
        context = RunContext(settings, self.kept, QuietProgress(), resolver=resolver)
        async with open_run(context) as run:
            targets = (Target(number, url, Kind.WEB) for number, url in enumerate(urls, 1))
            await run.check(by_lane(targets, lanes_of(settings)))
            self.ended = run.ended
        return Counter(finding.verdict for finding in self.kept.findings.values())


@asynccontextmanager
async def net() -> AsyncIterator[Net]:
    """A name server and a site on loopback."""
    async with serve() as site, names.serve() as server:
        site.fallback = page()
        yield Net(site, server)


def settings(*, outage_wait: float = 0.5, read_timeout: float = 9.0, **hosts: float) -> Config:
    """A run that gives up on an outage soon, unless told to wait."""
    return config(
        network={
            "allow_networks": ("127.0.0.0/8",),
            "outage_wait": Duration(outage_wait),
            "connect_timeout": Duration(5),
            "read_timeout": Duration(read_timeout),
            "total_timeout": Duration(9),
        },
        hosts={"interval": Duration(0), "per_address": 1000, **hosts},
        retry={"attempts": 1, "second_pass": Duration(0)},
    )


@pytest.mark.parametrize("outage", RESOLVER_OUTAGES)
@pytest.mark.parametrize("after", [0, 60])
async def test_no_verdict_of_a_resolver_that_is_ill(outage: str, after: int) -> None:
    """From the start, or once a part of the names was found: what it says of the others is not believed."""
    async with net() as here:

        async def falls_ill(wire: Wire) -> None:
            if len(here.site.log) >= after:
                here.server.outage = RESOLVER_OUTAGES[outage]
            await page()(wire)

        here.site.fallback = falls_ill
        if not after:
            here.server.outage = RESOLVER_OUTAGES[outage]
        verdicts = await here.check(here.urls(), settings(), 0.3 if outage == "silent" else 5.0)

    assert here.ended == RunEnd.OUTAGE
    assert set(verdicts) <= {Verdict.OK, Verdict.LOCAL_OUTAGE, Verdict.NOT_REACHED}
    assert verdicts[Verdict.OK] >= after


@pytest.mark.parametrize(
    ("outage", "questions"), [("SERVFAIL", 20), ("SERVFAIL", 70), ("NXDOMAIN", 20), ("no address", 20)]
)
async def test_a_resolver_that_recovers_leaves_no_trace(outage: str, questions: int) -> None:
    """What was asked meanwhile is asked again, and all is well: after a control question, or before it."""
    async with net() as here:
        urls = here.urls(30)
        here.server.outage = RESOLVER_OUTAGES[outage]
        here.server.add(CONTROL_NAMES[0], "A", names.at(HERE))

        async def recovers(count: int) -> None:
            await here.server.hear(count)
            here.server.outage = None

        recovery = asyncio.create_task(recovers(questions))
        verdicts = await here.check(urls, settings(outage_wait=20))
        await recovery

    assert here.ended == RunEnd.FINISHED
    assert set(verdicts) == {Verdict.OK}


@pytest.mark.parametrize("well", [0, 20])
async def test_names_that_do_not_exist_are_believed(well: int) -> None:
    """A control question is answered: by a name that was found before, else by one that must exist."""
    async with net() as here:
        here.server.add(CONTROL_NAMES[0], "A", names.at(HERE))
        urls = [*here.urls(well), *here.urls(40, known=False)]
        verdicts = await here.check(urls, settings())

    assert here.ended == RunEnd.FINISHED
    assert verdicts == Counter({Verdict.OK: PAGES * well, Verdict.NO_SUCH_HOST: PAGES * 40}) - Counter()
    assert bool(here.server.asked(CONTROL_NAMES[0])) == (not well)


async def test_kept_connections_prove_nothing() -> None:
    """Hosts that go on answering on open connections do not vouch for names that are looked up meanwhile."""
    async with net() as here:
        first = here.urls(5)
        late = [f"http://www.late{number}.example:{here.site.port}/" for number in range(60)]
        for number in range(60):
            here.server.add(f"www.late{number}.example", "A", names.at(HERE))

        async def falls_ill(wire: Wire) -> None:
            here.server.outage = names.Reply(code=names.NXDOMAIN)
            await page()(wire)

        here.site.fallback = falls_ill
        many = [f"{url}/{number}" for url in first for number in range(20)]
        verdicts = await here.check([*first, *late, *many], settings(per_host=1))

    assert set(verdicts) <= {Verdict.OK, Verdict.LOCAL_OUTAGE, Verdict.NOT_REACHED}
    assert here.ended == RunEnd.OUTAGE


async def test_a_network_that_falls_silent_is_an_outage() -> None:
    """Connections that are open, and then say nothing, are no contact: no time-out of theirs is believed."""
    async with net() as here:

        async def falls_silent(wire: Wire) -> None:
            await (page() if len(here.site.log) < 60 else hang())(wire)

        here.site.fallback = falls_silent
        verdicts = await here.check(here.urls(), settings(read_timeout=1.0))

    assert set(verdicts) <= {Verdict.OK, Verdict.LOCAL_OUTAGE, Verdict.NOT_REACHED}
    assert here.ended == RunEnd.OUTAGE


async def test_a_network_that_wants_a_login_is_an_outage() -> None:
    """511 is an answer of what stands between, not of any host (RFC 6585, 6)."""
    async with net() as here:
        here.site.fallback = answer(511, b"<form>")
        verdicts = await here.check(here.urls(), settings())

    assert set(verdicts) <= {Verdict.LOCAL_OUTAGE, Verdict.NOT_REACHED}
    assert here.ended == RunEnd.OUTAGE
