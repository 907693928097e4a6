"""Pages that are none, or never end: over real sockets, with all checks of pages at work, each is bounded."""

from __future__ import annotations

import asyncio
import gzip
import time

import pytest

from crawler.checks.amp import AMP_HEAD_BYTES
from crawler.engine.context import RunContext
from crawler.engine.plan import by_lane
from crawler.policies import lanes_of
from crawler.progress import QuietProgress
from crawler.wiring import open_run
from storage.model import AmpEvidence, Finding, Kind, Target
from tests.check import Kept, check, config
from tests.site import Site, Step, answer, endless, redirect, serve

pytestmark = pytest.mark.libraries

H = "http://site.example"
DEEP = f"{H}/news/2020/council-votes-on-new-bridge"
PATIENT = {"connect_timeout": 20, "read_timeout": 20, "total_timeout": 60}
ALL = config(checks={"not_found": True, "parked": True, "fragments": True}, network=PATIENT)
MOST = 64 * 1024  # bytes that are read of a page (max_body)
SPARE = 2 * 1024 * 1024  # what sockets may hold beyond that
LINE = b"x" * 1_000_000
STORY = "<p>" + "The council met and spoke of the bridge for a long while. " * 9


def html(body: bytes, kind: str = "text/html", coding: str = "") -> Step:
    """An answer that says to be HTML."""
    return answer(200, body, Content_Type=kind, Content_Encoding=coding)


async def read(site: Site, url: str = DEEP) -> Finding:
    """The finding on a page that is read at once, since a link names a part of it."""
    kept = Kept()
    context = RunContext(ALL, kept, QuietProgress(), (site.detour,))
    async with asyncio.timeout(50), open_run(context) as running:
        target = Target(1, url, Kind.WEB, ("part",))
        await running.check(by_lane([target], lanes_of(ALL)))
    return kept.findings[url]


NO_HTML = {
    "nothing": b"",
    "a NUL": b"\0",
    "text": b"The council met.",
    "JSON": b'{"html": "<b>"}',
    "an image": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 99,
    "XML": b'<?xml version="1.0"?><rss><channel><item/></channel></rss>',
    "a doctype and no more": b"<!doctype html",
    "tags that never end": b"<div <p <a href='" * 999,
    "a comment that never ends": b"<!-- <p id=part>" + b"x" * 9999,
    "entities": b"<p>" + b"&#x110000;&#0;&nosuch;&amp" * 999,
    "the wrong way round": b"</html></body></head>",
    "ten thousand elements in each other": b"<div>" * 10_000 + b"</div>" * 2000,
    "ten thousand tables in each other": b"<table><tr><td>" * 4000,
    "ten thousand attributes": b"<p " + b" ".join(b"a%d=1" % n for n in range(9000)) + b">",
    "half of a character": "<p>\u00e9".encode()[:-1],
    "a charset that is none": b'<meta charset="\xff\xfe\0"><p>x',
    "UTF-16 without its last byte": "<p>council".encode("utf-16")[:-1],
}


@pytest.mark.parametrize("name", NO_HTML)
async def test_what_is_no_html(name: str) -> None:
    """Whatever says to be HTML is a page that is there, and no AMP page; nothing crashes over it."""
    async with serve() as site:
        site.fallback = answer(404)
        site.add(DEEP, html(NO_HTML[name]))
        page = await read(site)
        amp = await check(site, DEEP, Kind.AMP, ALL)

    assert (page.verdict, amp.verdict) == ("ok", "not-amp")
    assert page.requests == amp.requests == 1


CHARSETS = {
    "UTF-8": ("utf-8", "text/html; charset=utf-8"),
    "none named": ("utf-8", "text/html"),
    "an unknown one named": ("utf-8", "text/html; charset=klingon"),
    "a codec that is no charset": ("utf-8", "text/html; charset=zlib"),
    "UTF-16 with its mark": ("utf-16", "text/html"),
    "UTF-16, by its type": ("utf-16-be", "text/html; charset=utf-16be"),
    "UTF-16, and nobody says so": ("utf-16-le", "text/html"),
    "UTF-16 that calls itself UTF-8 within": ("utf-16-le", ""),
}


@pytest.mark.parametrize("name", CHARSETS)
async def test_not_found_pages_in_any_charset(name: str) -> None:
    """A "not found" page is read, whatever its charset is and whatever it says to be."""
    charset, kind = CHARSETS[name]
    text = f'<meta charset="utf-8"><title>Page not found</title><h1>Page not found</h1>{STORY}'
    async with serve() as site:
        site.fallback = html(text.encode(charset), kind)
        finding = await read(site)

    assert finding.verdict == "soft-404", finding.evidence


async def test_a_wrong_charset_costs_letters_only() -> None:
    """Bytes that do not fit what is named leave the rest of the page as it is."""
    text = f"<title>Page not found</title><h1>Page not found \u00e4\u00f6\u00fc</h1>{STORY}"
    async with serve() as site:
        site.fallback = html(text.encode("cp1252"), "text/html; charset=utf-8")
        finding = await read(site)

    assert finding.verdict == "soft-404"


LONG: dict[str, Step] = {
    "plain": endless(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 50000000\r\n\r\n<p>", LINE
    ),
    "without a length": endless(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>", LINE),
    "in one title": endless(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>", LINE),
    "in one attribute": endless(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html amp='", LINE),
    "in one script": endless(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<script>", LINE),
    "packed": html(gzip.compress(b"<p>" + LINE * 50), coding="gzip"),
}


@pytest.mark.parametrize("name", LONG)
async def test_fifty_megabytes_of_one_line(name: str) -> None:
    """Of a page without end, or nearly, as much is read as a check needs, in no time."""
    async with serve() as site:
        site.fallback = answer(404)
        site.add(DEEP, LONG[name])
        before = time.process_time()
        page = await read(site)
        amp = await check(site, DEEP, Kind.AMP, ALL)
        took = time.process_time() - before

    assert (page.verdict, amp.verdict) == ("ok", "not-amp")
    assert page.bytes <= MOST + SPARE
    assert amp.bytes <= AMP_HEAD_BYTES + SPARE
    assert took < 5


CANONICALS = {
    "relative": ('<link rel=canonical href="../story">', f"{H}/news/story"),
    "empty": ('<link rel=canonical href="">', None),
    "without a URL": ("<link rel=canonical>", None),
    "twice": ('<link rel=canonical href="/one"><link rel=canonical href="/two">', f"{H}/one"),
    "empty, then one": ('<link rel=canonical href=" "><link rel=canonical href="/two">', f"{H}/two"),
    "a script": ('<link rel=canonical href="javascript:alert(1)">', None),
    "a script, then one": ('<link rel=canonical href="javascript:"><link rel=canonical href="/x">', f"{H}/x"),
    "data": ('<link rel=canonical href="data:text/html,x">', None),
    "a megabyte": (f'<link rel=canonical href="/{"x" * 100_000}">', None),
    "a port that is none": ('<link rel=canonical href="http://site.example:99999/">', None),
}


@pytest.mark.parametrize("name", CANONICALS)
async def test_canonical_links(name: str) -> None:
    """The first canonical link that can be asked for counts; there may be none, and the page is fine."""
    link, url = CANONICALS[name]
    body = f"<!doctype html><html amp><head>{link}</head><body>{STORY}".encode()
    async with serve() as site:
        site.fallback = answer(404)
        site.add(DEEP, html(body))
        amp = await check(site, DEEP, Kind.AMP, ALL)
        page = await read(site)

    assert (amp.verdict, page.verdict) == ("ok", "ok")
    assert amp.evidence.amp == AmpEvidence(url)


@pytest.mark.parametrize("to", ["more/", "", "?again"])
async def test_a_probe_that_is_redirected_for_ever(to: str) -> None:
    """A probe follows no longer a chain than a target does, and its page is judged without it."""
    async with serve() as site:
        site.fallback = redirect(302, to)
        site.add(DEEP, html(STORY.encode()))
        finding = await check(site, DEEP, Kind.WEB, ALL)
        probes = [one for one in site.log if one.url != DEEP]

    assert finding.verdict == "ok"
    assert 1 <= len(probes) <= 11
