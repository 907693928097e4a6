"""The cached images, by their digest: shown as images, or offered as downloads, and nothing else.

Their bytes are untrusted. A browser may neither take them for a page (`nosniff`) nor run what
is in them (the sandbox); what is not a plain picture, such as SVG, is a download.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

from aiohttp import web

from crawler.dashboard.page import NotFound
from crawler.dashboard.settings import SETTINGS_KEY, DashboardSettings
from storage.errors import CacheError
from storage.image_cache import format_of, name_of, open_store

DIGEST_PATTERN: Final = re.compile(r"[0-9a-f]{64}")
INLINE_TYPES: Final = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "BMP": "image/bmp",
    "ICO": "image/x-icon",
}
DOWNLOAD_TYPES: Final = {
    "SVG": "image/svg+xml",
    "TIFF": "image/tiff",
    "HEIC": "image/heic",
    "JXL": "image/jxl",
}
IMAGE_RESPONSE_HEADERS: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, max-age=31536000, immutable",  # its name is what its bytes are
}


async def show(request: web.Request) -> web.StreamResponse:
    """One image of the cache, whole."""
    digest = request.match_info["digest"]
    tag = f'"{digest}"'
    if DIGEST_PATTERN.fullmatch(digest) is None:
        raise NotFound("There is no such image: a digest is 64 digits of 0-9 and a-f.")
    if any(etag.value in {digest, "*"} for etag in request.if_none_match or ()):
        return web.Response(status=304, headers={**IMAGE_RESPONSE_HEADERS, "ETag": tag})
    data, kind, name = await asyncio.to_thread(_read, request.app[SETTINGS_KEY], digest)
    headers = {**IMAGE_RESPONSE_HEADERS, "ETag": tag, "Content-Type": kind}
    if kind not in INLINE_TYPES.values():
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return web.Response(body=data, headers=headers)


def _read(settings: DashboardSettings, digest: str) -> tuple[bytes, str, str]:
    """The bytes of an image, its type, and a name to save it under.

    Raises:
        Missing: the cache does not have it.
        LedgerError: the database cannot be read.
    """
    format_ = format_of(settings.engine, f"sha256:{digest}")
    if format_ is None or not settings.cache:
        raise NotFound(
            "The image cache has no such image: 'linkhealth refresh' keeps those that records name."
        )
    name = name_of(digest, format_)
    try:
        data = open_store(settings.cache).read(name)
    except CacheError as exc:
        raise NotFound(
            "The file of this image is gone: 'linkhealth cache verify --repair' brings it."
        ) from exc
    kind = {**INLINE_TYPES, **DOWNLOAD_TYPES}.get(format_, "application/octet-stream")
    return data, kind, name.replace("/", "")
