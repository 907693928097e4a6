"""Errors as pages that help, and as JSON problems (RFC 9457) for scripts."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus

import msgspec
from aiohttp import web

from crawler.dashboard.guard import Handler
from crawler.dashboard.page import Beyond, Missing
from crawler.dashboard.params import BadParameter
from crawler.dashboard.rendering import address
from crawler.dashboard.view import VIEW
from storage.errors import StorageError

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, as RFC 9457 says it; `last` leads to the last page of a list."""

    title: str
    status: int
    detail: str
    parameter: str | None = None
    last: str | None = None


@web.middleware
async def tell(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with a page, or a JSON problem, whatever is raised below."""
    try:
        return await handler(request)
    except web.HTTPException as exc:
        if exc.status < HTTPStatus.BAD_REQUEST:
            raise
        answer = answered(request, _problem(exc.status, exc.text or ""))
        answer.headers.update({k: v for k, v in exc.headers.items() if k in {"Allow", "WWW-Authenticate"}})
        return answer
    except Exception as exc:
        problem = _known(request, exc)
        if problem is None:
            LOG.exception("a page could not be made: %s", request.path)
            problem = _problem(500, "A defect of this program; its log tells more.")
        return answered(request, problem)


def _known(request: web.Request, exc: Exception) -> Problem | None:
    """What an error of ours says; None for a defect."""
    match exc:
        case BadParameter():
            return _problem(400, str(exc), parameter=exc.name)
        case Missing():
            return _problem(404, str(exc))
        case Beyond():
            last = address(request.path, dict(request.query), page=exc.last)
            return _problem(404, str(exc), parameter="page", last=last)
        case StorageError():
            return _problem(503, str(exc))
        case TimeoutError():
            return _problem(503, "This took too long. Try again, or ask for less.")
        case _:
            return None


def _problem(status: int, detail: str, *, parameter: str | None = None, last: str | None = None) -> Problem:
    return Problem(HTTPStatus(status).phrase, status, detail, parameter, last)


def answered(request: web.Request, problem: Problem, *, to: str | None = None) -> web.Response:
    """The problem in the form that was asked for; `to` is where a token leads, by default where one asked."""
    if request.path.startswith("/api/"):
        body = msgspec.json.encode(problem)
        return web.Response(body=body, status=problem.status, content_type="application/problem+json")
    template = "login.html" if problem.status == HTTPStatus.UNAUTHORIZED else "error.html"
    text = request.app[VIEW].text(template, problem=problem, to=to or request.path_qs)
    return web.Response(text=text, status=problem.status, content_type="text/html")
