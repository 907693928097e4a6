"""Content codings, undone within bounds (RFC 9110, 8.4): a bomb opens to its limit, no further."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import brotli
import zstandard

from crawler.errors import BadResponse

ACCEPTED: Final = "gzip, deflate, br, zstd"
LAYERS: Final = 4  # codings over one another; more is an attack
STEP: Final = 65_536
WINDOW: Final = 8 * 1024 * 1024  # bytes: RFC 9659 asks nobody to support more of zstd
AGAIN: Final = 1.25  # times more bytes before a body in a coding is looked at again

Undo = Callable[[bytes, int, bool], bytes]


def _gzip(data: bytes, limit: int, whole: bool) -> bytes:  # noqa: FBT001 - the shape of an Undo
    return _inflate(data, limit, 16 + zlib.MAX_WBITS, whole=whole)


def _deflate(data: bytes, limit: int, whole: bool) -> bytes:  # noqa: FBT001 - as above
    # Servers send deflate with and without the zlib header that RFC 9110 asks for.
    try:
        return _inflate(data, limit, zlib.MAX_WBITS, whole=whole)
    except zlib.error:
        return _inflate(data, limit, -zlib.MAX_WBITS, whole=whole)


def _inflate(data: bytes, limit: int, wbits: int, *, whole: bool) -> bytes:
    decoder = zlib.decompressobj(wbits)
    out = decoder.decompress(data, limit)
    if whole and not decoder.eof and not decoder.unconsumed_tail and len(out) < limit:
        raise zlib.error("it ends too early")
    return out


def _brotli(data: bytes, limit: int, whole: bool) -> bytes:  # noqa: FBT001 - as above
    decoder = brotli.Decompressor()
    out = bytearray()
    # What it holds back comes when it is asked again, whether or not it says that it takes more.
    while len(out) < limit and (more := decoder.process(data, output_buffer_limit=STEP)):
        out += more
        data = b""
    if whole and len(out) < limit and not decoder.is_finished():
        raise brotli.error("it ends too early")
    return bytes(out[:limit])


def _zstd(data: bytes, limit: int, whole: bool) -> bytes:  # noqa: FBT001 - as above
    decoder = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    with decoder.stream_reader(io.BytesIO(data), read_across_frames=True) as reader:
        out = reader.read(limit)
    if whole and len(out) < limit:
        _check_frames(decoder, data)
    return out


def _check_frames(decoder: zstandard.ZstdDecompressor, data: bytes) -> None:
    """Hold that the last frame has its end, which a reader does not tell."""
    while data:
        frame = decoder.decompressobj()
        frame.decompress(data)
        if not frame.eof:
            raise zstandard.ZstdError("it ends too early")
        data = frame.unused_data


UNDO: Final[Mapping[str, Undo]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}


def codings(header: str) -> list[str]:
    """The codings of a Content-Encoding header, in the order in which they were applied."""
    names = (name.strip().lower() for name in header.split(","))
    return [name for name in names if name and name != "identity"]


def decode(data: bytes, header: str, limit: int, *, whole: bool) -> bytes:
    """Undo the codings of a body (`whole`) or of its beginning, to at most `limit` bytes.

    Raises:
        BadResponse: a coding is unknown, there are too many, or the body is not in it.
    """
    names = codings(header)
    if len(names) > LAYERS:
        raise BadResponse(f"{len(names)} content codings over one another", phase="read")
    for name in reversed(names):
        data = _undo(name, data, limit, whole=whole)
    return data


def _undo(name: str, data: bytes, limit: int, *, whole: bool) -> bytes:
    undo = UNDO.get(name)
    if undo is None:
        raise BadResponse(f"unknown content coding {name[:40]!r}", phase="read")
    try:
        return undo(data, limit, whole) if data else b""
    except (zlib.error, brotli.error, zstandard.ZstdError) as exc:
        raise BadResponse(f"the body is not {name}: {exc}", phase="read") from exc


class Look:
    """Looks at a body as it grows, at most `limit` bytes of it: is it `enough` by now?

    A look at a body in a coding costs as much as all that came, so the next waits for a quarter more.
    """

    __slots__ = ("_enough", "_header", "_next", "limit")

    def __init__(self, enough: Callable[[bytes], bool] | None, header: str, limit: int) -> None:
        self._enough, self._header, self.limit = enough, header, limit
        self._next = 0.0

    def __call__(self, parts: bytearray) -> bool:
        """Whether what came so far is enough; what cannot be decoded never is."""
        if self._enough is None or len(parts) < self._next:
            return False
        if not codings(self._header):
            return self._enough(bytes(parts))
        self._next = len(parts) * AGAIN
        try:
            return self._enough(decode(bytes(parts), self._header, self.limit, whole=False))
        except BadResponse:
            return False
