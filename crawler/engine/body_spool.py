"""Bodies that go to the disk while they come, so that many long ones at once take little memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from crawler.engine.writer_threads import WriterThreads
from crawler.errors import LocalFault
from crawler.fetch.base import SpooledBody
from storage.errors import CacheError, FileSwept
from storage.image_cache import AsideFile, BlobStore
from storage.image_cache.safe_paths import errors_explained

ResultT = TypeVar("ResultT")


class SpoolFolder:
    """Opens spools in the folder of what is written aside, and reads one of their files at a time."""

    def __init__(self, blobs: BlobStore, threads: WriterThreads) -> None:
        self._blobs = blobs
        self._threads = threads
        self._reading = asyncio.Lock()

    def open_spool(self) -> DiskSpool:
        """A spool of which nothing is on the disk yet."""
        return DiskSpool(self, self.open_file())

    def open_file(self) -> AsideFile:
        """A file aside that is not there before its first piece."""
        return self._blobs.open_aside()

    async def look(self, aside: str, look: Callable[[bytes], ResultT]) -> ResultT:
        """What a look at all bytes of a file aside tells.

        Raises:
            LocalFault: another process cleans the folder.
            CacheError: the folder cannot be read.
        """
        path = self._blobs.local(aside)
        async with self._reading:
            return await self.run(lambda: look(_bytes_of(path)))

    async def run(self, work: Callable[[], ResultT]) -> ResultT:
        """Do work on a file aside in a thread; raises as `look` does."""
        try:
            return await self._threads.run(work)
        except FileSwept as exc:
            raise LocalFault(str(exc)) from exc

    def discard(self, file: AsideFile) -> None:
        """Remove a file, once nothing writes into it."""

        def work() -> None:
            file.discard()
            self._blobs.discard(file.name)

        self._threads.submit(work)


class DiskSpool:
    """A `BodySpool` in a folder."""

    def __init__(self, folder: SpoolFolder, file: AsideFile) -> None:
        self._folder = folder
        self._file = file

    async def write(self, data: bytes) -> None:
        """Write one more piece.

        Raises:
            LocalFault: another process cleans the folder.
            CacheError: the disk does not take it.
        """
        await self._folder.run(lambda: self._file.write(data))

    def written(self) -> SpooledBody:
        """Say what was written."""
        return SpooledBody(self._file.name, self._file.size, self._file.digest)

    async def recoded(self, decode: Callable[[bytes], bytes]) -> DiskSpool:
        """Write what `decode` makes of all pieces into another file, and discard this one.

        Raises:
            LocalFault: another process cleans the folder.
            CacheError: the disk does not take it.
        """
        file = self._folder.open_file()
        try:
            await self._folder.look(self._file.name, lambda data: file.write(decode(data)))
        except BaseException:
            self._folder.discard(file)
            raise
        self.discard()
        return DiskSpool(self._folder, file)

    def discard(self) -> None:
        """Remove what was written, and write no more."""
        self._folder.discard(self._file)


def _bytes_of(path: Path) -> bytes:
    try:
        with errors_explained(path):
            return path.read_bytes()
    except CacheError as exc:
        if not isinstance(exc.__cause__, FileNotFoundError):
            raise
        raise FileSwept(f"{path}: another process removed what was being written there") from exc
