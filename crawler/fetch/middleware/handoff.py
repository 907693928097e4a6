"""Handing a response over while its request still holds its permit: its receiver sets the pace."""

from __future__ import annotations

from crawler.fetch.base import Fetch, Middleware, Request, Response


def handoff() -> Middleware:
    """Give each response to the receiver that its request names, before any other layer has it."""

    def wrap(fetch: Fetch) -> Fetch:
        async def ask(request: Request) -> Response:
            response = await fetch(request)
            return response if request.handoff is None else await request.handoff(response)

        return ask

    return wrap
