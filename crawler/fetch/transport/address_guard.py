"""Which addresses may be asked: records are untrusted, so only public ones.

The table is IANA's special-purpose address registries, read as of 2025; an IPv6 address that
carries an IPv4 address (mapped, NAT64, 6to4, Teredo, ISATAP) is judged by that one too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

NOT_PUBLIC: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by a carrier (CGNAT)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, where clouds keep their secrets
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, withdrawn
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
PUBLIC_V6: Final = ip_network("2000::/3")  # the only range given out as global unicast
NOT_PUBLIC_V6: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        "2001::/23",  # protocol assignments; Teredo lies inside
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, judged by its IPv4 part as well
        "3fff::/20",  # documentation
    )
)
LOCAL_DOMAINS: Final = frozenset(
    {"localhost", "localdomain", "local", "internal", "intranet", "lan", "home.arpa"}
)
NAT64: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))


def embedded_ipv4(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address inside a mapped or NAT64 address; 6to4 and Teredo are never public."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in NAT64[0]:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def is_public(address: Address) -> bool:
    """Whether an address is one that anybody on the internet may reach."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC)
    inside = embedded_ipv4(address)
    if inside is not None:
        return is_public(inside)
    return address in PUBLIC_V6 and not any(address in network for network in NOT_PUBLIC_V6)


def _is_local_name(labels: Sequence[str]) -> bool:
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        return True  # an address in an old spelling (inet_aton)
    return labels[-1] in LOCAL_DOMAINS or ".".join(labels[-2:]) in LOCAL_DOMAINS


class AddressGuard:
    """Lets public addresses pass, and those of the networks that the operator allows."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._allowed = tuple(ip_network(text, strict=False) for text in networks)
        self.passes = lru_cache(maxsize=16_384)(self._passes)

    def passes_name(self, host: str) -> bool:
        """Whether a host that somebody else resolves may be asked: an address, or a public name.

        Names that lead to a machine or a site of its own (RFC 6761, 6762, 8375, .internal, those of
        one label) pass only where the operator allows any network.
        """
        try:
            return self.passes(str(ip_address(host.partition("%")[0])))
        except ValueError:
            labels = host.rstrip(".").lower().split(".")
            return bool(self._allowed) or (len(labels) > 1 and not _is_local_name(labels))

    def _passes(self, text: str) -> bool:
        address = ip_address(text.partition("%")[0])
        inside = embedded_ipv4(address) if isinstance(address, IPv6Address) else None
        addresses = (address, inside) if inside is not None else (address,)
        if any(candidate in network for candidate in addresses for network in self._allowed):
            return True
        return is_public(address)
