"""Messages between two processes of one run: pickled structs, each behind its length."""

from __future__ import annotations

import asyncio
import pickle
import socket
import struct
from typing import Final

import msgspec

LENGTH_PREFIX: Final = struct.Struct("!Q")
MAX_PENDING_BYTES: Final = 1024 * 1024  # bytes that may wait in a pipe before its sender waits, too


class Message(msgspec.Struct, frozen=True, tag=True):
    """What one process sends to another; `crawler.processes.messages` has each kind."""


class Pipe:
    """One end of a pipe; only processes of this program, started by each other, hold the ends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, message: Message) -> None:
        """Send a message; one that the other end does not read any more is lost."""
        if not self._writer.is_closing():
            data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
            self._writer.write(LENGTH_PREFIX.pack(len(data)) + data)

    async def drain(self) -> None:
        """Wait while much is under way."""
        try:
            await self._writer.drain()
        except OSError:
            return  # the reader notices that the other end is gone

    async def read(self) -> Message | None:
        """The next message; None once the other end is closed."""
        try:
            (length,) = LENGTH_PREFIX.unpack(await self._reader.readexactly(LENGTH_PREFIX.size))
            message: Message = pickle.loads(await self._reader.readexactly(length))  # noqa: S301 - our own
        except (asyncio.IncompleteReadError, OSError):
            return None
        return message

    def close(self) -> None:
        """Send nothing more."""
        self._writer.close()


async def open_pipe(sock: socket.socket) -> Pipe:
    """A pipe over a connected socket."""
    reader, writer = await asyncio.open_connection(sock=sock, limit=MAX_PENDING_BYTES)
    writer.transport.set_write_buffer_limits(MAX_PENDING_BYTES)
    return Pipe(reader, writer)
