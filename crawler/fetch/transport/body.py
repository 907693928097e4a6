"""The body of an answer: read as far as a request needs it, and decoded within bounds."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

import aiohttp
from aiohttp.http_exceptions import ContentLengthError, HttpProcessingError, TransferEncodingError
from multidict import CIMultiDictProxy

from crawler.errors import BadResponse, IncompleteResponse
from crawler.fetch.base import BodySpool, Request, Response, is_success
from crawler.fetch.headers.lists import joined_lists
from crawler.fetch.transport.body_buffer import BEGINNING_BYTES, BodyBuffer
from crawler.fetch.transport.content_codings import BodyWatch, coding_names, decode
from crawler.fetch.transport.lenient_head import SURPLUS_REASON
from storage.errors import original
from storage.frozen import frozen

if TYPE_CHECKING:
    from aiohttp.streams import StreamReader

PARTIAL_CONTENT_STATUS: Final = 206
MAX_DRAIN_BYTES: Final = 16_384  # of an unwanted body that cost less than a new connection
CHALLENGE_STATUSES: Final = frozenset({202, 403, 405, 406, 429, 503})  # may carry a challenge page
CHALLENGE_BYTES: Final = 524_288  # of a refusal that are read for marks of a bot wall; some bring pictures
MAX_LENGTH_DIGITS: Final = 18  # of a length in bytes


class OpenResponse(Protocol):
    """An answer whose head was read, and whose body is on its way."""

    @property
    def status(self) -> int:
        """The status code."""

    @property
    def reason(self) -> str | None:
        """The words behind the status code."""

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The header lines."""

    @property
    def content_length(self) -> int | None:
        """The bytes that the body has by its head; None where it does not say."""

    @property
    def content(self) -> StreamReader:
        """The body, as it comes."""

    async def read(self) -> bytes:
        """The rest of the body."""


@frozen
class _Body:
    """What came of a body: `reason` tells why it ended early, `cut_off` that the connection did.

    Of one that lies in a `spool`, `data` is the beginning.
    """

    data: bytes
    complete: bool
    reason: str | None = None
    cut_off: bool = False
    spool: BodySpool | None = None


async def read_response(request: Request, response: OpenResponse) -> Response:
    """Read as much of a body as the request asks for.

    Raises:
        BadResponse: it broke off, or is not in its coding, and the request does not tolerate that.
        CacheError: it goes to the disk, which does not take it.
    """
    headers = joined_lists(response.headers)
    limit = _byte_limit(request, response.status)
    if request.whole and (response.content_length or 0) > limit:
        limit = 0
    if not limit:
        await _drain(request, response)
        return _response(request, response, headers, _Body(b"", request.method == "HEAD"))
    body = await _read_body(
        request, response, BodyWatch(request.enough, headers.get("Content-Encoding", ""), limit)
    )
    try:
        body = await _checked(request, response, headers, body, limit)
    except BaseException:
        if body.spool is not None:
            body.spool.discard()
        raise
    return _response(request, response, headers, body)


async def _checked(
    request: Request, response: OpenResponse, headers: Mapping[str, str], body: _Body, limit: int
) -> _Body:
    """The body without its codings."""
    success, coding = is_success(response.status), headers.get("Content-Encoding", "")
    if success and not request.tolerant:
        _refuse(body)
    if not coding or not coding_names(coding):
        return body
    # A Range of what is stored in a coding cuts the stored bytes: it has no end in that coding.
    has_end = body.complete and response.status != PARTIAL_CONTENT_STATUS
    undo = partial(_decoded, coding=coding, limit=limit, whole=has_end, success=success)
    body = undo(body) if body.spool is None else await _recoded(body, body.spool, undo)
    if success and not request.tolerant:
        _refuse(body)
    return body


async def _recoded(body: _Body, spool: BodySpool, undo: Callable[[_Body], _Body]) -> _Body:
    """Undo the codings of a body on the disk; of all such bodies, one at a time is in memory."""
    decoded_body = body

    def decode_all(data: bytes) -> bytes:
        nonlocal decoded_body
        whole_body = undo(replace(body, data=data))
        decoded_body = replace(whole_body, data=whole_body.data[:BEGINNING_BYTES])
        return whole_body.data

    recoded_spool = await spool.recoded(decode_all)
    return replace(decoded_body, spool=recoded_spool)


def _refuse(body: _Body) -> None:
    if body.reason is not None:
        kind = IncompleteResponse if body.cut_off else BadResponse
        raise kind(body.reason, phase="body")


def _byte_limit(request: Request, status: int) -> int:
    """Return how many body bytes of an answer with this status any check looks at."""
    if request.method == "HEAD":
        return 0
    limit = request.limit if is_success(status) else 0
    return max(limit, CHALLENGE_BYTES) if status in CHALLENGE_STATUSES else limit


def _decoded(body: _Body, coding: str, limit: int, *, whole: bool, success: bool) -> _Body:
    """Undo the codings; of a body that broke off, or was cut before it was coded, as far as it goes.

    Raises:
        BadResponse: it is in no coding that can be undone.
    """
    try:
        data = decode(body.data, coding, limit, whole=whole and not body.reason)
        return replace(body, data=data)
    except BadResponse as exc:
        reason = body.reason or str(exc)
    try:
        return replace(body, data=decode(body.data, coding, limit, whole=False), reason=reason)
    except BadResponse:
        if success and body.reason is None:
            raise
        return replace(body, data=b"", reason=reason)


async def _read_body(request: Request, response: OpenResponse, watch: BodyWatch) -> _Body:
    """Read at most `watch.limit` bytes; what is looked at while it comes has to stay in memory."""
    buffer = BodyBuffer(request.open_spool if request.enough is None else None)
    try:
        try:
            end = _Body(b"", complete=await _fill(request, response, watch, buffer))
        except aiohttp.ClientPayloadError as exc:
            reason = f"the body broke off after {buffer.size} bytes{payload_cause(exc)}"
            end = _Body(b"", complete=False, reason=reason, cut_off=_is_cut_off(exc))
        except TimeoutError:
            raise
        except (aiohttp.ClientConnectionError, ConnectionError):
            reason = f"the connection broke off after {buffer.size} bytes"
            end = _Body(b"", complete=False, reason=reason, cut_off=True)
        await buffer.flush()
    except BaseException:
        buffer.discard()
        raise
    return replace(end, data=buffer.beginning, spool=buffer.spool)


async def _fill(request: Request, response: OpenResponse, watch: BodyWatch, buffer: BodyBuffer) -> bool:
    """Fill a buffer as far as is asked for; tell whether that is all of the body."""
    loop = asyncio.get_running_loop()
    end = loop.time() + (math.inf if request.body_timeout is None else request.body_timeout)
    async for chunk in response.content.iter_any():
        request.trace.bytes += len(chunk)
        room = watch.limit - buffer.size
        await buffer.add(chunk[:room])
        if len(chunk) >= room:
            return len(chunk) == room and response.content.at_eof()
        if watch(buffer.parts) or loop.time() > end:
            return response.content.at_eof()
    return True


def _is_cut_off(exc: aiohttp.ClientPayloadError) -> bool:
    """Whether the connection ended before the body; else what came is no body."""
    return isinstance(exc.__cause__, (ContentLengthError, TransferEncodingError))


def body_fault(exc: aiohttp.ClientPayloadError, detail: str) -> BadResponse:
    """The error of a body that ended early."""
    kind = IncompleteResponse if _is_cut_off(exc) else BadResponse
    return kind(detail, phase="body")


def payload_cause(exc: aiohttp.ClientPayloadError) -> str:
    """Return what the parser says of a body, in brackets, without the status that aiohttp adds."""
    cause = exc.__cause__
    return original(cause.message if isinstance(cause, HttpProcessingError) else exc)


async def _drain(request: Request, response: OpenResponse) -> None:
    """Read a short body that no check looks at, so that the connection can be kept."""
    length = response.content_length
    if request.method == "HEAD" or length is None or length > MAX_DRAIN_BYTES:
        return
    with suppress(aiohttp.ClientError, OSError):
        request.trace.bytes += len(await response.read())


def _response(request: Request, response: OpenResponse, headers: Mapping[str, str], body: _Body) -> Response:
    return Response(
        request.url,
        response.status,
        headers,
        body.data,
        body.complete,
        _file_length(headers),
        body.reason,
        body.cut_off and is_success(response.status),
        body.spool.written() if body.spool else None,
        response.reason == SURPLUS_REASON,
    )


def _file_length(headers: Mapping[str, str]) -> int | None:
    """Return the bytes of the whole file: the total of Content-Range (RFC 9110, 14.4), or Content-Length."""
    total = headers.get("Content-Range", "").rpartition("/")[2]
    text = total or headers.get("Content-Length", "")
    # Python refuses to read thousands of digits; no file has so many bytes.
    return int(text) if len(text) <= MAX_LENGTH_DIGITS and text.isascii() and text.isdigit() else None
