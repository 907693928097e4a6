"""JSON with the line and column of every value, by the same gatherer as YAML.

The standard library tells no positions, so this is a small scanner over its string reader. It
takes what `json.loads` takes.
"""

from __future__ import annotations

import re
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in typeshed
from typing import Final

from storage.model import Record
from storage.records.gather import DEPTH, Gatherer, Rules, TooDeep

SPACE: Final = re.compile(r"[ \t\n\r]*")
WORD: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null|NaN|-?Infinity")
Failure = tuple[int | None, str]


class NotJson(ValueError):
    """The text is not JSON at this position."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.position = position


def parse(
    text: str, path: str, rules: Rules, *, first_line: int = 1, first_index: int = 0
) -> tuple[list[Record], list[Failure]]:
    """The records of a JSON text, and why the rest could not be read."""
    reader = _Reader(text, path, rules, first_line, first_index)
    try:
        reader.read()
    except (NotJson, TooDeep, ValueError) as exc:
        position = getattr(exc, "position", None) or getattr(exc, "pos", None) or reader.position
        line, _ = reader.place(position)
        reader.failures.append((line, f"not JSON: {str(exc).partition(':')[0]}"))
    return reader.records, reader.failures


class _Reader:
    """Reads one text; `records` and `failures` grow as it goes."""

    def __init__(self, text: str, path: str, rules: Rules, first_line: int, first_index: int) -> None:
        self._text, self._path, self._rules = text, path, rules
        self._first_line, self._index = first_line, first_index
        self._line, self._line_start = first_line, 0
        self.position = 0
        self.records: list[Record] = []
        self.failures: list[Failure] = []

    def read(self) -> None:
        """Read one value, and nothing after it."""
        self._space()
        if self.position == len(self._text):
            return
        self._top("", 1)
        self._space()
        if self.position != len(self._text):
            raise NotJson("something follows the value", self.position)

    def place(self, position: int) -> tuple[int, int]:
        """Line and column of a position, 1-based; positions only grow."""
        if position < self._line_start:
            self._line, self._line_start = self._first_line, 0
        breaks = self._text.count("\n", self._line_start, position)
        if breaks:
            self._line += breaks
            self._line_start = self._text.rindex("\n", 0, position) + 1
        return self._line, position - self._line_start + 1

    def _space(self) -> None:
        match = SPACE.match(self._text, self.position)
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
            index = self._index + len(self.records)
            self.records.append(Record(self._path, index, gatherer.links()))
        elif first == "[":
            self._list(prefix, depth)
        else:
            line, _ = self.place(self.position)
            self._skip()
            why = "a record is a mapping of keys to values; this is a single value"
            self.failures.append((line, why))

    def _list(self, prefix: str, depth: int) -> None:
        if depth > DEPTH:
            raise TooDeep(f"nested deeper than {DEPTH} levels")
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
            _, self.position = scanstring(self._text, self.position + 1, True)
        else:
            self._word()

    def _word(self) -> str:
        match = WORD.match(self._text, self.position)
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
            text, self.position = scanstring(self._text, self.position + 1, True)
            gatherer.scalar(text, line, column + 1, plain=False)
        else:
            line, column = self.place(self.position)
            gatherer.scalar(self._word(), line, column, plain=True)

    def _object(self, gatherer: Gatherer, depth: int) -> None:
        gatherer.begin(is_list=False)
        self._take("{")
        first = True
        while self._peek() != "}":
            if not first:
                self._take(",")
            first = False
            self._take('"')
            name, self.position = scanstring(self._text, self.position, True)
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
