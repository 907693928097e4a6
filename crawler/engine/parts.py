"""From a configuration to parts of a run: its TLS context, its connections, its checks."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from crawler.checks.amp import AmpCheck
from crawler.checks.base import Check
from crawler.checks.image_header import ImageCheck
from crawler.checks.page import PageCheck
from crawler.config import Config, parse_detour
from crawler.errors import ConfigError
from crawler.fetch.transport.proxies import ProxySettings, proxy_settings
from crawler.fetch.transport.routes import ConnectorSettings
from crawler.fetch.transport.tls_names import TlsContext
from crawler.policies import known_for
from storage.model import Kind

# OpenSSL's own choice, as curl has it: Python's leaves out what old servers know and browsers take.
# Without finite-field Diffie-Hellman: a server that prefers it, with a group that is too short, would be
# refused, where browsers, which offer none, agree on another way.
CIPHERS: Final = "DEFAULT:!kDHE:!PSK:!SRP:@SECLEVEL=2"
# ssl.OP_LEGACY_SERVER_CONNECT, which Python names from 3.12 on.
LEGACY_SERVER_CONNECT: Final = 0x4


def tls_context(config: Config) -> ssl.SSLContext:
    """The one TLS context of a run.

    Raises:
        ConfigError: the file of roots cannot be read.
    """
    path = config.network.ca_file or None
    try:
        context = _context_of(path)
    except (OSError, ssl.SSLError) as exc:
        raise ConfigError(f"[network] ca_file: {path} cannot be read as certificates") from exc
    context.set_ciphers(CIPHERS)
    # Servers without secure renegotiation (RFC 5746): we renegotiate nothing, and browsers open them.
    context.options |= LEGACY_SERVER_CONNECT
    context.hostname_checks_common_name = False  # RFC 9525, 2: as browsers, which ended it in 2017
    return context


def _context_of(ca_file: str | None) -> ssl.SSLContext:
    """A context that trusts the roots of a file, else those of the system.

    It verifies no more than browsers: `ssl.create_default_context` is strict from Python 3.13 on.
    """
    context = TlsContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(ca_file)
    return context


def connector_settings(config: Config, connect_to: Sequence[str]) -> ConnectorSettings:
    """How to connect: the detours of the operator, those of the command line first."""
    texts = (*connect_to, *config.network.connect_to)
    return ConnectorSettings(
        config.network.connect_timeout,
        config.network.connect_timeout,
        tuple(parse_detour(text) for text in texts),
        proxies_of(config, connect_to).hosts(),
    )


def proxies_of(config: Config, connect_to: Sequence[str]) -> ProxySettings:
    """The proxies of a run: the configured one, or those of the environment where no `connect_to` leads."""
    network = config.network
    environment = network.proxy_from_env and not connect_to and not network.connect_to
    return proxy_settings(network.proxy, from_environment=environment)


def checks_of(config: Config, image: Check | None = None) -> dict[Kind, Check]:
    """The check of each kind; `image` stands in for the one by leading bytes."""
    page = PageCheck(config.network.max_body, lru_cache(4096)(lambda host: known_for(config, host).head))
    image = image or ImageCheck(config.images.max_bytes, config.images.max_pixels)
    if not config.checks.amp:
        return {Kind.WEB: page, Kind.AMP: page, Kind.AMP_CDN: page, Kind.IMAGE: image}
    amp, cached = AmpCheck(), AmpCheck(marked=False)
    return {Kind.WEB: page, Kind.AMP: amp, Kind.AMP_CDN: cached, Kind.IMAGE: image}
