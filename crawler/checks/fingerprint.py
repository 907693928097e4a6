"""What two pages have in common: the words a reader sees, and how the page is built.

A simhash stands for a set of word pairs where millions have to be kept; here a page is compared
with one probe that is still at hand, so the sets themselves are, and the result is exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from crawler.checks.html import Page

WORD: Final = re.compile(r"[^\W\d_]+")
# Scripts that write no space between words (Unicode blocks, kana to Han and Hangul): a letter is a word.
UNSPACED: Final = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
SHAPE: Final = 3  # tags in a row


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Pairs of visible words, rows of tags, the title's words, and how many words there are."""

    pairs: frozenset[int]
    shape: frozenset[int]
    title: tuple[str, ...]
    words: int


def fingerprint(page: Page, url: str) -> Fingerprint:
    """The fingerprint of a page; words that only echo its URL do not count."""
    echo = set(url_words(url))
    seen = [word for word in words(page.text) if word not in echo]
    title = tuple(word for word in words(page.title) if word not in echo)
    return Fingerprint(_rows(seen, 2), _rows(page.tags, SHAPE), title, len(seen))


def words(text: str) -> list[str]:
    """The words of a text without regard to case; numbers, which change by the minute, are none."""
    found: list[str] = []
    for word in WORD.findall(text.casefold()):
        found += word if UNSPACED.search(word) else [word]
    return found


def url_words(url: str) -> list[str]:
    """The words of the path and query of a URL."""
    return words(unquote(url.partition("://")[2].partition("/")[2]))


def likeness(one: frozenset[int], other: frozenset[int]) -> float:
    """The share of two sets that both have, from 0 to 1; of two empty sets 1."""
    both = one | other
    return len(one & other) / len(both) if both else 1.0


def _rows(items: Sequence[str], length: int) -> frozenset[int]:
    return frozenset(hash(tuple(items[n : n + length])) for n in range(max(0, len(items) - length + 1)))


def fold(text: str) -> str:
    """A text as phrases are compared: without regard to case, one space between words."""
    return " ".join(text.casefold().split())


def says(text: str, phrases: Iterable[str]) -> str | None:
    """The first of some phrases that a folded text has."""
    return next((phrase for phrase in phrases if phrase in text), None)
