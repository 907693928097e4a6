"""The URLs of Markdown (CommonMark, tables and bare URLs as GitHub has them), each with its place.

The parser tells which URLs a text has, and in which lines their block stands; where on a line each is
written is looked up in the text itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token

from storage.records.html import html_urls
from storage.records.written_url import WrittenUrl

BARE_URL: Final = re.compile(r"(?<![\w/])https?://[^\s<>\"`|\\]+", re.IGNORECASE)
TRAILING: Final = "?!.,:*_~'\";"  # behind a bare URL these belong to the sentence: GFM, 6.9
URL_END: Final = r"(?=[\s)>\]\"'<|\\]|\Z)"
References: TypeAlias = dict[str, dict[str, object]]


def markdown_urls(text: str) -> list[WrittenUrl]:
    """The URLs of a text of Markdown."""
    return list(_MarkdownReader(text).urls())


class _MarkdownReader:
    """Reads one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text)), len(text)]
        self._positions: dict[tuple[int, str], int] = {}

    def urls(self) -> Iterator[WrittenUrl]:
        """The URLs of all blocks, then those of the definitions."""
        environment: dict[str, References] = {}
        tokens = _parser().parse(self._text, environment)
        references = environment.get("references", {})
        targets = {str(reference["href"]) for reference in references.values()}
        for token in tokens:
            if token.type == "inline":
                yield from self._inline(token, targets)
            elif token.type == "html_block":
                yield from self._html(token.content, token.map)
        for reference in references.values():
            lines = reference.get("map")
            if isinstance(lines, list):
                url = self._located(str(reference["href"]), lines, is_image=False)
                yield url if url.offset >= 0 else url._replace(offset=self._range(lines)[0])

    def _inline(self, block: Token, targets: set[str]) -> Iterator[WrittenUrl]:
        in_link = 0
        for token in block.children or ():
            if token.type in {"link_open", "image"}:
                in_link += token.type == "link_open"
                is_image = token.type == "image"
                target = str(token.attrs["src" if is_image else "href"])
                url = self._located(target, block.map, is_image=is_image)
                if url.offset >= 0 or url.text not in targets:
                    yield url if url.offset >= 0 else url._replace(offset=self._range(block.map)[0])
            elif token.type == "link_close":
                in_link -= 1
            elif token.type == "html_inline":
                yield from self._html(token.content, block.map)
            elif token.type == "text" and not in_link:
                yield from self._bare(token.content, block.map)

    def _bare(self, text: str, lines: Sequence[int] | None) -> Iterator[WrittenUrl]:
        """URLs that stand in the text as they are."""
        for match in BARE_URL.finditer(text):
            url = match[0].rstrip(TRAILING)
            while url.endswith(")") and url.count(")") > url.count("("):
                url = url[:-1].rstrip(TRAILING)
            bare_url = self._located(url, lines, is_image=False)
            if bare_url.offset >= 0:
                yield bare_url

    def _html(self, html: str, lines: Sequence[int] | None) -> Iterator[WrittenUrl]:
        """URLs of HTML that stands in Markdown."""
        if "<" not in html:
            return
        for url in html_urls(html):
            html_url = self._located(url.text, lines, is_image=url.is_image)
            yield html_url if html_url.offset >= 0 else html_url._replace(offset=self._range(lines)[0])

    def _range(self, lines: Sequence[int] | None) -> tuple[int, int]:
        """From where to where a block stands."""
        first, last = (lines[0], lines[1]) if lines else (0, len(self._starts) - 1)
        return self._starts[first], self._starts[min(last, len(self._starts) - 1)]

    def _located(self, url: str, lines: Sequence[int] | None, *, is_image: bool) -> WrittenUrl:
        """A URL at its next place in a block; the offset is -1 where it is not written there."""
        start, end = self._range(lines)
        begin = self._positions.get((start, url), start)
        match = re.compile(re.escape(url) + URL_END).search(self._text, begin, end) if url else None
        if match is None and url:
            match = re.compile(_escaped(url)).search(self._text, begin, end)
        if match is None:
            return WrittenUrl(url, -1, is_image)
        self._positions[start, url] = match.end()
        return WrittenUrl(url, match.start(), is_image)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("table").enable("strikethrough")
    # A link's text is what the record says; what is asked follows from it elsewhere.
    parser.normalizeLink = _unchanged  # type: ignore[method-assign]  # meant to be replaced
    parser.validateLink = _always  # type: ignore[method-assign, assignment]  # as above
    return parser


def _unchanged(url: str) -> str:
    return url


def _always(_: str) -> bool:
    return True


def _escaped(url: str) -> str:
    """A pattern for a URL that is written with backslashes or entities."""
    return "".join(
        rf"(?:\\?{re.escape(letter)}|&#?\w+;)" if not letter.isalnum() else letter for letter in url
    )
