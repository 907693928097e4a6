"""From a stream of parse events to links, building nothing that no link needs.

A parser of any format tells what it meets (`begin_mapping`, `key`, `scalar`, `end` ...) and the
gatherer keeps one frame for each open mapping or list. Only the values of keys that a rule names,
and the size that stands beside an image, are ever looked at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from storage.model import Declared, Kind, Link, UnmappedValue
from storage.records.rules import URL_LIKE, FieldRule, KeyUse, Rules

MAX_DEPTH: Final = 100  # levels; real records have seven
TOO_DEEP: Final = f"nested deeper than {MAX_DEPTH} levels"
NULL_WORDS: Final = frozenset({"", "~", "null", "Null", "NULL"})
TRUE_WORDS: Final = frozenset({"true", "yes", "on"})
FALSE_WORDS: Final = frozenset({"false", "no", "off"})
POSITIVE_INTEGER: Final = re.compile(r"\+?0*[1-9][0-9]*")


class TooDeep(ValueError):
    """A document is nested deeper than any record is."""


@dataclass(slots=True)
class _Frame:
    """One open mapping or list. `names` is the path of keys, list indices left out."""

    names: tuple[str, ...]
    path: str
    item: str
    is_list: bool
    mute: bool = False
    index: int = -1
    key: str | None = None
    links: dict[str, list[Link]] = field(default_factory=dict)
    rules: dict[str, FieldRule] = field(default_factory=dict)
    siblings: dict[str, tuple[str, bool]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The key that this frame is the value of, however deep in lists."""
        return self.names[-1] if self.names else ""


class Gatherer:
    """Gathers the links of one record; `links()` once the last frame has ended."""

    def __init__(self, rules: Rules, prefix: str = "") -> None:
        self._rules = rules
        self._uses = rules.key_uses
        self._prefix = prefix
        self._frames: list[_Frame] = []
        self._links: list[Link] = []
        self._unmapped: list[UnmappedValue] = []

    def links(self) -> tuple[Link, ...]:
        """The links found, in the order of the text."""
        return tuple(self._links)

    def unmapped(self) -> tuple[UnmappedValue, ...]:
        """The values that look like URLs, and that no rule takes, where the rules make a survey."""
        return tuple(self._unmapped)

    def offer(self, text: str) -> bool:
        """Take a scalar that is a key, or of no interest; True asks for `scalar` with its place."""
        frame = self._frames[-1]
        if frame.is_list:
            if self._uses[frame.name]:
                return True
            frame.index += 1
        elif frame.key is None:
            frame.key = text
        elif self._uses[frame.key]:
            return True
        else:
            frame.key = None
        return False

    def begin(self, *, is_list: bool) -> None:
        """A mapping or a list begins.

        Raises:
            TooDeep: more than `DEPTH` levels.
        """
        if len(self._frames) >= MAX_DEPTH:
            raise TooDeep(TOO_DEEP)
        if not self._frames:
            self._frames.append(_Frame((), self._prefix, self._prefix, is_list))
            return
        parent = self._frames[-1]
        if not parent.is_list and parent.key is None:
            # A key that is no text, as in `? [a, b]`: nothing below can be named.
            parent.key = ""
            self._frames.append(_Frame((), "", "", is_list, mute=True))
            return
        self._frames.append(self._child(parent, is_list=is_list))

    def _child(self, parent: _Frame, *, is_list: bool) -> _Frame:
        if parent.is_list:
            parent.index += 1
            path = f"{parent.path}[{parent.index}]"
            item = path if parent.name in self._rules.items else parent.item
            return _Frame(parent.names, path, item, is_list, parent.mute)
        key = parent.key or ""
        parent.links.pop(key, None)
        path = f"{parent.path}.{key}" if parent.path else key
        return _Frame((*parent.names, key), path, parent.item, is_list, parent.mute)

    def key(self, name: str) -> None:
        """The key of the value that follows."""
        self._frames[-1].key = name

    def scalar(self, text: str, line: int, column: int, *, plain: bool) -> None:
        """A value; `line` and `column` are where its text begins, `plain` if it has no quotes."""
        frame = self._frames[-1]
        key = frame.key or ""
        if key in self._rules.sibling_keys and not frame.is_list:
            frame.siblings[key] = (text, plain)
            if self._uses[key] is KeyUse.SIZE:
                frame.key = None
                return
        name, names, field_path = self._next_place(frame)
        if frame.mute or self._uses[name] is not KeyUse.LINK:
            return
        url_text = text.strip()
        column += len(text) - len(text.lstrip()) if "\n" not in text else 0
        rule = self._rules.match(names)
        if rule is None:
            if self._rules.survey and URL_LIKE.fullmatch(url_text):
                self._unmapped.append(UnmappedValue(".".join(names), field_path, line, column, url_text))
            return
        if not url_text or (plain and url_text in NULL_WORDS):
            frame.links.pop(name, None)
            return
        frame.rules[name] = rule
        link = Link(field_path, line, column, url_text, rule.kind, frame.item)
        if frame.is_list:
            frame.links.setdefault(name, []).append(link)
        else:
            frame.links[name] = [link]

    def _next_place(self, frame: _Frame) -> tuple[str, tuple[str, ...], str]:
        """The key, the path of keys, and the field path of the value that comes next."""
        if frame.is_list:
            frame.index += 1
            return frame.name, frame.names, f"{frame.path}[{frame.index}]"
        name = frame.key or ""
        frame.key = None
        return name, (*frame.names, name), f"{frame.path}.{name}" if frame.path else name

    def end(self) -> None:
        """The innermost mapping or list ends."""
        frame = self._frames.pop()
        links = [link for group in frame.links.values() for link in group]
        if frame.siblings and links:
            links = _declare(links, frame)
        if not self._frames:
            self._links.extend(links)
            return
        parent = self._frames[-1]
        name = parent.name if parent.is_list else (parent.key or "")
        if not parent.is_list:
            parent.key = None
        if frame.mute:
            parent.key = ""
        elif links:
            parent.links.setdefault(name, []).extend(links)
            if frame.is_list and name in frame.rules:
                parent.rules[name] = frame.rules[name]


def _declare(links: Sequence[Link], frame: _Frame) -> list[Link]:
    """Give the images of one entry the size that stands beside their URL."""
    path_length = len(frame.path) + 1 if frame.path else 0
    return [
        replace(link, declared=declared)
        if link.kind is Kind.IMAGE and (declared := _declared(link.field[path_length:], frame))
        else link
        for link in links
    ]


def _declared(field_end: str, frame: _Frame) -> Declared | None:
    """The size beside a link whose field path ends so below its frame; None for one that stands deeper."""
    rule = frame.rules.get(field_end.partition("[")[0])
    if rule is None or "]." in field_end:
        return None
    siblings = frame.siblings
    width, height = pixels(siblings.get(rule.width)), pixels(siblings.get(rule.height))
    return Declared(width, height, _truth(siblings.get(rule.cached)))


def pixels(value: tuple[str, bool] | None) -> int | str | None:
    """A width or a height as it stands in a record, with whether it has no quotes: see `Declared`."""
    if value is None or (value[1] and value[0] in NULL_WORDS):
        return None
    text = value[0].strip()
    return int(text) if POSITIVE_INTEGER.fullmatch(text) and len(text) < 10 else text  # noqa: PLR2004 - 32 bits


def _truth(value: tuple[str, bool] | None) -> bool | None:
    if value is None:
        return None
    text = value[0].strip().lower()
    return True if text in TRUE_WORDS else False if text in FALSE_WORDS else None
