"""Whether a URL that moved still names the same article, by both URLs and titles. Pure.

Sites redirect an article for good to a login, an error page, a section or a signed address, too. A new
URL is accepted only if nothing in it is of that kind, and if its words, or a title, fit the old one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache
from itertools import pairwise
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from crawler.checks.words import words
from crawler.content.url_shape import is_error_page, is_root, is_search, is_section, same_path, segments
from crawler.data import table
from crawler.data.shapes import GateTable

SESSION_SEGMENT: Final = re.compile(r"\([a-z]\([^/]*\)\)", re.IGNORECASE)  # ASP.NET without cookies
SECRET_VALUE: Final = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[0-9A-Fa-f]{32,}|eyJ[\w.-]{16,}")
ARTICLE_NUMBER: Final = re.compile(r"\d{5,}")  # years, months and days are shorter
MIN_NAME_LETTERS: Final = 6  # letters of a file name that stands for one thing
MIN_WORD_LETTERS: Final = 3  # letters of a word that is compared
MIN_SHARED_SHARE: Final = 2 / 3  # of the words of a title or a URL that the other has, too
MIN_TITLE_WORDS: Final = 2  # words that a title and a URL must share at least
MAX_GATE_WORDS: Final = 2  # words of a path segment of which one names a gate or an error; a slug has more
MAX_NOTICE_WORDS: Final = 6  # words of a path segment of which two in a row do
FILE_WORDS: Final = frozenset(
    {"html", "htm", "php", "aspx", "asp", "jsp", "index", "jpg", "jpeg", "png", "gif", "webp", "avif", "svg"}
)


def move_refusal(old: str, new: str, final: str | None) -> str | None:
    """Why a new URL is none of an article, whatever it is of; None if it may be one.

    `final` is where the redirects ended, temporary ones included.
    """
    for url in dict.fromkeys((new, final or new)):
        reason = _place_refusal(old, url)
        if reason is not None:
            return f"{reason}, {url}"
    return _query_refusal(old, new)


def names_same(old: str, new: str) -> bool:
    """Whether the new URL names what the old one names: the same path, most of its words, or its number."""
    if same_path(old, new):
        return True
    old_words, new_words = _url_words(old), _url_words(new)
    if _file_name(old) and _file_name(old) == _file_name(new):
        return True
    numbers = set(ARTICLE_NUMBER.findall(_name(old)))
    if numbers and not numbers.isdisjoint(ARTICLE_NUMBER.findall(_path_and_query(new))):
        return True
    return bool(old_words) and _share(old_words, new_words) >= MIN_SHARED_SHARE


def title_fits(title: str, new: str) -> bool:
    """Whether a record's title has most of the words that the new URL names."""
    title_words, url_words = set(_long_words(words(title))), _url_words(new)
    is_long = len(url_words & title_words) >= MIN_TITLE_WORDS
    return is_long and _share(url_words, title_words) >= MIN_SHARED_SHARE


def _share(expected: Collection[str], actual: Collection[str]) -> float:
    return len(set(expected) & set(actual)) / len(set(expected)) if expected else 0.0


def _long_words(text_words: Sequence[str]) -> Iterator[str]:
    return (word for word in text_words if len(word) >= MIN_WORD_LETTERS or not word.isascii())


def _url_words(url: str) -> set[str]:
    """The words of the last part of a path, which names the article."""
    return set(_long_words(words(_name(url)))) - FILE_WORDS


def _name(url: str) -> str:
    parts = segments(url)
    name_parts = [part for part in parts if words(part) or ARTICLE_NUMBER.search(part)]
    return unquote(name_parts[-1]) if name_parts else unquote(urlsplit(url).query)


def _file_name(url: str) -> str | None:
    """The last part of a path without its suffix, where it is long enough to be a name of its own."""
    name = urlsplit(url).path.rstrip("/").rpartition("/")[2].partition(".")[0].lower()
    return name if len(name) >= MIN_NAME_LETTERS and name not in FILE_WORDS else None


def _path_and_query(url: str) -> str:
    parts = urlsplit(url)
    return unquote(f"{parts.path}?{parts.query}")


def _place_refusal(old: str, new: str) -> str | None:
    """What kind of page a URL leads to in place of the article."""
    if is_root(new) and not is_root(old):
        return "it leads to a front page"
    if _leads_to(old, new, "gates"):
        return "it leads to a login or another gate"
    if _leads_to(old, new, "errors") or (is_error_page(new) and not is_error_page(old)):
        return "it leads to an error page"
    if is_section(new, old) or (_is_list(new) and not _is_list(old)):
        return "it leads to a section"
    if is_search(new) and not is_search(old):
        return "it leads to a search"
    return None


def _query_refusal(old: str, new: str) -> str | None:
    """What a new URL holds that is for one visitor, one hour or one campaign, and the old one does not."""
    new_parameters = _parameters(new) - _parameters(old)
    for kind, reason in (
        ("sessions", "its new URL has a session in it"),
        ("tokens", "its new URL has a key in it that may expire"),
        ("returns", "its new URL tells a page where to go back to"),
        ("tracking", "its new URL is marked for tracking"),
    ):
        names = [name for name, _ in new_parameters if _is_named(name, kind)]
        if names:
            return f"{reason} ({names[0]}), {new}"
    if SESSION_SEGMENT.search(urlsplit(new).path) and not SESSION_SEGMENT.search(urlsplit(old).path):
        return f"its new URL has a session in it, {new}"
    secret = any(SECRET_VALUE.fullmatch(value) for _, value in new_parameters)
    return f"its new URL has a key in it that may expire, {new}" if secret else None


def _parameters(url: str) -> set[tuple[str, str]]:
    """The parameters of the query and of the path, names in lower case; a new value makes another one."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query.replace(";", "&"), keep_blank_values=True)
    for segment in parts.path.split("/"):
        for parameter in segment.split(";")[1:]:
            name, _, value = parameter.partition("=")
            pairs.append((name, value))
    return {(name.lower(), value) for name, value in pairs}


@cache
def _is_named(name: str, kind: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in table("volatile_urls", dict[str, list[str]])[kind])


@cache
def _vocabulary(kind: str) -> frozenset[str]:
    if kind == "gates":
        return frozenset(table("gates", GateTable)["words"])
    return frozenset(table("volatile_urls", dict[str, list[str]])[kind])


def _leads_to(old: str, new: str, kind: str) -> bool:
    """Whether a new URL has a word of this kind, in its path or as its first label, and the old one not."""
    vocabulary = _vocabulary(kind)
    old_host, new_host = urlsplit(old).hostname or "", urlsplit(new).hostname or ""
    if new_host != old_host and new_host.partition(".")[0] in vocabulary:
        return True
    return _path_has(new, vocabulary) and not _path_has(old, vocabulary)


def _path_has(url: str, vocabulary: frozenset[str]) -> bool:
    return any(_segment_has(segment, vocabulary) for segment in urlsplit(url).path.lower().split("/"))


def _segment_has(segment: str, vocabulary: frozenset[str]) -> bool:
    name = unquote(segment).partition(";")[0]
    if name in vocabulary or name.rpartition(".")[0] in vocabulary:
        return True
    parts = [part for part in re.split(r"[-_.+ ]", name) if part]
    pairs = (
        {f"{first}-{second}" for first, second in pairwise(parts)}
        if len(parts) <= MAX_NOTICE_WORDS
        else set()
    )
    return not vocabulary.isdisjoint({*(parts if len(parts) <= MAX_GATE_WORDS else ()), *pairs})


def _is_list(url: str) -> bool:
    parts = segments(url)
    return bool(parts) and (
        parts[0] in _vocabulary("lists") or (len(parts) > 1 and parts[-2] in _vocabulary("lists"))
    )
