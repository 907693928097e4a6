"""The name servers asked directly, with both families at once and every answer's time to live.

The system's resolver hides what matters here: it forgets the time to live, and it may report a
name server that failed in the words of a name that does not exist. So the servers of the system's
configuration are asked without it, and the hosts file is read first, as the system would.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import aiodns
import pycares

from crawler.errors import DnsFailure, FetchError, NoSuchHost
from crawler.fetch.transport.resolver import DEFAULT_TTL_SECONDS, Addresses, Resolver
from crawler.fetch.transport.system_resolver import SystemResolver
from storage.errors import original
from storage.frozen import frozen

MIN_TTL_SECONDS: Final = 5.0  # a time to live of 0 is common
MAX_TTL_SECONDS: Final = 3600.0
OTHER_FAMILY_GRACE_SECONDS: Final = 0.5  # an answer of one family waits for the other: RFC 8305, 3
RECORD_TYPES: Final = ("AAAA", "A")
LOOPBACK_ADDRESSES: Final = ("::1", "127.0.0.1")

NO_SUCH_NAME_CODES: Final = frozenset({pycares.errno.ARES_ENOTFOUND, pycares.errno.ARES_EBADNAME})
NO_ADDRESS_CODES: Final = NO_SUCH_NAME_CODES | {pycares.errno.ARES_ENODATA}

ARES_REASONS: Final[Mapping[int, str]] = {
    pycares.errno.ARES_ECONNREFUSED: "the name server cannot be reached",
    pycares.errno.ARES_EFORMERR: "the name server did not understand the question",
    pycares.errno.ARES_EBADRESP: "the name server's answer cannot be read",
    pycares.errno.ARES_ENOTIMP: "the name server does not answer such questions",
    pycares.errno.ARES_EREFUSED: "the name server refuses to answer",
    pycares.errno.ARES_ESERVFAIL: "the name server failed",
    pycares.errno.ARES_ETIMEOUT: "the name server did not answer in time",
}


@frozen
class NameServers:
    """Which name servers to ask: "address:port" each; none stands for the system's.

    `timeout` are the seconds of the first try at a server, `tries` how often each is asked; None
    stands for what the system's configuration says.
    """

    addresses: Sequence[str] = ()
    timeout: float | None = None
    tries: int | None = None


@frozen
class _DnsReply:
    """What one question brought: addresses and their time to live, or the code of an error."""

    addresses: tuple[str, ...] = ()
    ttl: float = MAX_TTL_SECONDS
    code: int | None = None


class DnsResolver:
    """Asks name servers for A and AAAA together.

    `hosts` are the names that need no asking. Names that only the system can resolve (those of
    one label, `.local` of RFC 6762, old spellings of addresses) go to `system`. To be made on the
    running event loop.

    Raises:
        NoSuchHost: the name does not exist, or has no address of either family.
        DnsFailure: a server failed, refused or was silent about one family, and the other one
            has no address.
    """

    def __init__(
        self,
        system: Resolver,
        servers: NameServers | None = None,
        hosts: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        servers = servers or NameServers()
        self._servers = servers
        self._system = system
        self._hosts = hosts or {}
        self._dns = aiodns.DNSResolver(
            servers.addresses or None, timeout=servers.timeout, tries=servers.tries
        )

    def fresh(self) -> DnsResolver:
        """Another resolver of the same servers, with a channel that remembers no answer."""
        return DnsResolver(SystemResolver(), self._servers, self._hosts)

    async def resolve(self, host: str) -> Addresses:
        """Ask for all addresses of a name."""
        name = host.rstrip(".").lower()
        if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, 6.3
            return Addresses(tuple(self._hosts.get(name, LOOPBACK_ADDRESSES)), DEFAULT_TTL_SECONDS)
        if name in self._hosts:
            return Addresses(tuple(self._hosts[name]), DEFAULT_TTL_SECONDS)
        if _belongs_to_system(name):
            return await self._system.resolve(host)
        return _joined_addresses(host, await self._ask(name))

    async def name_servers(self, domain: str) -> tuple[str, ...]:
        """The names of the servers of a registered domain; none where they cannot be had."""
        try:
            result = await self._dns.query_dns(f"{domain.rstrip('.')}.", "NS")
        except aiodns.error.DNSError:
            return ()
        records = (record.data for record in result.answer)
        names = (data.nsdname for data in records if isinstance(data, pycares.NSRecordData))
        return tuple(name.rstrip(".").lower() for name in names)

    async def close(self) -> None:
        """End every question under way, and close the sockets."""
        await self._dns.close()
        await self._system.close()

    async def _ask(self, name: str) -> list[_DnsReply]:
        """Ask for both families; once one has addresses, the other gets a short grace."""
        queries = [asyncio.ensure_future(self._ask_one(name, family)) for family in RECORD_TYPES]
        try:
            answered_queries, open_queries = await asyncio.wait(queries, return_when=asyncio.FIRST_COMPLETED)
            if open_queries:
                grace = (
                    OTHER_FAMILY_GRACE_SECONDS
                    if any(query.result().addresses for query in answered_queries)
                    else None
                )
                await asyncio.wait(open_queries, timeout=grace)
            return [query.result() for query in queries if query.done()]
        finally:
            for query in queries:
                query.cancel()

    async def _ask_one(self, name: str, family: str) -> _DnsReply:
        try:
            # The name is complete: the search list of the system is not for links.
            result = await self._dns.query_dns(f"{name}.", family)
        except aiodns.error.DNSError as exc:
            return _DnsReply(code=int(exc.args[0]))
        return _reply_of(result.answer)


def _belongs_to_system(name: str) -> bool:
    """Whether no name server decides on a name: 0x7f.1 is an address (inet_aton), wiki a neighbour."""
    before, _, last = name.rpartition(".")
    return not before or last == "local" or last.isdigit() or last.startswith("0x")


def open_dns(system: Resolver) -> Resolver:
    """Ask the system's name servers directly, or leave it to `system` where it names none."""
    if not _names_a_server():
        return system
    return DnsResolver(system, hosts=read_hosts(hosts_file()))


def _names_a_server() -> bool:
    """Whether the system names a server; without one, loopback would be asked in vain."""
    try:
        pycares.Channel(flags=pycares.ARES_FLAG_NO_DFLT_SVR).close()
    except pycares.AresError:
        return False
    return True


def hosts_file() -> Path:
    """Where this system keeps its hosts file."""
    root = os.environ.get("SYSTEMROOT") if os.name == "nt" else None
    return Path(root, "System32/drivers/etc/hosts") if root else Path("/etc/hosts")


def read_hosts(path: Path) -> dict[str, list[str]]:
    """Names to addresses, as a hosts file says; what is no address there says nothing."""
    addresses_by_name: dict[str, list[str]] = {}
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return addresses_by_name
    for line in lines:
        address, *names = line.partition("#")[0].split() or [""]
        if not _is_address(address):
            continue
        for name in names:
            addresses_by_name.setdefault(name.rstrip(".").lower(), []).append(address)
    return addresses_by_name


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _reply_of(records: Iterable[pycares.DNSRecord]) -> _DnsReply:
    """The addresses of an answer; a chain of aliases lives as long as its weakest link."""
    records = list(records)
    addresses = [
        record.data.addr
        for record in records
        if isinstance(record.data, pycares.ARecordData | pycares.AAAARecordData)
    ]
    if not addresses:
        return _DnsReply(code=pycares.errno.ARES_ENODATA)
    ttl = min(record.ttl for record in records)
    return _DnsReply(tuple(dict.fromkeys(addresses)), min(max(float(ttl), MIN_TTL_SECONDS), MAX_TTL_SECONDS))


def _joined_addresses(host: str, replies: Sequence[_DnsReply]) -> Addresses:
    useful_replies = [reply for reply in replies if reply.addresses]
    if useful_replies:
        addresses = [address for reply in useful_replies for address in reply.addresses]
        return Addresses(_preferred_first(addresses), min(reply.ttl for reply in useful_replies))
    raise _lookup_error(host, [reply.code for reply in replies if reply.code is not None])


def _preferred_first(addresses: Sequence[str]) -> tuple[str, ...]:
    """IPv6 first where this machine has a way to it (RFC 6724, 10.3), else last."""
    preferred_version = 6 if _has_ipv6_route() else 4
    return tuple(sorted(addresses, key=lambda address: ip_address(address).version != preferred_version))


def _has_ipv6_route() -> bool:
    """Whether the system knows a way to the public IPv6 network; nothing is sent."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.connect(("2001:4860:4860::8888", 53))
    except OSError:
        return False
    return True


def _lookup_error(host: str, codes: Sequence[int]) -> FetchError:
    failure_codes = [code for code in codes if code not in NO_ADDRESS_CODES]
    if failure_codes:
        meaning = ARES_REASONS.get(failure_codes[0], "the name server failed")
        reason = f"{meaning}{original(pycares.errno.strerror(failure_codes[0]))}"
        return DnsFailure(f"{host} could not be looked up: {reason}", phase="dns")
    if NO_SUCH_NAME_CODES.isdisjoint(codes):
        return NoSuchHost(f"{host} has no address", phase="dns")
    return NoSuchHost(f"{host} does not exist", phase="dns")
