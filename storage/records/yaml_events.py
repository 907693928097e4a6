"""The parse events of one YAML document, aliases replaced by what they stand for.

libyaml's events come through PyYAML with their marks; where the installed PyYAML has no libyaml,
its own parser gives the same events, only slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol, TypeAlias

import yaml
from yaml import events

LIBYAML: Final[bool] = bool(yaml.__with_libyaml__)
MAX_ALIAS_EVENTS: Final = 10_000  # events that aliases may repeat in one document
# PyYAML types the marks of its events as perhaps missing; a parser always sets them.
Event: TypeAlias = Any
LEVEL_STARTS: Final = (events.MappingStartEvent, events.SequenceStartEvent)
LEVEL_ENDS: Final = (events.MappingEndEvent, events.SequenceEndEvent)


class EventSource(Protocol):
    """A parser of PyYAML's."""

    def get_event(self) -> Event:
        """The next event; None behind the last."""

    def dispose(self) -> None:
        """Give the memory back."""


class LoaderType(Protocol):
    """What makes a parser of a text."""

    def __call__(self, text: str, /) -> EventSource:
        """A parser of the text."""


Loader: Final[LoaderType] = yaml.CSafeLoader if LIBYAML else yaml.SafeLoader


class RefusedYaml(ValueError):
    """Well-formed, but not what a record may be; `line` is 1-based."""

    def __init__(self, reason: str, line: int | None) -> None:
        super().__init__(reason)
        self.line = line


class _DocumentEnd:
    """Equal to the end of a document, so that an iterator can stop there."""

    def __eq__(self, event: object) -> bool:
        return type(event) is events.DocumentEndEvent

    __hash__ = None  # type: ignore[assignment]  # compared, never kept


DOCUMENT_END: Final = _DocumentEnd()


def plain_events(source: EventSource) -> Iterator[Event]:
    """The events of one document without anchors, at full speed."""
    return iter(source.get_event, DOCUMENT_END)


class AliasExpander:
    """Replaces the aliases of one document; `line_of` tells on which line an event stands."""

    def __init__(self, line_of: Callable[[Event], int]) -> None:
        self._line_of = line_of
        self._anchors: dict[str, list[Event]] = {}
        self._recording: list[tuple[str, list[Event], int]] = []
        self._repeated = 0

    def events(self, source: EventSource) -> Iterator[Event]:
        """The events of one document, aliases replaced by what they stand for."""
        for event in iter(source.get_event, None):
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
        anchor_events = self._anchors.get(event.anchor)
        if anchor_events is None:
            raise RefusedYaml(f"the alias *{event.anchor} stands for nothing", line)
        self._repeated += len(anchor_events)
        if self._repeated > MAX_ALIAS_EVENTS:
            raise RefusedYaml(f"its aliases repeat more than {MAX_ALIAS_EVENTS} values", line)
        for alias_event in anchor_events:
            for _, buffer, _ in self._recording:
                buffer.append(alias_event)
        yield from anchor_events

    def _record_anchor(self, event: Event, anchor: str | None) -> None:
        """Keep what an anchor names, to repeat it where an alias stands."""
        change = 1 if type(event) in LEVEL_STARTS else -1 if type(event) in LEVEL_ENDS else 0
        open_: list[tuple[str, list[Event], int]] = []
        for name, buffer, depth in self._recording:
            buffer.append(event)
            if depth + change:
                open_.append((name, buffer, depth + change))
            else:
                self._anchors[name] = buffer
        self._recording = open_
        if anchor is None:
            return
        if change == 1:
            self._anchors.pop(anchor, None)
            self._recording.append((anchor, [event], 1))
        else:
            self._anchors[anchor] = [event]
