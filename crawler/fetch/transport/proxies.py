"""Which proxy a URL is asked by: that of the configuration, or those of the environment, as curl has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import lru_cache
from typing import Final
from urllib.request import getproxies_environment

from crawler.urls import host_of
from storage.frozen import frozen

PROXY_SCHEMES: Final = ("http://", "https://")
WEB_URL_SCHEMES: Final = ("http", "https")


@frozen
class ProxySettings:
    """A proxy for all URLs, or one a scheme with hosts that need none (`environment`, as urllib reads it)."""

    everywhere: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def of(self, url: str) -> str | None:
        """Return the URL of the proxy that a request URL is asked by; None for none."""
        if self.everywhere is not None or not self.environment:
            return self.everywhere
        if _is_bypassed(host_of(url), self.environment.get("no", "")):
            return None
        return self.by_scheme().get(url.partition(":")[0])

    def by_scheme(self) -> dict[str, str]:
        """Return the proxies of the environment that can be asked, by scheme; ALL_PROXY stands for both."""
        environment = self.environment
        proxies = {scheme: environment.get(scheme) or environment.get("all") for scheme in WEB_URL_SCHEMES}
        urls = {scheme: url if "://" in url else f"http://{url}" for scheme, url in proxies.items() if url}
        return {scheme: url for scheme, url in urls.items() if url.lower().startswith(PROXY_SCHEMES)}

    def hosts(self) -> frozenset[str]:
        """Return the hosts of all proxies, which the operator wrote."""
        urls = (self.everywhere, *self.by_scheme().values())
        return frozenset(host_of(url) for url in urls if url)


def proxy_settings(proxy: str | None, *, from_environment: bool) -> ProxySettings:
    """Return the configured proxy, else those of HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY."""
    if proxy or not from_environment:
        return ProxySettings(proxy or None)
    return ProxySettings(environment=getproxies_environment())


@lru_cache(maxsize=4096)
def _is_bypassed(host: str, no_proxy: str) -> bool:
    """Whether NO_PROXY names a host or a domain above it; "*" names all."""
    names = [name.strip().lower().lstrip(".") for name in no_proxy.split(",")]
    return "*" in names or any(host == name or host.endswith(f".{name}") for name in names if name)
