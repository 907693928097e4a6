"""Chunks that browsers read and the strict parser refuses: pure, and on real sockets."""

from __future__ import annotations

from typing import Final

import pytest

from crawler.fetch.transport.lenient_chunks import LenientChunks, UnreadableChunks
from storage.model import Kind
from tests.check import check_all, config
from tests.crawler.fetch.transport.test_lenient_head import by_get, in_pieces
from tests.site import serve

TEXT: Final = b"<!doctype html><title>A bridge</title><p>Words of a river."
SIZE: Final = b"%x" % len(TEXT)
HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
END: Final = b"\r\n0\r\n\r\n"
READ: Final = {
    "as the standard has it": SIZE + b"\r\n" + TEXT + END,
    "line feeds alone": SIZE + b"\n" + TEXT + b"\n0\n\n",
    "line feeds alone at the end": SIZE + b"\r\n" + TEXT + b"\r\n0\n\n",
    "a blank before an extension": SIZE + b" ;a=b\r\n" + TEXT + END,
    "an extension of any bytes": SIZE + b";a=\xff\x01\r\n" + TEXT + END,
    "blanks behind a size": SIZE + b"   \r\n" + TEXT + END,
    "zeros before a size": b"0" * 40 + SIZE.upper() + b"\r\n" + TEXT + b"\r\n0000\r\n\r\n",
    "a trailer that is no field": SIZE + b"\r\n" + TEXT + b"\r\n0\r\ngarbage\r\n\r\n",
    "a trailer with a blank": SIZE + b"\r\n" + TEXT + b"\r\n0\r\nX-Sum : 1\r\n\r\n",
    "bytes behind the end": SIZE + b"\n" + TEXT + b"\n0\n\nmore",
    "many chunks": b"".join(b"1 \n%c\n" % letter for letter in TEXT) + b"0\n\n",
}
REFUSED: Final = {
    "no size": b"\r\n" + TEXT + END,
    "a word": b"many\r\n" + TEXT + END,
    "a sign": b"+" + SIZE + b"\r\n" + TEXT + END,
    "a prefix": b"0x" + SIZE + b"\r\n" + TEXT + END,
    "a size that is too small": b"1\r\n" + TEXT + END,
    "a size of 40 digits": b"f" * 40 + b"\r\n" + TEXT + END,
    "no chunks": TEXT,
    "no last chunk": SIZE + b"\n" + TEXT + b"\n",
    "a size without an end": b"1;" + b"a" * 20_000,
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_chunks_are_read_however_they_come(name: str, step: int) -> None:
    """The body is the same for pieces of any length."""
    data, chunks = READ[name], LenientChunks()
    text = b"".join(
        chunks.feed(data[start : start + step]) for start in range(0, len(data), step) if not chunks.ended
    )
    assert (text, chunks.ended) == (TEXT, True)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_chunk_has_no_end(name: str) -> None:
    """It is refused, or its end never comes."""
    chunks = LenientChunks()
    try:
        chunks.feed(REFUSED[name])
    except UnreadableChunks:
        return
    assert not chunks.ended


@pytest.mark.parametrize("step", [by_get, in_pieces])
async def test_pages_in_odd_chunks_are_pages(step: object) -> None:
    """Each is `ok` with one attempt, whatever came of it before the odd place."""
    send = by_get if step is by_get else in_pieces
    urls = {f"http://h{number}.example/": name for number, name in enumerate(READ)}
    async with serve() as site:
        for url, name in urls.items():
            site.add(url, send(HEAD + READ[name]))
        findings = await check_all(site, dict.fromkeys(urls, Kind.WEB), config(retry={"attempts": 1}))
    verdicts = {urls[url]: (str(finding.verdict), finding.status) for url, finding in findings.items()}
    assert verdicts == dict.fromkeys(READ, ("ok", 200))


@pytest.mark.parametrize("step", [by_get, in_pieces])
async def test_broken_chunks_are_no_page(step: object) -> None:
    """They are `bad-response`, however they come."""
    send = by_get if step is by_get else in_pieces
    urls = {f"http://h{number}.example/": name for number, name in enumerate(REFUSED)}
    async with serve() as site:
        for url, name in urls.items():
            site.add(url, send(HEAD + REFUSED[name]))
        findings = await check_all(site, dict.fromkeys(urls, Kind.WEB), config(retry={"attempts": 1}))
    verdicts = {urls[url]: str(finding.verdict) for url, finding in findings.items()}
    assert verdicts == dict.fromkeys(REFUSED, "bad-response")
