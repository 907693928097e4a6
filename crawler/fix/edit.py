"""The corrections of one file, made in its bytes and proven: nothing else may have changed. Pure.

A correction becomes edits of a few characters each. The bytes that result are read again and must give
the same links as before, except for the corrections; a correction that fails this is skipped with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

from crawler.fix.correction import Correction, SkippedCorrection
from crawler.fix.same_article import title_fits
from crawler.fix.source_text import SourceText, in_style
from crawler.urls import masked, typed_url
from storage.edits import TextEdit
from storage.frozen import frozen
from storage.model import Declared, Document, Kind, Link, Size
from storage.records import Rules, read_bytes

CHANGED_RECORD_REASON: Final = "the record has changed since it was read"
TEXT_REASON: Final = "its text does not stand plainly in the file"
SIZE_REASON: Final = "its width or height does not stand plainly on a line of its own"
OWN_PAGE_REASON: Final = "it leads to the item's own web page"
SIDE_EFFECT_REASON: Final = "the file would not say the same but for it"
TITLE_KEYS: Final = ("title", "headline", "name")
LinkKey: TypeAlias = tuple[int, str, int, int]


class Edit(NamedTuple):
    """Characters that replace those from `start` to `end`."""

    start: int
    end: int
    letters: str


@frozen
class CorrectedFile:
    """The bytes of a file after what could be corrected, by which edits, and what could not."""

    data: bytes
    made: tuple[Correction, ...]
    edits: tuple[TextEdit, ...]
    skips: tuple[SkippedCorrection, ...]


class _NotCorrectable(Exception):
    """A correction cannot be made, for this reason."""


def correct(path: str, data: bytes, corrections: Sequence[Correction], rules: Rules) -> CorrectedFile:
    """Make as many corrections of a file as its bytes allow."""
    file = _File(path, data, rules)
    skips: list[SkippedCorrection] = []
    leading = [correction for correction in corrections if correction.follows is None]
    passing = _largest_passing(file, [], _planned(file, leading, skips), skips)
    texts = {(change.number, change.link.item, change.text) for change, _ in passing}
    followers = [
        correction
        for correction in corrections
        if correction.follows is not None
        and (correction.number, correction.link.item, correction.follows) in texts
    ]
    passing = _largest_passing(file, passing, _planned(file, followers, skips), skips)
    corrections = tuple(correction for correction, _ in passing)
    return CorrectedFile(file.spliced(passing), corrections, tuple(file.text_edits(passing)), tuple(skips))


def _planned(
    file: _File, corrections: Sequence[Correction], skips: list[SkippedCorrection]
) -> list[tuple[Correction, list[Edit]]]:
    """The edits of each correction in the order of the text; one that has none is skipped."""
    planned_edits: list[tuple[Correction, list[Edit]]] = []
    for correction in sorted(corrections, key=_place):
        try:
            planned_edits.append((correction, list(file.edits(correction))))
        except _NotCorrectable as exc:
            skips.append(SkippedCorrection(correction.path, correction.link, str(exc)))
    return planned_edits


def _place(correction: Correction) -> tuple[int, int, int, str]:
    link = correction.link
    return correction.number, link.line, link.column, link.field


CorrectionEdits: TypeAlias = Sequence[tuple[Correction, Sequence[Edit]]]


def _largest_passing(
    file: _File, passing: CorrectionEdits, candidates: CorrectionEdits, skips: list[SkippedCorrection]
) -> CorrectionEdits:
    """Those of `passing`, and of `candidates` as many as pass beside them; the others are skipped.

    Each that fails costs as many readings of the file as `candidates` can be halved.
    """
    if not candidates or file.holds([*passing, *candidates]):
        return [*passing, *candidates]
    if len(candidates) == 1:
        correction = candidates[0][0]
        skips.append(SkippedCorrection(correction.path, correction.link, SIDE_EFFECT_REASON))
        return passing
    half = len(candidates) // 2
    return _largest_passing(
        file, _largest_passing(file, passing, candidates[:half], skips), candidates[half:], skips
    )


def _key(number: int, link: Link) -> LinkKey:
    return number, link.field, link.line, link.column


class _File:
    """One file before any correction."""

    def __init__(self, path: str, data: bytes, rules: Rules) -> None:
        self._path = path
        self._rules = rules
        self.text = SourceText(data)
        self._before = read_bytes(path, data, rules)
        self._links = {
            _key(record.index, link): link for record in self._before.records for link in record.links
        }
        self._pages = {
            (number, link.item, link.text)
            for (number, *_), link in self._links.items()
            if link.kind is Kind.WEB
        }

    def edits(self, correction: Correction) -> Iterator[Edit]:
        """The edits that make a correction.

        Raises:
            _NotCorrectable: the link is not in the file, or not in plain text.
        """
        if self._links.get(_key(correction.number, correction.link)) != correction.link:
            raise _NotCorrectable(CHANGED_RECORD_REASON)
        if correction.text is not None:
            yield self._reworded(correction, correction.text)
        if correction.size is not None:
            yield from self._resized(correction.link, correction.size)

    def _reworded(self, correction: Correction, text: str) -> Edit:
        link = correction.link
        if link.kind is Kind.AMP and (correction.number, link.item, text) in self._pages:
            raise _NotCorrectable(OWN_PAGE_REASON)
        if correction.new_url is not None and not self._title_fits(link, correction.new_url):
            raise _NotCorrectable(f"nothing tells that it is the same article, {correction.new_url}")
        token = self.text.token(link.line, link.column, link.text)
        if token is None:
            raise _NotCorrectable(TEXT_REASON)
        return Edit(token.start, token.end, in_style(text, token.style, link.text))

    def _title_fits(self, link: Link, new_url: str) -> bool:
        """Whether a title beside the link in the record names the page it moved to."""
        key = link.field.rpartition(".")[2]
        titles = (self.text.beside(link.line, key, name) for name in TITLE_KEYS)
        return any(title_fits(title, new_url) for title in titles if title is not None)

    def _resized(self, link: Link, size: Size) -> Iterator[Edit]:
        declared = link.declared or Declared()
        key = link.field.rpartition(".")[2]
        for name, old, new in (
            ("width", declared.width, size.width),
            ("height", declared.height, size.height),
        ):
            if old is None or old == new:
                continue
            span = self.text.number(link.line, key, name, old)
            if span is None:
                raise _NotCorrectable(SIZE_REASON)
            yield Edit(*span, str(new))

    def spliced(self, corrections: CorrectionEdits) -> bytes:
        """The bytes of the file with these edits."""
        letters, parts, end = self.text.letters, [], 0
        for edit in _apart(corrections):
            parts += [letters[end : edit.start], edit.letters]
            end = edit.end
        return self.text.encoded("".join([*parts, letters[end:]]))

    def text_edits(self, corrections: CorrectionEdits) -> Iterator[TextEdit]:
        """What these edits replace, and where the new letters stand afterwards."""
        shift = 0
        for edit, correction in _apart(corrections).items():
            link, old_letters = correction.link, self.text.letters[edit.start : edit.end]
            url, start = masked(typed_url(link.text)), edit.start + shift
            yield TextEdit(link.field, correction.rule.value, url, start, old_letters, edit.letters)
            shift += len(edit.letters) - len(old_letters)

    def holds(self, planned_edits: CorrectionEdits) -> bool:
        """Whether the file, with these edits, says the same as before but for the corrections."""
        after = read_bytes(self._path, self.spliced(planned_edits), self._rules)
        corrections = {
            _key(correction.number, correction.link): correction for correction, _ in planned_edits
        }
        return _content(self._before, corrections) == _content(after, {})


def _apart(corrections: CorrectionEdits) -> Mapping[Edit, Correction]:
    """The edits in the order of the text; of two that overlap the first, and the proof tells the rest."""
    edits: dict[Edit, Correction] = {}
    end = 0
    pairs = ((edit, correction) for correction, parts in corrections for edit in parts)
    for edit, correction in sorted(pairs, key=itemgetter(0)):
        if edit.start >= end:
            edits[edit] = correction
            end = edit.end
    return edits


def _content(document: Document, corrections: Mapping[LinkKey, Correction]) -> tuple[object, ...]:
    """All that a document says, with these corrections; columns may shift behind an edit."""
    links = [
        (record.index, replace(_corrected_link(link, corrections.get(_key(record.index, link))), column=0))
        for record in document.records
        for link in record.links
    ]
    return len(document.records), links, document.problems


def _corrected_link(link: Link, correction: Correction | None) -> Link:
    """A link as it should be read afterwards."""
    if correction is None:
        return link
    text = link.text if correction.text is None else correction.text
    return replace(link, text=text, declared=_corrected_size(link.declared, correction.size))


def _corrected_size(declared: Declared | None, size: Size | None) -> Declared | None:
    if declared is None or size is None:
        return declared
    width = None if declared.width is None else size.width
    height = None if declared.height is None else size.height
    return replace(declared, width=width, height=height)
