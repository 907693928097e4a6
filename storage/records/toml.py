"""TOML with the line and column of every value (toml.io/en/v1.0.0).

The standard library tells no positions. It decides what is TOML; this is a scanner of what it took.
"""

from __future__ import annotations

import re
import tomllib
from typing import Final

from storage.model import Record
from storage.records.gather import MAX_DEPTH, TOO_DEEP, Gatherer, TooDeep
from storage.records.lines import LineIndex
from storage.records.source import Parsed, RecordText
from storage.records.toml_mistakes import toml_line, toml_meaning
from storage.records.tree import Node, Scalar, feed

BLANK: Final = re.compile(r"(?:\s|#[^\n]*)*")
KEY_PART: Final = re.compile(r"""[ \t]*([\w-]+|"(?:[^"\\]|\\.)*"|'[^']*')[ \t]*(\.?)""")
STRING: Final = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'",
    re.DOTALL,
)
TOML_LITERAL: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*|[^\s,\]}#]+")
OPENING_QUOTES: Final = re.compile(r"\"\"\"(?:\r?\n)?|'''(?:\r?\n)?|[\"']")


def parse(source: RecordText) -> Parsed:
    """The record of a TOML text, or why it could not be read."""
    try:
        tomllib.loads(source.text)
        tree = _TomlScanner(source.text).tree()
        gatherer = Gatherer(source.rules)
        feed(gatherer, tree, LineIndex(source.text, source.first_line))
    except ValueError as exc:  # TOMLDecodeError is one, and so is what a number of 5,000 digits raises
        line = toml_line(exc, source.text)
        return [], [
            (None if line is None else line + source.first_line - 1, f"not TOML: {toml_meaning(exc)}")
        ]
    except (TooDeep, RecursionError):
        return [], [(source.first_line, TOO_DEEP)]
    links = sorted(gatherer.links(), key=lambda link: (link.line, link.column))
    return [Record(source.path, 0, tuple(links), gatherer.unmapped())] if tree else [], []


class _TomlScanner:
    """Scans a text that is TOML."""

    def __init__(self, text: str) -> None:
        # The parser takes a carriage return before a line feed for a part of it; offsets must not move.
        self._text = text
        self._position = 0

    def tree(self) -> dict[str, Node]:
        """The values of the whole text."""
        root: dict[str, Node] = {}
        table = root
        while self._blank():
            if self._skip("[["):
                table = _append(root, self._key())
                self._skip("]]")
            elif self._skip("["):
                table = _table(root, self._key())
                self._skip("]")
            else:
                self._pair(table, 1)
        return root

    def _blank(self) -> bool:
        """Skip white space and comments; False at the end of the text."""
        match = BLANK.match(self._text, self._position)
        self._position = match.end() if match else self._position
        return self._position < len(self._text)

    def _skip(self, mark: str) -> bool:
        """Step over a mark, if it stands here."""
        if not self._text.startswith(mark, self._position):
            return False
        self._position += len(mark)
        return True

    def _key(self) -> list[str]:
        """A key, with dots or without."""
        names: list[str] = []
        while match := KEY_PART.match(self._text, self._position):
            self._position = match.end()
            names.append(_unquoted(match[1]))
            if not match[2]:
                break
        return names

    def _pair(self, table: dict[str, Node], depth: int) -> None:
        *parents, name = self._key()
        self._skip("=")
        _table(table, parents)[name] = self._value(depth)

    def _value(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise TooDeep(TOO_DEEP)
        self._blank()
        if self._skip("["):
            return self._array(depth)
        if self._skip("{"):
            return self._inline_table(depth)
        start = self._position
        match = STRING.match(self._text, start)
        if match is None:
            match = TOML_LITERAL.match(self._text, start)
            self._position = match.end() if match else len(self._text)
            return Scalar(match[0] if match else "", start, plain=True)
        self._position = match.end()
        quotes = OPENING_QUOTES.match(match[0])
        return Scalar(_unquoted(match[0]), start + (quotes.end() if quotes else 0))

    def _array(self, depth: int) -> list[Node]:
        nodes: list[Node] = []
        while self._blank() and not self._skip("]"):
            nodes.append(self._value(depth + 1))
            self._blank()
            self._skip(",")
        return nodes

    def _inline_table(self, depth: int) -> dict[str, Node]:
        table: dict[str, Node] = {}
        while self._blank() and not self._skip("}"):
            self._pair(table, depth + 1)
            self._blank()
            self._skip(",")
        return table


def _unquoted(text: str) -> str:
    """A key or a string without its quotes and escapes."""
    return str(tomllib.loads(f"value = {text}")["value"]) if text[0] in "\"'" else text


def _table(root: dict[str, Node], names: list[str]) -> dict[str, Node]:
    """The table that a path of keys leads to; of a list of tables, the last."""
    table = root
    for name in names:
        node = table.setdefault(name, {})
        if isinstance(node, list):
            node = node[-1]
        if isinstance(node, dict):
            table = node
    return table


def _append(root: dict[str, Node], names: list[str]) -> dict[str, Node]:
    """A new table at the end of a list of tables."""
    tables = _table(root, names[:-1]).setdefault(names[-1], [])
    table: dict[str, Node] = {}
    if isinstance(tables, list):
        tables.append(table)
    return table
