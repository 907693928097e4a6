"""Heads that browsers read and the strict parser refuses: pure, and on real sockets."""

from __future__ import annotations

import asyncio
import random
from typing import Final

import pytest
from aiohttp.http import HttpResponseParser

from crawler.demo.web import png
from crawler.fetch.transport.client import MAX_HEADER_LINES
from crawler.fetch.transport.lenient_head import UnreadableHead, lenient_head
from storage.model import Kind, Size
from tests.behaviours.table import H
from tests.check import check, check_all, config
from tests.site import Step, Wire, answer, page, raw, serve

HTML: Final = b"<!doctype html><title>A page</title>"
LENGTH: Final = b"Content-Length: %d\r\n" % len(HTML)
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKS: Final = b"%x\r\n%s\r\n0\r\n\r\n" % (len(HTML), HTML)

READ: Final = {
    "a blank before the colon": OK + b"X-Foo : a\r\n" + LENGTH + b"\r\n" + HTML,
    "a blank before the colon of a length": OK + b"Content-Length : %d\r\n\r\n" % len(HTML) + HTML,
    "a line without a colon": OK + b"X-XSS-Protection=1;\r\n" + LENGTH + b"\r\n" + HTML,
    "a name of two words": OK + b"X Foo: a\r\n" + LENGTH + b"\r\n" + HTML,
    "a name with brackets": OK + b"X-Foo[]: a\r\n" + LENGTH + b"\r\n" + HTML,
    "no name": OK + b": a\r\n" + LENGTH + b"\r\n" + HTML,
    "a name in Cyrillic": OK + "Заголовок: a\r\n".encode() + LENGTH + b"\r\n" + HTML,
    "a status line among the fields": OK + b"HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + HTML,
    "warnings of PHP": OK
    + b"<br />\n<b>Warning</b>:  foo in <b>/x.php</b> on line <b>3</b><br />\n"
    + LENGTH
    + b"\r\n"
    + HTML,
    "a blank first field line": OK + b" folded: a\r\n" + LENGTH + b"\r\n" + HTML,
    "the same length twice": OK + LENGTH + LENGTH + b"\r\n" + HTML,
    "the same length as a list": OK + b"Content-Length: %d, %d\r\n\r\n" % (len(HTML), len(HTML)) + HTML,
    "a length that is none": OK + b"Content-Length: many\r\n\r\n" + HTML,
    "a length with a sign": OK + b"Content-Length: +%d\r\n\r\n" % len(HTML) + HTML,
    "a length of 400 digits": OK + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n" + HTML,
    "a length beside chunks": OK + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "two lengths beside chunks": OK
    + b"Content-Length: 1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
    + CHUNKS,
    "a length beside identity": OK + LENGTH + b"Transfer-Encoding: identity\r\n\r\n" + HTML,
    "two blanks in the status line": b"HTTP/1.0  200  OK\r\n" + LENGTH + b"\r\n" + HTML,
    "a tab in the status line": b"HTTP/1.1\t200 OK\r\n" + LENGTH + b"\r\n" + HTML,
    "no reason": b"HTTP/1.1 200\r\n" + LENGTH + b"\r\n" + HTML,
    "a reason without a blank": b"HTTP/1.1 200OK\r\n" + LENGTH + b"\r\n" + HTML,
    "HTTP/2 in text": b"HTTP/2 200 OK\r\n" + LENGTH + b"\r\n" + HTML,
    "HTTP/2.0 in text": b"HTTP/2.0 200\r\n" + LENGTH + b"\r\n" + HTML,
    "no version": b"HTTP 200 OK\r\n" + LENGTH + b"\r\n" + HTML,
    "a version without a minor": b"HTTP/1 200 OK\r\n" + LENGTH + b"\r\n" + HTML,
    "lower case": b"http/1.1 200 ok\r\n" + LENGTH + b"\r\n" + HTML,
    "junk of four bytes": b"\xef\xbb\xbf HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + HTML,
    "line feeds alone": (OK + LENGTH + b"X Foo: a\r\n\r\n").replace(b"\r\n", b"\n") + HTML,
    "a version of three numbers": b"HTTP/1.1.1 200 OK\r\n" + LENGTH + b"\r\n" + HTML,
    "a version that is none": b"HTTP/one 200 OK\r\n" + LENGTH + b"\r\n" + HTML,
    "line ends written twice": (OK + LENGTH + b"\r\n").replace(b"\r\n", b"\r\r\n") + HTML,
    "a body longer than its length": OK + LENGTH + b"\r\n" + HTML + b"\n<!-- served -->",
    "a body where the length says none": OK + b"Content-Length: 0\r\n\r\n" + HTML,
    "bytes behind the last chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS + b"<!-- -->",
    "an interim answer, oddly": b"HTTP/1.1 103 Hints\r\nX Y: a\r\n\r\n" + OK + LENGTH + b"\r\n" + HTML,
    "control characters": OK + b"X-Foo: a\x01\x02\x7fb\r\nX Y: a\r\n" + LENGTH + b"\r\n" + HTML,
    "600 lines": OK + b"".join(b"X-%d: a\r\n" % n for n in range(600)) + LENGTH + b"\r\n" + HTML,
    "a line of 100 kB": OK + b"X-A: " + b"a" * 100_000 + b"\r\n" + LENGTH + b"\r\n" + HTML,
    "a policy of 200 kB": OK
    + b"Content-Security-Policy: "
    + b"a" * 200_000
    + b"\r\n"
    + LENGTH
    + b"\r\n"
    + HTML,
}
REFUSED: Final = {
    "a banner of SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "ICY": b"ICY 200 OK\r\nicy-name: radio\r\n\r\n",
    "HTTP/0.9": HTML,
    "no status": b"HTTP/1.1 OK\r\n" + LENGTH + b"\r\n" + HTML,
    "two digits": b"HTTP/1.1 20 OK\r\n" + LENGTH + b"\r\n" + HTML,
    "four digits": b"HTTP/1.1 2000 OK\r\n" + LENGTH + b"\r\n" + HTML,
    "a status of zero": b"HTTP/1.1 000 OK\r\n" + LENGTH + b"\r\n" + HTML,
    "a NUL in the reason": b"HTTP/1.1 200 O\0K\r\n" + LENGTH + b"\r\n" + HTML,
    "a NUL before it": b"\0HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + HTML,
    "a NUL": OK + b"X-Foo: a\0b\r\n" + LENGTH + b"\r\n" + HTML,
    "a NUL among odd lines": OK + b"X Foo: a\r\nX-Bar: a\0b\r\n" + LENGTH + b"\r\n" + HTML,
    "two lengths": OK + LENGTH + b"Content-Length: 1\r\n\r\n" + HTML,
    "two lengths as a list": OK + b"Content-Length: 1, 2\r\n\r\n" + HTML,
}

PICTURE: Final = png(Size(40, 30))
PIECES: Final = (b"\r\n", b"\n", b" ", b":", b"\0", b"\t", b"HTTP/1.1 200 OK\r\n", b"\xff", b"9" * 30)


def by_get(data: bytes) -> Step:
    """These bytes to GET, then the end; HEAD is refused."""

    async def step(wire: Wire) -> None:
        await (raw(data) if wire.asked.method == "GET" else answer(405))(wire)

    return step


def in_pieces(data: bytes) -> Step:
    """The same bytes, the head in many pieces, and a connection that the server keeps open."""

    async def step(wire: Wire) -> None:
        if wire.asked.method != "GET":
            await answer(405)(wire)
            return
        for start in range(0, len(data), max(1, len(data) // 20)):
            await wire.send(data[start : start + max(1, len(data) // 20)])
            await asyncio.sleep(0)
        wire.keep = False

    return step


@pytest.mark.parametrize("step", [by_get, in_pieces])
async def test_heads_that_every_browser_reads(step: object) -> None:
    """Each is the page that it carries, however its bytes come, and took one attempt."""
    urls = {f"http://h{number}.example/": name for number, name in enumerate(READ)}
    async with serve() as site:
        for url, name in urls.items():
            site.add(url, by_get(READ[name]) if step is by_get else in_pieces(READ[name]))
        findings = await check_all(site, dict.fromkeys(urls, Kind.WEB), config(retry={"attempts": 1}))

    verdicts = {urls[url]: (str(finding.verdict), finding.status) for url, finding in findings.items()}
    assert verdicts == dict.fromkeys(READ, ("ok", 200))


async def test_heads_that_no_browser_reads() -> None:
    """What has no status of three digits, a NUL, or two lengths, stays what it is, at once."""
    urls = {f"http://h{number}.example/": name for number, name in enumerate(REFUSED)}
    async with serve() as site:
        for url, name in urls.items():
            site.add(url, by_get(REFUSED[name]))
        findings = await check_all(site, dict.fromkeys(urls, Kind.WEB))

    verdicts = {urls[url]: (str(finding.verdict), finding.attempts) for url, finding in findings.items()}
    assert verdicts == dict.fromkeys(REFUSED, ("bad-response", 1))


async def test_a_redirect_with_an_odd_head_is_followed() -> None:
    """Location, cookies and all other fields are those that came."""
    head = b"HTTP/1.1 302 X\r\nX Y: a\r\nLocation : /b\r\nSet-Cookie : s=1\r\nContent-Length: 0\r\n\r\n"
    async with serve() as site:
        site.add(f"{H}/a", raw(head))
        site.add(f"{H}/b", page())
        finding = await check(site, f"{H}/a")

    assert str(finding.verdict) == "redirected"
    assert site.log[-1].headers["cookie"] == "s=1"


@pytest.mark.parametrize(("length", "verdict"), [(len(PICTURE), "ok"), (60, "bad-response")])
async def test_an_image_that_goes_on_behind_its_length(length: int, verdict: str) -> None:
    """It is cut there, as browsers cut it: then it is whole all the same, or it is not."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n" % length
    async with serve() as site:
        site.add(f"{H}/a.png", raw(head + PICTURE + b"\n"))
        finding = await check(site, f"{H}/a.png", Kind.IMAGE)

    assert str(finding.verdict) == verdict


@pytest.mark.parametrize(("status", "reads"), [(204, b""), (304, b""), (404, b"hello")])
def test_a_body_that_may_not_be_there_is_left_out(status: int, reads: bytes) -> None:
    """204 and 304 have none (RFC 9110, 6.4.1), whatever follows."""
    data = b"HTTP/2 %d X\r\nContent-Length: 5\r\n\r\nhello" % status
    head = lenient_head(data)

    assert head is not None
    assert (data[head.end :] if head.has_body else b"") == reads


def _mutated(chance: random.Random) -> bytes:
    data = bytearray(chance.choice([*READ.values(), *REFUSED.values()])[:2000])
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        piece = chance.choice(PIECES)
        match chance.randrange(3):
            case 0:
                data[at:at] = piece
            case 1:
                del data[at : at + chance.randint(1, 9)]
            case _:
                data[at : at + len(piece)] = piece
    return bytes(data)


class _Protocol:
    """What a parser asks of its protocol."""

    def pause_reading(self) -> None:
        """Nothing is to be paused."""

    def resume_reading(self, *_: object, **__: object) -> None:
        """Nothing is to be resumed."""


async def test_whatever_is_written_anew_is_read() -> None:
    """Of 5,000 mutated heads each is refused, or written anew so that the strict parser takes it."""
    chance = random.Random(20261130)
    rewritten = 0
    for _ in range(5000):
        try:
            head = lenient_head(_mutated(chance))
        except UnreadableHead:
            continue
        if head is not None:
            parser = HttpResponseParser(
                _Protocol(),  # type: ignore[arg-type]
                asyncio.get_running_loop(),
                65_536,
                max_headers=MAX_HEADER_LINES,
                read_until_eof=True,
            )
            messages, _, _ = parser.feed_data(head.text)
            assert len(messages) == 1
            rewritten += 1

    assert rewritten > 1000
