"""Where on a site a URL points: to its root, to a section, to an article, to nowhere. Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from crawler.checks.words import url_words

# What a path may be made of and still mean the front page: names of index files, and languages.
INDEX_FILE: Final = re.compile(r"(index|default|home|main|welcome|homepage|start)(\.[a-z]{2,5})?")
SCRIPT_FILE: Final = re.compile(r"/(index|default|home|main)\.(php\d?|aspx?|jsp|cfm|cgi|pl|do)$")
LANGUAGE_TAG: Final = re.compile(r"[a-z]{2}([-_][a-z]{2})?")
ERROR_PATH: Final = re.compile(
    r"(^|[/\-_.])(40[04]|not[-_]?found|page-?not-?found|notfound|error|errors|error-?page|fehler|errore|erreur)($|[/\-_.])"
)
ABSENCE_PATH: Final = re.compile(r"(/[a-z]{2}([-_][a-z]{2})?)?/(404|(page-?)?not[-_]?found)(/|\.[a-z]{2,5})?")
SEARCH_PATH: Final = re.compile(
    r"(^|/)(search|suche|recherche|buscar|busca|cerca|ricerca|arama|poisk)(\.\w+)?(/|$)"
)
MIN_SLUG_WORDS: Final = 3  # words, or digits of a number, that make an article's name
MIN_PAIR_LETTERS: Final = 8  # letters of each of two words that do so, too
MIN_TOPIC_LETTERS: Final = 4  # letters of a word that says something


def segments(url: str) -> list[str]:
    """The parts of a path, without those that only say "index" or name a language at its start."""
    parts = [part.lower() for part in urlsplit(url).path.split("/") if part]
    if parts and INDEX_FILE.fullmatch(parts[-1]):
        parts.pop()
    if parts and LANGUAGE_TAG.fullmatch(parts[0]):
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


def is_one_word(url: str) -> bool:
    """Whether a URL names one thing right below the front page, by a word or two, or by a query."""
    return (len(segments(url)) == 1 or _is_routed_by_query(url)) and not is_deep(url)


def _is_routed_by_query(url: str) -> bool:
    """Whether the script of the front page is told in the query which page to show."""
    parts = urlsplit(url)
    return SCRIPT_FILE.search(parts.path.lower()) is not None and "=" in parts.query


def is_slug(url: str) -> bool:
    """Whether the last part of a URL's path names an article: by several words, or by a number."""
    parts = segments(url)
    if not parts:
        return False
    name = parts[-1].rpartition(".")[0] or parts[-1]
    name_words = [word for word in re.split(r"[-_+%.]", name) if word]
    if len(name_words) == MIN_SLUG_WORDS - 1 and all(len(word) >= MIN_PAIR_LETTERS for word in name_words):
        return True
    return len(name_words) >= MIN_SLUG_WORDS or len(re.findall(r"\d", name)) >= MIN_SLUG_WORDS


def is_section(url: str, of: str) -> bool:
    """Whether a URL is a section that another one lies below: a shorter path that begins alike."""
    short, full = segments(url), segments(of)
    return 0 < len(short) < len(full) and full[: len(short)] == short


def is_error_page(url: str) -> bool:
    """Whether a URL calls itself an error."""
    return ERROR_PATH.search(urlsplit(url).path.lower()) is not None


def is_absence_page(url: str) -> bool:
    """Whether a URL is that of a site's page for what is not found, right below its front page."""
    return ABSENCE_PATH.fullmatch(urlsplit(url).path.lower()) is not None


def is_search(url: str) -> bool:
    """Whether a URL is a search for something."""
    return SEARCH_PATH.search(urlsplit(url).path.lower()) is not None


def same_path(url: str, other_url: str) -> bool:
    """Whether two URLs differ in scheme and host at most, or by a slash at the end."""
    if url == other_url:
        return True
    first, second = urlsplit(url), urlsplit(other_url)
    return (first.path.rstrip("/"), first.query) == (second.path.rstrip("/"), second.query)


def topic_words(url: str) -> set[str]:
    """The words of a URL's path that say what its page is about; those of a query seldom do."""
    path = url.partition("?")[0]
    return {word for word in url_words(path) if len(word) >= MIN_TOPIC_LETTERS} - {
        "html",
        "htm",
        "index",
        "aspx",
        "article",
    }
