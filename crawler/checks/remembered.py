"""What a site said of a page that cannot exist, kept for later runs. Pure.

A fingerprint is kept as numbers of 32 bits: two bytes a letter would take ten times the room.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any, Final

from crawler.checks.fingerprint import Fingerprint
from crawler.checks.soft404 import Probed
from crawler.urls import masked
from storage.model import Probe

NUMBER: Final = 4  # bytes


def kept(probed: Probed, folder: str, at: datetime, due: datetime) -> Probe:
    """The probe of a folder as it is stored; both times are UTC."""
    said = {"telling": probed.telling, "phrase": probed.phrase, "print": probed.print and _told(probed.print)}
    return Probe(masked(folder), masked(probed.asked), masked(probed.final), probed.status, said, at, due)


def recalled(probe: Probe) -> Probed:
    """The probe of an earlier run."""
    said: Any = probe.said
    print_ = said["print"] and _print(said["print"])
    return Probed(
        probe.asked,
        probe.final,
        probe.status,
        print_,
        said["telling"],
        said["phrase"],
        asked_at=probe.asked_at,
    )


def _told(one: Fingerprint) -> dict[str, object]:
    return {
        "pairs": [_packed(pairs) for pairs in one.pairs],
        "title": one.title,
        "heading": one.heading,
        "shape": _packed(one.shape),
        "words": one.words,
    }


def _print(told: dict[str, Any]) -> Fingerprint:
    first, second = told["pairs"]
    title, bare = told["title"]
    return Fingerprint(
        (_unpacked(first), _unpacked(second)),
        (tuple(title), tuple(bare)),
        tuple(told["heading"]),
        _unpacked(told["shape"]),
        told["words"],
    )


def _packed(numbers: frozenset[int]) -> str:
    return b64encode(struct.pack(f"<{len(numbers)}I", *sorted(numbers))).decode()


def _unpacked(text: str) -> frozenset[int]:
    data = b64decode(text)
    return frozenset(struct.unpack(f"<{len(data) // NUMBER}I", data))
