"""What a page may change, if `[dashboard] write` allows it: pins, and what the next run asks.

`guard` passes requests with the token from our own page, or from a script with the token. A form
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

from crawler.dashboard.filters import target_path
from crawler.dashboard.page import NotFound
from crawler.dashboard.query_params import BadParameter, read_form
from crawler.dashboard.settings import SETTINGS_KEY
from storage import pins
from storage.errors import original
from storage.model import Pin, PinWord

AUTHOR: Final = "dashboard"
MAX_REASON_CHARACTERS: Final = 2000  # characters of a reason
NO_TARGET_MESSAGE: Final = "No target has this URL: copy it from its page."


EXPECTED_ACTION: Final = "write an object with url, word (alive, dead or ignore) and why"


class TargetAction(Struct, frozen=True, forbid_unknown_fields=True):
    """An action on the target of a URL; `word` and `why` are for a pin, `id` leads back."""

    url: Annotated[str, Meta(min_length=1)]
    word: PinWord | None = None
    why: Annotated[str, Meta(max_length=MAX_REASON_CHARACTERS)] = ""
    id: int | None = None


class ActionResult(Struct, frozen=True):
    """The result of an action on the target of a URL."""

    url: str
    done: str
    id: int | None = None


def add_actions(app: web.Application) -> None:
    """Let forms post to `/target/NAME`, and scripts to `/api/target/NAME`."""
    for name, act in ACTIONS.items():
        app.router.add_post(f"/target/{name}", partial(_form, act))
        app.router.add_post(f"/api/target/{name}", partial(_script, act))


async def _form(act: Act, request: web.Request) -> web.Response:
    fields = await read_form(request)
    result = await _do(act, request, lambda: msgspec.convert(fields, TargetAction, strict=False))
    location = f"{target_path(result.url, result.id or 0)}&done={result.done}"
    return web.Response(status=303, headers={"Location": location})


async def _script(act: Act, request: web.Request) -> web.Response:
    body = await request.read()
    result = await _do(act, request, lambda: msgspec.json.decode(body, type=TargetAction))
    return web.Response(body=msgspec.json.encode(result), content_type="application/json")


async def _do(act: Act, request: web.Request, read: Callable[[], TargetAction]) -> ActionResult:
    """Perform the action of a request.

    Raises:
        BadParameter: the request holds no action, or a pin without a word and a reason.
        Missing: no target has the URL.
    """
    try:
        action = read()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise BadParameter("url, word, why", "", f"{EXPECTED_ACTION}{original(exc)}") from exc
    writer = request.app[SETTINGS_KEY].writer
    if writer is None:
        raise web.HTTPForbidden(text="This dashboard changes nothing: [dashboard] write is false.")
    return ActionResult(action.url, await asyncio.to_thread(act, writer, action), action.id)


def _pin(engine: sa.Engine, action: TargetAction) -> str:
    why = action.why.strip()
    if action.word is None:
        raise BadParameter("word", "", "write alive, dead or ignore")
    if not why:
        raise BadParameter("why", "", "write the reason; a pin must have one")
    pins.put(engine, Pin(action.url, action.word, why, AUTHOR, datetime.now(UTC)))
    return "pinned"


def _unpin(engine: sa.Engine, action: TargetAction) -> str:
    if not pins.remove(engine, action.url):
        raise NotFound("This target has no pin.")
    return "unpinned"


def _check(engine: sa.Engine, action: TargetAction) -> str:
    if not pins.mark_due(engine, action.url, datetime.now(UTC)):
        raise NotFound(NO_TARGET_MESSAGE)
    return "due"


Act = Callable[[sa.Engine, TargetAction], str]
ACTIONS: Final[dict[str, Act]] = {"pin": _pin, "unpin": _unpin, "check": _check}
