"""A value of any format as a tree, and its links: for formats that tell no events."""

from __future__ import annotations

from typing import TypeAlias

from storage.frozen import frozen
from storage.records.gather import Gatherer
from storage.records.lines import LineIndex


@frozen
class Scalar:
    """A single value: its text, where that begins, and whether it stands without quotes."""

    text: str
    offset: int
    plain: bool = False


Node: TypeAlias = "Scalar | dict[str, Node] | list[Node]"


def feed(gatherer: Gatherer, node: Node, lines: LineIndex) -> None:
    """Hand a tree to a gatherer.

    Raises:
        TooDeep: more levels than a record may have.
    """
    if isinstance(node, Scalar):
        gatherer.scalar(node.text, *lines.place(node.offset), plain=node.plain)
        return
    gatherer.begin(is_list=isinstance(node, list))
    if isinstance(node, list):
        for entry in node:
            feed(gatherer, entry, lines)
    else:
        for key, value in node.items():
            gatherer.key(key)
            feed(gatherer, value, lines)
    gatherer.end()
