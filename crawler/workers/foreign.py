"""Hops into lanes of other workers, which alone may ask there."""

from __future__ import annotations

import asyncio
import itertools
import pickle
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from multidict import CIMultiDict

from crawler import errors
from crawler.errors import FetchError, LaneClosed
from crawler.fetch.base import Answer, Fetch, Request, Trail
from crawler.urls import host_of

Fault: TypeAlias = tuple[str, str, Any]  # name of the error, its text, its phase or time


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a hop that another worker asked: an answer or a fault, and the trail it left.

    All None: the worker is gone.
    """

    answer: Answer | None
    fault: Fault | None
    trail: Trail | None


class Foreign:
    """Knows whose each lane is; `mine` is the number of this worker, of `count`.

    `ask` hands a request over: the number of the question, of the worker, and the request. Lanes
    that nobody planned for belong to the worker that a hash of their name says.
    """

    def __init__(
        self, mine: int, count: int, owners: Mapping[str, int], ask: Callable[[int, int, Request], None]
    ) -> None:
        self._mine, self._count, self._owners, self._ask = mine, count, owners, ask
        self._numbers = itertools.count()
        self._open: dict[int, asyncio.Future[Reply]] = {}
        self._hop: Fetch | None = None

    def layer(self, fetch: Fetch, lane_of: Callable[[str], str]) -> Fetch:
        """Ask in lanes of this worker, and have asked in those of others."""
        self._hop = fetch

        async def ask(request: Request) -> Answer:
            owner = self._owner(lane_of(host_of(request.url)))
            return await (fetch(request) if owner == self._mine else self._have_asked(owner, request))

        return ask

    def _owner(self, lane: str) -> int:
        known = self._owners.get(lane)
        return zlib.crc32(lane.encode()) % self._count if known is None else known

    async def _have_asked(self, owner: int, request: Request) -> Answer:
        number = next(self._numbers)
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._open[number] = future
        self._ask(number, owner, _portable(request))
        try:
            reply = await future
        finally:
            del self._open[number]
        if reply.trail is not None:
            _join(request.trail, reply.trail)
        if reply.answer is None:
            raise _error(reply.fault)
        return reply.answer

    def replied(self, number: int, reply: Reply) -> None:
        """Take the answer to a question; nobody may wait for it any more."""
        future = self._open.get(number)
        if future is not None and not future.done():
            future.set_result(reply)

    async def serve(self, request: Request) -> Reply:
        """Ask for another worker, in a lane of this one."""
        if self._hop is None:
            raise RuntimeError("the layer is not in its place yet")
        try:
            answer = await self._hop(request)
            # The view on headers that aiohttp gives cannot be pickled.
            answer = replace(answer, headers=CIMultiDict(answer.headers))
            return Reply(answer, None, _portable(request).trail)
        except (FetchError, LaneClosed) as exc:
            extra = exc.until if isinstance(exc, LaneClosed) else exc.phase
            return Reply(None, (type(exc).__name__, str(exc), extra), _portable(request).trail)


def _portable(request: Request) -> Request:
    """The request as another process can have it: without a seat, and without what stays here."""
    trail = replace(request.trail, seat=None, place=None)
    headers, private = dict(request.headers), dict(request.private)
    made = replace(request, headers=headers, private=private, hand=None, trail=trail)
    try:
        pickle.dumps(made.enough)
    except (TypeError, AttributeError, pickle.PicklingError):
        return replace(made, enough=None)
    return made


def _join(trail: Trail, other: Trail) -> None:
    """Take over what another worker wrote into its copy of a trail."""
    trail.hops, trail.bytes, trail.left = other.hops, other.bytes, other.left
    trail.evidence = other.evidence


def _error(fault: Fault | None) -> Exception:
    name, text, extra = fault or ("LaneClosed", "the worker of this lane is gone", None)
    if name == LaneClosed.__name__:
        return LaneClosed(text, extra)
    kind: type[FetchError] = getattr(errors, name)
    return kind(text, phase=str(extra))
