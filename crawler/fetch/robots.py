"""robots.txt, when asked to obey it (RFC 9309): read by the same polite onion, kept while fresh."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

from protego import Protego

from crawler.errors import Denied, FetchError, RedirectFault
from crawler.fetch.base import Answer, Fetch, Request, Trail
from crawler.fetch.retry import Allowance
from crawler.fetch.revalidate import served
from crawler.staleness import lifetime
from crawler.urls import origin_of

LARGEST: Final = 512_000  # bytes: RFC 9309, 2.5, asks for at least 500 KiB
HOPS: Final = 5  # RFC 9309, 2.3.1.2: at least five redirects are followed
PATH: Final = "/robots.txt"
LONGEST: Final = timedelta(hours=24)  # RFC 9309, 2.4
SHORTEST: Final = timedelta(minutes=5)  # a file that is never fresh is not asked for at each page
FAILED: Final = timedelta(seconds=30)  # less than the pause before the second pass
AT_ONCE: Final = 32_768  # bytes that are parsed in passing; 500 KiB take half a second
UNREACHED: Final = frozenset({"dns", "guard", "connect", "tls"})  # phases that condemn the whole origin
TOKEN: Final = re.compile(r"[A-Za-z_-]+")  # RFC 9309, 2.2.1
COMPATIBLE: Final = re.compile(r"compatible;\s*([A-Za-z_-]+)")
AGENT: Final = frozenset({"user-agent", "useragent", "user agent"})
# RFC 9309, 2.2.4: these are of the whole site, and part no group.
SITE: Final = frozenset({"sitemap", "host"})

Allows = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Manners:
    """Who asks, how to give back the seat of a request that has to wait, and monotonic seconds."""

    agent: str
    give_back: Callable[[Any], None]
    now: Callable[[], float] = time.monotonic


def robots(fetch: Fetch, read: Fetch, manners: Manners) -> Fetch:
    """Refuse what the robots.txt of its origin forbids to this agent; `read` gets that file.

    The file is asked for with the seat of the first visit that needs it; the others wait for it
    without one.

    Raises:
        Denied: it is forbidden, or the origin's robots.txt cannot be had (RFC 9309, 2.3.1.4).
        FetchError: the origin itself cannot be reached; it is not asked for anything else.
    """
    book = _Book(read, manners)

    async def ask(request: Request) -> Answer:
        origin = origin_of(request.url)
        # RFC 9309, 2.2.2: the file itself is allowed.
        if request.url != origin + PATH and not (await book.rules(origin, request.trail))(request.url):
            raise Denied("by the site's robots.txt")
        return await fetch(request)

    return ask


@dataclass(frozen=True, slots=True)
class Brief:
    """Grants another attempt at a robots.txt only while half the `seconds` of one are left."""

    allowance: Allowance
    seconds: float

    def first(self, request: Request) -> None:
        """Note a first attempt."""
        self.allowance.first(request)

    def grant(self, request: Request) -> bool:
        """Whether there may be another attempt."""
        took = asyncio.get_running_loop().time() - request.trail.started
        return took < self.seconds / 2 and self.allowance.grant(request)


@dataclass(frozen=True, slots=True)
class _Known:
    """What an origin allows, or why nobody knows, until when."""

    until: float
    allows: Allows | None = None
    error: FetchError | None = None

    def tell(self) -> Allows:
        if self.allows is not None:
            return self.allows
        error = self.error or Denied()
        raise type(error)(str(error), phase=error.phase)


class _Book:
    """What is known of the robots.txt of each origin."""

    def __init__(self, read: Fetch, manners: Manners) -> None:
        self._fetch, self._manners = read, manners
        self._product = product(manners.agent)
        self._known: dict[str, _Known] = {}
        self._reading: dict[str, asyncio.Event] = {}

    async def rules(self, origin: str, trail: Trail) -> Allows:
        """What an origin allows; who comes first reads it, and if that ends early, the next one."""
        while True:
            known = self._known.get(origin)
            if known is not None and self._manners.now() < known.until:
                return known.tell()
            reading = self._reading.get(origin)
            if reading is None:
                return (await self._read(origin, trail, known)).tell()
            seat, trail.seat = trail.seat, None
            if seat is not None:
                self._manners.give_back(seat)
            await reading.wait()

    async def _read(self, origin: str, trail: Trail, before: _Known | None) -> _Known:
        self._reading[origin] = asyncio.Event()
        own = Trail(seat=trail.seat, started=asyncio.get_running_loop().time())
        trail.seat = None
        try:
            known = self._known[origin] = await self._ask(origin, own, before)
        finally:
            trail.seat = own.seat
            self._reading.pop(origin).set()
        return known

    async def _ask(self, origin: str, trail: Trail, before: _Known | None) -> _Known:
        try:
            answer = await self._fetch(Request(origin + PATH, limit=LARGEST, trail=trail))
        except RedirectFault:
            return self._until(LONGEST, _everything)
        except FetchError as exc:
            dead = exc.phase in UNREACHED and not trail.redirects
            said = type(exc)(f"its robots.txt: {exc}", phase=exc.phase) if dead else Denied(_NOT_HAD)
            return self._failed(before, said)
        if answer.status >= 500:  # noqa: PLR2004 - RFC 9309, 2.3.1.4: unreachable
            return self._failed(before, Denied(_NOT_HAD))
        if answer.status >= 300:  # noqa: PLR2004 - RFC 9309, 2.3.1.3: unavailable
            return self._until(fresh_for(answer), _everything)
        return self._until(fresh_for(answer), await _parsed(answer, self._product))

    def _until(self, span: timedelta, allows: Allows) -> _Known:
        return _Known(self._manners.now() + span.total_seconds(), allows)

    def _failed(self, before: _Known | None, error: FetchError) -> _Known:
        """RFC 9309, 2.4: an old copy serves as long as there is no new one."""
        allows = before.allows if before else None
        return _Known(self._manners.now() + FAILED.total_seconds(), allows, error)


_NOT_HAD: Final = "its robots.txt cannot be had, which forbids everything"


def _everything(_: str) -> bool:
    return True


def fresh_for(answer: Answer) -> timedelta:
    """How long a robots.txt may be used: as HTTP says, a day at most, a day where it says nothing."""
    said = served(answer)
    if said.cache_control is None and said.expires is None:
        return LONGEST
    return min(max(lifetime(said), SHORTEST), LONGEST)


def product(agent: str) -> str:
    """The product token of a User-Agent: its first, or that behind "compatible;"."""
    found = COMPATIBLE.search(agent)
    token = found[1] if found else TOKEN.match(agent)
    return (token if isinstance(token, str) else token[0] if token else agent).lower()


async def _parsed(answer: Answer, name: str) -> Allows:
    text = answer.body.decode("utf-8-sig", "replace")
    if not answer.complete:
        # Half a line may forbid more than the whole: "Disallow: /" of "Disallow: /private".
        text = re.split(r"[\r\n][^\r\n]*\Z", text)[0]
    if len(text) < AT_ONCE:
        return parse(text, name)
    return await asyncio.to_thread(parse, text, name)


def parse(text: str, name: str) -> Allows:
    """What a robots.txt allows to the product of this name (lower case).

    Only the rules that apply get to the parser: it copies each rule for each agent of its group,
    and 500 KiB can name ten thousand agents.
    """
    own = list(_rules(text, name))
    rules = own if own or _names(text, name) else _rules(text, "*")
    return partial(_allows, Protego.parse("\n".join(["User-agent: *", *rules])))


def _allows(rules: Protego, url: str) -> bool:
    return bool(rules.can_fetch(url, "*"))


def _names(text: str, name: str) -> bool:
    """Whether any group is for this product, be it one without a rule, which allows everything."""
    return any(_agent(line) == name for line in text.splitlines())


def _rules(text: str, name: str) -> Iterator[str]:
    """The rules of all groups for a product (RFC 9309, 2.2.1: they are one)."""
    applies = heading = False
    for line in text.splitlines():
        agent = _agent(line)
        if agent is not None:
            applies = agent == name or (heading and applies)
            heading = True
        elif _field(line) and _field(line) not in SITE:
            heading = False
            if applies:
                yield line


def _agent(line: str) -> str | None:
    """The product that a line begins a group for, in lower case; None for any other line."""
    if _field(line) not in AGENT:
        return None
    value = line.partition("#")[0].partition(":")[2].strip()
    token = TOKEN.match(value)
    return token[0].lower() if token else value


def _field(line: str) -> str:
    """What stands before the colon of a line, in lower case; "" of an empty one or a comment."""
    return line.partition("#")[0].partition(":")[0].strip().lower()
