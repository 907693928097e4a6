"""robots.txt, when asked to obey it (RFC 9309): read by the same polite stack, kept while fresh."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from crawler.errors import FetchError, RedirectFault, RobotsDenied
from crawler.fetch.base import Fetch, Middleware, Request, RequestState, Response, Trace, wrapped
from crawler.fetch.headers.conditional import served_headers
from crawler.fetch.headers.freshness import lifetime
from crawler.fetch.middleware.retry import RetryAllowance
from crawler.fetch.middleware.robots_rules import Allows, parse, product, without_last_line
from crawler.lanes import Permit
from crawler.urls import origin_of
from storage.frozen import frozen
from storage.model import Target

MAX_ROBOTS_BYTES: Final = 512_000  # RFC 9309, 2.5, asks for at least 500 KiB
MAX_ROBOTS_HOPS: Final = 5  # RFC 9309, 2.3.1.2: at least five redirects are followed
ROBOTS_PATH: Final = "/robots.txt"
MAX_ROBOTS_AGE: Final = timedelta(hours=24)  # RFC 9309, 2.4
MIN_ROBOTS_AGE: Final = timedelta(minutes=5)  # a file that is never fresh is not asked for at each page
FAILURE_AGE: Final = timedelta(seconds=30)  # less than the pause before the second pass
INLINE_CHARACTERS: Final = 32_768  # that are parsed in the event loop; 500 KiB take half a second
ORIGIN_PHASES: Final = frozenset({"name", "dns", "guard", "connect", "tls"})  # failures of the whole origin
NO_ROBOTS: Final = "its robots.txt cannot be had, which forbids everything"


@frozen
class RobotsSettings:
    """The agent that asks, where a request that has to wait releases its permit, and monotonic seconds."""

    agent: str
    release: Callable[[Permit[Target]], None]
    now: Callable[[], float] = time.monotonic


def robots(reading: Sequence[Middleware], settings: RobotsSettings) -> Middleware:
    """Refuse what the robots.txt of its origin forbids to this agent; `reading` is the stack for that file.

    The file is asked for with the permit of the first visit that needs it; the others wait for it
    without a permit.

    Raises:
        RobotsDenied: it is forbidden, or the origin's robots.txt cannot be had (RFC 9309, 2.3.1.4).
        FetchError: the origin itself cannot be reached; it is not asked for anything else.
    """

    def wrap(fetch: Fetch) -> Fetch:
        cache = _RobotsCache(wrapped(fetch, reading), settings)

        async def ask(request: Request) -> Response:
            origin = origin_of(request.url)
            # RFC 9309, 2.2.2: the file itself is allowed.
            if request.url != origin + ROBOTS_PATH:
                allows = await cache.rules(origin, request.trace)
                if not allows(request.url):
                    raise RobotsDenied("by the site's robots.txt")
            return await fetch(request)

        return ask

    return wrap


@frozen
class RobotsBudget:
    """Grants another attempt at a robots.txt only while half the `seconds` of one are left."""

    allowance: RetryAllowance
    seconds: float

    def first(self, request: Request) -> None:
        """Note a first attempt."""
        self.allowance.first(request)

    def grant(self, request: Request) -> bool:
        """Whether there may be another attempt."""
        took = asyncio.get_running_loop().time() - request.trace.started
        return took < self.seconds / 2 and self.allowance.grant(request)


@frozen
class _CachedRules:
    """What an origin allows, or why that is not known, until when."""

    until: float
    allows: Allows | None = None
    error: FetchError | None = None

    def rules(self) -> Allows:
        if self.allows is not None:
            return self.allows
        error = self.error or RobotsDenied()
        raise type(error)(str(error), phase=error.phase)


class _RobotsCache:
    """The rules of each origin, while they are fresh."""

    def __init__(self, read: Fetch, settings: RobotsSettings) -> None:
        self._fetch = read
        self._settings = settings
        self._product = product(settings.agent)
        self._origins: dict[str, _CachedRules] = {}
        self._reading: dict[str, asyncio.Event] = {}

    async def rules(self, origin: str, trace: Trace) -> Allows:
        """What an origin allows; the first request reads it, and if that ends early, the next one."""
        while True:
            entry = self._origins.get(origin)
            if entry is not None and self._settings.now() < entry.until:
                return entry.rules()
            reading = self._reading.get(origin)
            if reading is None:
                return (await self._read(origin, trace, entry)).rules()
            permit = trace.state.permit
            trace.state.permit = None
            if permit is not None:
                self._settings.release(permit)
            await reading.wait()

    async def _read(self, origin: str, trace: Trace, before: _CachedRules | None) -> _CachedRules:
        self._reading[origin] = asyncio.Event()
        state = RequestState(permit=trace.state.permit)
        robots_trace = Trace(state=state, started=asyncio.get_running_loop().time())
        trace.state.permit = None
        try:
            entry = self._origins[origin] = await self._ask(origin, robots_trace, before)
        finally:
            trace.state.permit = robots_trace.state.permit
            self._reading.pop(origin).set()
        return entry

    async def _ask(self, origin: str, trace: Trace, before: _CachedRules | None) -> _CachedRules:
        try:
            response = await self._fetch(Request(origin + ROBOTS_PATH, limit=MAX_ROBOTS_BYTES, trace=trace))
        except RedirectFault:
            return self._until(MAX_ROBOTS_AGE, _everything)
        except FetchError as exc:
            down = exc.phase in ORIGIN_PHASES and not trace.redirects
            error = type(exc)(f"its robots.txt: {exc}", phase=exc.phase) if down else RobotsDenied(NO_ROBOTS)
            return self._failed(before, error)
        if response.status >= 500:  # noqa: PLR2004 - RFC 9309, 2.3.1.4: unreachable
            return self._failed(before, RobotsDenied(NO_ROBOTS))
        if response.status >= 300:  # noqa: PLR2004 - RFC 9309, 2.3.1.3: unavailable
            return self._until(fresh_for(response), _everything)
        return self._until(fresh_for(response), await _parsed(response, self._product))

    def _until(self, span: timedelta, allows: Allows) -> _CachedRules:
        return _CachedRules(self._settings.now() + span.total_seconds(), allows)

    def _failed(self, before: _CachedRules | None, error: FetchError) -> _CachedRules:
        """RFC 9309, 2.4: an old copy serves as long as there is no new one."""
        allows = before.allows if before else None
        return _CachedRules(self._settings.now() + FAILURE_AGE.total_seconds(), allows, error)


def _everything(_: str) -> bool:
    return True


def fresh_for(response: Response) -> timedelta:
    """How long a robots.txt may be used: as HTTP says, a day at most, a day where it says nothing."""
    validators = served_headers(response)
    if validators.cache_control is None and validators.expires is None:
        return MAX_ROBOTS_AGE
    return min(max(lifetime(validators), MIN_ROBOTS_AGE), MAX_ROBOTS_AGE)


async def _parsed(response: Response, name: str) -> Allows:
    text = response.body.decode("utf-8-sig", "replace")
    if not response.complete:
        text = without_last_line(text)
    if len(text) < INLINE_CHARACTERS:
        return parse(text, name)
    return await asyncio.to_thread(parse, text, name)
