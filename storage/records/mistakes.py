"""Mistakes of YAML in our words, whichever parser noticed them, and in whichever release.

A parser may end nesting at a bound of its own, and reads ahead of its events: how deep a text is
nested where it stopped is measured here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from storage.errors import original
from storage.records.gather import MAX_DEPTH, TOO_DEEP

QUOTED_OR_BRACKET: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[\[\]{}]')
NESTING: Final = re.compile(r"\bnest|\bdepth\b|recursion", re.IGNORECASE)
# Marks in what libyaml and PyYAML say, and what that means to a person; the first that fits.
YAML_MISTAKES: Final[tuple[tuple[str, str], ...]] = (
    ("mapping values", "a colon and a space inside a value: put the value in quotes"),
    ("cannot start any token", "a tab, or a sign that begins no value: put the value in quotes"),
    ("end of stream", "a quote is never closed"),
    ("',' or ']'", "a bracket is never closed, or a comma is missing"),
    ("',' or '}'", "a brace is never closed, or a comma is missing"),
    ("expected ':'", "a key without a colon"),
    ("simple key", "a key without a colon"),
    ("expected key", "a key does not stand under the others"),
    ("block end", "a line does not stand under the others"),
    ("block entry", "an entry of a list does not stand under the others"),
    ("block sequence", "an entry of a list does not stand under the others"),
    ("escape", "a backslash in double quotes: write two, or single quotes"),
    ("not allowed", "a control character"),
    ("unacceptable character", "a control character"),
    ("document start", "something follows the end of the document"),
    ("directive", "a line that begins with %: put the value in quotes"),
    ("yaml document", "a version of YAML that cannot be read"),
    ("tag", "a tag (!) that means nothing"),
    ("anchor", "an anchor or alias (& or *) without a name: put the value in quotes"),
    ("alias", "an anchor or alias (& or *) without a name: put the value in quotes"),
    ("block scalar", "something follows | or > on its line"),
    ("node content", "a value is missing, or a bracket too much"),
)


def yaml_reason(messages: Iterable[str | None], ahead: str) -> str:
    """What a parser said, in our words; `ahead` is the text before the mistake on its last lines."""
    text = ", ".join(part for part in messages if part)
    if depth(ahead) > MAX_DEPTH or NESTING.search(text):
        return TOO_DEEP
    lowercase = text.lower()
    meaning = next((words for mark, words in YAML_MISTAKES if mark in lowercase), "it cannot be parsed")
    return f"not YAML: {meaning}{original(text)}"


def depth(text: str) -> int:
    """How many brackets and braces outside of quotes were open together."""
    now = deepest = 0
    for match in QUOTED_OR_BRACKET.finditer(text):
        now += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match[0], 0)
        deepest = max(deepest, now)
    return deepest
