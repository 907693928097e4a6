"""Which resolver this machine gets."""

from __future__ import annotations

from crawler.fetch.transport.resolver import Addresses, Renewable, Resolver
from crawler.fetch.transport.system_resolver import SystemResolver
from storage.frozen import frozen


def open_resolver() -> Resolver:
    """The best resolver of this machine; call it on the running event loop.

    Name servers are asked directly where aiodns is installed and the system names a server;
    otherwise the system resolves.
    """
    system = SystemResolver()
    try:
        from crawler.fetch.transport.dns_client import open_dns  # noqa: PLC0415 - it is not installed everywhere
    except ImportError:
        return system
    return open_dns(system)


def fresh_resolver(resolver: Resolver | None) -> Resolver:
    """A resolver that remembers nothing, to be closed by itself; `resolver` stands in for this machine's.

    One that asks name servers keeps what they say for as long as it holds.
    """
    if resolver is None:
        return open_resolver()
    return resolver.fresh() if isinstance(resolver, Renewable) else _BorrowedResolver(resolver)


@frozen
class _BorrowedResolver:
    """A resolver that its owner closes."""

    resolver: Resolver

    async def resolve(self, host: str) -> Addresses:
        """Ask for all addresses of a name."""
        return await self.resolver.resolve(host)

    async def close(self) -> None:
        """Leave it open."""
