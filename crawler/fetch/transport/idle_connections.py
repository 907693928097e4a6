"""Idle connections, bounded: they are a saving, and file descriptors are few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import aiohttp

from crawler.runtime import open_files_limit

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ConnectionKey

IDLE_SHARE: Final = 4  # at most one of so many file descriptors is a connection that is idle
MIN_IDLE_HOSTS: Final = 4


class IdleBoundedConnector(aiohttp.TCPConnector):
    """A connector that keeps the connections of so many hosts, by the limit of open files."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._max_idle_hosts = max(MIN_IDLE_HOSTS, open_files_limit() // IDLE_SHARE)

    def _release(self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        """Keep a connection for the next request to its host, unless many are kept already."""
        at_limit = len(self._conns) >= self._max_idle_hosts and key not in self._conns
        super()._release(key, protocol, should_close=should_close or at_limit)

    def close_idle(self) -> bool:
        """Close the connections of the host that has been idle longest; tell whether there was one."""
        key = next(iter(self._conns), None)
        if key is None:
            return False
        for protocol, _ in self._conns.pop(key):
            protocol.abort()
        return True
