"""Bodies: what broke off is tried again, and codings are undone as in browsers."""

from __future__ import annotations

import gzip
from typing import Final

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from crawler.fetch.headers.lists import joined_lists
from storage.model import Kind
from tests.behaviours.table import IMAGE, H, pic
from tests.check import check, config
from tests.site import Step, Wire, answer, cut, page, raw, serve

HTML: Final = b"<!doctype html><title>A page</title>"
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKED: Final = OK + b"Transfer-Encoding: chunked\r\n\r\n"
INCOMPLETE: Final = {
    "in the status line": b"HTTP/1.1 2",
    "behind the status line": b"HTTP/1.1 200 OK\r\n",
    "in the head": OK + b"X-A: b",
    "in an odd head": OK + b"X A: b\r\nX-A",
    "before the body": OK + b"Content-Length: 99\r\n\r\n",
    "in the body": OK + b"Content-Length: 99\r\n\r\nhalf",
    "in the size of a chunk": CHUNKED + b"9",
    "in a chunk": CHUNKED + b"99\r\nhalf",
    "between chunks": CHUNKED + b"5\r\nhello\r\n",
}
NO_HTTP: Final = {
    "a chunk size that is none": CHUNKED + b"zz\r\nhello\r\n",
    "no status line": b"sesame open\r\n\r\n",
}
RETRY: Final = config(retry={"attempts": 3}, checks={"not_found": True})


def by_get(step: Step) -> Step:
    """A step for GET, where HEAD is refused."""

    async def refused(wire: Wire) -> None:
        await (step if wire.asked.method == "GET" else answer(405))(wire)

    return refused


@pytest.mark.parametrize("end", [raw, cut])
@pytest.mark.parametrize("name", INCOMPLETE)
@pytest.mark.parametrize("kind", [Kind.AMP_CDN, Kind.IMAGE])
async def test_what_broke_off_is_tried_again(name: str, kind: Kind, end: object) -> None:
    """Closed or reset, in the head or in the body: twice so, and whole the third time."""
    broken = raw(INCOMPLETE[name]) if end is raw else cut(INCOMPLETE[name])
    whole = pic() if kind is Kind.IMAGE else page()
    async with serve() as site:
        site.add(f"{H}/a", broken, broken, whole)
        finding = await check(site, f"{H}/a", kind, RETRY)

    assert (str(finding.verdict), finding.requests) == ("ok", 3)


@pytest.mark.parametrize("name", INCOMPLETE)
async def test_what_breaks_off_each_time_is_a_bad_response(name: str) -> None:
    """On the last of the attempts it is what it was on the first."""
    async with serve() as site:
        site.add(f"{H}/a", by_get(raw(INCOMPLETE[name])))
        finding = await check(site, f"{H}/a", Kind.AMP_CDN, RETRY)

    assert (str(finding.verdict), finding.attempts) == ("bad-response", 3)


@pytest.mark.parametrize("name", NO_HTTP)
async def test_what_is_no_http_is_not_tried_again(name: str) -> None:
    """Another attempt would bring the same."""
    async with serve() as site:
        site.add(f"{H}/a", by_get(raw(NO_HTTP[name])))
        finding = await check(site, f"{H}/a", Kind.AMP_CDN, RETRY)

    assert (str(finding.verdict), finding.attempts) == ("bad-response", 1)


@pytest.mark.parametrize("coding", ["none", "utf-8", "aws-chunked", "binary", "x-unknown, gzip"])
async def test_a_picture_in_an_unknown_coding_is_a_picture(coding: str) -> None:
    """It is passed through as it came."""
    async with serve() as site:
        site.add(f"{H}/i", pic(Content_Encoding=coding))
        finding = await check(site, f"{H}/i", Kind.IMAGE)

    assert str(finding.verdict) == "ok"


async def test_codings_in_lines_of_their_own_are_one_list() -> None:
    """Each line is a coding over the one before."""
    body = gzip.compress(gzip.compress(IMAGE))
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    )
    async with serve() as site:
        site.add(f"{H}/i", raw(head % len(body) + body))
        finding = await check(site, f"{H}/i", Kind.IMAGE)

    assert str(finding.verdict) == "ok"


def test_fields_that_are_lists_are_joined() -> None:
    """In their order; cookies and singletons stay as they came, and so do heads without repetition."""
    fields = [("cache-control", "no-store"), ("Set-Cookie", "a=1"), ("Cache-Control", "max-age=5")]
    lines = CIMultiDictProxy(CIMultiDict([*fields, ("set-cookie", "b=2")]))
    plain = CIMultiDictProxy(CIMultiDict({"Vary": "Accept"}))

    assert joined_lists(lines)["Cache-Control"] == "no-store, max-age=5"
    assert joined_lists(lines).getall("Set-Cookie") == ["a=1", "b=2"]
    assert joined_lists(plain) is plain
