"""The values of the middleware stack: a request, its response, and the trace that a visit leaves.

Every network behaviour is a `Fetch` that wraps a `Fetch`; `crawler.wiring` nests them once.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias

from crawler.errors import FetchError, FetchTimeout
from crawler.lanes import Permit
from storage.frozen import frozen
from storage.model import Evidence, Hop, Redirect, Target

PARTIAL_CONTENT: Final = 206  # the status of an answer to a Range
RANGE_NOT_SATISFIABLE: Final = 416
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


@frozen
class Cookie:
    """A cookie of one visit; `host_only`: it goes to the host that set it alone, not to its subdomains."""

    name: str
    value: str
    domain: str = ""
    path: str = "/"
    host_only: bool = True
    secure: bool = False


@dataclass(slots=True)
class RequestState:
    """What the middlewares hold and may still use for one visit, apart from its facts.

    `permit` is the one that the scheduler already gave for the first request, `address_slot` the
    address at which a slot is held for the next connection, where its connections take slots at all
    (`takes_slots`); `time_left` are the seconds of network time that the attempt under way may still
    take; `single_attempt` allows no second one; `savings_refused`: a Range or a condition was no use.
    `cookies` are those that answers of this visit set.
    """

    permit: Permit[Target] | None = None
    address_slot: str | None = None
    takes_slots: bool = True
    time_left: float = 60.0
    single_attempt: bool = False
    savings_refused: bool = False
    cookies: list[Cookie] = field(default_factory=list)


@dataclass(slots=True)
class Trace:
    """The facts of one visit, written by every middleware, read when it ends.

    It outlives failures, so that a final failure carries its `attempts`: one, and one more each time
    that a request was repeated. `retry_at` is a UTC time in seconds.
    """

    hops: list[Hop] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)
    attempts: int = 0
    bytes: int = 0
    started: float = field(default_factory=time.monotonic)
    retry_at: float | None = None
    evidence: Evidence = field(default_factory=Evidence)
    state: RequestState = field(default_factory=RequestState)


@frozen
class SpooledBody:
    """A body that lies on the disk: the name of its file there, its bytes, and their digest."""

    aside: str
    size: int
    digest: str


class BodySpool(Protocol):
    """Takes a body that is too long for memory, piece by piece."""

    async def write(self, data: bytes) -> None:
        """Write one more piece."""

    def written(self) -> SpooledBody:
        """Say what was written."""

    async def recoded(self, decode: Callable[[bytes], bytes]) -> BodySpool:
        """Write what `decode` makes of all pieces into another file, and discard this one."""

    def discard(self) -> None:
        """Remove what was written, and write no more."""


def no_headers() -> Mapping[str, str]:
    """Return no headers, the same empty mapping each time."""
    return NO_HEADERS


@frozen
class Request:
    """What to ask: `limit` body bytes at most, and no more once `enough(body so far)` is true.

    `private` headers (credentials, those configured for a host) never leave the origin. `tolerant`
    keeps an answer whose body broke off (`Response.broken` tells), since a check of its own judges
    it; otherwise that is a `BadResponse`. `whole`: a body that says to be over `limit` is not read.
    `first_byte_timeout` are seconds, and an answer that does not come in them is no evidence; None
    is the read timeout of the session. A body that still comes after `body_timeout` seconds is read no
    further; what came of it is the body. `handoff` takes each answer, and returns it or another, while
    the request still holds its permit. What comes of a body that is too long for memory goes into what
    `open_spool` opens.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=no_headers)
    private: Mapping[str, str] = field(default_factory=no_headers)
    limit: int = 0
    enough: Callable[[bytes], bool] | None = None
    tolerant: bool = False
    whole: bool = False
    first_byte_timeout: float | None = None
    body_timeout: float | None = None
    handoff: Callable[[Response], Awaitable[Response]] | None = None
    open_spool: Callable[[], BodySpool] | None = None
    trace: Trace = field(default_factory=Trace)

    def to(self, url: str, private: Mapping[str, str]) -> Request:
        """Return the same request to the next hop."""
        return replace(self, url=url, private=private)

    def is_no_evidence(self, error: FetchError) -> bool:
        """Whether a failure says only that `first_byte_timeout` was short."""
        short = self.first_byte_timeout is not None
        return short and isinstance(error, FetchTimeout) and error.phase == "read"

    def by_get(self) -> Request:
        """Return the same request with GET."""
        return self if self.method == "GET" else replace(self, method="GET")


@frozen
class Response:
    """What the network answered, not judged.

    `url` is the hop that answered; `headers` look up without regard to case; `body` is decoded,
    at most `Request.limit` bytes; `complete` tells whether all of it came; `length` is the size
    of the whole file that the server named (Content-Range, else Content-Length); `broken` why a
    body ended early, for a tolerant request, and `cut_off` that the connection ended before it.
    Of a body that is `spooled` on the disk, `body` is only the beginning. `surplus`: more bytes
    came than the length said, and were left out.
    """

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=no_headers)
    body: bytes = b""
    complete: bool = True
    length: int | None = None
    broken: str | None = None
    cut_off: bool = False
    spooled: SpooledBody | None = None
    surplus: bool = False

    @property
    def size(self) -> int:
        """Bytes of the body that came, wherever they lie."""
        return self.spooled.size if self.spooled else len(self.body)

    @property
    def ok(self) -> bool:
        """Whether the status is of the class of success (RFC 9110, 15.3)."""
        return is_success(self.status)

    @property
    def is_redirect(self) -> bool:
        """Whether the status is of the class of redirection (RFC 9110, 15.4)."""
        return 300 <= self.status < 400  # noqa: PLR2004 - the class


def is_success(status: int) -> bool:
    """Whether a status is of the class of success (RFC 9110, 15.3)."""
    return 200 <= status < 300  # noqa: PLR2004 - the class


Fetch: TypeAlias = Callable[[Request], Awaitable[Response]]
Middleware: TypeAlias = Callable[[Fetch], Fetch]


def wrapped(fetch: Fetch, stack: Sequence[Middleware]) -> Fetch:
    """Return a fetch inside a stack of middlewares, the first of them outermost."""
    for middleware in reversed(stack):
        fetch = middleware(fetch)
    return fetch
