"""A unified diff of two texts that differ in known lines alone, as `patch -p0` takes it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

CONTEXT_LINES: Final = 3  # lines around a change


def unified_diff(path: str, old: bytes, new: bytes) -> Iterator[bytes]:
    """The diff in pieces, a line each; both texts have the same number of lines."""
    before, after = old.split(b"\n"), new.split(b"\n")
    changes = [
        number
        for number, (old_line, new_line) in enumerate(zip(before, after, strict=True))
        if old_line != new_line
    ]
    if not changes:
        return
    name = path.encode(errors="surrogateescape")
    yield b"--- " + name + b"\n"
    yield b"+++ " + name + b"\n"
    for lines in _hunks(changes):
        yield from _hunk(before, after, lines)


def _hunks(lines: Sequence[int]) -> Iterator[list[int]]:
    """The changed lines in groups whose contexts touch."""
    group = [lines[0]]
    for last, number in pairwise(lines):
        if number - last > 2 * CONTEXT_LINES + 1:
            yield group
            group = []
        group.append(number)
    yield group


def _hunk(before: Sequence[bytes], after: Sequence[bytes], lines: Sequence[int]) -> Iterator[bytes]:
    # A text that ends in a line feed has nothing behind its last one.
    count = len(before) - (before[-1] == b"")
    first, last = max(lines[0] - CONTEXT_LINES, 0), min(lines[-1] + CONTEXT_LINES + 1, count)
    place = f"{first + 1},{last - first}" if last - first > 1 else str(first + 1)
    yield f"@@ -{place} +{place} @@\n".encode()
    number = first
    while number < last:
        if before[number] == after[number]:
            yield _line(b" ", before, number)
            number += 1
            continue
        end = number
        while end < last and before[end] != after[end]:
            end += 1
        yield from (_line(b"-", before, row) for row in range(number, end))
        yield from (_line(b"+", after, row) for row in range(number, end))
        number = end


def _line(sign: bytes, text: Sequence[bytes], number: int) -> bytes:
    missing = b"\\ No newline at end of file\n" if number == len(text) - 1 else b""
    return sign + text[number] + b"\n" + missing
