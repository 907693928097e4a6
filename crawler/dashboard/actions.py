"""What a page may change, if `[dashboard] write` allows it: pins, and what the next run asks.

`guard` lets in who knows the token and comes from our own page, or a script with the token. A form
leads back to its page (303), a script gets JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Final

import msgspec
import sqlalchemy as sa
from aiohttp import web
from msgspec import Meta, Struct

from crawler.dashboard.house import HOUSE
from crawler.dashboard.page import Missing
from crawler.dashboard.params import BadParameter
from crawler.dashboard.rendering import target_path
from storage import pins
from storage.model import Pin, PinWord

AUTHOR: Final = "dashboard"
LONGEST: Final = 2000  # characters of a reason
NOBODY: Final = "No target has this URL: copy it from its page."


class Wish(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be done with the target of a URL; `word` and `why` are for a pin, `id` leads back."""

    url: Annotated[str, Meta(min_length=1)]
    word: PinWord | None = None
    why: Annotated[str, Meta(max_length=LONGEST)] = ""
    id: int | None = None


class Done(Struct, frozen=True):
    """What was done with the target of a URL."""

    url: str
    done: str
    id: int | None = None


def add_actions(app: web.Application) -> None:
    """Let forms post to `/target/NAME`, and scripts to `/api/target/NAME`."""
    for name, act in ACTIONS.items():
        app.router.add_post(f"/target/{name}", partial(_form, act))
        app.router.add_post(f"/api/target/{name}", partial(_script, act))


async def _form(act: Act, request: web.Request) -> web.Response:
    given = {name: str(value) for name, value in (await request.post()).items() if value}
    done = await _do(act, request, lambda: msgspec.convert(given, Wish, strict=False))
    to = f"{target_path(done.url, done.id or 0)}&done={done.done}"
    return web.Response(status=303, headers={"Location": to})


async def _script(act: Act, request: web.Request) -> web.Response:
    body = await request.read()
    done = await _do(act, request, lambda: msgspec.json.decode(body, type=Wish))
    return web.Response(body=msgspec.json.encode(done), content_type="application/json")


async def _do(act: Act, request: web.Request, read: Callable[[], Wish]) -> Done:
    """Do what is wished.

    Raises:
        BadParameter: what came is no wish, or a pin without a word and a reason.
        Missing: no target has the URL.
    """
    try:
        wish = read()
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise BadParameter("url, word, why", "", str(exc)) from exc
    writer = request.app[HOUSE].writer
    if writer is None:
        raise web.HTTPForbidden(text="This dashboard changes nothing: [dashboard] write is false.")
    return Done(wish.url, await asyncio.to_thread(act, writer, wish), wish.id)


def _pin(engine: sa.Engine, wish: Wish) -> str:
    why = wish.why.strip()
    if wish.word is None:
        raise BadParameter("word", "", "write alive, dead or ignore")
    if not why:
        raise BadParameter("why", "", "write the reason; a pin must have one")
    pins.put(engine, Pin(wish.url, wish.word, why, AUTHOR, datetime.now(UTC)))
    return "pinned"


def _unpin(engine: sa.Engine, wish: Wish) -> str:
    if not pins.remove(engine, wish.url):
        raise Missing("This target has no pin.")
    return "unpinned"


def _check(engine: sa.Engine, wish: Wish) -> str:
    if not pins.ask_again(engine, wish.url, datetime.now(UTC)):
        raise Missing(NOBODY)
    return "due"


Act = Callable[[sa.Engine, Wish], str]
ACTIONS: Final[dict[str, Act]] = {"pin": _pin, "unpin": _unpin, "check": _check}
