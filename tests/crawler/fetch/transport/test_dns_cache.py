"""Names to addresses, asked of a real name server on loopback."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from crawler.errors import DnsFailure, FetchError, NoSuchHost
from crawler.fetch.transport.dns_cache import NEGATIVE_TTL_SECONDS, DnsCache
from crawler.fetch.transport.dns_client import DnsResolver, NameServers, read_hosts
from crawler.fetch.transport.resolver import Addresses
from crawler.fetch.transport.resolvers import open_resolver
from crawler.fetch.transport.system_resolver import SystemResolver
from tests import names
from tests.names import NOTHING, NXDOMAIN, REFUSED, SERVFAIL, SILENCE, Entry, Names, Reply, at

pytestmark = pytest.mark.libraries

V4, V6 = "192.0.2.1", "2001:db8::1"


class Nobody:
    """A system that resolves every name to one address, so that a test sees who was asked."""

    async def resolve(self, host: str) -> Addresses:
        """Say so."""
        return Addresses((f"the system, of {host}",))

    async def close(self) -> None:
        """Nothing to close."""


@asynccontextmanager
async def asking(
    server: Names, hosts: Mapping[str, Sequence[str]] | None = None, seconds: float = 0.2
) -> AsyncIterator[DnsResolver]:
    """A resolver that asks this server alone, once, and waits so many seconds."""
    servers = NameServers([f"127.0.0.1:{server.port}"], seconds, 1)
    resolver = DnsResolver(Nobody(), servers, hosts)
    try:
        yield resolver
    finally:
        await resolver.close()


async def test_both_families_are_asked_at_once() -> None:
    """A and AAAA are asked together, and all addresses of both are known."""
    async with names.serve() as server, asking(server) as resolver:
        server.add("a.example", "A", at(V4, "192.0.2.2"))
        server.add("a.example", "AAAA", at(V6))
        found = await resolver.resolve("A.example")

    assert set(found.addresses) == {V4, "192.0.2.2", V6}
    assert sorted(server.asked("a.example")) == ["A", "AAAA"]


@pytest.mark.parametrize("reply", [NOTHING, Reply(code=NXDOMAIN), Reply(code=SERVFAIL), SILENCE])
@pytest.mark.parametrize(("good", "other"), [("A", "AAAA"), ("AAAA", "A")])
async def test_one_family_is_enough(good: str, other: str, reply: Reply) -> None:
    """Whatever the other family says, or does not say, the addresses of one are an answer."""
    address = V4 if good == "A" else V6
    async with names.serve() as server, asking(server, seconds=30) as resolver:
        server.add("a.example", good, at(address))
        server.add("a.example", other, reply)
        async with asyncio.timeout(5):
            found = await resolver.resolve("a.example")

    assert found.addresses == (address,)


@pytest.mark.parametrize(
    ("a", "aaaa", "error", "says"),
    [
        (Reply(code=NXDOMAIN), Reply(code=NXDOMAIN), NoSuchHost, "does not exist"),
        (NOTHING, NOTHING, NoSuchHost, "has no address"),
        (NOTHING, Reply(code=NXDOMAIN), NoSuchHost, "does not exist"),
        (Reply(code=SERVFAIL), Reply(code=SERVFAIL), DnsFailure, "general failure"),
        (NOTHING, Reply(code=SERVFAIL), DnsFailure, "general failure"),
        (Reply(code=SERVFAIL), Reply(code=NXDOMAIN), DnsFailure, "general failure"),
        (Reply(code=REFUSED), Reply(code=REFUSED), DnsFailure, "refused"),
        (SILENCE, SILENCE, DnsFailure, "Timeout"),
        (SILENCE, NOTHING, DnsFailure, "Timeout"),
    ],
)
async def test_failures_are_told_apart(a: Reply, aaaa: Reply, error: type[FetchError], says: str) -> None:
    """Only a server that knows the name can say that it does not exist or has no address."""
    async with names.serve() as server, asking(server) as resolver:
        server.add("a.example", "A", a)
        server.add("a.example", "AAAA", aaaa)
        with pytest.raises(error, match=says) as caught:
            await resolver.resolve("a.example")

    assert caught.value.phase == "dns"


async def test_nobody_at_the_port() -> None:
    """A name server that is not there says nothing of a name."""
    async with names.serve() as server:
        pass
    async with asking(server) as resolver:
        with pytest.raises(DnsFailure):
            await resolver.resolve("a.example")


async def test_a_name_that_cannot_be() -> None:
    """A label over 63 bytes cannot exist in any zone (RFC 1035, 2.3.4)."""
    async with names.serve() as server, asking(server) as resolver:
        with pytest.raises(NoSuchHost):
            await resolver.resolve(f"{'a' * 64}.example")

    assert server.log == []


@pytest.mark.parametrize(
    ("ttls", "kept"), [((60, 300), 60), ((300, 60), 60), ((0, 300), 5), ((86_400, 86_400), 3600)]
)
async def test_the_least_time_to_live_counts(ttls: tuple[int, int], kept: float) -> None:
    """An answer holds as long as the shortest-lived record of both, from 5 s to an hour."""
    async with names.serve() as server, asking(server) as resolver:
        server.add("a.example", "A", at(V4, ttl=ttls[0]))
        server.add("a.example", "AAAA", at(V6, ttl=ttls[1]))
        found = await resolver.resolve("a.example")

    assert found.ttl == kept


async def test_a_chain_of_aliases() -> None:
    """Aliases are followed as the server gives them, and live as long as the weakest link."""
    chain = Entry("CNAME", "b.example", 20), Entry("CNAME", "c.example", 90, "b.example")
    async with names.serve() as server, asking(server) as resolver:
        server.add("a.example", "A", Reply((*chain, Entry("A", V4, 70, "c.example"))))
        server.add("a.example", "AAAA", Reply(chain))
        found = await resolver.resolve("a.example")

    assert found == Addresses((V4,), 20)


async def test_a_long_answer_is_asked_again_over_tcp() -> None:
    """A truncated answer is no answer."""
    long = tuple(f"192.0.2.{n}" for n in range(1, 200))
    async with names.serve() as server, asking(server, seconds=5) as resolver:
        server.add("a.example", "AAAA", NOTHING)
        server.add("a.example", "A", Reply(at(*long).entries, over_tcp=True))
        found = await resolver.resolve("a.example")

    assert found.addresses == long
    assert ("a.example", "A", "tcp") in server.log


async def test_the_hosts_file_comes_first(tmp_path: Path) -> None:
    """Names of the hosts file are asked of nobody."""
    path = tmp_path / "hosts"
    path.write_text(f"# {V4} comment.example\n{V4}\tone.example two.example # why\n{V6} ONE.example\nbad x\n")
    async with names.serve() as server, asking(server, read_hosts(path)) as resolver:
        one, two = [await resolver.resolve(name) for name in ("one.example.", "two.example")]
        with pytest.raises(NoSuchHost):
            await resolver.resolve("comment.example")

    assert (one.addresses, two.addresses) == ((V4, V6), (V4,))
    assert {name for name, _, _ in server.log} == {"comment.example"}


@pytest.mark.parametrize("name", ["wiki", "printer.local", "0x7f.1", "127.1"])
async def test_names_that_only_the_system_knows(name: str) -> None:
    """One label, .local, and addresses in old spellings are the system's affair."""
    async with names.serve() as server, asking(server) as resolver:
        found = await resolver.resolve(name)

    assert found.addresses == (f"the system, of {name}",)
    assert server.log == []


@pytest.mark.parametrize("name", ["localhost", "LocalHost.", "a.localhost"])
async def test_localhost_is_this_machine(name: str) -> None:
    """No server is asked where localhost is (RFC 6761, 6.3)."""
    async with names.serve() as server, asking(server) as resolver:
        found = await resolver.resolve(name)

    assert found.addresses == ("::1", "127.0.0.1")
    assert server.log == []


async def test_closing_ends_what_is_under_way() -> None:
    """A question under way when the run ends fails at once."""
    async with names.serve() as server:
        server.add("a.example", "A", SILENCE)
        server.add("a.example", "AAAA", SILENCE)
        async with asking(server, seconds=30) as resolver:
            asked = asyncio.create_task(resolver.resolve("a.example"))
            await server.hear(2)
        async with asyncio.timeout(5):
            with pytest.raises(DnsFailure):
                await asked


class Hand:
    """A clock that a test moves by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


async def test_the_book_keeps_an_answer_for_its_time() -> None:
    """A name is asked again once its answer is over, and not before."""
    clock = Hand()
    async with names.serve() as server, asking(server) as resolver:
        book = DnsCache(resolver, clock=clock)
        server.add("a.example", "A", at(V4, ttl=0), at("192.0.2.9", ttl=0))
        server.add("a.example", "AAAA", NOTHING)
        together = await asyncio.gather(*(book.resolve("a.example") for _ in range(9)))
        clock.now = 4.9
        before = await book.resolve("a.example")
        clock.now = 5.1
        after = await book.resolve("a.example")

    assert {*together, before} == {(V4,)}
    assert after == ("192.0.2.9",)
    assert server.asked("a.example").count("A") == 2


async def test_the_book_keeps_shortly_that_a_name_does_not_exist() -> None:
    """A name that comes into being is seen half a minute later."""
    clock = Hand()
    async with names.serve() as server, asking(server) as resolver:
        book = DnsCache(resolver, clock=clock)
        server.add("a.example", "A", Reply(code=NXDOMAIN), at(V4))
        for moment in (0, NEGATIVE_TTL_SECONDS - 1):
            clock.now = moment
            with pytest.raises(NoSuchHost):
                await book.resolve("a.example")
        clock.now = NEGATIVE_TTL_SECONDS + 1
        found = await book.resolve("a.example")

    assert found == (V4,)
    assert len(server.asked("a.example")) == 4


async def test_the_book_asks_again_after_a_failure() -> None:
    """A failure says nothing, so the next attempt asks anew."""
    async with names.serve() as server, asking(server) as resolver:
        book = DnsCache(resolver, clock=Hand())
        server.add("a.example", "A", Reply(code=SERVFAIL), at(V4))
        server.add("a.example", "AAAA", Reply(code=SERVFAIL), NOTHING)
        with pytest.raises(DnsFailure):
            await book.resolve("a.example")
        found = await book.resolve("a.example")

    assert found == (V4,)


OPEN = """
import asyncio
from crawler.fetch.transport.resolvers import open_resolver
async def main():
    resolver = open_resolver()
    print(type(resolver).__name__)
    await resolver.close()
asyncio.run(main())
"""
UNSHARED = ("unshare", "--mount", "--map-root-user")


@pytest.mark.parametrize(
    ("resolv_conf", "resolver"), [("", "SystemResolver"), ("nameserver 192.0.2.53\n", "DnsResolver")]
)
def test_without_a_name_server_the_system_resolves(resolv_conf: str, resolver: str, tmp_path: Path) -> None:
    """Where no server is named, none is asked; proven on a system whose resolv.conf is another."""
    if subprocess.run([*UNSHARED, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a file for one process")
    (tmp_path / "resolv.conf").write_text(resolv_conf)
    mounted = f"mount --bind {tmp_path}/resolv.conf /etc/resolv.conf"
    words = [*UNSHARED, "sh", "-c", f'{mounted} && exec "$0" -c "$1"', sys.executable, OPEN]
    ended = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60)

    assert ended.stdout.split() == [resolver]


async def test_without_aiodns_the_system_resolves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program works where the package does not install."""
    monkeypatch.delitem(sys.modules, "crawler.fetch.transport.dns_client")
    monkeypatch.setitem(sys.modules, "aiodns", None)
    resolver = open_resolver()
    found = await resolver.resolve("localhost")
    await resolver.close()

    assert isinstance(resolver, SystemResolver)
    assert "127.0.0.1" in found.addresses


async def test_name_servers_of_a_domain() -> None:
    """Who serves a domain is told in lower case; nobody, where the name server fails or is silent."""
    async with names.serve() as server, asking(server) as resolver:
        server.add(
            "a.example", "NS", Reply((Entry("NS", "NS1.Parking.example"), Entry("NS", "ns2.parking.example")))
        )
        server.add("b.example", "NS", Reply(code=SERVFAIL))
        server.add("c.example", "NS", SILENCE)
        book = DnsCache(resolver)
        found = [await book.name_servers(f"{name}.example") for name in "abc"]
        system = await DnsCache(Nobody()).name_servers("a.example")

    assert sorted(found[0]) == ["ns1.parking.example", "ns2.parking.example"]
    assert found[1:] == [(), ()]
    assert system == ()


async def test_name_servers_are_not_waited_for() -> None:
    """A server that is silent for longer than the book waits says nothing."""
    async with names.serve() as server, asking(server, seconds=30) as resolver:
        server.add("c.example", "NS", SILENCE)
        assert await DnsCache(resolver, timeout=0.2).name_servers("c.example") == ()
