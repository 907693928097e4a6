"""Errors as pages that help, and as JSON problems (RFC 9457) for scripts."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import msgspec
from aiohttp import web

from crawler.dashboard.access import Handler
from crawler.dashboard.filters import address
from crawler.dashboard.page import NotFound, PageOutOfRange
from crawler.dashboard.query_params import BadParameter
from crawler.dashboard.view import VIEW_KEY
from storage.errors import StorageError
from storage.frozen import frozen

logger = logging.getLogger(__name__)
# What a status of the server's own means to a person.
STATUS_SENTENCES: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "The request cannot be read.",
        404: "There is no such page.",
        405: "This page cannot be asked in that way.",
        413: "The request is larger than anything that is taken here.",
        417: "This server expects nothing.",
    }
)


@frozen
class HttpProblem:
    """What went wrong, as RFC 9457 says it; `last` leads to the last page of a list."""

    title: str
    status: int
    detail: str
    parameter: str | None = None
    last: str | None = None


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with a page, or a JSON problem, whatever is raised below."""
    try:
        return await handler(request)
    except web.HTTPException as exc:
        if exc.status < HTTPStatus.BAD_REQUEST:
            raise
        answer = problem_response(request, _problem(exc.status, _sentence(exc)))
        answer.headers.update({k: v for k, v in exc.headers.items() if k in {"Allow", "WWW-Authenticate"}})
        return answer
    except Exception as exc:
        problem = _problem_of(request, exc)
        if problem is None:
            logger.exception("a page could not be made: %s", request.path)
            problem = _problem(500, "A defect of this program; its log tells more.")
        return problem_response(request, problem)


def _sentence(answer: web.Response) -> str:
    """What a status of the server's own means; the other answers are ours, and have our words."""
    return STATUS_SENTENCES.get(answer.status) or answer.text or "This cannot be answered."


def _problem_of(request: web.Request, exc: Exception) -> HttpProblem | None:
    """What an error of ours says; None for a defect."""
    match exc:
        case BadParameter() as bad:
            return _problem(400, str(bad), parameter=bad.name)
        case NotFound() as missing:
            return _problem(404, str(missing))
        case PageOutOfRange() as beyond:
            last = address(request.path, dict(request.query), page=beyond.last)
            return _problem(404, str(beyond), parameter="page", last=last)
        case StorageError() as unusable:
            return _problem(503, str(unusable))
        case TimeoutError():
            return _problem(503, "This took too long. Try again, or ask for less.")
        case _:
            return None


def _problem(
    status: int, detail: str, *, parameter: str | None = None, last: str | None = None
) -> HttpProblem:
    return HttpProblem(HTTPStatus(status).phrase, status, detail, parameter, last)


def problem_response(request: web.Request, problem: HttpProblem, *, to: str | None = None) -> web.Response:
    """The problem in the form that was asked for; `to` is where a token leads, by default where one asked."""
    if request.path.startswith("/api/"):
        body = msgspec.json.encode(problem)
        return web.Response(body=body, status=problem.status, content_type="application/problem+json")
    template = "login.html" if problem.status == HTTPStatus.UNAUTHORIZED else "error.html"
    text = request.app[VIEW_KEY].text(template, problem=problem, to=to or request.path_qs)
    return web.Response(text=text, status=problem.status, content_type="text/html")
