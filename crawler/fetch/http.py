"""One request, one hop: the wall between aiohttp and the rest. No aiohttp error passes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict
from yarl import URL

from crawler.errors import BadResponse, FetchError, Reset, Timeout
from crawler.fetch.base import Answer, Request, Trail
from crawler.fetch.codings import Look, codings, decode
from crawler.fetch.crowd import Crowded
from crawler.fetch.dial import DIAL, Dial, Dialer
from crawler.fetch.faults import connect_fault, tls_cause, tls_fault
from crawler.fetch.tls import note
from crawler.urls import host_of
from storage.model import Hop

HEADER_BYTES: Final = 65_536  # longest status line and header line; RFC 9110 names no bound
HEADER_LINES: Final = 512
DRAIN: Final = 16_384  # bytes of an unwanted body that cost less than a new connection
SUSPICIOUS: Final = frozenset({202, 403, 405, 406, 429, 503})  # may carry a challenge page
CHALLENGE: Final = 32_768  # bytes of a refusal that are read to look for marks of a bot wall


@dataclass(frozen=True, slots=True)
class Client:
    """How to speak: the agent's name, seconds between two bytes, and a proxy, if any."""

    user_agent: str
    read_timeout: float = 20.0
    proxy: str | None = None


def open_session(dialer: Dialer, client: Client) -> aiohttp.ClientSession:
    """A session that keeps no cookies, follows nothing, decodes nothing, and repeats nothing."""
    session = aiohttp.ClientSession(
        connector=dialer,
        headers={"User-Agent": client.user_agent},
        timeout=aiohttp.ClientTimeout(total=None, sock_read=client.read_timeout),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        max_line_size=HEADER_BYTES,
        max_field_size=HEADER_BYTES,
        max_headers=HEADER_LINES,
        proxy=client.proxy,
    )
    # aiohttp would silently send a request again; every request has to be counted.
    session._retry_connection = False  # noqa: SLF001 - there is no public switch
    return session


class Http:
    """Sends a request and reads as much of the answer as it asks for."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session, self._usual = session, session.timeout

    async def __call__(self, request: Request) -> Answer:
        """Ask once; ask again at once if a kept connection turns out to be closed, or not clean.

        Raises:
            FetchError: any of its leaves but those of redirects.
        """
        try:
            return await self._ask(request)
        except (Reset, BadResponse) as exc:
            # RFC 9112, 9.3.1: a server may close an idle connection at any time. And what it sent
            # too much, such as a body after HEAD, stands before the answer. Neither says anything
            # about the target.
            if not DIAL.get().reused or exc.phase == "body":
                raise
        return await self._ask(request)

    async def _ask(self, request: Request) -> Answer:
        trail = request.trail
        dial = Dial([trail.place] if trail.place else [], trail.counted)
        trail.place = None
        DIAL.set(dial)
        start = time.monotonic()
        try:
            answer = await self._within(request, dial)
        except Crowded:
            raise
        except BaseException as exc:
            error = type(exc).__name__ if isinstance(exc, FetchError) else None
            _note(request, dial, None, error, time.monotonic() - start)
            raise
        _note(request, dial, answer.status, None, time.monotonic() - start)
        return answer

    async def _within(self, request: Request, dial: Dial) -> Answer:
        """Ask within the time that the attempt has left, and map what goes wrong."""
        left = request.trail.left
        try:
            async with asyncio.timeout(left):
                return await self._exchange(request, dial)
        except FetchError:
            raise
        except TimeoutError as exc:
            raise Timeout(_silence(dial, exc), phase=dial.phase) from exc
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            # Behind a proxy the handshake is aiohttp's; TLS 1.3 refuses a client after its own.
            broken = tls_cause(exc)
            raise (tls_fault(broken) if broken else _fault(exc, dial)) from exc

    async def _exchange(self, request: Request, dial: Dial) -> Answer:
        response = await self._session.request(
            request.method,
            URL(request.url, encoded=True),
            headers=_headers(request),
            allow_redirects=False,
            timeout=self._usual if request.patience is None else _read_in(request.patience),
        )
        dial.phase = "read"
        try:
            return await _read(request, response)
        finally:
            response.close()


def _headers(request: Request) -> Mapping[str, str]:
    """The headers of a request; a configured one takes the place of ours, however it is written."""
    if not request.private:
        return request.headers
    merged = CIMultiDict(request.headers)
    merged.update(request.private)
    return merged


def _read_in(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_read=seconds)


def _note(request: Request, dial: Dial, status: int | None, error: str | None, took: float) -> None:
    trail: Trail = request.trail
    if dial.tls is not None:
        note(trail.evidence, host_of(request.url), dial.tls)
    trail.left = max(0.0, trail.left - took)
    hop = Hop(request.url, request.method, status, error, took, trail.attempts, dial.address)
    trail.hops.append(hop)


def _silence(dial: Dial, exc: TimeoutError) -> str:
    if isinstance(exc, aiohttp.SocketTimeoutError):
        return "read: nothing more came in time"
    return f"{dial.phase}: the time for one attempt was over"


def _fault(exc: Exception, dial: Dial) -> FetchError:
    """Aiohttp's errors and the system's to ours, most specific first."""
    if isinstance(exc, aiohttp.ServerDisconnectedError):
        return _disconnected(exc)
    if isinstance(exc, aiohttp.ClientPayloadError):
        return BadResponse(f"the body broke off: {_cause(exc)}", phase="body")
    if isinstance(exc, aiohttp.ClientResponseError):
        return BadResponse(f"not HTTP: {_one_line(exc.message)}", phase="read")
    if isinstance(exc, OSError):
        return connect_fault(exc, dial.phase)
    if isinstance(exc, aiohttp.ClientConnectionError):
        return Reset(f"{dial.phase}: {_first_line(exc)}", phase=dial.phase)
    return BadResponse(f"{type(exc).__name__}: {_first_line(exc)}", phase=dial.phase)


def _disconnected(exc: aiohttp.ServerDisconnectedError) -> FetchError:
    if isinstance(exc.message, str):
        return Reset("closed before any byte of an answer", phase="read")
    return BadResponse("closed in the middle of the headers", phase="read")


def _first_line(exc: Exception) -> str:
    return _one_line(str(exc))


def _one_line(text: str) -> str:
    return text.strip().partition("\n")[0].rstrip(":")[:200]


def _wanted(request: Request, status: int) -> int:
    """How many body bytes of an answer with this status anybody will look at."""
    if request.method == "HEAD":
        return 0
    wanted = request.limit if 200 <= status < 300 else 0  # noqa: PLR2004 - the class of success
    return max(wanted, CHALLENGE) if status in SUSPICIOUS else wanted


async def _read(request: Request, response: aiohttp.ClientResponse) -> Answer:
    limit = _wanted(request, response.status)
    if request.whole and (response.content_length or 0) > limit:
        limit = 0
    success = 200 <= response.status < 300  # noqa: PLR2004 - the class of success
    if not limit:
        await _drain(request, response)
        return _answer(request, response, b"", complete=request.method == "HEAD")
    coding = response.headers.get("Content-Encoding", "")
    body, complete, broken = await _body(request, response, Look(request.enough, coding, limit))
    if broken and success and not request.tolerant:
        raise BadResponse(broken, phase="body")
    if coding and codings(coding):
        body, broken = _decoded(body, coding, limit, broken, complete=complete, success=success)
        if broken and success and not request.tolerant:
            raise BadResponse(broken, phase="body")
    return _answer(request, response, body, complete=complete, broken=broken)


def _decoded(
    body: bytes, coding: str, limit: int, broken: str | None, *, complete: bool, success: bool
) -> tuple[bytes, str | None]:
    """Undo the codings; of a body that broke off, or was cut before it was coded, as far as it goes.

    Raises:
        BadResponse: it is in no coding that can be undone.
    """
    try:
        return decode(body, coding, limit, whole=complete and not broken), broken
    except BadResponse as exc:
        reason = broken or str(exc)
    try:
        return decode(body, coding, limit, whole=False), reason
    except BadResponse:
        if success and broken is None:
            raise
        return b"", reason


async def _body(
    request: Request, response: aiohttp.ClientResponse, look: Look
) -> tuple[bytes, bool, str | None]:
    """Read at most `look.limit` bytes: what came, whether it is all, why it broke off."""
    parts, limit = bytearray(), look.limit
    try:
        async for chunk in response.content.iter_any():
            parts += chunk
            request.trail.bytes += len(chunk)
            if len(parts) >= limit:
                done = len(parts) == limit and response.content.at_eof()
                return bytes(parts[:limit]), done, None
            if look(parts):
                return bytes(parts), response.content.at_eof(), None
    except aiohttp.ClientPayloadError as exc:
        return bytes(parts), False, f"the body broke off after {len(parts)} bytes: {_cause(exc)}"
    except TimeoutError:
        raise
    except (aiohttp.ClientConnectionError, ConnectionError):
        return bytes(parts), False, f"the connection broke off after {len(parts)} bytes"
    return bytes(parts), True, None


def _cause(exc: aiohttp.ClientPayloadError) -> str:
    """What the parser says of a body, without the status that aiohttp puts before it."""
    cause = exc.__cause__
    return _one_line(cause.message) if isinstance(cause, HttpProcessingError) else _first_line(exc)


async def _drain(request: Request, response: aiohttp.ClientResponse) -> None:
    """Read a short body that nobody wants, so that the connection can be kept."""
    length = response.content_length
    if request.method == "HEAD" or length is None or length > DRAIN:
        return
    try:
        request.trail.bytes += len(await response.read())
    except (aiohttp.ClientError, OSError):
        return


def _answer(
    request: Request,
    response: aiohttp.ClientResponse,
    body: bytes,
    *,
    complete: bool,
    broken: str | None = None,
) -> Answer:
    return Answer(
        request.url,
        response.status,
        response.headers,
        body,
        complete,
        _length(response.headers),
        broken,
    )


def _length(headers: Mapping[str, str]) -> int | None:
    """Bytes of the whole file: the total of Content-Range (RFC 9110, 14.4), else Content-Length."""
    total = headers.get("Content-Range", "").rpartition("/")[2]
    text = total or headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else None


__all__ = ["Client", "Http", "open_session"]
