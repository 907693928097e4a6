"""Servers that send without end: a verdict, soon, in little memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from storage.model import Kind
from tests.behaviours.alone import measured
from tests.behaviours.table import CHUNKED, IMAGE, H, pic
from tests.check import QUICK, SILENCE, check, check_all, config
from tests.leaks import none_left
from tests.site import Wire, answer, endless, hang, page, raw, redirect, serve

MOST = 8 * 1024 * 1024  # bytes of memory for one answer, with the buffers of both sides
OK = b"HTTP/1.1 200 OK\r\n"
MUCH = b"x" * 60_000
BAD = "bad-response"


@dataclass(frozen=True, slots=True)
class Flood:
    """A head, what follows for ever, and the verdict on it as a page and as an image.

    Two verdicts where the bytes that come together with the head decide: with trailers that are
    no HTTP among them there is no answer; without, an image broke off.
    """

    head: bytes
    again: bytes
    page: str = BAD
    image: str = BAD


FLOODS = {
    "headers": Flood(OK, b"X-A: b\r\n" * 1000),
    "headers of 60 KB": Flood(OK, b"X-A: " + MUCH + b"\r\n"),
    "a header's value": Flood(OK + b"X-A: ", MUCH),
    "a header's name": Flood(OK, MUCH),
    "a header's folded lines": Flood(OK + b"X-A: b\r\n", b" more\r\n" * 5000),
    "a reason": Flood(b"HTTP/1.1 200 ", MUCH),
    "a version": Flood(b"HTTP/1.1", b"1" * 60_000),
    "cookies": Flood(OK, b"Set-Cookie: a=b\r\n" * 1000),
    "cookies of 60 KB": Flood(OK, b"Set-Cookie: a=" + MUCH + b"\r\n"),
    "100 Continue": Flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "103 Early Hints": Flood(b"", b"HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n" * 1000),
    "103 with 60 KB": Flood(b"", b"HTTP/1.1 103 Hints\r\nLink: " + MUCH + b"\r\n\r\n"),
    "bytes after 101": Flood(b"HTTP/1.1 101 No\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", MUCH),
    "blank lines": Flood(b"", b"\r\n" * 20_000),
    "zeros": Flood(b"", b"\0" * 60_000),
    "trailers": Flood(CHUNKED + b"0\r\n", b"X-A: b\r\n" * 1000, image=f"{BAD} truncated"),
    "trailers of 60 KB": Flood(CHUNKED + b"0\r\n", b"X-A: " + MUCH + b"\r\n", image=f"{BAD} truncated"),
    "a trailer's value": Flood(CHUNKED + b"0\r\nX-A: ", MUCH, image=f"{BAD} truncated"),
    "a chunk's extension": Flood(CHUNKED + b"1;", MUCH, image="truncated"),
    "a chunk's size": Flood(CHUNKED, b"0" * 60_000, image="truncated"),
    "extensions of 60 KB": Flood(CHUNKED, b"1;" + MUCH + b"\r\na\r\n", image="truncated"),
    "chunks of one byte": Flood(CHUNKED, b"1\r\na\r\n" * 10_000, "ok", "wrong-type"),
    "a page": Flood(OK + b"Content-Type: text/html\r\n\r\n", b"<p>" * 20_000, "ok", "wrong-type"),
    "a page, its length said": Flood(
        OK + b"Content-Length: 9999999\r\n\r\n", b"<p>" * 20_000, "ok", "wrong-type"
    ),
    "a page of 99 GB": Flood(OK + b"Content-Length: 99999999999\r\n\r\n", b"<p>" * 20_000, "ok", "too-large"),
    "an image": Flood(OK + b"\r\n" + IMAGE, b"\0" * 60_000, "ok", "ok"),
    "an image without a size": Flood(OK + b"\r\n\xff\xd8", b"\xff\xe2\xff\xff" + b"\0" * 65_533, "ok", "ok"),
    "a refusal": Flood(b"HTTP/1.1 404 No\r\n\r\n", b"<p>" * 20_000, "not-found", "not-found"),
    "a bot wall": Flood(b"HTTP/1.1 403 No\r\n\r\n", b"<p>" * 20_000, "forbidden", "forbidden"),
    "204 with a body": Flood(b"HTTP/1.1 204 No\r\n\r\n", b"<p>" * 20_000, "ok", "undecodable"),
    "304 with a body": Flood(b"HTTP/1.1 304 No\r\n\r\n", b"<p>" * 20_000, "bad-redirect", "bad-redirect"),
    "a redirect": Flood(b"HTTP/1.1 302 No\r\nLocation: /i\r\n\r\n", MUCH, "redirected", "redirected"),
}


@pytest.mark.parametrize("kind", [Kind.WEB, Kind.IMAGE])
async def test_floods_are_bounded(kind: Kind) -> None:
    """Whatever has no end is cut off, in little memory, and has the verdict of the contract."""
    urls = {name: f"http://h.example/{number}/" for number, name in enumerate(FLOODS)}
    async with serve() as site:
        site.add(f"{H}/", pic())
        for name, flood in FLOODS.items():
            site.add(urls[name], endless(flood.head, flood.again))
            site.add(urls[name], answer(405), method="HEAD")
        site.add("http://h.example/i", pic())
        said = await measured(site, kind, f"{H}/", urls)
        await site.deserted()

    for name, flood in FLOODS.items():
        expected = flood.page if kind is Kind.WEB else flood.image
        assert said[name].verdict in expected.split(), (name, said[name])
        assert said[name].grown < MOST, (name, said[name])


@pytest.mark.parametrize("name", FLOODS)
async def test_floods_end_soon(name: str) -> None:
    """A flood is no slowness: it is known long before its time is over, and leaves nothing."""
    flood = FLOODS[name]
    async with serve() as site:
        site.add(f"{H}/a", endless(flood.head, flood.again))
        site.add(f"{H}/a", answer(405), method="HEAD")
        site.add(f"{H}/i", pic())
        async with none_left(site):
            finding = await check(site, f"{H}/a", Kind.WEB, QUICK)

    assert finding.verdict == flood.page
    assert finding.attempts == 1


async def test_what_comes_unasked_is_not_listened_to() -> None:
    """A server that goes on talking on an idle connection is cut off while the run goes on."""
    cut_off_at = 0

    async def talk(wire: Wire) -> None:
        nonlocal cut_off_at
        await page()(wire)
        await site.hear(3)  # the slow host is asked again, so this connection is idle
        try:
            await endless(b"", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * 1000)(wire)
        except ConnectionError:
            cut_off_at = len(site.log)

    async with serve() as site:
        site.add(f"{H}/a", talk)
        site.add("http://slow.example/", hang())
        async with none_left(site):
            findings = await check_all(
                site, {f"{H}/a": Kind.WEB, "http://slow.example/": Kind.WEB}, config(network=SILENCE)
            )

    assert findings[f"{H}/a"].verdict == "ok"
    assert 3 <= cut_off_at < len(site.log) == 6


@pytest.mark.parametrize("status", [301, 302])
async def test_urls_that_grow_with_each_redirect(status: int) -> None:
    """A chain without end is cut at its limit, or as soon as its URL is longer than any link."""
    async with serve() as site:
        site.fallback = redirect(status, "./" + "x" * 10 + "/")
        short = await check(site, f"{H}/a/")
        hops = len(site.log)
        site.fallback = redirect(status, "./" + "x" * 30_000 + "/")
        long = await check(site, f"{H}/a/")

    assert (short.verdict, hops) == ("too-many-redirects", 22)
    assert (long.verdict, len(site.log) - hops) == ("bad-redirect", 6)
    assert (long.detail or "").endswith("characters are too many for a URL")


async def test_a_head_as_long_as_browsers_take() -> None:
    """Many cookies, or a long policy, are no flood."""
    async with serve() as site:
        site.add(f"{H}/a", answer(200, b"", **{f"X_{n}": "x" * 60_000 for n in range(4)}))
        finding = await check(site, f"{H}/a")

    assert finding.verdict == "ok"


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(("status", "verdict"), [(204, "ok"), (304, "bad-redirect")])
async def test_bodies_that_may_not_be_there(status: int, verdict: str, *, apart: bool) -> None:
    """204 and 304 have no body: one that is sent all the same changes nothing, however it comes."""

    async def step(wire: Wire) -> None:
        head, body = b"HTTP/1.1 %d No\r\nContent-Length: 5\r\n\r\n" % status, b"hello"
        await wire.send(head if apart else head + body)
        if apart:
            await asyncio.sleep(0)  # the loop turns, and the client reads the head alone
            await wire.send(body)

    async with serve() as site:
        site.add(f"{H}/a", step)
        site.add(f"{H}/b", page())
        async with none_left(site):
            found = await check_all(site, {f"{H}/a": Kind.IMAGE, f"{H}/b": Kind.AMP}, QUICK)

    expected = "undecodable" if status == 204 else verdict
    assert (found[f"{H}/a"].verdict, found[f"{H}/b"].verdict) == (expected, "not-amp")


async def test_what_an_answer_leaves_behind() -> None:
    """Bytes that stand before an answer on a kept connection are no fault of what is asked next."""

    async def with_body(wire: Wire) -> None:
        await page()(wire)
        await wire.reader.readuntil(b"\r\n\r\n")  # the next request is there before the body is
        await raw(b"<title>A page</title>")(wire)

    async with serve() as site:
        site.add(f"{H}/a", with_body)
        site.add(f"{H}/b", page())
        settings = config(hosts={"per_host": 1})
        async with none_left(site):
            found = await check_all(site, {f"{H}/a": Kind.WEB, f"{H}/b": Kind.WEB}, settings)

    assert [(one.verdict, one.requests) for one in found.values()] == [("ok", 1), ("ok", 2)]
    assert [hop.error for hop in found[f"{H}/b"].hops] == ["BadResponse", None]
