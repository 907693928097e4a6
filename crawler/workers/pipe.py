"""Messages between two processes of one run: pickled tuples, each behind its length."""

from __future__ import annotations

import asyncio
import pickle
import socket
import struct
from typing import Any, Final, TypeAlias

Message: TypeAlias = tuple[Any, ...]
LENGTH: Final = struct.Struct("!Q")
FULL: Final = 1024 * 1024  # bytes that may wait in a pipe before who fills it waits, too


class Pipe:
    """One end of a pipe; only processes of this program, started by each other, hold the ends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, *message: Any) -> None:
        """Send a message; one that nobody reads any more is lost."""
        if not self._writer.is_closing():
            data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
            self._writer.write(LENGTH.pack(len(data)) + data)

    async def drain(self) -> None:
        """Wait while much is under way."""
        try:
            await self._writer.drain()
        except OSError:
            return  # the reader tells that the other end is gone

    async def read(self) -> Message | None:
        """The next message; None once the other end is closed."""
        try:
            (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
            message: Message = pickle.loads(await self._reader.readexactly(length))  # noqa: S301 - our own
        except (asyncio.IncompleteReadError, OSError):
            return None
        return message

    def close(self) -> None:
        """Send nothing more."""
        self._writer.close()


async def open_pipe(sock: socket.socket) -> Pipe:
    """A pipe over a connected socket."""
    reader, writer = await asyncio.open_connection(sock=sock, limit=FULL)
    writer.transport.set_write_buffer_limits(FULL)
    return Pipe(reader, writer)
