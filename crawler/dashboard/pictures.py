"""The cached images, by their digest: shown as images, or handed out, and nothing else.

Their bytes come from strangers. A browser may neither take them for a page (`nosniff`) nor run what
is in them (the sandbox); what is not a plain picture, such as SVG, is a download.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

from aiohttp import web

from crawler.dashboard.house import HOUSE, House
from crawler.dashboard.page import Missing
from storage.cache import format_of, name_of, open_store
from storage.errors import CacheError

DIGEST: Final = re.compile(r"[0-9a-f]{64}")
SHOWN: Final = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "BMP": "image/bmp",
    "ICO": "image/x-icon",
}
HANDED: Final = {"SVG": "image/svg+xml", "TIFF": "image/tiff", "HEIC": "image/heic", "JXL": "image/jxl"}
HEADERS: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, max-age=31536000, immutable",  # its name is what its bytes are
}


async def show(request: web.Request) -> web.StreamResponse:
    """One image of the cache, whole."""
    digest = request.match_info["digest"]
    tag = f'"{digest}"'
    if DIGEST.fullmatch(digest) is None:
        raise Missing("There is no such image: a digest is 64 digits of 0-9 and a-f.")
    if any(one.value in {digest, "*"} for one in request.if_none_match or ()):
        return web.Response(status=304, headers={**HEADERS, "ETag": tag})
    data, kind, name = await asyncio.to_thread(_read, request.app[HOUSE], digest)
    headers = {**HEADERS, "ETag": tag, "Content-Type": kind}
    if kind not in SHOWN.values():
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return web.Response(body=data, headers=headers)


def _read(house: House, digest: str) -> tuple[bytes, str, str]:
    """The bytes of an image, its type, and a name to save it under.

    Raises:
        Missing: the cache does not have it.
        LedgerError: the database cannot be read.
    """
    format_ = format_of(house.engine, f"sha256:{digest}")
    if format_ is None or not house.cache:
        raise Missing(
            "The image cache has no such image: 'linkhealth refresh' keeps those that records name."
        )
    name = name_of(digest, format_)
    try:
        data = open_store(house.cache).read(name)
    except CacheError as exc:
        raise Missing(
            "The file of this image is gone: 'linkhealth cache verify --repair' brings it."
        ) from exc
    kind = {**SHOWN, **HANDED}.get(format_, "application/octet-stream")
    return data, kind, name.replace("/", "")
