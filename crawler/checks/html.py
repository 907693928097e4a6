"""What a page says, read from its bytes in one pass: no tree is built, so nothing in it can grow.

lxml's parser hands over one event a tag, forward only; nesting, repetition and size cost no more
than the bytes do. No regular expression looks at HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from lxml import etree

from crawler.checks.charset import decode_page
from crawler.fetch.base import Response

PARSER_STEP_CHARACTERS: Final = 65_536  # handed to the parser at once
MAX_PAGE_ENTRIES: Final = 4096  # kept of one list or table; characters of one line
MAX_TEXT_CHARACTERS: Final = 262_144  # of visible text that are kept
MAX_EMPTY_CHARACTERS: Final = 20  # of text in an element that scripts are still to fill: "Loading..."
INVISIBLE_ELEMENTS: Final = frozenset(
    {"head", "script", "style", "noscript", "template", "svg", "iframe", "textarea"}
)
HEADING_ELEMENTS: Final = frozenset({"h1", "h2"})
# Elements that do not separate words: their text belongs to the line around them.
INLINE_ELEMENTS: Final = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "mark", "q", "s", "small"}
    | {"span", "strong", "sub", "sup", "u"}
)

Entry = TypeVar("Entry")


@dataclass(slots=True)
class ParsedPage:
    """What was read of a page, each list in the order of the page and at most `MAX_PAGE_ENTRIES` long.

    `html` and `body` have the attributes of these elements; `scripts` tells whether there is a script that is
    no data; `head_ended` tells whether the end of the head was
    seen; `links` are (rel, href) pairs, `meta` is by name or property in lower case, `data` the text
    of JSON-LD scripts; `sources` are the URLs of scripts, frames and form actions, `anchors` all ids
    and the names of links; `empty` the ids, or names with a dash, of
    elements with next to no text; `tags` are those of the body; `cut` tells whether more text or anchors
    came than are kept.
    """

    html: dict[str, str] = field(default_factory=dict)
    body: dict[str, str] = field(default_factory=dict)
    base: str = ""
    title: str = ""
    links: list[tuple[str, str]] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    data: str = ""
    headings: list[str] = field(default_factory=list)
    text: str = ""
    tags: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    empty: set[str] = field(default_factory=set)
    scripts: bool = False
    head_ended: bool = False
    cut: bool = False


def parse_page(answer: Response) -> ParsedPage:
    """What the body of an answer says, as far as it came."""
    return parse_html(decode_page(answer.body, answer.headers.get("Content-Type", "")))


def parse_html(text: str) -> ParsedPage:
    """What a text says, taken as HTML; any text is some page."""
    stream = PageParser()
    for at in range(0, len(text), PARSER_STEP_CHARACTERS):
        stream.feed(text[at : at + PARSER_STEP_CHARACTERS])
    return stream.finished()


class PageParser:
    """The parser of one page, which is lxml's: `page` is what was read so far, its texts not yet joined."""

    def __init__(self) -> None:
        self._events = _PageEvents()
        self._parser = etree.HTMLParser(target=self._events)
        self.page = self._events.page

    def feed(self, text: str) -> None:
        """Read on."""
        try:
            self._parser.feed(text.encode("utf-8", "replace").decode())  # a lone surrogate is no character
        except etree.LxmlError:
            return  # what was read until here is the page

    def finished(self) -> ParsedPage:
        """The page, once all of it was fed."""
        try:
            self._parser.close()
        except etree.LxmlError:
            return self._events.joined()  # an empty page is one, too
        return self._events.joined()


class _PageEvents:
    """Collects the events of lxml's parser: elements that begin and end, and text in pieces of any length."""

    def __init__(self) -> None:
        self.page = ParsedPage()
        self._invisible_depth = 0
        self._noscript_depth = 0
        self._line: list[str] | None = None
        self._title: list[str] = []
        self._text: list[str] = []
        self._data: list[str] = []
        self._budget = {"text": MAX_TEXT_CHARACTERS, "data": MAX_TEXT_CHARACTERS, "line": MAX_PAGE_ENTRIES}
        self._is_data = False
        self._characters = 0
        self._open_elements: list[tuple[str, int]] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        page = self.page
        if tag == "html":
            page.html.update(attributes)
        elif tag == "body":
            page.body.update(attributes)
            page.head_ended = True
        elif page.head_ended:
            _append_bounded(page.tags, tag)
        self._note_anchor(tag, attributes)
        if tag != "meta" or not self._noscript_depth:
            _note_attributes(page, tag, attributes)
        name = attributes.get("id", "") or (tag if "-" in tag else "")
        self._open_elements.append((name, self._characters))
        self._enter(tag, attributes)

    def _note_anchor(self, tag: str, attributes: Mapping[str, str]) -> None:
        for name in ("id", "name") if tag == "a" else ("id",):
            if attributes.get(name) and len(self.page.anchors) < MAX_PAGE_ENTRIES:
                self.page.anchors.add(attributes[name])

    def _enter(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in INVISIBLE_ELEMENTS:
            self._invisible_depth += 1
        if tag == "noscript":
            self._noscript_depth += 1
        if tag == "title" and not self._title:
            self._open_line(self._title)
        elif tag in HEADING_ELEMENTS:
            self._open_line([])
        elif tag == "script":
            self._is_data = attributes.get("type", "").strip().lower() == "application/ld+json"
            self.page.scripts = self.page.scripts or not self._is_data
        if tag not in INLINE_ELEMENTS:
            self._add_text(" ")

    def _note_empty(self, name: str) -> None:
        if len(self.page.empty) < MAX_PAGE_ENTRIES:
            self.page.empty.add(name)

    def _open_line(self, line: list[str]) -> None:
        self._line = line
        self._budget["line"] = MAX_PAGE_ENTRIES

    def end(self, tag: str) -> None:
        """An element ends."""
        if self._open_elements:
            name, characters = self._open_elements.pop()
            if name and self._characters - characters <= MAX_EMPTY_CHARACTERS:
                self._note_empty(name)
        if tag == "head":
            self.page.head_ended = True
        elif tag == "script":
            self._is_data = False
        elif tag in HEADING_ELEMENTS and self._line:
            _append_bounded(self.page.headings, _plain_text(self._line))
        if tag == "title" or tag in HEADING_ELEMENTS:
            self._line = None
        if tag in INVISIBLE_ELEMENTS:
            self._invisible_depth = max(0, self._invisible_depth - 1)
        if tag == "noscript":
            self._noscript_depth = max(0, self._noscript_depth - 1)
        if tag not in INLINE_ELEMENTS:
            self._add_text(" ")

    def data(self, text: str) -> None:
        """Text comes."""
        if self._is_data:
            self._add("data", self._data, text)
        else:
            self._add_text(text)

    def _add_text(self, text: str) -> None:
        if self._line is not None:
            self._add("line", self._line, text)
        if not self._invisible_depth and self._line is not self._title:
            self._characters += len(text.strip())
            self._add("text", self._text, text)

    def _add(self, name: str, parts: list[str], text: str) -> None:
        piece = text[: self._budget[name]]
        self._budget[name] -= len(piece)
        if piece:
            parts.append(piece)

    def close(self) -> None:
        """Nothing more comes."""

    def joined(self) -> ParsedPage:
        """The page, its texts made of their pieces."""
        page = self.page
        page.cut = not self._budget["text"] or len(page.anchors) >= MAX_PAGE_ENTRIES
        page.title = _plain_text(self._title)
        page.text = _plain_text(self._text)
        page.data = "".join(self._data)
        return page


def _note_attributes(page: ParsedPage, tag: str, attributes: Mapping[str, str]) -> None:
    """Keep what some elements say by their attributes alone."""
    if tag == "link":
        _append_bounded(page.links, (attributes.get("rel", "").lower(), attributes.get("href", "").strip()))
    elif tag == "meta" and len(page.meta) < MAX_PAGE_ENTRIES:
        name = next((attributes[key] for key in ("name", "property", "http-equiv") if key in attributes), "")
        page.meta.setdefault(name.lower(), attributes.get("content", "")[:MAX_PAGE_ENTRIES])
    elif tag == "base":
        page.base = page.base or attributes.get("href", "")
    elif tag == "input":
        _append_bounded(page.inputs, attributes.get("type", "text").lower())
    source = attributes.get("action" if tag == "form" else "src", "")
    if source and tag in {"script", "iframe", "frame", "form"}:
        _append_bounded(page.sources, source[:MAX_PAGE_ENTRIES])


def _append_bounded(entries: list[Entry], entry: Entry) -> None:
    if len(entries) < MAX_PAGE_ENTRIES:
        entries.append(entry)


def _plain_text(parts: list[str]) -> str:
    return " ".join("".join(parts).split())
