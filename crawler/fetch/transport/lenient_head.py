"""A second, tolerant reading of a head that the strict parser refuses: as browsers read it. Pure.

A line without a colon, a blank before one, a name that is none, the same length twice: every browser
shows such a page. So the head is written anew, well-formed, with one way to tell where the body ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from storage.frozen import frozen

MAX_STATUS_LINE_SLOP: Final = 4  # bytes of junk before "HTTP", as Chromium takes them
SURPLUS_REASON: Final = "Surplus"  # of a head written anew, whose body is longer than its length
MAX_CONTENT_LENGTH_DIGITS: Final = 18  # a longer length is none
STATUS_LINE: Final = re.compile(rb"HTTP[^ \t\r\n]*[ \t]+([1-9]\d\d)(?!\d)", re.IGNORECASE)
HEAD_END: Final = re.compile(rb"\n\r*\n")  # line ends of Windows, written as text once more, are \r\r\n
LINE_END: Final = re.compile(rb"[\r\n]+")
FIELD_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROL_BYTES: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
FRAMING_FIELDS: Final = frozenset(
    {b"connection", b"content-length", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
INTERIM_STATUSES: Final = range(100, 200)
BODILESS_STATUSES: Final = frozenset({204, 304})  # RFC 9110, 6.4.1

Field = tuple[bytes, bytes]


class UnreadableHead(Exception):
    """No browser takes these bytes for the head of an answer."""


@frozen
class LenientHead:
    """A head written anew, and where the body begins in what came.

    `has_body` is by its status alone, `length` are the bytes of a body that says so.
    """

    text: bytes
    end: int
    has_body: bool
    length: int | None

    def without_surplus(self, data: bytes) -> tuple[bytes, bytes]:
        """The text, which says where a body was longer than its length, and no more of it than that."""
        if not self.has_body or self.length is None or len(data) <= self.length:
            return self.text, data if self.has_body else b""
        status_line, end, lines = self.text.partition(b"\r\n")
        status_line = b" ".join((*status_line.split(b" ")[:2], SURPLUS_REASON.encode()))
        return status_line + end + lines, data[: self.length]


def lenient_head(data: bytes) -> LenientHead | None:
    """Read the head of an answer; None while more of it has to come. Interim answers are left out.

    Raises:
        UnreadableHead: there is no status of three digits, a NUL, or two lengths that differ.
    """
    start = 0
    while True:
        begin, status = _status_line(data, start)
        ending = HEAD_END.search(data, begin)
        if b"\0" in data[start : ending.start() if ending else len(data)]:
            raise UnreadableHead("a NUL in the head")
        if status is None or ending is None:
            return None
        if status not in INTERIM_STATUSES or status == 101:  # noqa: PLR2004 - Switching Protocols
            lines = LINE_END.split(data[begin : ending.start()])[1:]
            return _written(status, list(_fields(lines)), ending.end())
        start = ending.end()


def _status_line(data: bytes, start: int) -> tuple[int, int | None]:
    """Where a status line begins, and its status; None while it is not all there."""
    slop = data[start : start + MAX_STATUS_LINE_SLOP + 4]
    offset = slop.lower().find(b"http")
    if offset < 0:
        if len(slop) == MAX_STATUS_LINE_SLOP + 4:
            raise UnreadableHead("no status line")
        return start, None
    line_end = data.find(b"\n", start + offset)
    match = STATUS_LINE.match(data, start + offset, line_end if line_end >= 0 else len(data))
    if match is None and line_end >= 0:
        raise UnreadableHead("no status of three digits")
    return start + offset, int(match[1]) if match and line_end >= 0 else None


def _written(status: int, fields: list[Field], end: int) -> LenientHead:
    """The head anew: its fields, and one way to tell where the body ends."""
    is_chunked = _is_chunked(fields)
    length = None if is_chunked else _length(fields)
    framing = [b"Transfer-Encoding: chunked"] if is_chunked else []
    framing += [] if length is None else [b"Content-Length: %d" % length]
    lines = [name + b": " + value for name, value in fields if name.lower() not in FRAMING_FIELDS]
    # Whoever writes odd heads may write odd ends, so no other answer is read from this connection.
    head = (b"HTTP/1.1 %d Lenient" % status, *lines, *framing, b"Connection: close", b"", b"")
    return LenientHead(b"\r\n".join(head), end, status not in BODILESS_STATUSES, length)


def _fields(lines: Iterable[bytes]) -> Iterator[Field]:
    """The fields of a head: lines without a colon and names that are none are left out."""
    for line in _unfolded(lines):
        name, colon, value = line.partition(b":")
        name = name.strip(b" \t")
        if colon and FIELD_NAME.fullmatch(name):
            yield name, CONTROL_BYTES.sub(b" ", value).strip(b" \t")


def _unfolded(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines, with those that begin with a blank joined to the one before (RFC 9112, 5.2)."""
    parts: list[bytes] = []
    for line in lines:
        if line[:1] in {b" ", b"\t"} and parts:
            parts.append(line.strip(b" \t"))
            continue
        if parts:
            yield b" ".join(parts)
        parts = [line]
    if parts:
        yield b" ".join(parts)


def _is_chunked(fields: Iterable[Field]) -> bool:
    """Whether the end of the body is told by chunks, which go before a length."""
    codings = b",".join(value.lower() for name, value in fields if name.lower() == b"transfer-encoding")
    return b"chunked" in {coding.strip() for coding in codings.split(b",")}


def _length(fields: Iterable[Field]) -> int | None:
    """The one length of a body; None where the connection tells its end."""
    texts = b",".join(value for name, value in fields if name.lower() == b"content-length").split(b",")
    digits = {text.strip() for text in texts if text.strip().isdigit()}
    lengths = {int(text) for text in digits if len(text) <= MAX_CONTENT_LENGTH_DIGITS}
    if len(lengths) > 1:
        raise UnreadableHead("lengths that differ")
    return lengths.pop() if lengths else None
