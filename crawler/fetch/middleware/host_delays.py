"""Hosts that asked to be left alone for a while: by Retry-After, or by a quota that is used up.

It is the host that rests, never its whole lane: thousands of hosts may share a lane. Rate limits
(420, 429) and quotas are of a host. Any other status with a Retry-After speaks for its page alone,
until a second page of the same host says the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from crawler.errors import HostPostponed
from crawler.fetch.base import Request, Response
from crawler.fetch.headers.rate_limit import quota_wait
from crawler.fetch.headers.retry_after import requested_wait
from crawler.urls import host_of, masked
from storage.frozen import frozen

RATE_LIMIT_STATUSES: Final = frozenset({420, 429})


@frozen
class HostDelay:
    """Until when a host is left alone (loop time), and why it is not asked in this run, if it is so long."""

    until: float
    postponed: HostPostponed | None = None


class HostDelays:
    """Remembers which hosts rest.

    `max_wait` are the seconds that a run waits for a host; `now` is UTC as seconds, `clock` loop time.
    """

    def __init__(self, max_wait: float, now: Callable[[], float], clock: Callable[[], float]) -> None:
        self._max_wait = max_wait
        self._now = now
        self._clock = clock
        self._hosts: dict[str, HostDelay] = {}
        self._pages: dict[str, tuple[str, float]] = {}

    def of(self, url: str) -> HostDelay | None:
        """The delay of the host of a URL, while it lasts."""
        if not self._hosts:
            return None
        host = host_of(url)
        delay = self._hosts.get(host)
        if delay is not None and delay.until <= self._clock():
            del self._hosts[host]
            return None
        return delay

    def note(self, request: Request, response: Response) -> None:
        """Learn from one response; what HEAD is told is never evidence of a long wait."""
        wait = self._wait(response)
        if wait is None or wait <= 0 or (wait > self._max_wait and request.method == "HEAD"):
            return
        until = self._clock() + wait
        if not self._is_of_host(request.url, response, until):
            return
        host = host_of(request.url)
        before = self._hosts.get(host)
        if before is None or before.until < until:
            error = self._postponed(response, wait) if wait > self._max_wait else None
            self._hosts[host] = HostDelay(until, error)

    def _wait(self, response: Response) -> float | None:
        if response.status >= 400:  # noqa: PLR2004 - the classes of refusal
            return requested_wait(response, self._now)
        return quota_wait(response.headers, self._now())

    def _is_of_host(self, url: str, response: Response, until: float) -> bool:
        """Whether a response speaks for its host, and not for its page alone."""
        is_refusal = response.status >= 400  # noqa: PLR2004 - the classes of refusal
        if not is_refusal or response.status in RATE_LIMIT_STATUSES:
            return True
        host = host_of(url)
        page, page_until = self._pages.get(host, (url, 0.0))
        self._pages[host] = (page, max(page_until, until)) if page == url else (url, until)
        return page != url and page_until > self._clock()

    def _postponed(self, response: Response, wait: float) -> HostPostponed:
        until = self._now() + wait
        reason = f"with Retry-After {wait:.0f}" if response.status >= 400 else "with its quota used up"  # noqa: PLR2004
        moment = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%d %H:%M UTC")
        text = f"put off until {moment}: {masked(response.url)} answered {response.status} {reason}"
        return HostPostponed(text, until)
