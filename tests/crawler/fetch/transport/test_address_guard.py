"""Which addresses may be asked."""

from __future__ import annotations

import pytest

from crawler.fetch.transport.address_guard import AddressGuard

pytestmark = pytest.mark.libraries

BLOCKED = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.254 127.0.0.1 127.9.9.9 169.254.169.254
    172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.7
    203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a00:1
    64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1 fc00::1
    fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 5f00::1
"""
PUBLIC = """
    1.1.1.1 8.8.8.8 93.184.216.34 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1
    223.255.255.255 ::ffff:8.8.8.8 64:ff9b::808:808 2606:4700::1111 2a00:1450:4001:81b::200e
"""


@pytest.mark.parametrize("address", BLOCKED.split())
def test_addresses_that_are_not_public_do_not_pass(address: str) -> None:
    """Private, local and reserved addresses are blocked, in every disguise."""
    assert not AddressGuard().passes(address)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_addresses_pass(address: str) -> None:
    """What anybody may reach, we may reach."""
    assert AddressGuard().passes(address)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::5"])
def test_allowed_networks_pass(address: str) -> None:
    """The operator's own networks pass, and nothing beside them."""
    guard = AddressGuard(["10.0.0.0/8", "fd00::/64"])

    assert guard.passes(address)
    assert not guard.passes("192.168.0.1")
