"""Merge keys of YAML (`<<: *name`), resolved: what they bring counts as if it stood there.

yaml.org/type/merge.html: a key of the mapping itself wins over a merged one, and of several merged
mappings the first that has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from yaml import events

from storage.records.gather import MAX_DEPTH, TOO_DEEP, TooDeep
from storage.records.yaml_events import LEVEL_ENDS, LEVEL_STARTS, Event

MERGE_KEY: Final = re.compile(r"<<[\"']?[ \t]*:")  # may be one; most texts have none


@dataclass(slots=True)
class _Level:
    """A mapping or a list: the keys and values of a mapping stand in turn."""

    start: Event
    nodes: list[_Node] = field(default_factory=list)
    end: Event = None

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.start, events.MappingStartEvent)


_Node: TypeAlias = "_Level | Event"


def merged_events(stream: Iterator[Event]) -> Iterator[Event]:
    """The events of one document, merge keys replaced by what they stand for.

    Raises:
        TooDeep: more than `MAX_DEPTH` levels.
    """
    for event in stream:
        yield from _emitted(_node(event, stream, 1))


def _node(event: Event, stream: Iterator[Event], depth: int) -> _Node:
    if type(event) not in LEVEL_STARTS:
        return event
    if depth > MAX_DEPTH:
        raise TooDeep(TOO_DEEP)
    level = _Level(event)
    for child in stream:
        if type(child) in LEVEL_ENDS:
            level.end = child
            break
        level.nodes.append(_node(child, stream, depth + 1))
    if level.is_mapping:
        level.nodes = _merged(level.nodes)
    return level


def _merged(nodes: list[_Node]) -> list[_Node]:
    """The keys and values of a mapping: those that are merged into it first, then its own."""
    pairs = list(zip(nodes[::2], nodes[1::2], strict=True))
    sources = [source for key, value in pairs if _is_merge(key) for source in _sources(value)]
    if not sources:
        return nodes
    own_pairs = [(key, value) for key, value in pairs if not (_is_merge(key) and _sources(value))]
    names = {_name(key) for key, _ in own_pairs} - {None}
    merged_nodes: list[_Node] = []
    for source in sources:
        for key, value in zip(source.nodes[::2], source.nodes[1::2], strict=True):
            if _name(key) not in names:
                merged_nodes += [key, value]
        names |= {_name(key) for key in source.nodes[::2]} - {None}
    return [*merged_nodes, *(node for pair in own_pairs for node in pair)]


def _is_merge(key: _Node) -> bool:
    return type(key) is events.ScalarEvent and key.value == "<<" and not key.style


def _sources(value: _Node) -> list[_Level]:
    """The mappings that a merge key names: one, or a list of them."""
    if not isinstance(value, _Level):
        return []
    if value.is_mapping:
        return [value]
    return [node for node in value.nodes if isinstance(node, _Level) and node.is_mapping]


def _name(key: _Node) -> str | None:
    return str(key.value) if type(key) is events.ScalarEvent else None


def _emitted(node: _Node) -> Iterator[Event]:
    if not isinstance(node, _Level):
        yield node
        return
    yield node.start
    for child in node.nodes:
        yield from _emitted(child)
    yield node.end
