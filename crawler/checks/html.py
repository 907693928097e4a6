"""What a page says, read from its bytes in one pass: no tree is built, so nothing in it can grow.

lxml's parser hands over one event a tag, forward only; nesting, repetition and size cost no more
than the bytes do. No regular expression looks at HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from lxml import etree

from crawler.checks.charset import decoded
from crawler.fetch.base import Answer

STEP: Final = 65_536  # characters handed to the parser at once
MOST: Final = 4096  # entries of one list or table, characters of one line, that are kept of a page
TEXT: Final = 262_144  # characters of visible text that are kept
UNSEEN: Final = frozenset({"head", "script", "style", "noscript", "template", "svg", "iframe", "textarea"})
HEADINGS: Final = frozenset({"h1", "h2"})
# Elements that do not part words: their text belongs to the line around them.
INLINE: Final = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "mark", "q", "s", "small"}
    | {"span", "strong", "sub", "sup", "u"}
)

Entry = TypeVar("Entry")


@dataclass(slots=True)
class Page:
    """What was read of a page, each list in the order of the page and at most `MOST` long.

    `html` has the attributes of the html element; `head_ended` tells whether the end of the head was
    seen; `links` are (rel, href) pairs, `meta` is by name or property in lower case, `data` the text
    of JSON-LD scripts; `sources` are the URLs of scripts, frames and form actions, `anchors` all ids
    and the names of links; `tags` are those of the body; `cut` tells whether more text or anchors
    came than are kept.
    """

    html: dict[str, str] = field(default_factory=dict)
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
    head_ended: bool = False
    cut: bool = False


def read(answer: Answer) -> Page:
    """What the body of an answer says, as far as it came."""
    return parse(decoded(answer.body, answer.headers.get("Content-Type", "")))


def parse(text: str) -> Page:
    """What a text says, taken as HTML; any text is some page."""
    stream = _Stream()
    for at in range(0, len(text), STEP):
        stream.feed(text[at : at + STEP])
    return stream.finished()


class HeadWatch:
    """Tells, as the bytes come, when the head of a page has ended, or when it has `told` enough.

    Tags are ASCII in all charsets of the web but UTF-16, whose zero bytes are left out.
    """

    __slots__ = ("_seen", "_stream", "_told")

    def __init__(self, told: Callable[[Page], bool] = lambda _: False) -> None:
        self._seen, self._stream, self._told = 0, _Stream(), told

    def __call__(self, body: bytes) -> bool:
        """Whether the body so far is enough."""
        if len(body) < self._seen:  # another attempt has begun
            self._seen, self._stream = 0, _Stream()
        new, self._seen = body[self._seen :], len(body)
        self._stream.feed(new.replace(b"\0", b"").decode("latin-1"))
        return self._stream.page.head_ended or self._told(self._stream.page)


class _Stream:
    """The parser of one page, which is lxml's, and what it has told so far."""

    def __init__(self) -> None:
        self._events = _Events()
        self._parser = etree.HTMLParser(target=self._events)
        self.page = self._events.page

    def feed(self, text: str) -> None:
        """Read on."""
        try:
            self._parser.feed(text)
        except etree.LxmlError:
            return  # what was read until here is the page

    def finished(self) -> Page:
        """The page, once all of it was fed."""
        try:
            self._parser.close()
        except etree.LxmlError:
            return self._events.joined()  # an empty page is one, too
        return self._events.joined()


class _Events:
    """Takes what lxml tells: elements that begin and end, and text in pieces of any length."""

    def __init__(self) -> None:
        self.page = Page()
        self._unseen = 0
        self._line: list[str] | None = None
        self._title: list[str] = []
        self._text: list[str] = []
        self._data: list[str] = []
        self._left = {"text": TEXT, "data": TEXT, "line": MOST}
        self._is_data = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        page = self.page
        if tag == "html":
            page.html.update(attributes)
        elif tag == "body":
            page.head_ended = True
        elif page.head_ended:
            _keep(page.tags, tag)
        self._note_anchor(tag, attributes)
        _note(page, tag, attributes)
        self._enter(tag, attributes)

    def _note_anchor(self, tag: str, attributes: Mapping[str, str]) -> None:
        for name in ("id", "name") if tag == "a" else ("id",):
            if attributes.get(name) and len(self.page.anchors) < MOST:
                self.page.anchors.add(attributes[name])

    def _enter(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in UNSEEN:
            self._unseen += 1
        if tag == "title" and not self._title:
            self._open_line(self._title)
        elif tag in HEADINGS:
            self._open_line([])
        elif tag == "script":
            self._is_data = attributes.get("type", "").strip().lower() == "application/ld+json"
        if tag not in INLINE:
            self._say(" ")

    def _open_line(self, line: list[str]) -> None:
        self._line, self._left["line"] = line, MOST

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag == "head":
            self.page.head_ended = True
        elif tag == "script":
            self._is_data = False
        elif tag in HEADINGS and self._line:
            _keep(self.page.headings, _plain(self._line))
        if tag == "title" or tag in HEADINGS:
            self._line = None
        if tag in UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        if tag not in INLINE:
            self._say(" ")

    def data(self, text: str) -> None:
        """Text comes."""
        if self._is_data:
            self._add("data", self._data, text)
        else:
            self._say(text)

    def _say(self, text: str) -> None:
        if self._line is not None:
            self._add("line", self._line, text)
        if not self._unseen and self._line is not self._title:
            self._add("text", self._text, text)

    def _add(self, name: str, parts: list[str], text: str) -> None:
        kept = text[: self._left[name]]
        self._left[name] -= len(kept)
        if kept:
            parts.append(kept)

    def close(self) -> None:
        """Nothing more comes."""

    def joined(self) -> Page:
        """The page, its texts made of their pieces."""
        page = self.page
        page.cut = not self._left["text"] or len(page.anchors) >= MOST
        page.title, page.text, page.data = _plain(self._title), _plain(self._text), "".join(self._data)
        return page


def _note(page: Page, tag: str, attributes: Mapping[str, str]) -> None:
    """Keep what some elements say by their attributes alone."""
    if tag == "link":
        _keep(page.links, (attributes.get("rel", "").lower(), attributes.get("href", "").strip()))
    elif tag == "meta" and len(page.meta) < MOST:
        name = next((attributes[key] for key in ("name", "property", "http-equiv") if key in attributes), "")
        page.meta.setdefault(name.lower(), attributes.get("content", "")[:MOST])
    elif tag == "base":
        page.base = page.base or attributes.get("href", "")
    elif tag == "input":
        _keep(page.inputs, attributes.get("type", "text").lower())
    source = attributes.get("action" if tag == "form" else "src", "")
    if source and tag in {"script", "iframe", "frame", "form"}:
        _keep(page.sources, source[:MOST])


def _keep(entries: list[Entry], entry: Entry) -> None:
    if len(entries) < MOST:
        entries.append(entry)


def _plain(parts: list[str]) -> str:
    return " ".join("".join(parts).split())
