"""What a resolver is: host names into addresses, domains into name servers."""

from __future__ import annotations

from typing import Final, Protocol, runtime_checkable

from storage.frozen import frozen

DEFAULT_TTL_SECONDS: Final = 300.0  # seconds an answer without a time to live is kept


@frozen
class Addresses:
    """What the resolver says of one name, and for how many seconds it holds."""

    addresses: tuple[str, ...]
    ttl: float = DEFAULT_TTL_SECONDS


class Resolver(Protocol):
    """Looks one name up.

    Raises NoSuchHost where the name has no address, DnsFailure where nothing is known.
    """

    async def resolve(self, host: str) -> Addresses:
        """Ask for all addresses of a name."""

    async def close(self) -> None:
        """Let go of sockets and threads."""


@runtime_checkable
class Delegations(Protocol):
    """A resolver that can name the servers of a domain; that of the system cannot."""

    async def name_servers(self, domain: str) -> tuple[str, ...]:
        """The names of a registered domain's servers, lower case; none where they cannot be had."""


@runtime_checkable
class Renewable(Protocol):
    """A resolver that remembers answers, and can make another that does not."""

    def fresh(self) -> Resolver:
        """A resolver of the same name servers, without a memory; both are to be closed."""
