"""Server behaviours as a table: what a site does, and the verdict that the contract gives it.

The rows answer to those of a list that was gathered from the test suites of eight projects; `row`
is the beginning of the SHA-256 of "project|behaviour" there. The words are our own.
"""

from __future__ import annotations

import gzip
import itertools
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import brotli
import zstandard

from crawler.config import Duration
from crawler.demo.web import png
from storage.model import Kind, Size
from tests.check import SILENCE, SILENCE_AT_FIRST
from tests.site import Step, answer, close, endless, hang, page, raw, redirect, reset

H = "http://site.example"
IMAGE = png(Size(40, 30))
OK = page()
HEAD_NO = ("HEAD", (answer(405),))
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BOMB = b"\0" * 11_500_000
Pages = Mapping[str, tuple[Step, ...] | Mapping[str, tuple[Step, ...]]]


@dataclass(frozen=True, slots=True)
class Case:
    """One behaviour: pages by path (by method where that matters), what is asked, what is said."""

    row: str
    does: str
    pages: Pages
    verdict: str
    path: str = "/a"
    kind: Kind = Kind.WEB
    asked: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    url: str | None = None
    tls: str | None = None


def pic(body: bytes = IMAGE, **headers: str) -> Step:
    """An image answer."""
    return answer(200, body, Content_Type="image/png", **headers)


def no_head(*steps: Step) -> Mapping[str, tuple[Step, ...]]:
    """A page that refuses HEAD, so that GET shows its body."""
    return {"HEAD": (answer(405),), "": steps}


def coded(name: str, data: bytes) -> Mapping[str, tuple[Step, ...]]:
    """A page in a content coding."""
    return no_head(answer(200, data, Content_Encoding=name))


def chain(length: int, last: Step) -> Pages:
    """A chain of so many redirects from /a."""
    names = ["/a", *(f"/{n}" for n in range(1, length + 1))]
    pages: dict[str, tuple[Step, ...]] = {
        here: (redirect(302, there),) for here, there in itertools.pairwise(names)
    }
    return {**pages, names[-1]: (last,)}


def limited(times: int, **headers: str) -> tuple[Step, ...]:
    """429 so many times, then a page."""
    return (*(answer(429, b"", **headers) for _ in range(times)), OK)


IMG = Kind.IMAGE
CASES = [
    Case(
        "5547ca6b",
        "image bytes that never end: cut off as soon as the size is known",
        {"/a": (endless(b"HTTP/1.1 200 OK\r\n\r\n" + IMAGE, b"\0" * 4096),)},
        "ok",
        kind=IMG,
        asked=1,
    ),
    Case(
        "ff4b1b48",
        "an image shorter than its Content-Length, its size in what came",
        {"/a": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n" + IMAGE),)},
        "truncated",
        kind=IMG,
    ),
    Case(
        "d83d96e4",
        "text without end at an image's URL: cut off",
        {"/a": (endless(b"HTTP/1.1 200 OK\r\n\r\n", b"no image " * 500),)},
        "wrong-type",
        kind=IMG,
        asked=1,
    ),
    Case(
        "804ffd9b",
        "404 with a body without end: nobody waits for it",
        {"/a": (endless(b"HTTP/1.1 404 No\r\n\r\n", b"x" * 4096),)},
        "not-found",
        asked=2,
    ),
    *(Case("50547821", f"{code}: a success", {"/a": (answer(code),)}, "ok") for code in (201, 204, 206, 299)),
    Case(
        "81f0749e",
        "closed before any byte, every time",
        {"/a": (close,)},
        "reset",
        asked=4,
        facts={"attempts": 3},
    ),
    Case(
        "ec40bf58",
        "302 to an image elsewhere",
        {"/a": (redirect(302, "http://other.example/i"),), "http://other.example/i": (pic(),)},
        "redirected",
        kind=IMG,
        facts={"final_url": "http://other.example/i"},
    ),
    Case(
        "55cbf275",
        "relative redirects in a chain",
        {"/x/a": (redirect(302, "../b"),), "/b": (redirect(302, "c"),), "/c": (pic(),)},
        "redirected",
        path="/x/a",
        kind=IMG,
        facts={"final_url": f"{H}/c"},
    ),
    Case("e7ca2700", "302 to itself", {"/a": (redirect(302, "/a"),)}, "redirect-loop", kind=IMG, asked=1),
    Case(
        "2c81e368",
        "gzip though identity was asked for",
        {"/a": (pic(gzip.compress(IMAGE), Content_Encoding="gzip"),)},
        "ok",
        kind=IMG,
    ),
    Case(
        "a04bc8c9",
        "JSON at an image's URL",
        {"/a": (answer(200, b'{"no": "image at all"}', Content_Type="application/json"),)},
        "wrong-type",
        kind=IMG,
        facts={"detail": "the bytes are JSON"},
    ),
    Case("2e7ea68c", "five redirects", chain(5, pic()), "redirected", kind=IMG, asked=6),
    Case(
        "14705574",
        "a raw space in Location",
        {"/a": (redirect(302, "/pho to?x=1&y=Z"),), "/pho%20to?x=1&y=Z": (pic(),)},
        "redirected",
        kind=IMG,
    ),
    Case(
        "4473af91",
        "Location without a scheme",
        {"/a": (redirect(302, "//other.example/i"),), "http://other.example/i": (pic(),)},
        "redirected",
        kind=IMG,
    ),
    Case("137b1008", "302 without Location", {"/a": (answer(302),)}, "bad-redirect", kind=IMG, asked=1),
    Case(
        "f35661f6",
        "Location with an unknown scheme",
        {"/a": (redirect(302, "hhttp://example.com"),)},
        "bad-redirect",
        kind=IMG,
    ),
    Case(
        "8fc05fd9",
        "a gzipped image",
        {"/a": (pic(gzip.compress(IMAGE), Content_Encoding="gzip"),)},
        "ok",
        kind=IMG,
    ),
    Case(
        "8fc05fd9",
        "a gzipped image, cut before its size",
        {"/a": (pic(gzip.compress(IMAGE)[:12], Content_Encoding="gzip"),)},
        "truncated",
        kind=IMG,
    ),
    Case(
        "b6310405",
        "a Content-Length shorter than the image: browsers cut it there",
        {"/a": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 52\r\n\r\n" + IMAGE),)},
        "bad-response",
        kind=IMG,
    ),
    Case(
        "c7abe314",
        "a pipe and a command where a URL should be: no shell, no file",
        {},
        "invalid-url",
        url="|echo>shell_test",
        kind=IMG,
        asked=0,
    ),
    Case(
        "79ba03f6",
        "an underscore in the host",
        {"http://a_b.example/": (pic(),)},
        "ok",
        url="http://a_b.example/",
        kind=IMG,
    ),
    Case(
        "db45f234",
        "XML that is no SVG",
        {"/a": (answer(200, b"<?xml version='1.0'?><a/>" + b" " * 20),)},
        "wrong-type",
        kind=IMG,
    ),
    Case(
        "a5eb54a8",
        "429 with a Retry-After within the run's patience, then well",
        {"/a": limited(1, Retry_After="1")},
        "ok",
        facts={"attempts": 2},
    ),
    Case(
        "3e90be3e",
        "429 with a Retry-After that says nothing: backed off as if it were not there",
        {"/a": limited(1, Retry_After="totally")},
        "ok",
        facts={"attempts": 2},
    ),
    Case(
        "875b0976",
        "429 with '3s': no standard form, so never waited for",
        {"/a": limited(1, Retry_After="3s")},
        "ok",
        facts={"attempts": 2},
    ),
    Case(
        "c90fbcc0",
        "HEAD refused, GET limited, then well",
        {"/a": no_head(*limited(1, Retry_After="1"))},
        "ok",
    ),
    Case(
        "95ab47f9",
        "429 without Retry-After to the last attempt",
        {"/a": (answer(429),)},
        "rate-limited",
        facts={"attempts": 3, "status": 429},
    ),
    Case("12480805", "503 to the last attempt", {"/a": (answer(503),)}, "unavailable", asked=3),
    Case(
        "12480805",
        "503 twice, then well",
        {"/a": (answer(503), answer(503), OK)},
        "ok",
        facts={"attempts": 3},
    ),
    Case(
        "849173d5",
        "522 once, then well",
        {"/a": {"HEAD": (answer(522),), "": (answer(522), OK)}},
        "ok",
        facts={"attempts": 2},
    ),
    Case(
        "849173d5",
        "a time-out once, then well",
        {"/a": {"HEAD": (hang(),), "": (hang(), OK)}},
        "ok",
        facts={"attempts": 2},
        config={"network": SILENCE_AT_FIRST},
    ),
    Case("83735ea8", "reset, whatever the method", {"/a": (reset,)}, "reset", asked=4, facts={"attempts": 3}),
    *(
        Case(
            "fc82554b",
            f"{code} with a Location",
            {"/a": (redirect(code, "/b"),), "/b": (OK,)},
            verdict,
            facts={"moved_to": to},
        )
        for code, verdict, to in (
            (301, "moved", f"{H}/b"),
            (302, "redirected", None),
            (303, "redirected", None),
            (307, "redirected", None),
            (308, "moved", f"{H}/b"),
        )
    ),
    Case(
        "c63d40e9", "308 with a body and no Location", {"/a": (answer(308, b"gone north"),)}, "bad-redirect"
    ),
    Case("81f5b3f3", "302 without Location", {"/a": (answer(302),)}, "bad-redirect", facts={"status": 302}),
    Case("2a236b0a", "304 with a Location: never followed", {"/a": (redirect(304, "/b"),)}, "bad-redirect"),
    Case("5dafaca8", "a chain as long as we follow", chain(10, OK), "redirected", asked=11),
    Case("5dafaca8", "a chain one longer", chain(11, OK), "too-many-redirects"),
    Case(
        "2f272c79",
        "a redirect to what is excluded: never asked",
        {"/a": (redirect(302, "http://no.example/"),)},
        "excluded",
        asked=1,
        config={"records": {"exclude": ("http://no.example/*",)}},
    ),
    Case(
        "c05e8a2d",
        "a redirect to a closed port",
        {"/a": (redirect(302, "http://closed.example/"),)},
        "refused",
    ),
    Case(
        "a966217b",
        "a redirect to 429 with Retry-After: 0, then well",
        {"/a": (redirect(302, "/b"),), "/b": limited(1, Retry_After="0")},
        "redirected",
    ),
    Case("9df26115", "999", {"/a": (answer(999),)}, "bot-blocked", facts={"status": 999}),
    Case(
        "7ff21ddf", "403 with cf-mitigated", {"/a": (answer(403, cf_mitigated="challenge"),)}, "bot-blocked"
    ),
    Case("4677d91a", "a certificate signed by itself", {}, "tls-untrusted", tls="self-signed"),
    Case("923a1144", "no URL at all", {}, "invalid-url", url="http://[nonsense", asked=0),
    Case(
        "ada52d5e",
        "a limit that is used up, by headers alone: the page itself is well",
        {"/a": (answer(200, X_RateLimit_Remaining="0"),)},
        "ok",
    ),
    Case(
        "45dcb061",
        "a gzip bomb at a page: opened no further than a page is read",
        {"/a": coded("gzip", gzip.compress(BOMB))},
        "ok",
    ),
    Case("45dcb061", "a deflate bomb", {"/a": coded("deflate", zlib.compress(BOMB))}, "ok"),
    Case("45dcb061", "a brotli bomb", {"/a": coded("br", brotli.compress(BOMB, quality=1))}, "ok"),
    Case("45dcb061", "a zstd bomb", {"/a": coded("zstd", zstandard.compress(BOMB))}, "ok"),
    Case(
        "6a228946",
        "429 as often as there are attempts but one",
        {"/a": limited(2)},
        "ok",
        facts={"attempts": 3},
    ),
    *(
        Case(
            "1207276a",
            f"{code} once, then well",
            {"/a": {"HEAD": (answer(code),), "": (answer(code), OK)}},
            "ok",
            facts={"attempts": 2},
        )
        for code in (500, 408, 502, 504, 425, 520)
    ),
    Case("09318cc4", "refused", {}, "refused", url="http://closed.example/", facts={"attempts": 3}),
    Case(
        "09318cc4",
        "a name that does not exist",
        {},
        "no-such-host",
        url="http://nobody.invalid/",
        facts={"attempts": 1},
    ),
    Case(
        "e6ffb7d6",
        "an answer that does not come in time",
        {"/a": (hang(),)},
        "timeout",
        facts={"attempts": 3},
        config={"network": SILENCE},
    ),
    Case(
        "7780506c",
        "HEAD hangs, GET answers",
        {"/a": {"HEAD": (hang(),), "": (OK,)}},
        "ok",
        asked=2,
        config={"network": SILENCE_AT_FIRST},
    ),
    Case("06491d1a", "HEAD 404, GET 403", {"/a": {"HEAD": (answer(404),), "": (answer(403),)}}, "forbidden"),
    Case("b412e069", "HEAD 405, GET 200", {"/a": no_head(OK)}, "ok", asked=2, facts={"attempts": 1}),
    Case("fd21cf82", "308 to itself", {"/a": (redirect(308, "/a"),)}, "redirect-loop", asked=2),
    Case("2f53897a", "999, never kept as alive", {"/a": (answer(999),)}, "bot-blocked"),
    Case("dc22c1ad", "an expired certificate", {}, "tls-expired", tls="expired"),
    *(
        Case(
            "36b8303b",
            f"{scheme}: no scheme of ours",
            {},
            "unsupported-scheme",
            url=f"{scheme}://a.example/",
            asked=0,
        )
        for scheme in ("ftp", "gopher", "slack")
    ),
    *(
        Case(
            "9041c154",
            f"a redirect to {scheme}:",
            {"/a": (redirect(302, f"{scheme}://a.example/x"),)},
            "bad-redirect",
        )
        for scheme in ("ftp", "file")
    ),
    Case(
        "e61e4999",
        "a redirect to https where nobody speaks TLS, and the handshake is never answered",
        {"/a": (redirect(302, "https://plain.example/"),)},
        "timeout",
        facts={"attempts": 3},
        config={"network": {"connect_timeout": Duration(1)}},
    ),
    Case(
        "f06576ca",
        "302 that sets a cookie",
        {"/a": (answer(302, Location="/b", Set_Cookie="a=1"),), "/b": (OK,)},
        "redirected",
    ),
    Case(
        "ce446e04",
        "robots.txt forbids it, and we were asked to obey",
        {"/robots.txt": (answer(200, b"User-agent: *\nDisallow: /a\n"),), "/a": (OK,)},
        "robots-denied",
        config={"network": {"robots": True}},
    ),
    Case(
        "ce446e04",
        "robots.txt forbids something else",
        {"/robots.txt": (answer(200, b"User-agent: *\nDisallow: /b\n"),), "/a": (OK,)},
        "ok",
        config={"network": {"robots": True}},
    ),
    *(
        Case("6a761413", f"status {code}", {"/a": (answer(code),)}, verdict)
        for code, verdict in (
            (200, "ok"),
            (203, "ok"),
            (226, "ok"),
            (300, "bad-redirect"),
            (305, "bad-redirect"),
            (400, "client-error"),
            (401, "auth-required"),
            (402, "auth-required"),
            (403, "forbidden"),
            (406, "client-error"),
            (407, "auth-required"),
            (409, "client-error"),
            (410, "gone"),
            (418, "bot-blocked"),
            (421, "client-error"),
            (451, "legal-block"),
            (501, "server-error"),
            (505, "server-error"),
            (508, "server-error"),
        )
    ),
    Case("741b0e4a", "a URL of 10,000 characters", {f"/{'x' * 9980}": (OK,)}, "ok", path=f"/{'x' * 9980}"),
    Case("741b0e4a", "a URL of 70,000 characters", {}, "invalid-url", url=f"{H}/{'x' * 70_000}", asked=0),
    Case("e0b5c8cf", "an unknown scheme", {}, "unsupported-scheme", url="hutzli:", asked=0),
    Case("e0b5c8cf", "a scheme that is none", {}, "invalid-url", url="@..][ @] ..", asked=0),
    Case(
        "4b0ef2a0",
        "an HTTP/1.0 server",
        {"/a?x=1": (raw(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<p>hello"),)},
        "ok",
        path="/a?x=1",
    ),
    Case(
        "d2b5bd47",
        "a redirect to a page: what that page links to is no business of ours",
        {"/a": (redirect(302, "/b"),), "/b": (page('<a href="/a">'),)},
        "redirected",
        asked=2,
    ),
    *(
        Case("a432ecd9", f"a body in {name}", {"/a": coded(name, pack(b"<p>hello</p>"))}, "ok")
        for name, pack in (("gzip", gzip.compress), ("deflate", zlib.compress))
    ),
    Case("df9fe928", "405 to HEAD only", {"/a": no_head(OK)}, "ok"),
    Case("2475d69b", "405 to every method", {"/a": (answer(405),)}, "client-error", facts={"status": 405}),
    Case(
        "b74d90d6",
        "a login that nobody gave",
        {"/a": (answer(401, WWW_Authenticate="Basic realm=x"),)},
        "auth-required",
    ),
    Case(
        "4863d61d",
        "302, then 301, then well",
        {"/a": (redirect(302, "/b"),), "/b": (redirect(301, "/c"),), "/c": (OK,)},
        "redirected",
        facts={"moved_to": None},
    ),
    Case("ded9982f", "999, its status kept", {"/a": (answer(999),)}, "bot-blocked", facts={"status": 999}),
    Case("91e7bdd9", "refused", {}, "refused", url="http://closed.example/"),
    Case("d42e1ea2", "200 with nothing in it and no type", {"/a": (answer(200),)}, "ok"),
    *(
        Case("0110d1c0", f"a {text.partition(':')[0]}: URL", {}, "unsupported-scheme", url=text, asked=0)
        for text in ("data:text/plain,x", "tel:+123")
    ),
    Case("2a2969fb", "as many redirects as the limit", chain(10, OK), "redirected"),
    Case("2a2969fb", "one more than the limit", chain(11, OK), "too-many-redirects"),
    Case(
        "bea0ecf9",
        "Location that cannot be parsed",
        {"/a": (redirect(302, "http://[nonsense"),)},
        "bad-redirect",
    ),
    Case(
        "8d00b3d6",
        "a relative redirect",
        {"/x/a": (redirect(302, "b"),), "/x/b": (OK,)},
        "redirected",
        path="/x/a",
    ),
    *(
        Case("6db3d049", f"reset {times} times, then well", {"/a": (*[reset] * times, OK)}, "ok")
        for times in (1, 2, 3)
    ),
    *(
        Case("6ac7b55b", f"a body in {name}", {"/a": coded(name, pack(b"<p>hello</p>"))}, "ok")
        for name, pack in (("br", brotli.compress), ("zstd", zstandard.compress))
    ),
    Case(
        "ad05fb88",
        "accepts, and never answers",
        {"/a": (hang(),)},
        "timeout",
        config={"network": SILENCE},
    ),
    Case(
        "ad05fb88",
        "answers half a head, and then no more",
        {"/a": (hang(b"HTTP/1.1 200 OK\r\nX: "),)},
        "timeout",
        config={"network": SILENCE},
    ),
    Case(
        "c47ee94a",
        "a head at once, and a body that never comes",
        {"/a": no_head(hang(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"))},
        "timeout",
        config={"network": SILENCE_AT_FIRST},
    ),
    Case(
        "8455504d",
        "a body that breaks off",
        {"/a": no_head(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\nhalf"))},
        "bad-response",
    ),
    Case(
        "7d3def52",
        "chunks without the last one",
        {"/a": no_head(raw(CHUNKED + b"5\r\nhello\r\n"))},
        "bad-response",
    ),
    Case(
        "7d3def52",
        "a chunk size that is none",
        {"/a": no_head(raw(CHUNKED + b"zz\r\nhello\r\n"))},
        "bad-response",
    ),
    Case(
        "3f713a2f",
        "a header line without a colon: left out, as in browsers",
        {"/a": (raw(b"HTTP/1.1 200 OK\r\nA: b\r\nnonsense\r\n\r\n"),)},
        "ok",
    ),
    Case(
        "eef731fe",
        "an empty Content-Type",
        {"/a": (raw(b"HTTP/1.1 200 OK\r\nContent-Type:\r\nContent-Length: 0\r\n\r\n"),)},
        "ok",
    ),
    Case(
        "5f75d5de",
        "chunks without end: read as far as a page is read",
        {"/a": no_head(endless(CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n"))},
        "ok",
    ),
    Case("a3d31b37", "a status line that is none", {"/a": (raw(b"sesame open\r\n\r\n"),)}, "bad-response"),
]
# Rows that are proven elsewhere, or that have no meaning here, and why.
ELSEWHERE = {
    "ff650eb6": "tests/behaviours: two limited pages of one host hold its lane",
    "4d74f49e": "tests/behaviours: two limited pages of one host hold its lane",
    "cc72b235": "tests/behaviours: configured headers and credentials stay with their origin",
    "bd03361d": "tests/crawler/test_cli: one request, however many links",
    "d3ce9eca": "tests/crawler/test_cli: one request, however many links",
    "e7354b6e": "tests/crawler/test_cli: one request, however many links",
}
NOT_OURS = {
    "8aea14c1": "statuses are not remapped: --fail-on says what counts as a problem",
    "22a90f47": "HTTP/2 is not spoken, so none of its frames can come",
}
