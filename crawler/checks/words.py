"""Words of pages and URLs, folded so that they compare."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

APP_SHELL_WORDS: Final = 30  # a page with scripts and fewer visible words is drawn by its scripts
WORD_PATTERN: Final = re.compile(r"[^\W\d_]+")


# Scripts that write no space between words (Unicode blocks, kana to Han and Hangul): a letter is a word.
UNSPACED_SCRIPTS: Final = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@lru_cache(maxsize=32)  # each sign asks anew for the words of the same few texts
def words(text: str) -> tuple[str, ...]:
    """The words of a text without regard to case; numbers, which change by the minute, are none."""
    tokens: list[str] = []
    for word in WORD_PATTERN.findall(text.casefold()):
        if word.isascii() or not UNSPACED_SCRIPTS.search(word):
            tokens.append(word)
        else:
            tokens += word
    return tuple(tokens)


def url_words(url: str) -> tuple[str, ...]:
    """The words of the path and query of a URL."""
    return words(unquote(url.partition("://")[2].partition("/")[2]))


def fold(text: str) -> str:
    """A text as phrases are compared: without regard to case, one space between words.

    Turkish has an i with and without a dot, and their capitals cross in casefold: here they are one.
    """
    return " ".join(text.casefold().replace("i\u0307", "i").replace("\u0131", "i").split())


def find_phrase(text: str, phrases: Iterable[str]) -> str | None:
    """The first of some phrases that a folded text has."""
    return next((phrase for phrase in phrases if phrase in text), None)
