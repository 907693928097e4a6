"""What a server may send around its bodies: bounded, in an answer and on an idle connection.

aiohttp bounds one line and the number of lines, which leaves tens of megabytes for a head, and no
bound at all for interim answers (1xx), blank lines, chunk extensions, and for what comes unasked.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from aiohttp import ClientPayloadError
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import BadHttpMessage

from crawler.fetch.transport.lenient_parser import LenientParser

if TYPE_CHECKING:
    from aiohttp.http import HttpResponseParser, RawResponseMessage
    from aiohttp.streams import StreamReader

MAX_HEAD_BYTES: Final = 262_144  # bytes: browsers take no longer head
FRAMING_BYTES_PER_BYTE: Final = 8  # more bytes for each byte of a body: a chunk of one byte needs five
STATUS_CODE_SLICE: Final = slice(9, 12)  # where a status line has its code
BODILESS_CODES: Final = frozenset({b"204", b"304"})  # RFC 9110, 6.4.1
INTERIM_CODES: Final = frozenset(range(100, 200)) - {101}  # RFC 9110, 15.2: another answer follows


class LimitedResponseHandler(ResponseHandler):
    """aiohttp's side of one connection, which takes no more than `MAX_HEAD_BYTES` beside a body."""

    _bytes_received = 0
    _awaits_head = False

    def set_response_params(self, **params: Any) -> None:
        """Begin to wait for an answer."""
        self._bytes_received = 0
        self._awaits_head = True
        super().set_response_params(**params)
        renew = partial(self._new_parser, params)
        parser = LenientParser(self._strict_parser(), renew, self.force_close)
        self._parser = cast("HttpResponseParser", parser)

    def _new_parser(self, params: dict[str, Any]) -> HttpResponseParser:
        parser = self._parser
        super().set_response_params(**params)
        strict_parser = self._strict_parser()
        self._parser = parser
        return strict_parser

    def _strict_parser(self) -> HttpResponseParser:
        return cast("HttpResponseParser", self._parser)

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Take the head of an answer; an interim one says nothing, and is dropped."""
        if data[0].code in INTERIM_CODES:
            return
        self._awaits_head = False
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """Take bytes, unless there were too many that belong to no body."""
        if self._awaits_head and data[STATUS_CODE_SLICE] in BODILESS_CODES:
            data = self._head_of(data)
        self._bytes_received += len(data)
        super().data_received(data)
        parser: object = self._parser
        if not self._awaits_head and isinstance(parser, LenientParser) and not parser.awaits_chunks:
            self._parser = parser.strict  # nothing stands between a body and its parser
        if self._bytes_received > MAX_HEAD_BYTES:
            self._check_overhead()
        if self._exception is not None:
            self._break_body(self._exception)
        if self._awaits_head and self._exception is None:
            self.start_timeout()  # aiohttp stops its clock at an interim answer

    def _head_of(self, data: bytes) -> bytes:
        """Leave out a body that may not be there: else the verdict hung on how the bytes came."""
        head, end, body = data.partition(b"\r\n\r\n")
        if body:
            self.force_close()
        return head + end

    def _check_overhead(self) -> None:
        body = self._payload.total_bytes if self._payload is not None else 0
        if (
            self._bytes_received <= MAX_HEAD_BYTES + (1 + FRAMING_BYTES_PER_BYTE) * body
            or self.transport is None
        ):
            return
        error = BadHttpMessage(f"more than {MAX_HEAD_BYTES} bytes that belong to no body")
        self.transport.abort()
        self.set_exception(error)

    def _break_body(self, error: BaseException) -> None:
        """End the body for its reader: aiohttp leaves it waiting when trailers are no HTTP."""
        body = self._payload
        if body is not None and not body.is_eof() and body.exception() is None:
            body.set_exception(ClientPayloadError("no HTTP"), error)


def _new_handler(loop: AbstractEventLoop) -> ResponseHandler:
    return LimitedResponseHandler(loop)


def protocol_factory(loop: AbstractEventLoop) -> partial[ResponseHandler]:
    """What makes one of them for each connection."""
    return partial(_new_handler, loop)
