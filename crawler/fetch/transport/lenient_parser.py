"""aiohttp's parser of one answer, with a second reading of what it refuses and browsers read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias

from aiohttp.http import HttpResponseParser
from aiohttp.http_exceptions import BadHttpMessage, HttpProcessingError, TransferEncodingError

from crawler.fetch.transport.lenient_chunks import LenientChunks, UnreadableChunks
from crawler.fetch.transport.lenient_head import UnreadableHead, lenient_head

if TYPE_CHECKING:
    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader

    Parsed: TypeAlias = tuple[list[tuple[RawResponseMessage, StreamReader]], bool, bytes]

MAX_RECORDED_BYTES: Final = 262_144  # of a chunked answer that can be read a second time
NOTHING_PARSED: Final[Parsed] = ([], False, b"")


class LenientParser:
    """Stands before the strict parser until a head has been read, and before chunks to their end.

    It keeps the bytes that came. If the strict parser refuses them, they are read again leniently: a
    head is written anew, and given to another strict parser, which `renew` makes; chunks go to the
    body, whose connection is then kept by nobody (`force_close`).
    """

    def __init__(
        self,
        strict: HttpResponseParser,
        renew: Callable[[], HttpResponseParser],
        force_close: Callable[[], object],
    ) -> None:
        self.strict = strict
        self._renew = renew
        self._force_close = force_close
        self._record = b""
        self._refusal: HttpProcessingError | None = None
        self._body: StreamReader | None = None
        self._chunks: LenientChunks | None = None

    @property
    def awaits_chunks(self) -> bool:
        """Whether a chunked body is under way, which may want a second reading."""
        return self._body is not None

    def feed_data(self, data: bytes) -> Parsed:
        """Parse bytes of an answer.

        Raises:
            HttpProcessingError: no browser would read it either.
        """
        if self._chunks is not None:
            return self._feed_chunks(self._chunks, data)
        if self._body is None or len(self._record) <= MAX_RECORDED_BYTES:
            self._record = self._record + data if self._record else data
        if self._refusal is None:
            try:
                return self._noted(self.strict.feed_data(data))
            except HttpProcessingError as exc:
                self._refusal = exc
        return self._second_reading(self._refusal) if self._body is None else self._take_over(self._refusal)

    def _noted(self, result: Parsed) -> Parsed:
        """Note the body of a head; a NUL in the reason of a status is refused, as in all browsers."""
        for message, body in result[0]:
            if "\0" in (message.reason or ""):
                raise BadHttpMessage("a NUL in the status line")
            if message.chunked and not body.is_eof():
                self._body = body
        return result

    def _second_reading(self, refusal: HttpProcessingError) -> Parsed:
        try:
            head = lenient_head(self._record)
        except UnreadableHead:
            raise refusal from None
        if head is None:
            return NOTHING_PARSED
        self.strict = self._renew()
        text, body_bytes = head.without_surplus(self._record[head.end :])
        result = self._noted(self.strict.feed_data(text))
        if self._body is not None:
            self._chunks = LenientChunks()
            self._feed_chunks(self._chunks, body_bytes)
        elif not all(body.is_eof() for _, body in result[0]):
            self.strict.feed_data(body_bytes)
        return result

    def _take_over(self, refusal: HttpProcessingError) -> Parsed:
        """Read a chunked body from its beginning, and go on behind what the strict parser gave of it."""
        with suppress(UnreadableHead, UnreadableChunks):
            head = lenient_head(self._record)
            if head is not None and self._body is not None and len(self._record) <= MAX_RECORDED_BYTES:
                chunks = LenientChunks()
                text = chunks.feed(self._record[head.end :])
                self._chunks = chunks
                self._force_close()
                return self._give(chunks, text[self._body.total_bytes :])
        raise refusal

    def _feed_chunks(self, chunks: LenientChunks, data: bytes) -> Parsed:
        try:
            return self._give(chunks, chunks.feed(data) if not chunks.ended else b"")
        except UnreadableChunks as exc:
            raise self._refusal or BadHttpMessage(str(exc)) from None

    def _give(self, chunks: LenientChunks, text: bytes) -> Parsed:
        """Give text to the body, and end it with its last chunk."""
        body = self._body
        if body is not None and not body.is_eof():
            body.feed_data(text)
            if chunks.ended:
                body.feed_eof()
        return NOTHING_PARSED

    def feed_eof(self) -> object:
        """End: what came of the head is incomplete, and chunks without a last one are.

        Raises:
            TransferEncodingError: the connection ended before the last chunk.
        """
        if self._chunks is None and self._body is None:
            return self._record or None if self._refusal is not None else self.strict.feed_eof()
        if self._chunks is None:
            with suppress(HttpProcessingError):
                self._take_over(BadHttpMessage("no second reading"))
        if self._body is not None and not self._body.is_eof():
            raise TransferEncodingError("no last chunk")
        return None

    def __getattr__(self, name: str) -> object:
        return getattr(self.strict, name)
