"""The dashboard put together: every page at its path and its API, guarded, with errors told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import web

from crawler.dashboard.actions import add_actions
from crawler.dashboard.door import greet
from crawler.dashboard.guard import COOKIE, Handler, guard, is_token, set_headers
from crawler.dashboard.house import HOUSE, House
from crawler.dashboard.live import LIVE, Live, events
from crawler.dashboard.openapi import description
from crawler.dashboard.page import Missing, Page, Query, encoded
from crawler.dashboard.pages import PAGES
from crawler.dashboard.params import parse
from crawler.dashboard.pictures import show
from crawler.dashboard.rendering import environment
from crawler.dashboard.trouble import Problem, answered, tell
from crawler.dashboard.view import VIEW, View

STATIC: Final = Path(__file__).parent / "static"
LARGEST: Final = 16 * 1024  # bytes of a form
TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
PATIENCE: Final = 20.0  # seconds that a page may take


def build(house: House, pages: Sequence[Page[Any]] = PAGES) -> web.Application:
    """The application, ready to be served."""
    app = web.Application(middlewares=[greet, tell, _bounded, guard], client_max_size=LARGEST)
    app[HOUSE] = house
    app[VIEW] = View(environment(), house, pages)
    app[LIVE] = Live(house.engine)
    app.on_response_prepare.append(set_headers)
    app.on_shutdown.append(_end_live)
    for page in pages:
        app.router.add_get(page.path, partial(_html, page))
        app.router.add_get(page.api, partial(_json, page))
    app.router.add_get("/api/openapi.json", partial(_description, description(pages)))
    app.router.add_get("/events", events)
    app.router.add_get("/login", _ask_token)
    app.router.add_post("/login", _login)
    app.router.add_get("/static/{name}", partial(_static, _files()))
    app.router.add_get("/image/{digest}", show)
    add_actions(app)
    return app


@web.middleware
async def _bounded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No page takes for ever; the stream of events is meant to."""
    if request.path == "/events":
        return await handler(request)
    async with asyncio.timeout(PATIENCE):
        return await handler(request)


def _files() -> dict[str, tuple[bytes, str]]:
    """The files of the pages by name, with their types: few and small, so they are held.

    aiohttp would send them by sendfile, which nothing bounds if a client does not read.
    """
    return {path.name: (path.read_bytes(), TYPES[path.suffix]) for path in STATIC.iterdir()}


async def _static(files: dict[str, tuple[bytes, str]], request: web.Request) -> web.Response:
    found = files.get(request.match_info["name"])
    if found is None:
        raise Missing("There is no such file.")
    return web.Response(body=found[0], content_type=found[1], charset="utf-8")


async def _end_live(app: web.Application) -> None:
    await app[LIVE].end()


async def _html(page: Page[Any], request: web.Request) -> web.Response:
    query = parse(page.query, request.query)
    given = {name: request.query.getall(name) for name in request.query}
    text = await asyncio.to_thread(_written, request.app, page, query, given)
    return web.Response(text=text, content_type="text/html")


def _written(app: web.Application, page: Page[Any], query: Query, given: dict[str, Any]) -> str:
    data = page.data(app[HOUSE].engine, query)
    return app[VIEW].page(page, query, data, given)


async def _json(page: Page[Any], request: web.Request) -> web.Response:
    query = parse(page.query, request.query)
    body = await asyncio.to_thread(lambda: encoded(page.data(request.app[HOUSE].engine, query)))
    return web.Response(body=body, content_type="application/json")


async def _description(said: dict[str, Any], _: web.Request) -> web.Response:
    return web.Response(body=msgspec.json.encode(said), content_type="application/json")


async def _ask_token(request: web.Request) -> web.Response:
    text = request.app[VIEW].text("login.html", problem=None, to="/")
    return web.Response(text=text, content_type="text/html")


async def _login(request: web.Request) -> web.Response:
    """Give the cookie to who knows the token, and lead back to where the visitor was."""
    form = await request.post()
    house = request.app[HOUSE]
    to = _back(str(form.get("to", "/")))
    if not is_token(str(form.get("token", "")), house):
        return answered(request, Problem("Unauthorized", 401, "That is not the token."), to=to)
    answer = web.Response(status=303, headers={"Location": to})
    answer.set_cookie(COOKIE, house.session, httponly=True, samesite="Strict", path="/")
    return answer


def _back(path: str) -> str:
    """A path of ours; what would lead elsewhere leads to the overview."""
    ours = path.startswith("/") and path.isascii() and path.isprintable() and "\\" not in path
    return path if ours and not path.startswith(("//", "/login")) else "/"
