"""A Range and a condition are savings, never evidence: what refuses them is asked again without them.

Servers answer a Range with 400, 403, 404, 405, 406, 412, 5xx or a reset, and a condition with 412, where
they give the whole to a plain request.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from crawler.errors import BadResponse, ConnectionReset, FetchTimeout, LaneClosed
from crawler.fetch.base import RANGE_NOT_SATISFIABLE, Fetch, Middleware, Request, Response

SAVING_HEADERS: Final = frozenset({"Range", "If-None-Match", "If-Modified-Since"})
FIRST_ERROR_STATUS: Final = 400


def full_request() -> Middleware:
    """Ask once more without Range and conditions where they were refused, or met a fault.

    An answer with Retry-After is returned at once; the next attempt of the visit has neither.
    """
    return _FullRequest


class _FullRequest:
    """A fetch that gives up savings which a server does not take."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def __call__(self, request: Request) -> Response:
        if SAVING_HEADERS.isdisjoint(request.headers):
            return await self._fetch(request)
        state = request.trace.state
        if state.savings_refused:
            return await self._fetch(_plain(request))
        response = await self._first(request)
        if response is not None and not _is_refusal(response):
            return response
        state.savings_refused = True
        if response is None:
            return await self._fetch(_plain(request))
        return response if "Retry-After" in response.headers else await self._again(request, response)

    async def _first(self, request: Request) -> Response | None:
        """The answer with savings; None after a fault that they may have caused."""
        try:
            return await self._fetch(request)
        except (BadResponse, ConnectionReset):
            return None
        except FetchTimeout:
            request.trace.state.savings_refused = True
            raise

    async def _again(self, request: Request, refusal: Response) -> Response:
        """The answer without savings; the refusal, if nothing may be asked any more."""
        try:
            return await self._fetch(_plain(request))
        except LaneClosed:
            return refusal


def _is_refusal(response: Response) -> bool:
    return response.status >= FIRST_ERROR_STATUS and response.status != RANGE_NOT_SATISFIABLE


def _plain(request: Request) -> Request:
    headers = {name: value for name, value in request.headers.items() if name not in SAVING_HEADERS}
    return replace(request, headers=headers)
