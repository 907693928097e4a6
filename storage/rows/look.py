"""How pictures look: 64 bits into a row, and how far two are apart."""

from __future__ import annotations

from typing import Final

from storage.rows.written import Cells

LOOK: Final = ("digest", "bits", "part0", "part1", "part2", "part3")
NEAR: Final = 3  # bits by which pictures that look alike differ; four parts find just so many
WORD: Final = 2**64


def look_row(digest: str, bits: int) -> Cells:
    """A row of `look`, in the order of LOOK; databases know 64 bits only with a sign."""
    return (digest, bits - WORD if bits >= WORD // 2 else bits, *look_parts(bits))


def look_parts(bits: int) -> tuple[int, int, int, int]:
    """The four parts of a look, sixteen bits each, as LOOK has them."""
    one, two, three, four = (bits >> shift & 0xFFFF for shift in (48, 32, 16, 0))
    return one, two, three, four


def apart(one: int, other: int) -> int:
    """By how many bits two looks differ, 0 to 64; with a sign or without."""
    return ((one ^ other) % WORD).bit_count()
