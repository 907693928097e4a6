"""What two pages have in common: the words a reader sees, and how the page is built.

A simhash stands for a set of word pairs where millions have to be kept; here a page is compared
with one probe that is still at hand, so the sets themselves are, and the result is exact.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from crawler.checks.html import Page

WORD: Final = re.compile(r"[^\W\d_]+")
# Scripts that write no space between words (Unicode blocks, kana to Han and Hangul): a letter is a word.
UNSPACED: Final = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
SHAPE: Final = 3  # tags in a row


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Pairs of visible words, the title, the first heading, rows of tags, and how many words there are.

    `pairs` and `title` are there twice: as they are, and without the words that only echo the URL;
    `heading`, the first one, is there without them.
    """

    pairs: tuple[frozenset[int], frozenset[int]]
    title: tuple[tuple[str, ...], tuple[str, ...]]
    heading: tuple[str, ...]
    shape: frozenset[int]
    words: int


def fingerprint(page: Page, url: str) -> Fingerprint:
    """The fingerprint of a page at a URL."""
    echo, seen, title = set(url_words(url)), words(page.text), words(page.title)
    bare = [word for word in seen if word not in echo]
    titles = title, tuple(word for word in title if word not in echo)
    heading = tuple(word for word in words(page.headings[0] if page.headings else "") if word not in echo)
    pairs = _rows(seen, 2), _rows(bare, 2)
    return Fingerprint(pairs, titles, heading, _rows(page.tags, SHAPE), len(seen))


def same_words(one: Fingerprint, other: Fingerprint) -> float:
    """How alike two pages are to a reader, from 0 to 1, echoes of their URLs left out if that helps."""
    return max(likeness(*both) for both in zip(one.pairs, other.pairs, strict=True))


def own_pairs(one: Fingerprint, other: Fingerprint) -> int:
    """How many pairs of words one page has that the other has not, echoes of its URL left out."""
    return min(len(mine - theirs) for mine, theirs in zip(one.pairs, other.pairs, strict=True))


def same_title(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether two pages have one title, echoes of their URLs left out if that helps."""
    return any(mine == theirs for mine, theirs in zip(one.title, other.title, strict=True))


@lru_cache(maxsize=32)  # each sign asks anew for the words of the same few texts
def words(text: str) -> tuple[str, ...]:
    """The words of a text without regard to case; numbers, which change by the minute, are none."""
    found: list[str] = []
    for word in WORD.findall(text.casefold()):
        if word.isascii() or not UNSPACED.search(word):
            found.append(word)
        else:
            found += word
    return tuple(found)


def url_words(url: str) -> tuple[str, ...]:
    """The words of the path and query of a URL."""
    return words(unquote(url.partition("://")[2].partition("/")[2]))


def likeness(one: frozenset[int], other: frozenset[int]) -> float:
    """The share of two sets that both have, from 0 to 1; of two empty sets 1."""
    both = one | other
    return len(one & other) / len(both) if both else 1.0


def _rows(items: Sequence[str], length: int) -> frozenset[int]:
    """A number for each row; the same in each process, since fingerprints are kept."""
    rows = zip(*(items[n:] for n in range(length)), strict=False)
    return frozenset(zlib.crc32(" ".join(row).encode("utf-8", "replace")) for row in rows)


def fold(text: str) -> str:
    """A text as phrases are compared: without regard to case, one space between words.

    Turkish has an i with and without a dot, and their capitals cross in casefold: here they are one.
    """
    return " ".join(text.casefold().replace("i\u0307", "i").replace("\u0131", "i").split())


def says(text: str, phrases: Iterable[str]) -> str | None:
    """The first of some phrases that a folded text has."""
    return next((phrase for phrase in phrases if phrase in text), None)
