"""Where on a site a URL points: to its root, to a section, to an article, to nowhere. Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from crawler.checks.fingerprint import url_words

# What a path may be made of and still mean the front page: names of index files, and languages.
INDEX: Final = re.compile(r"(index|default|home|main|welcome|homepage|start)(\.[a-z]{2,5})?")
LANGUAGE: Final = re.compile(r"[a-z]{2}([-_][a-z]{2})?")
NOWHERE: Final = re.compile(
    r"(^|[/\-_.])(40[04]|not[-_]?found|page-?not-?found|notfound|error|errors|error-?page|fehler|errore|erreur)($|[/\-_.])"
)
SEARCH: Final = re.compile(
    r"(^|/)(search|suche|recherche|buscar|busca|cerca|ricerca|arama|poisk)(\.\w+)?(/|$)"
)
SLUG: Final = 3  # words, or digits of a number, that make an article's name
NAMES: Final = 4  # letters of a word that says something


def segments(url: str) -> list[str]:
    """The parts of a path, without those that only say "index" or name a language at its start."""
    parts = [part.lower() for part in urlsplit(url).path.split("/") if part]
    if parts and INDEX.fullmatch(parts[-1]):
        parts.pop()
    if parts and LANGUAGE.fullmatch(parts[0]):
        parts.pop(0)
    return parts


def is_root(url: str) -> bool:
    """Whether a URL is a front page."""
    return not segments(url) and not re.search(r"(^|&)(p|id|s|q|page_id)=", urlsplit(url).query)


def is_deep(url: str) -> bool:
    """Whether a URL names one thing below a front page or a section."""
    parts, query = segments(url), urlsplit(url).query
    file = bool(parts) and parts[-1].endswith((".html", ".htm"))
    return len(parts) > 1 or file or is_slug(url) or re.search(r"\d", query) is not None


def is_slug(url: str) -> bool:
    """Whether the last part of a URL's path names an article: by several words, or by a number."""
    parts = segments(url)
    if not parts:
        return False
    name = parts[-1].rpartition(".")[0] or parts[-1]
    spoken = [word for word in re.split(r"[-_+%.]", name) if word]
    return len(spoken) >= SLUG or len(re.findall(r"\d", name)) >= SLUG


def is_section(url: str, of: str) -> bool:
    """Whether a URL is a section that another one lies below: a shorter path that begins alike."""
    short, full = segments(url), segments(of)
    return 0 < len(short) < len(full) and full[: len(short)] == short


def is_nowhere(url: str) -> bool:
    """Whether a URL calls itself an error."""
    return NOWHERE.search(urlsplit(url).path.lower()) is not None


def is_search(url: str) -> bool:
    """Whether a URL is a search for something."""
    return SEARCH.search(urlsplit(url).path.lower()) is not None


def same_path(one: str, other: str) -> bool:
    """Whether two URLs differ in scheme and host at most, or by a slash at the end."""
    first, second = urlsplit(one), urlsplit(other)
    return (first.path.rstrip("/"), first.query) == (second.path.rstrip("/"), second.query)


def names(url: str) -> set[str]:
    """The words of a URL that say what its page is about."""
    return {word for word in url_words(url) if len(word) >= NAMES} - {
        "html",
        "htm",
        "index",
        "aspx",
        "article",
    }
