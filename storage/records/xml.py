"""Sitemaps, RSS, Atom and other XML, as a stream of events with their positions.

An entry of a feed or a sitemap is a record. Elements and attributes are keys, so that rules can take
what the standards do not know. Entities of a document's own are refused, since they can be bombs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from xml.parsers import expat

from storage.errors import original
from storage.model import Declared, Kind, Link, Record, UnmappedValue
from storage.records.gather import MAX_DEPTH, TOO_DEEP, TooDeep, pixels
from storage.records.rules import URL_LIKE
from storage.records.source import Failure, Parsed, RecordText, UnreadableFile

# sitemaps.org, RSS 2.0, RFC 4287, Media RSS, sitemaps for images: what holds a URL, and which entry.
XML_FIELDS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("url.loc", "sitemap.loc", "url.link@href", "video.player_loc"), Kind.WEB),
    **dict.fromkeys(("image.loc", "video.thumbnail_loc"), Kind.IMAGE),
    **dict.fromkeys(("channel.link", "item.link", "item.comments", "item.source@url"), Kind.WEB),
    **dict.fromkeys(("image.url", "thumbnail@url"), Kind.IMAGE),
    **dict.fromkeys(("channel.image.link", "enclosure@url", "content@url"), Kind.WEB),
    **dict.fromkeys(("feed.link@href", "entry.link@href", "author.uri", "entry.content@src"), Kind.WEB),
    **dict.fromkeys(("feed.icon", "feed.logo"), Kind.IMAGE),
}
ENTRIES: Final = frozenset({"url", "sitemap", "item", "entry"})
IMAGE_TYPE: Final = re.compile(r"image(?:/.*)?", re.IGNORECASE)
HTML_PAGE: Final = re.compile(r"\s*(?:<!doctype html|<html[\s>])", re.IGNORECASE)


def parse(source: RecordText) -> Parsed:
    """The records of an XML text, and why the rest could not be read.

    Raises:
        UnreadableFile: it is a page of HTML.
    """
    if HTML_PAGE.match(source.text):
        raise UnreadableFile("a page of HTML, neither a sitemap nor a feed", source.first_line)
    reader = _XmlReader(source)
    reader.read()
    return reader.records, reader.failures


# Attributes whose URLs are names, and lead nowhere.
NAMESPACE_KEY: Final = re.compile(r"xmlns(?::|$)|(?:.*:)?schemaLocation$")


class _XmlReader:
    """Reads one text; `records` and `failures` grow as it goes."""

    def __init__(self, source: RecordText) -> None:
        self._source = source
        self._lines = source.text.split("\n")
        self._names: list[str] = []
        self._text = ""
        self._text_place: tuple[int, int] | None = None
        self._links: list[Link] = []
        self._head_links: list[Link] = []
        self._unmapped: list[UnmappedValue] = []
        self.records: list[Record] = []
        self.failures: list[Failure] = []

    def read(self) -> None:
        """Read the whole text, to the first mistake."""
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = False
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.EntityDeclHandler = self._refuse_entity
        try:
            self._parser.Parse(self._source.text, True)
        except expat.ExpatError as exc:
            reason = f"not XML: it cannot be parsed{original(expat.ErrorString(exc.code))}"
            self.failures.append((exc.lineno + self._source.first_line - 1, reason))
        except (TooDeep, UnreadableFile) as exc:
            self.failures.append((self._line(), str(exc)))
        self._close_record(self._head_links)

    def _line(self) -> int:
        return self._parser.CurrentLineNumber + self._source.first_line - 1

    def _refuse_entity(self, *_: object) -> None:
        raise UnreadableFile("it declares entities of its own: write the text itself")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        self._names.append(name)
        if len(self._names) > MAX_DEPTH:
            raise TooDeep(TOO_DEEP)
        if name in ENTRIES:
            self._head_links += self._links
            self._links = []
        self._text = ""
        self._text_place = None
        for key, value in attributes.items():
            if not NAMESPACE_KEY.match(key) and URL_LIKE.fullmatch(value.strip()):
                self._attribute(key.rpartition(":")[2], key, value, attributes)

    def _attribute(self, key: str, written_key: str, value: str, attributes: Mapping[str, str]) -> None:
        """A URL in an attribute: its place is behind the quote, in the tag that begins here."""
        names = (*self._names[:-1], f"{self._names[-1]}@{key}")
        row, column = self._parser.CurrentLineNumber - 1, self._parser.CurrentColumnNumber
        tag = "\n".join([self._lines[row][column:], *self._lines[row + 1 : row + 50]])
        match = re.search(rf"\s{re.escape(written_key)}\s*=\s*[\"']\s*", tag)
        ahead = tag[: match.end()] if match else ""
        breaks = ahead.count("\n")
        place = (row + breaks, len(ahead) - ahead.rfind("\n") - 1 if breaks else column + len(ahead))
        self._take(names, value.strip(), place, attributes)

    def _data(self, data: str) -> None:
        if self._text_place is None and data.strip():
            indent = len(data) - len(data.lstrip())
            self._text_place = (self._parser.CurrentLineNumber - 1, self._parser.CurrentColumnNumber + indent)
        if len(self._text) < len(self._source.text):
            self._text += data

    def _end(self, name: str) -> None:
        text = self._text.strip()
        if self._text_place is not None and URL_LIKE.fullmatch(text):
            self._take(tuple(self._names), text, self._text_place, {})
        self._text = ""
        self._text_place = None
        self._names.pop()
        if name.rpartition(":")[2] in ENTRIES:
            self._close_record(self._links)
            self._links = []

    def _take(
        self, names: tuple[str, ...], text: str, place: tuple[int, int], attributes: Mapping[str, str]
    ) -> None:
        """A URL, by the rules of the configuration, else by those of the standards."""
        keys = tuple(".".join(names).replace("@", ".").split("."))
        rule = self._source.rules.match(keys)
        kind = rule.kind if rule else _standard_kind(names, attributes)
        line, column = place[0] + self._source.first_line, place[1] + 1
        field = ".".join(names)
        if kind is not None:
            declared = _declared(attributes) if kind is Kind.IMAGE else None
            self._links.append(Link(field, line, column, text, kind, declared=declared))
        elif self._source.rules.survey:
            self._unmapped.append(UnmappedValue(".".join(keys), field, line, column, text))

    def _close_record(self, links: list[Link]) -> None:
        """Keep a record that has links, or something that a survey is about."""
        links = [*links, *self._links] if links is self._head_links else links
        if links or self._unmapped:
            record = Record(self._source.path, len(self.records), tuple(links), tuple(self._unmapped))
            self.records.append(record)
        self._unmapped = []


def _standard_kind(names: tuple[str, ...], attributes: Mapping[str, str]) -> Kind | None:
    """The kind of a URL at a path of elements, as the standards have it; the longest that fits."""
    ends = (".".join(names[start:]) for start in range(len(names)))
    kind = next((XML_FIELDS[end] for end in ends if end in XML_FIELDS), None)
    is_image = IMAGE_TYPE.fullmatch(attributes.get("medium", "") or attributes.get("type", ""))
    return Kind.IMAGE if kind and is_image else kind


def _declared(attributes: Mapping[str, str]) -> Declared | None:
    """The size that stands beside a URL, if one does."""
    width, height = (_size(attributes, name) for name in ("width", "height"))
    return None if width is None and height is None else Declared(width, height)


def _size(attributes: Mapping[str, str], name: str) -> int | str | None:
    value = attributes.get(name)
    return None if value is None else pixels((value, False))
