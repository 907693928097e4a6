"""How pictures look: 64 bits into a row, and how far two are apart."""

from __future__ import annotations

from typing import Final

from storage.db.rows.written import Cells

HASH_COLUMNS: Final = ("digest", "bits", "part0", "part1", "part2", "part3")
MAX_BITS_APART: Final = 3  # bits by which pictures that look alike differ; four parts find just so many
HASH_VALUES: Final = 2**64


def hash_row(digest: str, bits: int) -> Cells:
    """A row of `look`, in the order of LOOK; databases know 64 bits only with a sign."""
    return (digest, bits - HASH_VALUES if bits >= HASH_VALUES // 2 else bits, *hash_parts(bits))


def hash_parts(bits: int) -> tuple[int, int, int, int]:
    """The four parts of a look, sixteen bits each, as LOOK has them."""
    first, second, third, fourth = (bits >> shift & 0xFFFF for shift in (48, 32, 16, 0))
    return first, second, third, fourth


def bits_apart(left_hash: int, right_hash: int) -> int:
    """By how many bits two looks differ, 0 to 64; with a sign or without."""
    return ((left_hash ^ right_hash) % HASH_VALUES).bit_count()
