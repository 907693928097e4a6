"""One file to one document: by its suffix, within bounds, whatever is in it."""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from stat import S_ISREG
from typing import Final

from storage.model import Document, Problem, Record, Stamp
from storage.records import json, yaml
from storage.records.files import SUFFIXES, stamp
from storage.records.gather import DEFAULT_RULES, Rules

LARGEST: Final = 32 * 1024 * 1024  # bytes of one file, opened; a record has 6 KB, the largest 143
LONGEST_LINE: Final = 4 * 1024 * 1024  # bytes; a longer line is no record but an accident
FENCE: Final = re.compile(rb"^(?:---|\.\.\.)[ \t]*\r?$", re.MULTILINE)
BOM: Final = b"\xef\xbb\xbf"
Failure = tuple[int | None, str]
Parsed = tuple[list[Record], list[Failure]]


@dataclass(frozen=True, slots=True)
class _Text:
    """The text of a file, from which line on, and whose links to gather."""

    path: str
    text: str
    rules: Rules
    first_line: int = 1


class _Unreadable(ValueError):
    """The bytes of a file are no text that a record can be in."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


def _never(_: str, __: Stamp) -> bool:
    return False


def read(path: str, rules: Rules = DEFAULT_RULES) -> Document:
    """Read one file; whatever is wrong with it is a problem of the document."""
    document = read_news(path, rules, _never)
    assert document is not None  # noqa: S101 - nothing is known, so all is news
    return document


def read_news(path: str, rules: Rules, known: Callable[[str, Stamp], bool]) -> Document | None:
    """Read one file as `read` does, unless it is known by its path and stamp: then it is None."""
    mark: Stamp | None = None
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path costs as much as reading a small file
        data = _bytes(path, status)
        mark = stamp(status, data)
        if known(path, mark):
            return None
        records, failures = _parse(path, _opened(path, data), rules)
    except _Unreadable as exc:
        records, failures = [], [(exc.line, str(exc))]
    except OSError as exc:
        records, failures = [], [(None, f"cannot be read: {exc.strerror or exc}")]
    problems = tuple(Problem(path, line, reason) for line, reason in failures)
    return Document(path, mark, tuple(records), problems)


def read_bytes(path: str, data: bytes, rules: Rules = DEFAULT_RULES) -> Document:
    """Read bytes as `read` does, as if they stood in the file `path`; such a document has no stamp."""
    try:
        records, failures = _parse(path, _opened(path, data), rules)
    except _Unreadable as exc:
        records, failures = [], [(exc.line, str(exc))]
    problems = tuple(Problem(path, line, reason) for line, reason in failures)
    return Document(path, None, tuple(records), problems)


def _bytes(path: str, status: os.stat_result) -> bytes:
    if not S_ISREG(status.st_mode):
        # A pipe or a device may never end.
        raise _Unreadable("cannot be read: no regular file")
    if status.st_size > LARGEST:
        raise _Unreadable(f"larger than {LARGEST // 2**20} MiB: split it into several files")
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        return file.read()


def _opened(path: str, data: bytes) -> bytes:
    """Undo gzip, within the bound of a file."""
    if not path.lower().endswith(".gz"):
        return data
    try:
        opened = gzip.GzipFile(fileobj=BytesIO(data)).read(LARGEST + 1)
    except EOFError as exc:
        raise _Unreadable("its gzip breaks off") from exc
    except (zlib.error, gzip.BadGzipFile) as exc:
        raise _Unreadable(f"not gzip: {exc}") from exc
    if len(opened) > LARGEST:
        raise _Unreadable(f"opens to more than {LARGEST // 2**20} MiB")
    return opened


def _parse(path: str, data: bytes, rules: Rules) -> Parsed:
    name = path.lower().removesuffix(".gz")
    suffix = next((one for one in READERS if name.endswith(one)), None)
    if suffix is None:
        known = " ".join(one for one in SUFFIXES if not one.endswith(".gz"))
        raise _Unreadable(f"no record by its name: records end in {known}, each also .gz")
    if suffix in FRONT_MATTER:
        return _front_matter(path, data.removeprefix(BOM), rules)
    return READERS[suffix](_Text(path, _text(data.removeprefix(BOM)), rules))


def _front_matter(path: str, data: bytes, rules: Rules) -> Parsed:
    """The YAML between the fences at the top; what follows is the body and none of our business."""
    opening = FENCE.match(data)
    if opening is None or data[:3] != b"---":
        if b"\0" in data[:4096]:
            raise _Unreadable("a binary file, no record")
        return [], []
    start = opening.end() + 1
    closing = FENCE.search(data, start)
    if closing is None:
        raise _Unreadable("its front matter has no closing --- line", 1)
    return _yaml(_Text(path, _text(data[start : closing.start()], 2), rules, 2), mapping=True)


def _text(data: bytes, first_line: int = 1) -> str:
    _refuse_long_lines(data, first_line)
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + first_line
        raise _Unreadable(f"not UTF-8: byte 0x{data[exc.start]:02x}", line) from exc


def _refuse_long_lines(data: bytes, first_line: int) -> None:
    if len(data) <= LONGEST_LINE:
        return
    start = 0
    for number, line in enumerate(data.split(b"\n"), first_line):
        if len(line) > LONGEST_LINE:
            raise _Unreadable(f"a line of {len(line):,} bytes", number)
        start += len(line)


def _yaml(text: _Text, *, mapping: bool = False) -> Parsed:
    return yaml.parse(text.text, text.path, text.rules, first_line=text.first_line, mapping=mapping)


def _json(text: _Text) -> Parsed:
    return json.parse(text.text, text.path, text.rules)


def _json_lines(text: _Text) -> Parsed:
    """A value a line; a bad line is one problem, and the others go on."""
    records: list[Record] = []
    failures: list[Failure] = []
    for number, line in enumerate(text.text.split("\n"), 1):
        found, failed = json.parse(line, text.path, text.rules, first_line=number, first_index=len(records))
        records += found
        failures += failed
    return records, failures


FRONT_MATTER: Final = (".md", ".markdown", ".html", ".txt")
READERS: Final[Mapping[str, Callable[[_Text], Parsed]]] = {
    **dict.fromkeys(FRONT_MATTER, _yaml),
    ".yaml": _yaml,
    ".yml": _yaml,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json,
}
