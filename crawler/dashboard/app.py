"""The application: every page at its path and its API, guarded, with errors as pages."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from crawler.dashboard.access import SESSION_COOKIE, Handler, guard, is_token, set_headers
from crawler.dashboard.actions import add_actions
from crawler.dashboard.connection_limit import note_request
from crawler.dashboard.filters import environment
from crawler.dashboard.image_files import show
from crawler.dashboard.live import LIVE_KEY, LiveFeed, events
from crawler.dashboard.openapi import description
from crawler.dashboard.page import AnyPage, NotFound, PageQuery, encoded
from crawler.dashboard.pages import DASHBOARD_PAGES
from crawler.dashboard.problems import HttpProblem, answer_errors, problem_response
from crawler.dashboard.query_params import parse, read_form
from crawler.dashboard.settings import SETTINGS_KEY, DashboardSettings
from crawler.dashboard.view import VIEW_KEY, TemplateView

STATIC_FOLDER: Final = Path(__file__).parent / "static"
MAX_FORM_BYTES: Final = 16 * 1024  # bytes of a form
STATIC_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
PAGE_TIMEOUT_SECONDS: Final = 20.0  # seconds that a page may take


def build(settings: DashboardSettings, pages: Sequence[AnyPage] = DASHBOARD_PAGES) -> web.Application:
    """The application, ready to be served."""
    app = web.Application(
        middlewares=[note_request, answer_errors, _limit_time, guard], client_max_size=MAX_FORM_BYTES
    )
    app[SETTINGS_KEY] = settings
    app[VIEW_KEY] = TemplateView(environment(), settings, pages)
    app[LIVE_KEY] = LiveFeed(settings.engine)
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
async def _limit_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Limit the time of every page but the stream of events."""
    if request.path == "/events":
        return await handler(request)
    async with asyncio.timeout(PAGE_TIMEOUT_SECONDS):
        return await handler(request)


def _files() -> dict[str, tuple[bytes, str]]:
    """The files of the pages by name, with their types: few and small, so they are held.

    aiohttp would send them by sendfile, which nothing bounds if a client does not read.
    """
    return {path.name: (path.read_bytes(), STATIC_TYPES[path.suffix]) for path in STATIC_FOLDER.iterdir()}


async def _static(files: dict[str, tuple[bytes, str]], request: web.Request) -> web.Response:
    file = files.get(request.match_info["name"])
    if file is None:
        raise NotFound("There is no such file.")
    return web.Response(body=file[0], content_type=file[1], charset="utf-8")


async def _end_live(app: web.Application) -> None:
    await app[LIVE_KEY].end()


async def _html(page: AnyPage, request: web.Request) -> web.Response:
    query = parse(page.query, request.query)
    parameters = {name: request.query.getall(name) for name in request.query}
    text = await asyncio.to_thread(_rendered, request.app, page, query, parameters)
    return web.Response(text=text, content_type="text/html")


def _rendered(app: web.Application, page: AnyPage, query: PageQuery, parameters: Mapping[str, object]) -> str:
    data = page.data(app[SETTINGS_KEY].engine, query)
    return app[VIEW_KEY].page(page, query, data, parameters)


async def _json(page: AnyPage, request: web.Request) -> web.Response:
    query = parse(page.query, request.query)
    body = await asyncio.to_thread(lambda: encoded(page.data(request.app[SETTINGS_KEY].engine, query)))
    return web.Response(body=body, content_type="application/json")


async def _description(document: dict[str, object], _: web.Request) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), content_type="application/json")


async def _ask_token(request: web.Request) -> web.Response:
    text = request.app[VIEW_KEY].text("login.html", problem=None, to="/")
    return web.Response(text=text, content_type="text/html")


async def _login(request: web.Request) -> web.Response:
    """Set the session cookie for the right token, and redirect back to the page that was asked for."""
    form = await read_form(request)
    settings = request.app[SETTINGS_KEY]
    location = _own_path(form.get("to", "/"))
    if not is_token(form.get("token", ""), settings):
        return problem_response(
            request, HttpProblem("Unauthorized", 401, "That is not the token."), to=location
        )
    answer = web.Response(status=303, headers={"Location": location})
    answer.set_cookie(SESSION_COOKIE, settings.session, httponly=True, samesite="Strict", path="/")
    return answer


def _own_path(path: str) -> str:
    """A path of ours; what would lead elsewhere leads to the overview."""
    is_path = path.startswith("/") and path.isascii() and path.isprintable() and "\\" not in path
    return path if is_path and not path.startswith(("//", "/login")) else "/"
