"""Open the image cache that a configuration names, and make the check of images that fills it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from crawler.checks.image_header import ImageCheck
from crawler.checks.image_whole import WholeImageCheck
from crawler.config import Config
from crawler.engine.descriptor_reserve import DescriptorReserve
from crawler.engine.image_cache import ImageCacheRules, ImageCacheWriter, file_name
from crawler.fetch.headers.freshness import FreshnessBounds
from crawler.images.decode_pool import DecodeLimits, DecodePool
from storage.image_cache import BlobStore, claim, entries, forget, open_store
from storage.model import CachedImage

RESERVE_DESCRIPTORS: Final = 32


def rules_of(config: Config) -> ImageCacheRules:
    """The rules of a configuration."""
    images, plan = config.images, config.schedule
    bounds = FreshnessBounds(timedelta(seconds=plan.image_least), timedelta(seconds=plan.image_most))
    return ImageCacheRules(images.proof, images.max_pixels, frozenset(images.placeholders), bounds)


@asynccontextmanager
async def open_image_cache(config: Config, engine: sa.Engine) -> AsyncIterator[ImageCacheWriter]:
    """The cache of a configuration, ready to be used.

    Raises:
        CacheError: its folder cannot be written, or belongs to another database.
        LedgerError: the database cannot be used.
    """
    rules = rules_of(config)
    blobs = await asyncio.to_thread(open_store, config.images.cache)
    await asyncio.to_thread(blobs.prepare)
    await asyncio.to_thread(claim, blobs, engine)
    index = await asyncio.to_thread(_index_with_files, blobs, engine)
    reserve = DescriptorReserve(RESERVE_DESCRIPTORS)
    decode_pool = DecodePool(DecodeLimits(rules.pixels), reserve.lent)
    writer = ImageCacheWriter(rules, blobs, index, decode_pool, reserve)
    try:
        yield writer
    finally:
        await writer.close()


def _index_with_files(blobs: BlobStore, engine: sa.Engine) -> dict[int, CachedImage]:
    """The index, without the entries whose file somebody took away.

    The index is read before the store is asked: another worker writes a file before its row.
    """
    index = entries(engine)
    missing = [
        key for key, entry in index.items() if not blobs.has(file_name(entry.picture), entry.picture.bytes)
    ]
    if missing:
        forget(engine, missing)
    return {key: entry for key, entry in index.items() if key not in set(missing)}


def whole_image_check(
    config: Config,
    writer: ImageCacheWriter,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    refetch: bool = False,
) -> WholeImageCheck:
    """The check of images that keeps them; `now` is UTC; `refetch`: without conditions."""
    header_check = ImageCheck(config.images.max_bytes, config.images.max_pixels)
    return WholeImageCheck(header_check, writer, now, conditional=not refetch)
