"""Hops into lanes of other workers, which alone may ask there."""

from __future__ import annotations

import asyncio
import itertools
import pickle
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from multidict import CIMultiDict

from crawler import errors
from crawler.errors import FetchError, LaneClosed
from crawler.fetch.base import Fetch, Request, Response, Trace
from crawler.urls import host_of
from storage.frozen import frozen

Fault: TypeAlias = tuple[str, str, str | float | None]  # name of the error, its text, its phase or time


@frozen
class RemoteReply:
    """What came of a hop that another worker asked: an answer or a fault, and the trace it left.

    All None: the worker is gone.
    """

    answer: Response | None
    fault: Fault | None
    trace: Trace | None


class RemoteLanes:
    """Knows whose each lane is; `number` is that of this worker, of `count`.

    `ask` hands a request over: the number of the question, of the worker, and the request; `lane_of`
    gives the lane of a host. Lanes outside the plan belong to the worker that a hash of their name says.
    """

    def __init__(
        self,
        number: int,
        count: int,
        owners: Mapping[str, int],
        ask: Callable[[int, int, Request], None],
        lane_of: Callable[[str], str],
    ) -> None:
        self._number = number
        self._count = count
        self._owners = owners
        self._ask = ask
        self._lane_of = lane_of
        self._numbers = itertools.count()
        self._open: dict[int, asyncio.Future[RemoteReply]] = {}

    def middleware(self, fetch: Fetch) -> Fetch:
        """Ask in lanes of this worker, and have the others ask in theirs."""

        async def ask(request: Request) -> Response:
            owner = self._owner(self._lane_of(host_of(request.url)))
            return await (fetch(request) if owner == self._number else self._have_asked(owner, request))

        return ask

    def _owner(self, lane: str) -> int:
        owner = self._owners.get(lane)
        return zlib.crc32(lane.encode()) % self._count if owner is None else owner

    async def _have_asked(self, owner: int, request: Request) -> Response:
        number = next(self._numbers)
        future: asyncio.Future[RemoteReply] = asyncio.get_running_loop().create_future()
        self._open[number] = future
        self._ask(number, owner, _portable(request))
        try:
            reply = await future
        finally:
            del self._open[number]
        if reply.trace is not None:
            _join(request.trace, reply.trace)
        if reply.answer is None:
            raise _error(reply.fault)
        return reply.answer

    def replied(self, number: int, reply: RemoteReply) -> None:
        """Take the answer to a question; nobody may wait for it any more."""
        future = self._open.get(number)
        if future is not None and not future.done():
            future.set_result(reply)


async def serve_remote(fetch: Fetch, request: Request) -> RemoteReply:
    """Ask for another worker; `fetch` asks in lanes of this one."""
    try:
        answer = await fetch(request)
        # The view on headers that aiohttp gives cannot be pickled.
        answer = replace(answer, headers=CIMultiDict(answer.headers))
        return RemoteReply(answer, None, _portable(request).trace)
    except (FetchError, LaneClosed) as exc:
        extra = exc.until if isinstance(exc, LaneClosed) else exc.phase
        return RemoteReply(None, (type(exc).__name__, str(exc), extra), _portable(request).trace)


def _portable(request: Request) -> Request:
    """The request as another process can have it: without a permit, and without what stays here."""
    state = replace(request.trace.state, permit=None, address_slot=None)
    trace = replace(request.trace, state=state)
    headers, private = dict(request.headers), dict(request.private)
    copy = replace(request, headers=headers, private=private, handoff=None, open_spool=None, trace=trace)
    try:
        pickle.dumps(copy.enough)
    except (TypeError, AttributeError, pickle.PicklingError):
        return replace(copy, enough=None)
    return copy


def _join(trace: Trace, remote: Trace) -> None:
    """Take over what another worker wrote into its copy of a trace."""
    trace.hops = remote.hops
    trace.bytes = remote.bytes
    trace.state.time_left = remote.state.time_left
    trace.evidence = remote.evidence


def _error(fault: Fault | None) -> Exception:
    name, text, extra = fault or ("LaneClosed", "the worker of this lane is gone", None)
    kind: type[LaneClosed | FetchError] = getattr(errors, name)
    if issubclass(kind, LaneClosed):
        return kind(text, extra if isinstance(extra, float) else None)
    return kind(text, phase=str(extra))
