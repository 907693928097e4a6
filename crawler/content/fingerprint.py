"""What two pages have in common: the words a reader sees, and how the page is built.

A simhash stands for a set of word pairs where millions have to be kept; here a page is compared
with one probe that is still at hand, so the sets themselves are, and the result is exact.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

from crawler.checks.html import ParsedPage
from crawler.checks.words import url_words, words
from storage.frozen import frozen

SHAPE_TAGS: Final = 3  # tags in a row


@frozen
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


def fingerprint(page: ParsedPage, url: str) -> Fingerprint:
    """The fingerprint of a page at a URL."""
    echo, text_words, title = set(url_words(url)), words(page.text), words(page.title)
    bare = [word for word in text_words if word not in echo]
    titles = title, tuple(word for word in title if word not in echo)
    heading = tuple(word for word in words(page.headings[0] if page.headings else "") if word not in echo)
    pairs = _rows(text_words, 2), _rows(bare, 2)
    return Fingerprint(pairs, titles, heading, _rows(page.tags, SHAPE_TAGS), len(text_words))


def word_likeness(page: Fingerprint, probe: Fingerprint) -> float:
    """How alike two pages are to a reader, from 0 to 1, echoes of their URLs left out if that helps."""
    return max(likeness(*pair_sets) for pair_sets in zip(page.pairs, probe.pairs, strict=True))


def own_pair_count(page: Fingerprint, probe: Fingerprint) -> int:
    """How many pairs of words one page has that the other has not, echoes of its URL left out."""
    return min(
        len(page_pairs - probe_pairs) for page_pairs, probe_pairs in zip(page.pairs, probe.pairs, strict=True)
    )


def same_title(page: Fingerprint, probe: Fingerprint) -> bool:
    """Whether two pages have one title, echoes of their URLs left out if that helps."""
    return any(
        page_title == probe_title for page_title, probe_title in zip(page.title, probe.title, strict=True)
    )


def likeness(first: frozenset[int], second: frozenset[int]) -> float:
    """The share of two sets that both have, from 0 to 1; of two empty sets 1."""
    union = first | second
    return len(first & second) / len(union) if union else 1.0


def _rows(items: Sequence[str], length: int) -> frozenset[int]:
    """A number for each row; the same in each process, since fingerprints are kept."""
    rows = zip(*(items[n:] for n in range(length)), strict=False)
    return frozenset(zlib.crc32(" ".join(row).encode("utf-8", "replace")) for row in rows)
