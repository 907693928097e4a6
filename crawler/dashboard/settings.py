"""The settings that every part of the dashboard shares."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import field
from ipaddress import ip_address
from secrets import token_bytes
from typing import Final

import sqlalchemy as sa
from aiohttp import web

from storage.frozen import frozen

MIN_TOKEN_CHARACTERS: Final = 16  # a thousand guesses a second take longer than the universe is old


@frozen
class DashboardSettings:
    """The settings of one dashboard.

    `engine` reads and cannot write; `names` are those it is reached by, beside addresses and
    `localhost`; `token` is what visitors have to know ("" for none); `write` allows changes, which
    `writer` takes. `cache` is where images are kept, as `[images] cache` says it ("" for nowhere).
    """

    engine: sa.Engine
    host: str = "127.0.0.1"
    port: int = 0
    names: tuple[str, ...] = ()
    token: str = ""
    write: bool = False
    cache: str = ""
    writer: sa.Engine | None = None
    secret: bytes = field(default_factory=lambda: token_bytes(32), repr=False)

    @property
    def session(self) -> str:
        """The value of the session cookie; another after each start."""
        return hmac.new(self.secret, self.token.encode(), hashlib.sha256).hexdigest()

    def objection(self) -> str | None:
        """Why these settings are not safe to serve, in a sentence; None if they are."""
        if self.token and len(self.token) < MIN_TOKEN_CHARACTERS:
            return f"[dashboard] token is short: take {MIN_TOKEN_CHARACTERS} characters or more"
        if not self.token and not is_loopback(self.host):
            return (
                f"[dashboard] host {self.host} can be reached from elsewhere, so it needs a token: set "
                f"LINKHEALTH_DASHBOARD__TOKEN to {MIN_TOKEN_CHARACTERS} characters or more, or "
                "stay on 127.0.0.1"
            )
        if self.write and not self.token:
            return "[dashboard] write = true needs a token: set LINKHEALTH_DASHBOARD__TOKEN"
        return None


SETTINGS_KEY: Final = web.AppKey("settings", DashboardSettings)


def is_loopback(host: str) -> bool:
    """Whether a host leads to this machine alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_address(host: str) -> bool:
    """Whether a host is an address, not a name; no name server can make an address lead elsewhere."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
