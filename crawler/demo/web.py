"""A small web on this machine that answers for the hosts of the demo's records, some of them badly.

`web.pem` beside this file is a certificate for those hosts, made for this alone, with its key: it
is trusted by nobody but the demo.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from storage.frozen import frozen
from storage.model import Size

CERTIFICATE: Final = Path(__file__).with_name("web.pem")
SLOW_SECONDS: Final = 1.5  # seconds
Step = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def status(code: int, **headers: str) -> Step:
    """Answer with a status and no more."""

    async def step(_: web.BaseRequest) -> web.StreamResponse:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=code, headers=fields)

    return step


def page(delay: float = 0.0) -> Step:
    """Answer with a page, after a while."""

    async def step(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(delay)
        title = request.path.strip("/").rpartition("/")[2] or request.host
        text = f"<!doctype html><html amp><title>{title}</title><p>A page of the demo."
        return web.Response(text=text, content_type="text/html")

    return step


def picture(size: Size) -> Step:
    """Answer with a picture of a size."""

    async def step(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=png(size), content_type="image/png")

    return step


async def hang_up(request: web.BaseRequest) -> web.StreamResponse:
    """Close the connection without a word."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def png(size: Size) -> bytes:
    """A grey picture of a size, as small as it can be (PNG, third edition, 5)."""
    row = b"\0" + b"\xaa" * ((size.width + 7) // 8)
    header = struct.pack(">IIBBBBB", size.width, size.height, 1, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(row * size.height, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


# What goes wrong in the demo, by URL: the steps are taken in turn, the last one again and again.
SCRIPT: Final[Mapping[str, tuple[Step, ...]]] = {
    "https://www.robotstxt.org/wc/norobots-history.html": (status(404),),
    "https://operations.osmfoundation.org/policies/tiles/": (status(410),),
    "https://www.iana.org/help/example-domains": (
        status(301, Location="https://www.iana.org/domains/reserved"),
    ),
    "https://www.iana.org/domains/reserved": (page(),),
    "http://www.robotstxt.org/db.html": (status(302, Location="https://www.robotstxt.org/robotstxt.html"),),
    "https://www.w3.org/QA/Tips/uri-manage": (status(302, Location="/QA/Tips/uri-manage"),),
    "https://en.wikipedia.org/wiki/Apollo_17": (page(SLOW_SECONDS),),
    "https://archive.org/help/wayback_api.php": (status(503), status(503), page()),
    "https://www.postgresql.org/docs/current/wal-intro.html": (status(403, cf_mitigated="challenge"),),
    "https://www.gutenberg.org/ebooks/84": (hang_up,),
    "https://www.gutenberg.org/cache/epub/84/pg84.cover.medium.jpg": (page(),),
    "https://www.python.org/static/img/python-logo.png": (picture(Size(580, 164)),),
    "https://archive.org/images/glogo.jpg": (picture(Size(160, 200)),),
    "https://www.openstreetmap.org/assets/osm_logo.png": (picture(Size(1, 1)),),
}


@frozen
class DemoPorts:
    """Where the web listens on loopback."""

    plain: int
    secure: int


@asynccontextmanager
async def serve(pages: Collection[str], pictures: Mapping[str, Size]) -> AsyncIterator[DemoPorts]:
    """Serve the web: the script, `pages`, `pictures` of their sizes, and 404 for all other URLs."""
    hits: Counter[str] = Counter()
    steps_of: dict[str, tuple[Step, ...]] = dict.fromkeys(pages, (page(),))
    steps_of |= {url: (picture(size),) for url, size in pictures.items()}
    steps_of |= SCRIPT

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        url = f"{request.scheme}://{request.host}{request.path_qs}"
        steps = steps_of.get(url, (status(404),))
        hits[url] += 1
        return await steps[min(hits[url], len(steps)) - 1](request)

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    try:
        yield DemoPorts(await _listen(runner, None), await _listen(runner, _tls()))
    finally:
        await runner.cleanup()


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


async def _listen(runner: web.ServerRunner, tls: ssl.SSLContext | None) -> int:
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port: int = runner.addresses[-1][1]
    return port
