"""One answer, cut off behind each of its bytes."""

from __future__ import annotations

import gzip

import pytest

from storage.model import Kind
from tests.behaviours.table import IMAGE, H
from tests.check import QUICK, check, check_all
from tests.site import raw, serve

PAGE = b"<!doctype html><html amp><title>A page</title>"
SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><path/></svg>'
END = b"\r\n\r\n"
HEADS = {
    "a length": b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: %d\r\n\r\n",
    "an old version": b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: %d\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n",
    "a coding": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n",
    "an interim answer": b"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
}


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize(
    ("kind", "body"),
    [(Kind.AMP, PAGE), (Kind.IMAGE, IMAGE), (Kind.IMAGE, SVG)],
    ids=["page", "image", "SVG"],
)
async def test_cut_off(name: str, kind: Kind, body: bytes) -> None:
    """No beginning of an answer passes for one, and each is told for what it is.

    Nothing at all, or nothing after an interim answer, is a reset, which may pass; anything more
    is a bad response, but of an image whose head came: that is truncated.
    """
    body = gzip.compress(body, mtime=0) if name == "a coding" else body
    head = HEADS[name] % len(body)
    if SVG in body or name == "a coding":
        at = head.rindex(END)
        head = head[:at] + b"\r\nContent-Type: image/svg+xml" + head[at:]
    whole = head + body + (b"\r\n0\r\n\r\n" if name == "chunks" else b"")
    urls = [f"http://h{length}.example/" for length in range(len(whole) + 1)]
    async with serve() as site:
        for length, url in enumerate(urls):
            site.add(url, raw(whole[:length]))
        findings = await check_all(site, dict.fromkeys(urls, kind), QUICK)

    start, interim = head.rindex(END) + len(END), head.index(END) + len(END)
    cut = "truncated" if kind is Kind.IMAGE else "bad-response"
    expected = ["reset", *["bad-response"] * (start - 1), *[cut] * (len(whole) - start), "ok"]
    if interim < start:
        expected[interim] = "reset"
    assert [findings[url].verdict.value for url in urls] == expected
    assert all("message" not in (finding.detail or "") for finding in findings.values())


async def test_a_page_cut_off_where_an_image_should_be() -> None:
    """Bytes that are no image are none, cut off or not."""
    page = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + PAGE + b"<p>" * 50)
    async with serve() as site:
        site.add(f"{H}/i", page)
        finding = await check(site, f"{H}/i", Kind.IMAGE)

    assert (finding.verdict, finding.detail) == ("wrong-type", "the bytes are an HTML page")
