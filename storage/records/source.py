"""What a reader of a format gets, and what it gives."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from storage.frozen import frozen
from storage.model import Record
from storage.records.rules import Rules

Failure: TypeAlias = tuple[int | None, str]
Parsed: TypeAlias = tuple[list[Record], list[Failure]]


class ParsedFile(NamedTuple):
    """A file, read; `notice` says why it holds no record although nothing is wrong with it."""

    records: list[Record]
    failures: list[Failure]
    notice: str | None = None


@frozen
class RecordText:
    """The text of a file, or a part of it: from which line on, and which links to gather."""

    path: str
    text: str
    rules: Rules
    first_line: int = 1


class UnreadableFile(ValueError):
    """The bytes of a file are no text that a record can be in; `line` is 1-based."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line
