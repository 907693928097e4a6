"""From a stream of parse events to links, building nothing that no link needs.

A parser of any format tells what it meets (`begin_mapping`, `key`, `scalar`, `end` ...) and the
gatherer keeps one frame for each open mapping or list. Only the values of keys that a rule names,
and the size that stands beside an image, are ever looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, TypeAlias

from storage.model import Declared, Kind, Link

Rules: TypeAlias = Mapping[str, Kind]
DEFAULT_RULES: Final[Rules] = {
    **dict.fromkeys(
        (
            "webUrl",
            "originalUrl",
            "sourceUrl",
            "related.url",
            "website",
            "actions.url",
            "twitter.url",
            "linkedin.url",
            "youtube.url",
            "twitch.url",
        ),
        Kind.WEB,
    ),
    **dict.fromkeys(("ampWebUrl", "ampUrl"), Kind.AMP),
    **dict.fromkeys(("cdnAmpWebUrl", "cdnAmpUrl"), Kind.AMP_CDN),
    "images.url": Kind.IMAGE,
}
DEPTH: Final = 100  # levels; real records have seven
ITEMS: Final = "related"  # the key whose entries are items of their own
BESIDE: Final = frozenset({"width", "height", "isCached"})
NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
TRUE: Final = frozenset({"true", "yes", "on"})
FALSE: Final = frozenset({"false", "no", "off"})
INTEGER: Final = re.compile(r"\+?0*[1-9][0-9]*")


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
    beside: dict[str, tuple[str, bool]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The key that this frame is the value of, however deep in lists."""
        return self.names[-1] if self.names else ""


@lru_cache(maxsize=16)
def _by_last_name(rules: tuple[tuple[str, Kind], ...]) -> Mapping[str, list[tuple[tuple[str, ...], Kind]]]:
    """The rules by the key that they end with, the longest first."""
    found: dict[str, list[tuple[tuple[str, ...], Kind]]] = {}
    for rule, kind in sorted(rules, key=lambda one: -one[0].count(".")):
        names = tuple(rule.split("."))
        found.setdefault(names[-1], []).append((names, kind))
    return found


class Gatherer:
    """Gathers the links of one record; `links()` once the last frame has ended."""

    def __init__(self, rules: Rules, prefix: str = "") -> None:
        self._rules = _by_last_name(tuple(rules.items()))
        self._looked_at = BESIDE | self._rules.keys()
        self._prefix = prefix
        self._frames: list[_Frame] = []
        self._found: list[Link] = []

    def links(self) -> tuple[Link, ...]:
        """The links found, in the order of the text."""
        return tuple(self._found)

    def offer(self, text: str) -> bool:
        """Take a scalar that is a key, or of no interest; True asks for `scalar` with its place."""
        frame = self._frames[-1]
        if frame.is_list:
            if frame.name in self._rules:
                return True
            frame.index += 1
        elif frame.key is None:
            frame.key = text
        elif frame.key in self._looked_at:
            return True
        else:
            frame.key = None
        return False

    def begin(self, *, is_list: bool) -> None:
        """A mapping or a list begins.

        Raises:
            TooDeep: more than `DEPTH` levels.
        """
        if len(self._frames) >= DEPTH:
            raise TooDeep(f"nested deeper than {DEPTH} levels")
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
            item = path if parent.name == ITEMS else parent.item
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
        if frame.is_list:
            frame.index += 1
            name, names = frame.name, frame.names
            field_path = f"{frame.path}[{frame.index}]"
        else:
            name = frame.key or ""
            frame.key = None
            if name in BESIDE:
                frame.beside[name] = (text, plain)
            if name not in self._rules:
                return
            names = (*frame.names, name)
            field_path = f"{frame.path}.{name}" if frame.path else name
        kind = self._kind(name, names)
        if kind is None or frame.mute:
            return
        trimmed = text.strip()
        if not trimmed or (plain and trimmed in NULLS):
            frame.links.pop(name, None)
            return
        column += len(text) - len(text.lstrip()) if "\n" not in text else 0
        link = Link(field_path, line, column, trimmed, kind, frame.item)
        if frame.is_list:
            frame.links.setdefault(name, []).append(link)
        else:
            frame.links[name] = [link]

    def _kind(self, name: str, names: tuple[str, ...]) -> Kind | None:
        """The kind of the longest rule that the path of keys ends with."""
        for rule, kind in self._rules.get(name, ()):
            if names[-len(rule) :] == rule:
                return kind
        return None

    def end(self) -> None:
        """The innermost mapping or list ends."""
        frame = self._frames.pop()
        links = [link for some in frame.links.values() for link in some]
        if frame.beside and links:
            links = _declare(links, frame)
        if not self._frames:
            self._found.extend(links)
            return
        parent = self._frames[-1]
        name = parent.name if parent.is_list else (parent.key or "")
        if not parent.is_list:
            parent.key = None
        if frame.mute:
            parent.key = ""
        elif links:
            parent.links.setdefault(name, []).extend(links)


def _declare(links: Sequence[Link], frame: _Frame) -> list[Link]:
    """Give the images of one entry the size that stands beside their URL."""
    declared = Declared(
        _pixels(frame.beside.get("width")),
        _pixels(frame.beside.get("height")),
        _truth(frame.beside.get("isCached")),
    )
    here = len(frame.path)
    return [
        replace(link, declared=declared)
        if link.kind is Kind.IMAGE and "." not in link.field[here + 1 :]
        else link
        for link in links
    ]


def _pixels(value: tuple[str, bool] | None) -> int | str | None:
    if value is None or (value[1] and value[0] in NULLS):
        return None
    text = value[0].strip()
    return int(text) if INTEGER.fullmatch(text) and len(text) < 10 else text  # noqa: PLR2004 - 32 bits


def _truth(value: tuple[str, bool] | None) -> bool | None:
    if value is None:
        return None
    text = value[0].strip().lower()
    return True if text in TRUE else False if text in FALSE else None
