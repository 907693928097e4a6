"""Handing an answer over while its request still holds its seat: what takes it sets the pace."""

from __future__ import annotations

from crawler.fetch.base import Answer, Fetch, Request


def hand(fetch: Fetch) -> Fetch:
    """Give each answer to whom its request names, before anybody else sees it."""

    async def ask(request: Request) -> Answer:
        answer = await fetch(request)
        return answer if request.hand is None else await request.hand(answer)

    return ask
