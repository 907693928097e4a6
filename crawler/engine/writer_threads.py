"""The threads in which a cache is read and written; where descriptors run out, their work waits for some."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from crawler.engine.descriptor_reserve import DescriptorReserve, lacks_descriptors
from storage.errors import CacheError

ResultT = TypeVar("ResultT")
DESCRIPTOR_PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)  # seconds
WRITER_THREADS: Final = 8  # threads that wait for the disk: together they sync four times as much as one


class WriterThreads:
    """A few threads, and a reserve of descriptors for them."""

    def __init__(self, reserve: DescriptorReserve) -> None:
        self._reserve = reserve
        self._executor = ThreadPoolExecutor(WRITER_THREADS, "cache")

    async def run(self, work: Callable[[], ResultT]) -> ResultT:
        """Do work in a thread; where all descriptors are taken, with some of the reserve, and again later.

        Raises:
            CacheError: what the work raises, once it is no longer for want of descriptors.
        """
        for pause in DESCRIPTOR_PAUSES:
            try:
                return await self._run(work)
            except CacheError as exc:
                if not lacks_descriptors(exc):
                    raise
            with self._reserve.lent(), suppress(CacheError):
                return await self._run(work)
            await asyncio.sleep(pause)
        return await self._run(work)

    def submit(self, work: Callable[[], object]) -> None:
        """Have work done in a thread, whatever comes of it."""
        self._executor.submit(work)

    async def close(self) -> None:
        """Give the reserve back, and wait until all work is done."""
        self._reserve.close()
        await asyncio.to_thread(self._executor.shutdown)

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)
