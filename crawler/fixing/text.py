"""A record's text: where its lines are, and how a link or a number stands in it. Pure.

Lines end as the reader of the file's format has it, so that its lines and columns lead to the same
letters. Bytes that are no UTF-8 (in the body behind a front matter) come through unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

YAML_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # YAML 1.1, as libyaml counts lines
JSON_BREAK: Final = re.compile("\n")
QUOTED: Final = re.compile(r'(?:[^"\\\n\r]|\\.)*')
KEY: Final = re.compile(r"(?P<lead>[ \t]*(?:- +)*)(?P<quote>[\"']?)(?P<name>\w+)(?P=quote)[ \t]*:(?=[ \t]|$)")
VALUE: Final = r"[ \t]*(?P<quote>[\"']?)(?P<said>{})(?P=quote)[ \t]*,?[ \t\r]*(?:(?<=[ \t])#.*)?"
DIGITS: Final = re.compile(VALUE.format(r"\+?\d+"))
# What ends a bare scalar anywhere, and what ends it in a flow mapping or list alone.
ENDING: Final = re.compile(r": | #|:$")
FLOW: Final = re.compile(r"[,\[\]{}]")
HIDDEN: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")  # what JSON may hold bare, and YAML may not
BOM: Final = "\ufeff"
JSON: Final = (".json", ".jsonl", ".ndjson")
Span: TypeAlias = tuple[int, int]


class Style(Enum):
    """How a scalar stands in the text: bare behind its key, bare on a line of its own, or in quotes."""

    PLAIN = ""
    ALONE = " "
    SINGLE = "'"
    DOUBLE = '"'


@dataclass(frozen=True, slots=True)
class Token:
    """The letters of a link's text, from `start` to `end`, within its quotes."""

    start: int
    end: int
    style: Style


class Text:
    """The text of one file, its byte order mark apart."""

    def __init__(self, path: str, data: bytes) -> None:
        whole = data.decode(errors="surrogateescape")
        self._mark = BOM if whole.startswith(BOM) else ""
        self.letters = whole[len(self._mark) :]
        breaks = JSON_BREAK if path.lower().endswith(JSON) else YAML_BREAK
        found = list(breaks.finditer(self.letters))
        self._starts = [0, *(one.end() for one in found)]
        self._ends = [*(one.start() for one in found), len(self.letters)]

    def encoded(self, letters: str) -> bytes:
        """The bytes of other letters in this file."""
        return (self._mark + letters).encode(errors="surrogateescape")

    def line(self, number: int) -> str:
        """A line without its end, 0-based."""
        return self.letters[self._starts[number] : self._ends[number]]

    def token(self, line: int, column: int, text: str) -> Token | None:
        """Where the text that begins at this place (1-based) stands; None if it is not written plainly."""
        if not 1 <= line <= len(self._starts):
            return None
        start = self._starts[line - 1] + column - 1
        before = self.letters[start - 1 : start] if column > 1 else ""
        alone = not self.letters[self._starts[line - 1] : start].strip()
        bare = Style.ALONE if alone else Style.PLAIN
        style = Style(before) if before in {"'", '"'} else bare
        said = text.replace("'", "''") if style is Style.SINGLE else text
        if self.letters.startswith(said, start):
            return Token(start, start + len(said), style)
        return self._escaped(start, text) if style is Style.DOUBLE else None

    def _escaped(self, start: int, text: str) -> Token | None:
        """A text in double quotes with escapes that JSON has; YAML has the same, and more."""
        found = QUOTED.match(self.letters, start)
        try:
            said = json.loads(f'"{found[0]}"') if found else None
        except ValueError:
            return None
        return Token(start, found.end(), Style.DOUBLE) if found and said == text else None

    def number(self, line: int, key: str, name: str, value: int | str) -> Span | None:
        """The letters of the number `name` that stands on a line of its own beside the key of a link.

        `line` is the link's, 1-based; `value` is text where what stands there is no number. None if
        it does not stand there just once.
        """
        own = KEY.match(self.line(line - 1))
        if own is None or own["name"] != key:
            return None
        column = len(own["lead"])
        found = [
            span
            for number in self._beside(line - 1, column)
            if (span := self._value(number, column, name, value)) is not None
        ]
        return found[0] if len(found) == 1 else None

    def _beside(self, line: int, column: int) -> Iterator[int]:
        """The lines of the mapping that a line is of, but for that line."""
        if "-" not in self.line(line)[:column]:
            yield from self._within(range(line - 1, -1, -1), column)
        yield from self._within(range(line + 1, len(self._starts)), column, below=True)

    def _within(self, lines: range, column: int, *, below: bool = False) -> Iterator[int]:
        """Lines that are indented at least so far, to the first that is not."""
        for number in lines:
            told = self.line(number)
            bare = told.lstrip(" \t")
            if bare.strip() and not bare.startswith("#") and len(told) - len(bare) < column:
                # The first line of an entry has its dash where the others have spaces.
                first = KEY.match(told)
                if not below and first and len(first["lead"]) == column:
                    yield number
                return
            yield number

    def _value(self, line: int, column: int, name: str, value: int | str) -> Span | None:
        told = self.line(line)
        key = KEY.match(told)
        if key is None or key["name"] != name or len(key["lead"]) != column:
            return None
        form = DIGITS if isinstance(value, int) else re.compile(VALUE.format(re.escape(value)))
        found = form.fullmatch(told, key.end())
        if found is None or (isinstance(value, int) and int(found["said"]) != value):
            return None
        begin = self._starts[line]
        return begin + found.start("said"), begin + found.end("said")


def written(text: str, style: Style, old: str) -> str:
    """A text as it is written in the style of the `old` one; a bare one gets quotes where it needs them."""
    if style is Style.SINGLE:
        return text.replace("'", "''")
    quoted = HIDDEN.sub(lambda one: f"\\u{ord(one[0]):04x}", json.dumps(text, ensure_ascii=False))
    if style is Style.DOUBLE:
        return quoted[1:-1]
    # Where a bare text has such letters, it stands in no flow.
    ends = ENDING.search(text) or (FLOW.search(text) and not FLOW.search(old))
    return quoted if style is Style.PLAIN and ends else text
