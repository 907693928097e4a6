"""The three values of the fetch onion: a request, its answer, and the trail that a visit leaves.

Every network behaviour is a `Fetch` that wraps a `Fetch`; `crawler.wiring` nests them once.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, TypeAlias

from crawler.errors import FetchError, Timeout
from storage.model import Hop, Redirect

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(slots=True)
class Trail:
    """What happened on the way of one visit, written by every layer, read when it ends.

    It outlives failures, so that a final failure carries its `attempts`: one, and one more each time
    that a question was repeated. `seat` is the turn that the scheduler already holds for the first
    request, `place` the address at which a place is held for the next connection, unless its
    connections are not `counted`; `left` are the seconds of network time that the attempt under way
    may still take; `once` allows no second attempt; `retry_at` is a UTC time in seconds.
    """

    hops: list[Hop] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)
    attempts: int = 0
    bytes: int = 0
    started: float = field(default_factory=time.monotonic)
    left: float = 60.0
    once: bool = False
    seat: object | None = None
    place: str | None = None
    counted: bool = True
    retry_at: float | None = None
    evidence: dict[str, object] = field(default_factory=dict)


def no_headers() -> Mapping[str, str]:
    """No headers, the same empty mapping each time."""
    return NO_HEADERS


def no_trail() -> Trail:
    """A trail of its own, for requests that belong to no visit."""
    return Trail()


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask: `limit` body bytes at most, and no more once `enough(body so far)` is true.

    `private` headers (credentials, those configured for a host) never leave the origin. `tolerant`
    keeps an answer whose body broke off (`Answer.broken` tells), since a check of its own judges
    it; otherwise that is a `BadResponse`. `whole`: a body that says to be over `limit` is not read.
    `patience` are seconds for the first byte, where no answer in them is no evidence; None is as usual.
    `hand` takes each answer, and returns it or another, while the request still holds its seat.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=no_headers)
    private: Mapping[str, str] = field(default_factory=no_headers)
    limit: int = 0
    enough: Callable[[bytes], bool] | None = None
    tolerant: bool = False
    whole: bool = False
    patience: float | None = None
    hand: Callable[[Answer], Awaitable[Answer]] | None = None
    trail: Trail = field(default_factory=no_trail)

    def to(self, url: str, private: Mapping[str, str]) -> Request:
        """The same request to the next hop."""
        return replace(self, url=url, private=private)

    def is_no_evidence(self, error: FetchError) -> bool:
        """Whether a failure says nothing but that patience was short."""
        return self.patience is not None and isinstance(error, Timeout) and error.phase == "read"

    def by_get(self) -> Request:
        """The same request with GET."""
        return self if self.method == "GET" else replace(self, method="GET")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the network said, without opinion.

    `url` is the hop that answered; `headers` look up without regard to case; `body` is decoded,
    at most `Request.limit` bytes; `complete` tells whether all of it came; `length` is the size
    of the whole file that the server named (Content-Range, else Content-Length); `broken` why a
    body ended early, for a tolerant request.
    """

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=no_headers)
    body: bytes = b""
    complete: bool = True
    length: int | None = None
    broken: str | None = None


Fetch: TypeAlias = Callable[[Request], Awaitable[Answer]]
