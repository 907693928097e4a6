"""AMP pages: the marker, the canonical link, and how little of a page is read."""

from __future__ import annotations

import asyncio
import gzip
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import binary, text

from crawler.checks.amp import AMP_HEAD_BYTES, AmpCheck, canonical_link
from crawler.checks.charset import decode_page
from crawler.checks.head_watch import HeadWatch
from crawler.checks.html import parse_html
from crawler.checks.link_issues import LinkRules, link_issues
from crawler.fetch.base import Request, Response
from storage.model import AmpEvidence, Evidence, Finding, Kind, Link, Verdict
from storage.rollups.link_issues import JudgedLink
from tests import program
from tests.check import QUICK, check, config
from tests.site import Site, Wire, answer, endless, page, redirect, serve

pytestmark = pytest.mark.libraries

A = "https://site.example/amp/story"
H = "http://site.example"
STORY = '<!doctype html><html {}><head><link rel="canonical" href="/story"></head><body>Words</body></html>'

MARKED = ["amp", "AMP", "\u26a1", "\u26a1\ufe0f", "lang=en amp class=x", 'amp=""']
UNMARKED = ["", "data-amp", "class=amp", "amp4email", "\u26a14ads"]


def judged(text: str | bytes, content_type: str = "text/html") -> tuple[Verdict, object]:
    """The verdict on the bytes of an AMP page, and its canonical link."""
    body = text if isinstance(text, bytes) else text.encode()
    request = Request(A)
    said = AmpCheck().judge(request, Response(A, 200, {"Content-Type": content_type}, body))
    evidence = request.trace.evidence.amp
    return said.verdict, evidence and evidence.canonical


@pytest.mark.parametrize("attributes", MARKED)
def test_the_marker_makes_an_amp_page(attributes: str) -> None:
    """Either spelling of the marker counts, wherever it stands among the attributes."""
    assert judged(STORY.format(attributes)) == (Verdict.OK, "https://site.example/story")


@pytest.mark.parametrize("attributes", UNMARKED)
def test_what_has_no_marker_is_no_amp_page(attributes: str) -> None:
    """Names that only contain the marker are none."""
    assert judged(STORY.format(attributes)) == (Verdict.NOT_AMP, None)


@pytest.mark.parametrize("text", ["", "plain text", '{"amp": 1}', "<p amp>", "\0\0\0", "<!-- <html amp> -->"])
def test_what_is_no_html_is_no_amp_page(text: str) -> None:
    """Any bytes have a verdict; a marker counts on the html element alone."""
    assert judged(text)[0] is Verdict.NOT_AMP


CANONICALS = [
    ('<link rel=canonical href="https://a.example/x">', "https://a.example/x"),
    ('<link rel=canonical href="../x?q=1#part">', "https://site.example/x?q=1"),
    ('<link rel=canonical href="//b.example/x">', "https://b.example/x"),
    ('<link rel=canonical href=""><link rel=canonical href="/second">', "https://site.example/second"),
    ('<link rel=canonical href="/first"><link rel=canonical href="/second">', "https://site.example/first"),
    ('<link rel=canonical href="javascript:alert(1)">', None),
    ('<link rel=canonical href="http://[broken">', None),
    ('<link rel="alternate canonical" href=" /x ">', "https://site.example/x"),
    ('<base href="https://c.example/d/"><link rel=canonical href="x">', "https://c.example/d/x"),
    ('<base href="http://[broken"><link rel=canonical href="x">', "https://site.example/amp/x"),
    ('<!-- <link rel=canonical href="/comment"> --><link rel=amphtml href="/a">', None),
    ('<link rel=canonical href="/a&amp;b">', "https://site.example/a&b"),
]


@pytest.mark.parametrize(("head", "url"), CANONICALS)
def test_the_first_usable_canonical_link_counts(head: str, url: str | None) -> None:
    """Relative links stand on the page; empty ones, and those that nobody can ask for, do not count."""
    assert canonical_link(parse_html(f"<html amp><head>{head}"), A) == url


CHARSETS = [
    ("utf-8", "text/html; charset=utf-8"),
    ("utf-8", "text/html; charset=nonsense"),
    ("utf-8", "text/html; charset=unicode_escape"),
    ("utf-8", ""),
    ("utf-16", "text/html"),
    ("utf-16-le", "text/html; charset=utf-16le"),
    ("utf-16-be", 'text/html; charset="utf-16be"'),
    ("utf-16-le", "text/html"),
    ("utf-16-be", ""),
    ("cp1252", "text/html; charset=iso-8859-1"),
    ("shift_jis", "text/html; charset=Shift_JIS"),
    ("gb18030", "text/html; charset=gb2312"),
]


@pytest.mark.parametrize(("charset", "content_type"), CHARSETS)
def test_charsets(charset: str, content_type: str) -> None:
    """A page is read in its charset, whether it says so in its type, by its first bytes, or not."""
    assert judged(STORY.format("amp").encode(charset), content_type)[0] is Verdict.OK


def test_a_page_names_its_own_charset() -> None:
    """The word of the page counts where the server says nothing; a wrong one costs letters only."""
    text = '<meta charset="windows-1251"><title>\u041d\u043e\u0432\u043e\u0441\u0442\u0438</title>'
    assert (
        parse_html(decode_page(text.encode("cp1251"), "text/html")).title
        == "\u041d\u043e\u0432\u043e\u0441\u0442\u0438"
    )
    assert "\ufffd" in decode_page("\u00e4".encode("cp1252"), "text/html; charset=utf-8")


HOSTILE = [
    b"<div>" * 52_000,
    b"".join(b"<b a=%d>" % n for n in range(5000)) + b"<p>x" * 20_000,
    b"<html amp " + b"a=1 " * 60_000,
    b"x" * 262_144,
    b"<!--" * 60_000,
    b"<title>" * 30_000,
    b"<h1>" * 60_000,
    bytes(262_144),
]


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: repr(body[:12]))
def test_hostile_pages_cost_what_their_bytes_cost(body: bytes) -> None:
    """Nesting, repetition and long lines have no price of their own."""
    started = time.process_time()
    judged(body)
    assert time.process_time() - started < 2


def test_the_head_ends_where_a_browser_says_so() -> None:
    """A body tag in a comment, a script or an attribute ends no head; a body without its tag does."""
    head = b'<html amp><head><!-- <body> --><script>"</head><body>"</script><meta content="<body>">'
    watch = HeadWatch()
    assert not watch(head)
    assert watch(head + b"</head>")
    assert HeadWatch()(b"<html><p>Words")
    assert HeadWatch()("<html><head></head>".encode("utf-16"))


def test_a_new_attempt_is_watched_from_its_beginning() -> None:
    """Bytes of an attempt that broke off say nothing of the next."""
    watch = HeadWatch()
    assert not watch(b"<html><head><script>" + b"x" * 100)
    assert watch(b"<html><head></head>")


async def seen(site: Site, url: str, kind: Kind = Kind.AMP) -> Finding:
    """The finding on one URL."""
    return await check(site, url, kind)


@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_only_the_head_is_read(coding: str) -> None:
    """Of a page of a megabyte, not much more than the head comes, in a coding or without."""
    noise = "".join(chr(33 + n * n * 7919 % 89) for n in range(1_000_000)).replace("<", "")
    text = (STORY.format("amp").replace("</body>", "") + noise).encode()
    body = gzip.compress(text, 1) if coding else text
    async with serve() as site:
        site.add(f"{H}/a", answer(200, body, Content_Type="text/html", Content_Encoding=coding))
        finding = await seen(site, f"{H}/a")

    assert finding.verdict == "ok"
    assert finding.evidence.amp == AmpEvidence(f"{H}/story")
    assert finding.requests == 1
    assert finding.bytes < AMP_HEAD_BYTES


async def test_a_head_is_read_as_far_as_it_tells_something_new() -> None:
    """Once the marker and the canonical link have come, the styles behind them are left where they are."""
    text = STORY.format("amp").replace("</head>", f"<style>{'x' * 400_000}</style></head>").encode()
    at = text.index(b"<style>") + 100
    end = asyncio.Event()

    async def step(wire: Wire) -> None:
        wire.keep = False
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(text)}\r\n\r\n"
        await wire.send(head.encode() + text[:at])
        await wire.reader.read()  # nothing more comes until the other side has gone
        end.set()

    async with serve() as site:
        site.add(f"{H}/a", step)
        finding = await check(site, f"{H}/a", Kind.AMP, QUICK)
        await end.wait()

    assert (finding.verdict, finding.bytes) == ("ok", at)
    assert finding.evidence.amp == AmpEvidence(f"{H}/story")


async def test_a_head_without_end_is_read_to_its_limit() -> None:
    """What never ends its head is judged by what came."""
    async with serve() as site:
        site.add(
            f"{H}/a", endless(b"HTTP/1.1 200 OK\r\n\r\n<html amp><head>", b"<meta name=x content=y>" * 99)
        )
        finding = await seen(site, f"{H}/a")

    assert finding.verdict == "ok"
    assert finding.bytes <= AMP_HEAD_BYTES + 1_000_000


async def test_an_amp_page_without_marker() -> None:
    """An AMP link that leads to a plain page is told, after its redirects."""
    async with serve() as site:
        site.add(f"{H}/a", redirect(302, "/b"))
        site.add(f"{H}/b", page())
        finding = await seen(site, f"{H}/a")
        told = await check(site, f"{H}/a", Kind.AMP, config(checks={"amp": False}))

    assert finding.verdict == "not-amp"
    assert told.verdict == "redirected"


async def test_a_cache_that_lets_go() -> None:
    """An AMP cache that redirects to the page says that it no longer holds it."""
    cached = "http://site-example.cdn.ampproject.org/c/site.example/a"
    async with serve() as site:
        site.add(cached, redirect(302, f"{H}/a"))
        site.add(f"{H}/a", page())
        finding = await seen(site, cached, Kind.AMP_CDN)

    assert finding.verdict == "redirected"
    assert "no longer holds it" in (finding.detail or "")


WEB, AMP = "https://site.example/story", "https://site.example/amp/story"
PAIRS = [
    (WEB, WEB, None, True),
    (f"{WEB}?utm_source=feed", WEB, None, True),
    (f"{WEB}?id=1&utm_source=feed", f"{WEB}?id=1", None, True),
    (f"{WEB}?id=1", f"{WEB}?id=2", None, False),
    ("http://site.example/story", WEB, None, True),
    ("https://site.example/old", WEB, WEB, True),
    (WEB, f"{WEB}/other", None, False),
    (WEB, "https://other.example/story", f"{WEB}/end", False),
    (WEB, None, None, True),
]


def placed(
    number: int, url: str, kind: Kind, final: str | None, canonical_link: str | None = None
) -> JudgedLink:
    """A link of the record itself."""
    link = Link("webUrl" if kind is Kind.WEB else "ampWebUrl", 1, 1, url, kind)
    return JudgedLink(number, link, url, Verdict.OK, final, None, Evidence(amp=AmpEvidence(canonical_link)))


@pytest.mark.parametrize(("web", "said", "final", "fits"), PAIRS)
def test_pairs(web: str, said: str | None, final: str | None, *, fits: bool) -> None:
    """The canonical link is the item's web URL, or where that leads; else both are told."""
    record = [placed(1, web, Kind.WEB, final or web), placed(2, AMP, Kind.AMP, AMP, said)]
    issues = link_issues(record, LinkRules())

    assert (2 not in issues) is fits
    if not fits:
        assert [(one.issue.value, one.expected, one.actual) for one in issues[2]] == [
            ("amp-unpaired", final or web, said)
        ]


def test_a_canonical_link_that_is_redirected_is_followed() -> None:
    """Where the record knows the canonical URL too, what counts is where that leads."""
    record = [
        placed(1, WEB, Kind.WEB, WEB),
        placed(2, f"{WEB}/old", Kind.WEB, WEB),
        placed(3, AMP, Kind.AMP, AMP, f"{WEB}/old"),
    ]
    assert 3 not in link_issues(record, LinkRules())


def test_pairs_are_left_alone_when_told_so() -> None:
    """With amp = false nobody compares."""
    record = [placed(1, WEB, Kind.WEB, WEB), placed(2, AMP, Kind.AMP, AMP, f"{WEB}/other")]
    assert link_issues(record, LinkRules(amp=False)) == {}


RECORD = """---
webUrl: http://site.example/story
ampWebUrl: http://site.example/amp/story
related:
  - webUrl: http://site.example/other
    ampWebUrl: http://site.example/amp/other
---
"""


async def test_pairs_of_records(tmp_path: Path) -> None:
    """An audit follows both chains, and tells the links whose AMP page belongs to another web page."""
    told = "<html amp><head><link rel=canonical href=/{}></head><body>Words</body></html>"
    async with serve() as site:
        site.add(f"{H}/story", redirect(301, "/new/story"))
        site.add(f"{H}/new/story", page())
        site.add(f"{H}/other", page())
        site.add(f"{H}/amp/story", page(told.format("new/story")))
        site.add(f"{H}/amp/other", page(told.format("story")))
        program.records(tmp_path)
        (tmp_path / "seeds" / "a.md").write_text(RECORD)
        done = await program.run(tmp_path, "audit", "--format", "jsonl", "--connect-to", site.detour)
    story = await program.run(tmp_path, "explain", f"{H}/amp/other")

    lines = done.lines()
    issues = {url: line["links"][0]["issues"] for url, line in lines.items()}  # type: ignore[index]  # JSON
    assert issues.pop(f"{H}/amp/other") == [
        {"issue": "amp-unpaired", "expected": f"{H}/other", "actual": f"{H}/story"}
    ]
    assert not any(issues.values())
    assert f"Canonical link: {H}/story" in story.out


async def test_what_a_web_page_says_of_its_amp_page(tmp_path: Path) -> None:
    """Of a web page that was read anyway, the AMP page that it names is compared with the item's."""
    told = "<!doctype html><link rel=amphtml href={}><title>Story</title>"
    canonical_link = "<html amp><head><link rel=canonical href=/{}></head><body>Words</body></html>"
    async with serve() as site:
        for name in ("story", "other"):
            site.add(f"{H}/{name}", answer(405), method="AMP_HEAD_BYTES")
            site.add(f"{H}/amp/{name}", page(canonical_link.format(name)))
        site.add(f"{H}/story", page(told.format("/old/amp/story")), method="GET")
        site.add(f"{H}/other", page(told.format("../amp/other#x")), method="GET")
        program.records(tmp_path)
        (tmp_path / "seeds" / "a.md").write_text(RECORD)
        done = await program.run(tmp_path, "audit", "--format", "jsonl", "--connect-to", site.detour)
        asked = len([one for one in site.log if "old" in one.url])

    issues = {url: line["links"][0]["issues"] for url, line in done.lines().items()}  # type: ignore[index]
    assert issues.pop(f"{H}/amp/story") == [
        {"issue": "amp-unpaired", "expected": f"{H}/old/amp/story", "actual": f"{H}/amp/story"}
    ]
    assert not any(issues.values())
    assert asked == 0


@given(body=binary(max_size=2000), content_type=text(max_size=60))
def test_any_bytes_have_a_verdict(body: bytes, content_type: str) -> None:
    """Whatever a server sends, as whatever it calls it, there is a verdict and a text."""
    assert judged(body, content_type)[0] in {Verdict.OK, Verdict.NOT_AMP}
    assert isinstance(decode_page(b"<html amp>" + body, f"text/html; charset={content_type}"), str)


@given(text(alphabet="<>/!-=\"' abhtmlepcriwo\0\u26a1&;#x", max_size=400))
def test_any_markup_is_a_page(markup: str) -> None:
    """No order of tags, comments and quotes is too much, in one piece or byte by byte."""
    body = markup.encode()
    watch = HeadWatch()
    for end in range(len(body)):
        watch(body[:end])
    assert parse_html(markup).title is not None
