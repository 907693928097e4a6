"""What a server may send around its bodies: bounded, in an answer and on an idle connection.

aiohttp bounds one line and the number of lines, which leaves tens of megabytes for a head, and no
bound at all for interim answers (1xx), blank lines, chunk extensions, and for what comes unasked.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from aiohttp import ClientPayloadError
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import BadHttpMessage

if TYPE_CHECKING:
    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader

AROUND: Final = 262_144  # bytes: browsers take no longer head
FRAMING: Final = 8  # more bytes for each byte of a body: a chunk of one byte needs five
CODE: Final = slice(9, 12)  # where a status line has its code
BODILESS: Final = frozenset({b"204", b"304"})  # RFC 9110, 6.4.1
INTERIM: Final = frozenset(range(100, 200)) - {101}  # RFC 9110, 15.2: another answer follows


class Bounded(ResponseHandler):
    """aiohttp's side of one connection, which hears no more than `AROUND` bytes beside a body."""

    _came = 0
    _waits = False

    def set_response_params(self, **params: Any) -> None:
        """Begin to wait for an answer."""
        self._came, self._waits = 0, True
        super().set_response_params(**params)

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Take the head of an answer; an interim one says nothing, and is dropped."""
        if data[0].code in INTERIM:
            return
        self._waits = False
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """Take bytes, unless there were too many that belong to no body."""
        if self._waits and data[CODE] in BODILESS:
            data = self._head_of(data)
        self._came += len(data)
        super().data_received(data)
        if self._came > AROUND:
            self._weigh()
        if self._exception is not None:
            self._break_body(self._exception)
        if self._waits and self._exception is None:
            self.start_timeout()  # aiohttp stops its clock at an interim answer

    def _head_of(self, data: bytes) -> bytes:
        """Leave out a body that may not be there: else the verdict hung on how the bytes came."""
        head, end, rest = data.partition(b"\r\n\r\n")
        if rest:
            self.force_close()
        return head + end

    def _weigh(self) -> None:
        body = self._payload.total_bytes if self._payload is not None else 0
        if self._came <= AROUND + (1 + FRAMING) * body or self.transport is None:
            return
        error = BadHttpMessage(f"more than {AROUND} bytes that belong to no body")
        self.transport.abort()
        self.set_exception(error)

    def _break_body(self, error: BaseException) -> None:
        """Tell who reads the body: aiohttp leaves them waiting when trailers are no HTTP."""
        body = self._payload
        if body is not None and not body.is_eof() and body.exception() is None:
            body.set_exception(ClientPayloadError(str(error)), error)


def _listen(loop: AbstractEventLoop) -> ResponseHandler:
    return Bounded(loop)


def listener(loop: AbstractEventLoop) -> partial[ResponseHandler]:
    """What makes one of them for each connection."""
    return partial(_listen, loop)
