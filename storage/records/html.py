"""The URLs of HTML, each with its place: what a reader can follow or see."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Final

from storage.records.written_url import WrittenUrl

# Which attributes of which elements hold a URL, and whether it is an image's.
URL_ATTRIBUTES: Final[Mapping[tuple[str, str], bool]] = {
    ("a", "href"): False,
    ("area", "href"): False,
    ("iframe", "src"): False,
    ("video", "src"): False,
    ("audio", "src"): False,
    ("video", "poster"): True,
    ("img", "src"): True,
    ("image", "src"): True,
    ("amp-img", "src"): True,
}
SETS: Final = frozenset({("img", "srcset"), ("source", "srcset"), ("amp-img", "srcset")})
CANDIDATE: Final = re.compile(r"\s*([^\s,]\S*[^\s,])(?:\s+[\d.]+[wxh])*\s*(?:,|$)")  # HTML, 4.8.4.2.1


def html_urls(text: str, offset: int = 0) -> list[WrittenUrl]:
    """The URLs of a text of HTML that begins at `offset` of the whole."""
    collector = _UrlCollector(text, offset)
    collector.feed(text)
    collector.close()
    return collector.urls


class _UrlCollector(HTMLParser):
    """Collects the URLs of elements as they begin."""

    def __init__(self, text: str, offset: int) -> None:
        super().__init__(convert_charrefs=True)
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._offset = offset
        self.urls: list[WrittenUrl] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the URLs of an element."""
        line, column = self.getpos()
        start = self._starts[line - 1] + column + self._offset
        tag_text = self.get_starttag_text() or ""
        for name, value in attrs:
            if value is None:
                continue
            place = start + _value_start(tag_text, name)
            if (tag, name) in URL_ATTRIBUTES:
                indent = len(value) - len(value.lstrip())
                self.urls.append(WrittenUrl(value.strip(), place + indent, URL_ATTRIBUTES[tag, name]))
            elif (tag, name) in SETS:
                self.urls += _candidates(value, place)


def _value_start(tag: str, name: str) -> int:
    """Where in a tag the value of an attribute begins, behind its quote."""
    match = re.search(rf"[\s\"'/]{re.escape(name)}\s*=\s*[\"']?", tag, re.IGNORECASE)
    return match.end() if match else 0


def _candidates(value: str, place: int) -> Iterator[WrittenUrl]:
    """The images that a browser may choose from."""
    for match in CANDIDATE.finditer(value):
        yield WrittenUrl(match[1], place + match.start(1), is_image=True)
