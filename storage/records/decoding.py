"""Bytes to text, within bounds."""

from __future__ import annotations

import gzip
import zlib
from io import BytesIO
from typing import Final

from storage.errors import original
from storage.records.source import UnreadableFile

MAX_FILE_BYTES: Final = 32 * 1024 * 1024  # of one file, opened; a record has 6 KB, the largest 143
MAX_LINE_BYTES: Final = 4 * 1024 * 1024  # a longer line is no record but an accident
GZIP_BEGINNING: Final = b"\x1f\x8b"  # RFC 1952, 2.3.1
UTF8_BOM: Final = b"\xef\xbb\xbf"


def unzipped(data: bytes) -> bytes:
    """Undo gzip, within the bound of a file.

    Raises:
        UnreadableFile: it is no gzip, or opens to too much.
    """
    try:
        content = gzip.GzipFile(fileobj=BytesIO(data)).read(MAX_FILE_BYTES + 1)
    except EOFError as exc:
        raise UnreadableFile("its gzip breaks off") from exc
    except (zlib.error, gzip.BadGzipFile) as exc:
        raise UnreadableFile(f"not gzip{original(exc)}") from exc
    if len(content) > MAX_FILE_BYTES:
        raise UnreadableFile(f"opens to more than {MAX_FILE_BYTES // 2**20} MiB")
    return content


def normalised(data: bytes) -> bytes:
    """The bytes of a text without its byte order mark; its lines end in a line feed, at least."""
    data = data.removeprefix(UTF8_BOM)
    if b"\n" not in data and b"\r" in data:
        return data.replace(b"\r", b"\n")
    return data


def decoded(data: bytes, first_line: int = 1) -> str:
    """The text of some bytes that begin on `first_line` of their file.

    Raises:
        UnreadableFile: they are no UTF-8, or have a line longer than any record has.
    """
    _refuse_long_lines(data, first_line)
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + first_line
        raise UnreadableFile(f"not UTF-8: byte 0x{data[exc.start]:02x}", line) from exc


def _refuse_long_lines(data: bytes, first_line: int) -> None:
    if len(data) <= MAX_LINE_BYTES:
        return
    for number, line in enumerate(data.split(b"\n"), first_line):
        if len(line) > MAX_LINE_BYTES:
            raise UnreadableFile(f"a line of {len(line):,} bytes", number)
