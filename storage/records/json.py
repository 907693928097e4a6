"""JSON with the line and column of every value, by the same gatherer as YAML.

The standard library tells no positions, so this is a small scanner over its string reader. It
takes what `json.loads` takes.
"""

from __future__ import annotations

import re
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in typeshed
from typing import Final

from storage.errors import original
from storage.model import Record
from storage.records.gather import MAX_DEPTH, TOO_DEEP, Gatherer, TooDeep
from storage.records.rules import Rules
from storage.records.source import Failure, Parsed, RecordText

WHITE_SPACE: Final = re.compile(r"[ \t\n\r]*")
JSON_LITERAL: Final = re.compile(
    r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null|NaN|-?Infinity"
)
# Marks in what the standard library says of a text in quotes, and what that means to a person.
JSON_MISTAKES: Final = (
    ("control character", "a line break, or another control character, in quotes"),
    ("escape", "a backslash in quotes that begins no escape"),
    ("unterminated", "a quote is never closed"),
)


class NotJson(ValueError):
    """The text is not JSON at this position."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.position = position


def parse(text: str, path: str, rules: Rules, *, first_line: int = 1, first_index: int = 0) -> Parsed:
    """The records of a JSON text, and why the rest could not be read."""
    reader = _JsonReader(text, path, rules, first_line, first_index)
    reader.read_all()
    return reader.records, reader.failures


def parse_first(source: RecordText) -> tuple[list[Record], list[Failure], int | None]:
    """The record at the beginning of a text, and where it ends; None where that cannot be told."""
    reader = _JsonReader(source.text, source.path, source.rules, source.first_line, 0, first_only=True)
    reader.read_all()
    return reader.records, reader.failures, None if reader.failures else reader.position


def json_reason(message: str) -> str:
    """What the standard library says of a text in quotes, in our words."""
    meaning = next(
        (words for mark, words in JSON_MISTAKES if mark in message.lower()), "a text cannot be read"
    )
    return f"{meaning}{original(message)}"


class _JsonReader:
    """Reads one text; `records` and `failures` grow as it goes."""

    def __init__(
        self,
        text: str,
        path: str,
        rules: Rules,
        first_line: int,
        first_index: int,
        *,
        first_only: bool = False,
    ) -> None:
        self._text = text
        self._path = path
        self._rules = rules
        self._first_line = first_line
        self._first_index = first_index
        self._first_only = first_only
        self._line = first_line
        self._line_start = 0
        self.position = 0
        self.records: list[Record] = []
        self.failures: list[Failure] = []

    def read_all(self) -> None:
        """Read one value, and nothing after it, to the first mistake."""
        try:
            self._read()
        except TooDeep as exc:
            self.failures.append((self.place(self.position)[0], str(exc)))
        except NotJson as exc:
            self.failures.append((self.place(exc.position)[0], f"not JSON: {exc}"))
        except JSONDecodeError as exc:
            self.failures.append((self.place(exc.pos)[0], f"not JSON: {json_reason(exc.msg)}"))

    def _read(self) -> None:
        self._space()
        if self.position == len(self._text):
            return
        self._top("", 1)
        if self._first_only:
            return
        self._space()
        if self.position != len(self._text):
            raise NotJson("something follows the value", self.position)

    def place(self, position: int) -> tuple[int, int]:
        """Line and column of a position, 1-based; positions only grow."""
        if position < self._line_start:
            self._line = self._first_line
            self._line_start = 0
        breaks = self._text.count("\n", self._line_start, position)
        if breaks:
            self._line += breaks
            self._line_start = self._text.rindex("\n", 0, position) + 1
        return self._line, position - self._line_start + 1

    def _space(self) -> None:
        match = WHITE_SPACE.match(self._text, self.position)
        self.position = match.end() if match else self.position

    def _peek(self) -> str:
        self._space()
        return self._text[self.position : self.position + 1]

    def _take(self, expected: str) -> None:
        if self._peek() != expected:
            raise NotJson(f"{expected!r} expected", self.position)
        self.position += 1

    def _top(self, prefix: str, depth: int) -> None:
        """A record, or a list of them, as deep as they like."""
        first = self._peek()
        if first == "{":
            gatherer = Gatherer(self._rules, prefix)
            self._value(gatherer, depth)
            index = self._first_index + len(self.records)
            self.records.append(Record(self._path, index, gatherer.links(), gatherer.unmapped()))
        elif first == "[":
            self._list(prefix, depth)
        else:
            line, _ = self.place(self.position)
            self._skip()
            why = "a record is a mapping of keys to values; this is a single value"
            self.failures.append((line, why))

    def _list(self, prefix: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise TooDeep(TOO_DEEP)
        self._take("[")
        number = 0
        while self._peek() != "]":
            if number:
                self._take(",")
            self._top(f"{prefix}[{number}]", depth + 1)
            number += 1
        self._take("]")

    def _skip(self) -> None:
        if self._peek() == '"':
            self._string(self.position + 1)
        else:
            self._literal()

    def _string(self, start: int) -> str:
        """The text in quotes that begins behind its opening quote."""
        text, end = scanstring(self._text, start, True)
        self.position = end
        return str(text)

    def _literal(self) -> str:
        match = JSON_LITERAL.match(self._text, self.position)
        if match is None:
            raise NotJson("a value expected", self.position)
        self.position = match.end()
        return match.group()

    def _value(self, gatherer: Gatherer, depth: int) -> None:
        first = self._peek()
        if first == "{":
            self._object(gatherer, depth)
        elif first == "[":
            self._array(gatherer, depth)
        elif first == '"':
            line, column = self.place(self.position)
            text = self._string(self.position + 1)
            gatherer.scalar(text, line, column + 1, plain=False)
        else:
            line, column = self.place(self.position)
            gatherer.scalar(self._literal(), line, column, plain=True)

    def _object(self, gatherer: Gatherer, depth: int) -> None:
        gatherer.begin(is_list=False)
        self._take("{")
        first = True
        while self._peek() != "}":
            if not first:
                self._take(",")
            first = False
            self._take('"')
            name = self._string(self.position)
            self._take(":")
            gatherer.key(name)
            self._value(gatherer, depth + 1)
        self._take("}")
        gatherer.end()

    def _array(self, gatherer: Gatherer, depth: int) -> None:
        gatherer.begin(is_list=True)
        self._take("[")
        first = True
        while self._peek() != "]":
            if not first:
                self._take(",")
            first = False
            self._value(gatherer, depth + 1)
        self._take("]")
        gatherer.end()
