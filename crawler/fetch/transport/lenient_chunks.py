"""A tolerant reading of a chunked body that the strict parser refuses: as browsers read it. Pure.

Line feeds alone, blanks behind a size, any bytes in an extension, and trailers that are no fields
tell nothing of a page: each chunk has its size, and the last has its end.
"""

from __future__ import annotations

import re
from typing import Final

MAX_CHUNK_LINE_BYTES: Final = 16_384  # of a size and its extensions, as Chromium has it
SIZE_LINE: Final = re.compile(rb"0*([0-9A-Fa-f]{1,15}) *(?:;.*)?", re.DOTALL)


class UnreadableChunks(Exception):
    """No browser takes these bytes for chunks."""


class LenientChunks:
    """Reads chunks as their bytes come; `ended` once the last is read, trailers included."""

    def __init__(self) -> None:
        self.ended = False
        self._rest = b""
        self._left = 0  # bytes of the chunk under way
        self._behind_chunk = False
        self._in_trailers = False

    def feed(self, data: bytes) -> bytes:
        """Take bytes, and return those of the body; what follows the end is left out.

        Raises:
            UnreadableChunks: there is no size where one has to be.
        """
        data = self._rest + data
        start = 0
        parts: list[bytes] = []
        while not self.ended:
            if self._left:
                part = data[start : start + self._left]
                parts.append(part)
                start += len(part)
                self._left -= len(part)
            end = data.find(b"\n", start)
            if self._left or end < 0:
                break
            self._read_line(data[start:end].removesuffix(b"\r"))
            start = end + 1
        self._rest = b"" if self.ended else data[start:]
        if len(self._rest) > MAX_CHUNK_LINE_BYTES:
            raise UnreadableChunks("a size without an end")
        return b"".join(parts)

    def _read_line(self, line: bytes) -> None:
        """Read a line between two chunks: the end of the one before, a size, or a trailer."""
        if self._in_trailers:
            self.ended = not line
        elif self._behind_chunk:
            self._behind_chunk = False
            if line:
                raise UnreadableChunks("more bytes than the size of a chunk")
        else:
            self._read_size(line)

    def _read_size(self, line: bytes) -> None:
        match = SIZE_LINE.fullmatch(line)
        if match is None:
            raise UnreadableChunks("no size of a chunk")
        self._left = int(match[1], 16)
        self._in_trailers = not self._left
        self._behind_chunk = bool(self._left)
