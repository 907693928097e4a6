"""Content codings, undone within bounds (RFC 9110, 8.4): a bomb opens to its limit, no further."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import brotli
import zstandard

from crawler.errors import BadResponse
from storage.errors import original

ACCEPTED_CODINGS: Final = "gzip, deflate, br, zstd"
MAX_CODING_LAYERS: Final = 4  # codings over one another; more is an attack
OUTPUT_STEP_BYTES: Final = 65_536
MAX_WINDOW_BYTES: Final = 8 * 1024 * 1024  # bytes: RFC 9659, the most of zstd that clients must support
MAX_GZIP_MEMBERS: Final = 16_384
FIRST_STEP_BYTES: Final = 512
GZIP_MAGIC: Final = b"\x1f\x8b"
NEXT_CHECK_GROWTH: Final = 1.25  # times more bytes before a body in a coding is looked at again

CodingDecoder = Callable[[bytes, int, bool], bytes]


class _TooShort(Exception):
    """A body has no end in its coding."""


def _gzip(data: bytes, limit: int, whole: bool) -> bytes:  # noqa: FBT001 - the shape of an Undo
    """Read all members of a file (RFC 1952, 2.2); what follows the last, such as padding, is none."""
    text = bytearray()
    start = 0
    for _ in range(MAX_GZIP_MEMBERS):
        start = _gzip_member(data, start, text, limit)
        if start < 0 and whole and len(text) < limit:
            raise _TooShort
        if start < 0 or len(text) >= limit or not data.startswith(GZIP_MAGIC, start):
            break
    return bytes(text)


def _gzip_member(data: bytes, start: int, text: bytearray, limit: int) -> int:
    """Read one member into a text, and tell where it ends; -1 where the data ends before it.

    The steps grow: what a decoder leaves is a copy, and thousands of empty members may lie side by side.
    """
    decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
    step = FIRST_STEP_BYTES
    while start < len(data) and not decoder.eof and len(text) < limit:
        piece = decoder.unconsumed_tail or data[start : start + step]
        start += 0 if decoder.unconsumed_tail else len(piece)
        text += decoder.decompress(piece, limit - len(text))
        step = min(2 * step, OUTPUT_STEP_BYTES)
    return start - len(decoder.unused_data) if decoder.eof else -1


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
        raise _TooShort
    return out


def _brotli(data: bytes, limit: int, whole: bool) -> bytes:  # noqa: FBT001 - as above
    decoder = brotli.Decompressor()
    out = bytearray()
    # What it holds back comes when it is asked again, whether or not it says that it takes more.
    while len(out) < limit and (chunk := decoder.process(data, output_buffer_limit=OUTPUT_STEP_BYTES)):
        out += chunk
        data = b""
    if whole and len(out) < limit and not decoder.is_finished():
        raise _TooShort
    return bytes(out[:limit])


def _zstd(data: bytes, limit: int, whole: bool) -> bytes:  # noqa: FBT001 - as above
    decoder = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
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
            raise _TooShort
        data = frame.unused_data


DECODERS: Final[Mapping[str, CodingDecoder]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}


def coding_names(header: str) -> list[str]:
    """The codings of a Content-Encoding header, in the order in which they were applied.

    With an unknown one among them, none is undone: browsers pass such a body through as it is.
    """
    names = [name.strip().lower() for name in header.split(",")]
    names = [name for name in names if name and name != "identity"]
    return names if all(name in DECODERS for name in names) else []


def decode(data: bytes, header: str, limit: int, *, whole: bool) -> bytes:
    """Undo the codings of a body (`whole`) or of its beginning, to at most `limit` bytes.

    Raises:
        BadResponse: there are too many codings, or the body is not in one of them.
    """
    names = coding_names(header)
    if len(names) > MAX_CODING_LAYERS:
        raise BadResponse(f"{len(names)} content codings over one another", phase="read")
    for name in reversed(names):
        data = _decode_coding(name, data, limit, whole=whole)
    return data


def _decode_coding(name: str, data: bytes, limit: int, *, whole: bool) -> bytes:
    try:
        return DECODERS[name](data, limit, whole) if data else b""
    except _TooShort as exc:
        raise BadResponse(f"the body is not {name}: it ends too early", phase="read") from exc
    except (zlib.error, brotli.error, zstandard.ZstdError) as exc:
        raise BadResponse(f"the body is not {name}{original(exc)}", phase="read") from exc


class BodyWatch:
    """Looks at a body as it grows, at most `limit` bytes of it: is it `enough` by now?

    A look at a body in a coding costs as much as all that came, so the next waits for a quarter more.
    """

    __slots__ = ("_enough", "_header", "_next", "limit")

    def __init__(self, enough: Callable[[bytes], bool] | None, header: str, limit: int) -> None:
        self._enough = enough
        self._header = header
        self.limit = limit
        self._next = 0.0

    def __call__(self, parts: bytearray) -> bool:
        """Whether what came so far is enough; what cannot be decoded never is."""
        if self._enough is None or len(parts) < self._next:
            return False
        if not coding_names(self._header):
            return self._enough(bytes(parts))
        self._next = len(parts) * NEXT_CHECK_GROWTH
        try:
            return self._enough(decode(bytes(parts), self._header, self.limit, whole=False))
        except BadResponse:
            return False
