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
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import aiodns
import pycares

from crawler.errors import DnsFailure, FetchError, NoSuchHost
from crawler.fetch.dns import KEPT, Addresses, Resolver

SHORTEST: Final = 5.0  # seconds an answer is kept at least: a time to live of 0 is common
LONGEST: Final = 3600.0  # seconds an answer is kept at most
GRACE: Final = 0.5  # seconds that an answer of one family waits for the other: RFC 8305, 3
FAMILIES: Final = ("AAAA", "A")
LOOPBACK: Final = ("::1", "127.0.0.1")

NO_SUCH_NAME: Final = frozenset({pycares.errno.ARES_ENOTFOUND, pycares.errno.ARES_EBADNAME})
ABSENT: Final = NO_SUCH_NAME | {pycares.errno.ARES_ENODATA}


@dataclass(frozen=True, slots=True)
class Servers:
    """Which name servers to ask: "address:port" each; none stands for the system's.

    `timeout` are the seconds of the first try at a server, `tries` how often each is asked; None
    stands for what the system's configuration says.
    """

    addresses: Sequence[str] = ()
    timeout: float | None = None
    tries: int | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """What one question brought: addresses and their time to live, or the code of an error."""

    addresses: tuple[str, ...] = ()
    ttl: float = LONGEST
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
        servers: Servers | None = None,
        hosts: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        servers = servers or Servers()
        self._system, self._hosts = system, hosts or {}
        self._dns = aiodns.DNSResolver(
            servers.addresses or None, timeout=servers.timeout, tries=servers.tries
        )

    async def resolve(self, host: str) -> Addresses:
        """Ask for all addresses of a name."""
        name = host.rstrip(".").lower()
        if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, 6.3
            return Addresses(tuple(self._hosts.get(name, LOOPBACK)), KEPT)
        if name in self._hosts:
            return Addresses(tuple(self._hosts[name]), KEPT)
        if _for_system(name):
            return await self._system.resolve(host)
        return _joined(host, await self._ask(name))

    async def name_servers(self, domain: str) -> tuple[str, ...]:
        """The names of the servers that a registered domain is delegated to; none where nobody tells."""
        try:
            result = await self._dns.query_dns(f"{domain.rstrip('.')}.", "NS")
        except aiodns.error.DNSError:
            return ()
        found = (one.data.nsdname for one in result.answer if isinstance(one.data, pycares.NSRecordData))
        return tuple(name.rstrip(".").lower() for name in found)

    async def close(self) -> None:
        """End every question under way, and close the sockets."""
        await self._dns.close()
        await self._system.close()

    async def _ask(self, name: str) -> list[_Said]:
        """Ask for both families; once one has addresses, the other gets a short grace."""
        asked = [asyncio.ensure_future(self._ask_one(name, family)) for family in FAMILIES]
        try:
            done, late = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            if late:
                grace = GRACE if any(one.result().addresses for one in done) else None
                await asyncio.wait(late, timeout=grace)
            return [one.result() for one in asked if one.done()]
        finally:
            for one in asked:
                one.cancel()

    async def _ask_one(self, name: str, family: str) -> _Said:
        try:
            # The name is complete: the search list of the system is not for links.
            result = await self._dns.query_dns(f"{name}.", family)
        except aiodns.error.DNSError as exc:
            return _Said(code=exc.args[0])
        return _said(result.answer)


def _for_system(name: str) -> bool:
    """Whether no name server decides on a name: 0x7f.1 is an address (inet_aton), wiki a neighbour."""
    before, _, last = name.rpartition(".")
    return not before or last == "local" or last.isdigit() or last.startswith("0x")


def open_dns(system: Resolver) -> Resolver:
    """Ask the system's name servers directly, or leave it to `system` where it names none."""
    if not _configured():
        return system
    return DnsResolver(system, hosts=read_hosts(hosts_file()))


def _configured() -> bool:
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
    found: dict[str, list[str]] = {}
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return found
    for line in lines:
        address, *names = line.partition("#")[0].split() or [""]
        if not _is_address(address):
            continue
        for name in names:
            found.setdefault(name.rstrip(".").lower(), []).append(address)
    return found


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _said(records: Iterable[pycares.DNSRecord]) -> _Said:
    """The addresses of an answer; a chain of aliases lives as long as its weakest link."""
    records = list(records)
    found = [
        one.data.addr for one in records if isinstance(one.data, pycares.ARecordData | pycares.AAAARecordData)
    ]
    if not found:
        return _Said(code=pycares.errno.ARES_ENODATA)
    ttl = min(one.ttl for one in records)
    return _Said(tuple(dict.fromkeys(found)), min(max(float(ttl), SHORTEST), LONGEST))


def _joined(host: str, answers: Sequence[_Said]) -> Addresses:
    found = [one for one in answers if one.addresses]
    if found:
        addresses = [address for one in found for address in one.addresses]
        return Addresses(_in_order(addresses), min(one.ttl for one in found))
    raise _explain(host, [one.code for one in answers if one.code is not None])


def _in_order(addresses: Sequence[str]) -> tuple[str, ...]:
    """IPv6 first where this machine has a way to it (RFC 6724, 10.3), else last."""
    first = 6 if _routed() else 4
    return tuple(sorted(addresses, key=lambda one: ip_address(one).version != first))


def _routed() -> bool:
    """Whether the system knows a way to the public IPv6 network; nothing is sent."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.connect(("2001:4860:4860::8888", 53))
    except OSError:
        return False
    return True


def _explain(host: str, codes: Sequence[int]) -> FetchError:
    failed = [code for code in codes if code not in ABSENT]
    if failed:
        reason = str(pycares.errno.strerror(failed[0]))
        return DnsFailure(f"{host} could not be looked up: {reason}", phase="dns")
    if NO_SUCH_NAME.isdisjoint(codes):
        return NoSuchHost(f"{host} has no address", phase="dns")
    return NoSuchHost(f"{host} does not exist", phase="dns")
