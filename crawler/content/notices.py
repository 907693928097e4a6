"""The sentences and titles by which a page says that it does not exist. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from crawler.checks.words import find_phrase, fold, words
from crawler.content import url_shape
from crawler.content.observation import ObservedPage
from crawler.content.rendering import is_shell
from crawler.content.source_marks import is_marked_not_found
from crawler.data import table
from crawler.data.shapes import NotFoundWords
from crawler.urls import host_of

MAX_NOT_FOUND_WORDS: Final = 400  # a page with more words says other things than "not found"

STATUS_404: Final = re.compile(r"(?<!\d)404(?!\d)")
# A part of a title that is the status, and not the name of a car or of a newspaper with it.
STATUS_PIECE: Final = re.compile(
    r"\W*(?:[a-z\u00e0-\u024f]+\W+)?(?:http|error|fehler|erreur|errore|erro|status|code|page|oops)?\W*404\W*"
    r"(?:error|page|fehler|erreur|errore|erro|page not found|not found)?\W*"
)
# What separates the name of a page from that of its site: bars, dashes with spaces around them, dots, arrows.
TITLE_SEPARATORS: Final = re.compile(r"[|\u00b7\u00bb:\u2022/\u2013\u2014]|\s-\s")
NOT_FOUND_DATA: Final = table("not_found", dict[str, NotFoundWords])
NOT_FOUND_PHRASES: Final = tuple(
    fold(phrase) for language in NOT_FOUND_DATA.values() for phrase in language["phrases"]
)
NOT_FOUND_TITLES: Final = frozenset(
    fold(title) for language in NOT_FOUND_DATA.values() for title in language["titles"]
)


def notice_signs(observation: ObservedPage) -> Iterator[tuple[str, int]]:
    """The sentences of a page that say that it does not exist, with their points."""
    page = observation.page
    if page is None or _is_about_errors(observation.url):
        return
    title = fold(page.title)
    headings = [fold(line) for line in page.headings]
    if _says_not_found(title):
        yield "the title says so", 35
    if any(_says_not_found(line) for line in headings):
        yield "a heading says so", 25
    if notice_phrase(observation) is not None:
        yield "its few words say so", 15
    if _names_status(observation, (title, *headings)):
        yield "names the status 404", 15
    if is_marked_not_found(observation):
        yield "its source is marked as that of a page that is not found", 35


def notice_phrase(observation: ObservedPage) -> str | None:
    """The phrase by which a page of few words says that it is not there, if any."""
    if observation.page is None or len(words(observation.page.text)) >= MAX_NOT_FOUND_WORDS:
        return None
    return find_phrase(fold(observation.page.text), NOT_FOUND_PHRASES)


def _names_status(observation: ObservedPage, lines: Sequence[str]) -> bool:
    """Whether 404 stands in some lines as a status, not as part of the host's name or of a site's.

    Of a page that scripts draw, whose title is that of its site, it has to be all of a piece.
    """
    if STATUS_404.search(host_of(observation.url)) or not any(STATUS_404.search(line) for line in lines):
        return False
    pieces = (piece for line in lines for piece in TITLE_SEPARATORS.split(line))
    return not is_shell(observation) or any(STATUS_PIECE.fullmatch(piece) for piece in pieces)


def _is_about_errors(url: str) -> bool:
    """Whether a URL itself speaks of what is not found."""
    name = " ".join(url_shape.segments(url)[-1:])
    return "404" in re.findall(r"\d+", name) or "not-found" in name or "notfound" in name


def _says_not_found(line: str) -> bool:
    pieces = {piece.strip(" .!?\u20260123456789#") for piece in TITLE_SEPARATORS.split(line)}
    return find_phrase(line, NOT_FOUND_PHRASES) is not None or not NOT_FOUND_TITLES.isdisjoint(pieces)
