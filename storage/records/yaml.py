"""YAML by its parse events: no node, no object, no tag is ever made of it.

libyaml's events come through PyYAML with their marks; where the installed PyYAML has no libyaml,
its own parser gives the same events, only slower.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

import yaml
from yaml import events

from storage.model import Record
from storage.records.gather import Gatherer, Rules, TooDeep

LIBYAML: Final[bool] = bool(yaml.__with_libyaml__)
Loader: Final[Any] = yaml.CSafeLoader if LIBYAML else yaml.SafeLoader
EXPANSION: Final = 10_000  # events that aliases may repeat in one document
ANCHOR: Final = re.compile(r"[\s\[{,?:-][&*]")  # may be an anchor or an alias; most texts have none
Failure = tuple[int | None, str]
# PyYAML types the marks of its events as perhaps missing; a parser always sets them.
Event: TypeAlias = Any
STARTS: Final = (events.MappingStartEvent, events.SequenceStartEvent)
ENDS: Final = (events.MappingEndEvent, events.SequenceEndEvent)


class Refused(ValueError):
    """Well-formed, but not what a record may be; `line` is 1-based."""

    def __init__(self, reason: str, line: int | None) -> None:
        super().__init__(reason)
        self.line = line


def parse(
    text: str, path: str, rules: Rules, *, first_line: int = 1, mapping: bool = False
) -> tuple[list[Record], list[Failure]]:
    """The records of a YAML text, and why the rest could not be read.

    `first_line` is the line on which the text begins; `mapping` refuses all but one mapping.
    Records that ended before a mistake are kept.
    """
    reader = _Reader(text, path, rules, first_line, mapping=mapping)
    try:
        reader.read()
    except yaml.MarkedYAMLError as exc:
        reader.failures.append(_explain(exc, first_line))
    except yaml.reader.ReaderError as exc:
        breaks = text.count("\n", 0, exc.position)
        reader.failures.append((breaks + first_line, f"not YAML: {exc.reason}"))
    except (yaml.YAMLError, Refused, TooDeep, ValueError, RecursionError) as exc:
        line = getattr(exc, "line", None) or reader.line
        reader.failures.append((line, _first_line(exc)))
    return reader.records, reader.failures


def _explain(exc: yaml.MarkedYAMLError, first_line: int) -> Failure:
    mark: Event = exc.problem_mark or exc.context_mark
    line = None if mark is None else int(mark.line) + first_line
    reason = ", ".join(part for part in (exc.problem, exc.context) if part)
    return line, f"not YAML: {reason or 'it cannot be parsed'}"


def _first_line(exc: Exception) -> str:
    reason = getattr(exc, "reason", None)
    text = f"not YAML: {reason}" if isinstance(exc, yaml.YAMLError) and reason else str(exc)
    return text.partition("\n")[0]


def _plain(loader: Any) -> Iterator[Event]:
    """The events of one document without anchors, at full speed."""
    return iter(loader.get_event, DOCUMENT_END)


class _DocumentEnd:
    """Equal to the end of a document, so that an iterator can stop there."""

    def __eq__(self, other: object) -> bool:
        return type(other) is events.DocumentEndEvent

    __hash__ = None  # type: ignore[assignment]  # compared, never kept


DOCUMENT_END: Final = _DocumentEnd()


class _Reader:
    """Reads one text; `records` and `failures` grow as it goes."""

    def __init__(self, text: str, path: str, rules: Rules, first_line: int, *, mapping: bool) -> None:
        self._text, self._path, self._rules = text, path, rules
        self._offset = first_line
        self._mapping = mapping
        self._lines: Sequence[str] | None = None
        self._anchors: dict[str, list[Event]] = {}
        self._recording: list[tuple[str, list[Event], int]] = []
        self._repeated = 0
        self.line: int | None = None
        self.records: list[Record] = []
        self.failures: list[Failure] = []

    def read(self) -> None:
        """Read every document."""
        loader = Loader(self._text)
        expand = self._expanded if ANCHOR.search(self._text) else _plain
        try:
            for event in iter(loader.get_event, None):
                if type(event) is events.DocumentStartEvent:
                    self._document(expand(loader))
        finally:
            loader.dispose()

    def _document(self, stream: Iterator[Event]) -> None:
        self._anchors.clear()
        self._repeated = 0
        first = next(stream)
        if isinstance(first, events.MappingStartEvent):
            self._record(stream, "")
        elif isinstance(first, events.SequenceStartEvent) and not self._mapping:
            self._list(stream, "")
        elif not isinstance(first, events.ScalarEvent) or first.value.strip():
            self._refuse(first)
        for _ in stream:
            pass

    def _list(self, stream: Iterator[Event], prefix: str) -> None:
        """A list of records, in lists as deep as they like."""
        number = -1
        for event in stream:
            self.line = self._line_of(event)
            if isinstance(event, events.SequenceEndEvent):
                return
            number += 1
            place = f"{prefix}[{number}]"
            if isinstance(event, events.MappingStartEvent):
                self._record(stream, place)
            elif isinstance(event, events.SequenceStartEvent):
                if place.count("[") > 100:  # noqa: PLR2004 - as deep as a record may be
                    raise TooDeep("nested deeper than 100 levels")
                self._list(stream, place)
            else:
                self._refuse(event)

    def _line_of(self, event: Event) -> int:
        return int(event.start_mark.line) + self._offset

    def _refuse(self, event: Event) -> None:
        is_list = isinstance(event, events.SequenceStartEvent)
        what = "a list" if is_list else "a single value"
        why = f"a record is a mapping of keys to values; this is {what}"
        line = self._line_of(event)
        if is_list:
            raise Refused(why, line)
        self.failures.append((line, why))

    def _record(self, stream: Iterator[Event], prefix: str) -> None:
        """One mapping, whose start was read, to its end."""
        gatherer = Gatherer(self._rules, prefix)
        gatherer.begin(is_list=False)
        self._feed(stream, gatherer)
        self.records.append(Record(self._path, len(self.records), gatherer.links()))

    def _feed(self, stream: Iterator[Event], gatherer: Gatherer) -> None:
        depth, scalar, offer = 1, events.ScalarEvent, gatherer.offer
        for event in stream:
            kind = type(event)
            if kind is scalar:
                if offer(event.value):
                    self._scalar(event, gatherer)
            elif kind in STARTS:
                depth += 1
                self.line = self._line_of(event)
                gatherer.begin(is_list=kind is events.SequenceStartEvent)
            elif kind in ENDS:
                depth -= 1
                gatherer.end()
                if not depth:
                    return

    def _scalar(self, event: Event, gatherer: Gatherer) -> None:
        mark, style = event.start_mark, event.style
        line, column = mark.line + self._offset, mark.column + 1
        if style in {"|", ">"}:
            line, column = self._block(mark.line)
        elif event.anchor or event.tag:
            column = self._behind(event.value, mark)
        elif style:
            column += 1
        gatherer.scalar(event.value, line, column, plain=style is None or style == "")

    def _behind(self, value: str, mark: Any) -> int:
        """Where a text stands behind its tag or anchor, on the line of both."""
        column = self._line(mark.line).find(value, mark.column)
        return (column if column >= 0 else mark.column) + 1

    def _line(self, number: int) -> str:
        if self._lines is None:
            self._lines = self._text.splitlines()
        return self._lines[number]

    def _block(self, line: int) -> tuple[int, int]:
        """Where the text of a block scalar begins: below its indicator."""
        self._line(line)
        for number in range(line + 1, len(self._lines or ())):
            text = self._line(number)
            if text.strip():
                return number + self._offset, len(text) - len(text.lstrip()) + 1
        return line + self._offset, 1

    def _expanded(self, loader: Any) -> Iterator[Event]:
        """The events of one document, aliases replaced by what they stand for."""
        for event in iter(loader.get_event, None):
            kind = type(event)
            if kind is events.DocumentEndEvent:
                return
            if kind is events.AliasEvent:
                yield from self._repeat(event)
                continue
            anchor = getattr(event, "anchor", None)
            if anchor is not None or self._recording:
                self._record_anchor(event, anchor)
            yield event

    def _repeat(self, event: Event) -> Iterator[Event]:
        line = self._line_of(event)
        recorded = self._anchors.get(event.anchor)
        if recorded is None:
            raise Refused(f"the alias *{event.anchor} stands for nothing", line)
        self._repeated += len(recorded)
        if self._repeated > EXPANSION:
            raise Refused(f"its aliases repeat more than {EXPANSION} values", line)
        for one in recorded:
            for _, kept, _ in self._recording:
                kept.append(one)
        yield from recorded

    def _record_anchor(self, event: Event, anchor: str | None) -> None:
        """Keep what an anchor names, to repeat it where an alias stands."""
        change = 1 if type(event) in STARTS else -1 if type(event) in ENDS else 0
        open_: list[tuple[str, list[Event], int]] = []
        for name, kept, depth in self._recording:
            kept.append(event)
            if depth + change:
                open_.append((name, kept, depth + change))
            else:
                self._anchors[name] = kept
        self._recording = open_
        if anchor is None:
            return
        if change == 1:
            self._anchors.pop(anchor, None)
            self._recording.append((anchor, [event], 1))
        else:
            self._anchors[anchor] = [event]
