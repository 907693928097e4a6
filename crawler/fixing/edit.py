"""The corrections of one file, made in its bytes and proven: nothing else may have changed. Pure.

A wish becomes edits of a few letters each. The bytes that come of them are read again, and must give
the links of before but for what was wished; wishes that do not pass are left out, each with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias

from crawler.fixing.text import Text, written
from crawler.fixing.wishes import Skip, Wish
from storage.model import Declared, Document, Kind, Link, Size
from storage.records import Rules, read_bytes

CHANGED: Final = "the record has changed since it was read"
ELSEWHERE: Final = "its text does not stand plainly in the file"
NUMBERS: Final = "its width or height does not stand plainly on a line of its own"
OWN_PAGE: Final = "it leads to the item's own web page"
OTHERWISE: Final = "the file would not say the same but for it"
LinkKey: TypeAlias = tuple[int, str, int, int]


class Edit(NamedTuple):
    """Letters to put in the place of those from `start` to `end`."""

    start: int
    end: int
    letters: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """The bytes of a file after what could be corrected, and what could not."""

    data: bytes
    made: tuple[Wish, ...]
    skips: tuple[Skip, ...]


class _Left(Exception):
    """A wish cannot be granted, for this reason."""


def correct(path: str, data: bytes, wishes: Sequence[Wish], rules: Rules) -> Corrected:
    """Grant as many wishes for a file as its bytes allow."""
    file = _File(path, data, rules)
    granted: list[tuple[Wish, list[Edit]]] = []
    skips: list[Skip] = []
    for wish in sorted(wishes, key=lambda one: (one.number, one.link.line, one.link.column, one.link.field)):
        try:
            granted.append((wish, list(file.edits(wish))))
        except _Left as exc:
            skips.append(Skip(path, wish.link, str(exc)))
    made = _most(file, [], granted, skips)
    return Corrected(file.spliced(made), tuple(wish for wish, _ in made), tuple(skips))


Granted: TypeAlias = Sequence[tuple[Wish, Sequence[Edit]]]


def _most(file: _File, made: Granted, more: Granted, skips: list[Skip]) -> Granted:
    """Those of `made`, which pass, and of `more` as many as pass beside them; the others are skipped.

    Each that fails costs as many readings of the file as `more` can be halved.
    """
    if not more or file.holds([*made, *more]):
        return [*made, *more]
    if len(more) == 1:
        wish = more[0][0]
        skips.append(Skip(wish.path, wish.link, OTHERWISE))
        return made
    half = len(more) // 2
    return _most(file, _most(file, made, more[:half], skips), more[half:], skips)


def _key(number: int, link: Link) -> LinkKey:
    return number, link.field, link.line, link.column


class _File:
    """One file before any correction."""

    def __init__(self, path: str, data: bytes, rules: Rules) -> None:
        self._path, self._rules = path, rules
        self.text = Text(path, data)
        self._before = read_bytes(path, data, rules)
        self._links = {
            _key(record.index, link): link for record in self._before.records for link in record.links
        }
        self._pages = {
            (number, link.item, link.text)
            for (number, *_), link in self._links.items()
            if link.kind is Kind.WEB
        }

    def edits(self, wish: Wish) -> Iterator[Edit]:
        """The edits that grant a wish.

        Raises:
            _Left: the file does not say what the wish is about, or not plainly.
        """
        if self._links.get(_key(wish.number, wish.link)) != wish.link:
            raise _Left(CHANGED)
        if wish.text is not None:
            yield self._reworded(wish, wish.text)
        if wish.size is not None:
            yield from self._resized(wish.link, wish.size)

    def _reworded(self, wish: Wish, text: str) -> Edit:
        link = wish.link
        if link.kind is Kind.AMP and (wish.number, link.item, text) in self._pages:
            raise _Left(OWN_PAGE)
        token = self.text.token(link.line, link.column, link.text)
        if token is None:
            raise _Left(ELSEWHERE)
        return Edit(token.start, token.end, written(text, token.style, link.text))

    def _resized(self, link: Link, size: Size) -> Iterator[Edit]:
        said = link.declared or Declared()
        key = link.field.rpartition(".")[2]
        for name, old, new in (("width", said.width, size.width), ("height", said.height, size.height)):
            if old is None or old == new:
                continue
            span = self.text.number(link.line, key, name, old)
            if span is None:
                raise _Left(NUMBERS)
            yield Edit(*span, str(new))

    def spliced(self, granted: Granted) -> bytes:
        """The bytes of the file with these edits."""
        letters, parts, end = self.text.letters, [], 0
        for edit in sorted({edit for _, edits in granted for edit in edits}):
            if edit.start < end:
                continue  # of two that overlap the first is made, and the proof tells the rest
            parts += [letters[end : edit.start], edit.letters]
            end = edit.end
        return self.text.encoded("".join([*parts, letters[end:]]))

    def holds(self, granted: Granted) -> bool:
        """Whether the file, with these edits, says the same as before but for what was wished."""
        after = read_bytes(self._path, self.spliced(granted), self._rules)
        wished = {_key(wish.number, wish.link): wish for wish, _ in granted}
        return _said(self._before, wished) == _said(after, {})


def _said(document: Document, wished: Mapping[LinkKey, Wish]) -> tuple[object, ...]:
    """All that a document says, with what is wished of it; columns may shift behind an edit."""
    links = [
        (record.index, replace(_granted(link, wished.get(_key(record.index, link))), column=0))
        for record in document.records
        for link in record.links
    ]
    return len(document.records), links, document.problems


def _granted(link: Link, wish: Wish | None) -> Link:
    """A link as it should be read afterwards."""
    if wish is None:
        return link
    text = link.text if wish.text is None else wish.text
    return replace(link, text=text, declared=_measured(link.declared, wish.size))


def _measured(said: Declared | None, size: Size | None) -> Declared | None:
    if said is None or size is None:
        return said
    width = None if said.width is None else size.width
    height = None if said.height is None else size.height
    return replace(said, width=width, height=height)
