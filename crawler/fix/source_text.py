"""A record's text: where its lines are, and how a link or a number stands in it. Pure.

Lines end as the reader of the file's format has it, so that its lines and columns lead to the same
letters. Bytes that are no UTF-8 (in the body behind a front matter) come through unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, TypeAlias

from storage.frozen import frozen
from storage.records.lines import line_break

QUOTED_TEXT: Final = re.compile(r'(?:[^"\\\n\r]|\\.)*')
MAPPING_KEY: Final = re.compile(
    r"(?P<lead>[ \t]*(?:- +)*)(?P<quote>[\"']?)(?P<name>\w+)(?P=quote)[ \t]*:(?=[ \t]|$)"
)
MAPPING_VALUE: Final = r"[ \t]*(?P<quote>[\"']?)(?P<said>{})(?P=quote)[ \t]*,?[ \t\r]*(?:(?<=[ \t])#.*)?"
DIGITS_VALUE: Final = re.compile(MAPPING_VALUE.format(r"\+?\d+"))
# What ends a bare scalar anywhere, and what ends it in a flow mapping or list alone.
SCALAR_END: Final = re.compile(r": | #|:$")
FLOW_INDICATOR: Final = re.compile(r"[,\[\]{}]")
JSON_ONLY_CHARACTERS: Final = re.compile(
    "[\x7f-\x9f\u2028\u2029\ufeff]"
)  # what JSON may hold bare, and YAML may not
BYTE_ORDER_MARK: Final = "\ufeff"
Span: TypeAlias = tuple[int, int]


class ScalarStyle(Enum):
    """How a scalar stands in the text: bare behind its key, bare on a line of its own, or in quotes."""

    PLAIN = ""
    ALONE = " "
    SINGLE = "'"
    DOUBLE = '"'


@frozen
class UrlToken:
    """The letters of a link's text, from `start` to `end`, within its quotes."""

    start: int
    end: int
    style: ScalarStyle


class SourceText:
    """The text of one file, its byte order mark apart."""

    def __init__(self, data: bytes) -> None:
        text = data.decode(errors="surrogateescape")
        self._mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""
        self.letters = text[len(self._mark) :]
        line_breaks = list(line_break(self.letters).finditer(self.letters))
        self._starts = [0, *(match.end() for match in line_breaks)]
        self._ends = [*(match.start() for match in line_breaks), len(self.letters)]

    def encoded(self, letters: str) -> bytes:
        """The bytes of other letters in this file."""
        return (self._mark + letters).encode(errors="surrogateescape")

    def line(self, number: int) -> str:
        """A line without its end, 0-based."""
        return self.letters[self._starts[number] : self._ends[number]]

    def token(self, line: int, column: int, text: str) -> UrlToken | None:
        """Where the text that begins at this place (1-based) stands; None if it is not written plainly."""
        if not 1 <= line <= len(self._starts):
            return None
        start = self._starts[line - 1] + column - 1
        before = self.letters[start - 1 : start] if column > 1 else ""
        alone = not self.letters[self._starts[line - 1] : start].strip()
        bare = ScalarStyle.ALONE if alone else ScalarStyle.PLAIN
        style = ScalarStyle(before) if before in {"'", '"'} else bare
        literal = text.replace("'", "''") if style is ScalarStyle.SINGLE else text
        if self.letters.startswith(literal, start):
            return UrlToken(start, start + len(literal), style)
        return self._escaped(start, text) if style is ScalarStyle.DOUBLE else None

    def _escaped(self, start: int, text: str) -> UrlToken | None:
        """A text in double quotes with escapes that JSON has; YAML has the same, and more."""
        match = QUOTED_TEXT.match(self.letters, start)
        try:
            value = json.loads(f'"{match[0]}"') if match else None
        except ValueError:
            return None
        return UrlToken(start, match.end(), ScalarStyle.DOUBLE) if match and value == text else None

    def number(self, line: int, key: str, name: str, value: int | str) -> Span | None:
        """The letters of the number `name` that stands on a line of its own beside the key of a link.

        `line` is the link's, 1-based; `value` is text where what stands there is no number. None if
        it does not stand there just once.
        """
        key_match = MAPPING_KEY.match(self.line(line - 1))
        if key_match is None or key_match["name"] != key:
            return None
        column = len(key_match["lead"])
        spans = [
            span
            for number in self._beside(line - 1, column)
            if (span := self._value(number, column, name, value)) is not None
        ]
        return spans[0] if len(spans) == 1 else None

    def beside(self, line: int, key: str, name: str) -> str | None:
        """The text of the key `name` on a line of its own beside the key of a link; `line` is 1-based."""
        key_match = MAPPING_KEY.match(self.line(line - 1))
        if key_match is None or key_match["name"] != key:
            return None
        column = len(key_match["lead"])
        for number in self._beside(line - 1, column):
            text = self.line(number)
            match = MAPPING_KEY.match(text)
            if match is not None and match["name"] == name and len(match["lead"]) == column:
                return text[match.end() :].strip().rstrip(",").strip("\"'")
        return None

    def _beside(self, line: int, column: int) -> Iterator[int]:
        """The lines of the mapping that a line is of, but for that line."""
        if "-" not in self.line(line)[:column]:
            yield from self._within(range(line - 1, -1, -1), column)
        yield from self._within(range(line + 1, len(self._starts)), column, below=True)

    def _within(self, lines: range, column: int, *, below: bool = False) -> Iterator[int]:
        """Lines that are indented at least so far, to the first that is not."""
        for number in lines:
            text = self.line(number)
            bare = text.lstrip(" \t")
            if bare.strip() and not bare.startswith("#") and len(text) - len(bare) < column:
                # The first line of an entry has its dash where the others have spaces.
                first = MAPPING_KEY.match(text)
                if not below and first and len(first["lead"]) == column:
                    yield number
                return
            yield number

    def _value(self, line: int, column: int, name: str, value: int | str) -> Span | None:
        text = self.line(line)
        key = MAPPING_KEY.match(text)
        if key is None or key["name"] != name or len(key["lead"]) != column:
            return None
        form = DIGITS_VALUE if isinstance(value, int) else re.compile(MAPPING_VALUE.format(re.escape(value)))
        match = form.fullmatch(text, key.end())
        if match is None or (isinstance(value, int) and int(match["said"]) != value):
            return None
        begin = self._starts[line]
        return begin + match.start("said"), begin + match.end("said")


def in_style(text: str, style: ScalarStyle, old: str) -> str:
    """A text as it is written in the style of the `old` one; a bare one gets quotes where it needs them."""
    if style is ScalarStyle.SINGLE:
        return text.replace("'", "''")
    json_text = JSON_ONLY_CHARACTERS.sub(
        lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False)
    )
    if style is ScalarStyle.DOUBLE:
        return json_text[1:-1]
    # Where a bare text has such letters, it stands in no flow.
    ends = SCALAR_END.search(text) or (FLOW_INDICATOR.search(text) and not FLOW_INDICATOR.search(old))
    return json_text if style is ScalarStyle.PLAIN and ends else text
