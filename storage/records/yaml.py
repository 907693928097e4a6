"""YAML by its parse events: no node, no object, no tag is ever made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import yaml
from yaml import events

from storage.model import Record
from storage.records.gather import MAX_DEPTH, TOO_DEEP, Gatherer, TooDeep
from storage.records.lines import LONE_RETURN, LineIndex
from storage.records.mistakes import yaml_reason
from storage.records.rules import Rules
from storage.records.source import Failure, Parsed
from storage.records.yaml_events import (
    LEVEL_ENDS,
    LEVEL_STARTS,
    AliasExpander,
    Event,
    EventSource,
    Loader,
    RefusedYaml,
    plain_events,
)
from storage.records.yaml_merge import MERGE_KEY, merged_events
from storage.records.yaml_separators import SeparatorMask

ANCHOR: Final = re.compile(r"[\s\[{,?:-][&*]")  # may be an anchor or an alias; most texts have none
LINE_BREAK: Final = re.compile(r"\r\n|[\n\r]")  # YAML 1.2, 5.4
# Where a document of a stream may begin: its directives, and its marker, which no value may hold.
DOCUMENT_START: Final = re.compile(
    r"^(?:%(?:YAML|TAG)[ \t][^\r\n]*\r?\n)*---(?=\s|\Z)|(?<=^\.\.\.\n)", re.MULTILINE
)


def parse(text: str, path: str, rules: Rules, *, first_line: int = 1, mapping: bool = False) -> Parsed:
    """The records of a YAML text, and why the rest could not be read.

    `first_line` is the line on which the text begins; `mapping` refuses all but one mapping.
    Records that ended before a mistake are kept, and so are the documents behind it.
    """
    reader = _YamlReader(text, path, rules, first_line, mapping=mapping)
    reader.read_all()
    starts = [] if mapping or not reader.failures else _document_starts(text)
    if len(starts) <= 1:
        return reader.records, reader.failures
    return _parse_apart(text, path, rules, starts, first_line)


def _document_starts(text: str) -> list[int]:
    return sorted({0, *(match.start() for match in DOCUMENT_START.finditer(text))})


def _parse_apart(text: str, path: str, rules: Rules, starts: Sequence[int], first_line: int) -> Parsed:
    """Read each document of a stream for itself, so that a mistake in one costs no other."""
    records: list[Record] = []
    failures: list[Failure] = []
    lines = LineIndex(text, first_line)
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        line, _ = lines.place(start)
        reader = _YamlReader(text[start:end], path, rules, line, first_index=len(records))
        reader.read_all()
        records += reader.records
        failures += reader.failures
    return records, failures


class _YamlReader:
    """Reads one text; `records` and `failures` grow as it goes."""

    def __init__(
        self,
        text: str,
        path: str,
        rules: Rules,
        first_line: int,
        *,
        mapping: bool = False,
        first_index: int = 0,
    ) -> None:
        self._mask = SeparatorMask(text)
        self._text = self._mask.text
        self._path = path
        self._rules = rules
        self._offset = first_line
        self._first_index = first_index
        self._mapping = mapping
        self._has_anchors = ANCHOR.search(text) is not None
        self._has_merges = MERGE_KEY.search(text) is not None
        # A parser of YAML takes a lone carriage return for the end of a line, and editors do not.
        self._index = LineIndex(text, first_line) if LONE_RETURN.search(text) else None
        self._lines: Sequence[str] | None = None
        self.line: int | None = None
        self.records: list[Record] = []
        self.failures: list[Failure] = []

    def read_all(self) -> None:
        """Read every document, to the first mistake."""
        try:
            self._read()
        except yaml.MarkedYAMLError as exc:
            self.failures.append(self._explain(exc))
        except yaml.reader.ReaderError as exc:
            line, _ = LineIndex(self._text, self._offset).place(exc.position)
            self.failures.append((line, yaml_reason([exc.reason], "")))
        except (RefusedYaml, TooDeep) as exc:
            self.failures.append((getattr(exc, "line", None) or self.line, str(exc)))
        except (yaml.YAMLError, ValueError) as exc:
            self.failures.append((self.line, yaml_reason([str(exc)], "")))
        except RecursionError:
            self.failures.append((self.line, TOO_DEEP))

    def _read(self) -> None:
        loader = Loader(self._text)
        try:
            for event in iter(loader.get_event, None):
                if type(event) is events.DocumentStartEvent:
                    self._document(self._events(loader))
        finally:
            loader.dispose()

    def _events(self, loader: EventSource) -> Iterator[Event]:
        """The events of the next document."""
        stream = AliasExpander(self._line_of).events(loader) if self._has_anchors else plain_events(loader)
        stream = self._mask.restored(stream)
        return merged_events(stream) if self._has_merges else stream

    def _explain(self, exc: yaml.MarkedYAMLError) -> Failure:
        """The line and the reason of a parser's error, measured from the last start of a level."""
        mark: Event = exc.problem_mark or exc.context_mark
        if mark is None:
            return self.line, yaml_reason((exc.problem, exc.context), "")
        start = (self.line or self._offset) - self._offset
        lines = self._text.split("\n")[start : mark.line + 1]
        ahead = "\n".join([*lines[:-1], *(line[: mark.column] for line in lines[-1:])])
        return self._place(mark)[0], yaml_reason((exc.problem, exc.context), ahead)

    def _place(self, mark: yaml.Mark) -> tuple[int, int]:
        """Line and column of a mark, 1-based, as editors count them."""
        if self._index is not None:
            return self._index.place(mark.index)
        return int(mark.line) + self._offset, int(mark.column) + 1

    def _document(self, stream: Iterator[Event]) -> None:
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
                if place.count("[") > MAX_DEPTH:
                    raise TooDeep(TOO_DEEP)
                self._list(stream, place)
            else:
                self._refuse(event)

    def _line_of(self, event: Event) -> int:
        return self._place(event.start_mark)[0]

    def _refuse(self, event: Event) -> None:
        is_list = isinstance(event, events.SequenceStartEvent)
        shape = "a list" if is_list else "a single value"
        why = f"a record is a mapping of keys to values; this is {shape}"
        line = self._line_of(event)
        if is_list:
            raise RefusedYaml(why, line)
        self.failures.append((line, why))

    def _record(self, stream: Iterator[Event], prefix: str) -> None:
        """One mapping, whose start was read, to its end."""
        gatherer = Gatherer(self._rules, prefix)
        gatherer.begin(is_list=False)
        self._feed(stream, gatherer)
        index = self._first_index + len(self.records)
        self.records.append(Record(self._path, index, gatherer.links(), gatherer.unmapped()))

    def _feed(self, stream: Iterator[Event], gatherer: Gatherer) -> None:
        depth, scalar, offer = 1, events.ScalarEvent, gatherer.offer
        for event in stream:
            kind = type(event)
            if kind is scalar:
                if offer(event.value):
                    self._scalar(event, gatherer)
            elif kind in LEVEL_STARTS:
                depth += 1
                self.line = self._line_of(event)
                gatherer.begin(is_list=kind is events.SequenceStartEvent)
            elif kind in LEVEL_ENDS:
                depth -= 1
                gatherer.end()
                if not depth:
                    return

    def _scalar(self, event: Event, gatherer: Gatherer) -> None:
        mark, style = event.start_mark, event.style
        line, column = self._place(mark)
        if style in {"|", ">"}:
            line, column = self._block(mark.line)
        elif event.anchor or event.tag:
            column = self._behind(event.value, mark)
        elif style:
            column += 1
        gatherer.scalar(event.value, line, column, plain=style is None or style == "")

    def _behind(self, value: str, mark: yaml.Mark) -> int:
        """Where a text stands behind its tag or anchor, on the line of both."""
        column = self._line(mark.line).find(value, mark.column)
        return (column if column >= 0 else mark.column) + 1

    def _line(self, number: int) -> str:
        if self._lines is None:
            self._lines = LINE_BREAK.split(self._text)
        return self._lines[number]

    def _block(self, line: int) -> tuple[int, int]:
        """Where the text of a block scalar begins: below its indicator."""
        self._line(line)
        for number in range(line + 1, len(self._lines or ())):
            text = self._line(number)
            if text.strip():
                return number + self._offset, len(text) - len(text.lstrip()) + 1
        return line + self._offset, 1
