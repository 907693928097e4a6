"""The bytes of a body as they come: in memory, or on the disk if they are many and there is a spool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crawler.fetch.base import BodySpool

# Most pictures stay in memory; 128 requests that reach this bound take some 70 MB.
MAX_MEMORY_BYTES: Final = 512 * 1024
PIECE_BYTES: Final = 256 * 1024  # that are written at once
BEGINNING_BYTES: Final = 64 * 1024  # of a spooled body that are kept in memory: nearly all headers


class BodyBuffer:
    """Collects one body; `size` counts its bytes, wherever they lie."""

    def __init__(self, open_spool: Callable[[], BodySpool] | None) -> None:
        self._open_spool = open_spool
        self._parts = bytearray()
        self._beginning = b""
        self.spool: BodySpool | None = None
        self.size = 0

    @property
    def parts(self) -> bytearray:
        """The bytes in memory: all of them, where there is no spool."""
        return self._parts

    @property
    def beginning(self) -> bytes:
        """All of a body in memory, the beginning of one on the disk."""
        return self._beginning if self.spool else bytes(self._parts)

    async def add(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            CacheError: the disk does not take them.
        """
        self._parts += chunk
        self.size += len(chunk)
        if self._open_spool is None:
            return
        if self.spool is None and self.size > MAX_MEMORY_BYTES:
            self._beginning = bytes(self._parts[:BEGINNING_BYTES])
            self.spool = self._open_spool()
            await self.flush()
        elif self.spool is not None and len(self._parts) >= PIECE_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Have all bytes on the disk, if some are there.

        Raises:
            CacheError: the disk does not take them.
        """
        if self.spool is not None and self._parts:
            piece = bytes(self._parts)
            self._parts = bytearray()
            await self.spool.write(piece)

    def discard(self) -> None:
        """Remove what lies on the disk."""
        if self.spool is not None:
            self.spool.discard()
