"""What a site said of a page that cannot exist, kept for later runs. Pure.

A fingerprint is kept as numbers of 32 bits: two bytes a letter would take ten times the room.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypedDict

from crawler.content.fingerprint import Fingerprint
from crawler.content.observation import ProbeResult
from crawler.urls import masked
from storage.model import Probe

PAIR_NUMBER_BYTES: Final = 4


class FingerprintFields(TypedDict):
    """A fingerprint in JSON: sets of numbers as base64, texts as lists of words."""

    pairs: list[str]
    title: Sequence[Sequence[str]]
    heading: Sequence[str]
    shape: str
    words: int


def encode_probe(probe: ProbeResult, folder: str, at: datetime, due: datetime) -> Probe:
    """The probe of a folder as it is stored; both times are UTC."""
    fields = {
        "telling": probe.comparable,
        "phrase": probe.phrase,
        "print": probe.fingerprint and _fingerprint_fields(probe.fingerprint),
    }
    return Probe(masked(folder), masked(probe.url), masked(probe.final), probe.status, fields, at, due)


def decode_probe(probe: Probe) -> ProbeResult:
    """The probe of an earlier run."""
    fields: Any = probe.said
    page_print = fields["print"] and _decode_fingerprint(fields["print"])
    return ProbeResult(
        probe.asked,
        probe.final,
        probe.status,
        page_print,
        fields["telling"],
        fields["phrase"],
        asked_at=probe.asked_at,
    )


def _fingerprint_fields(page_print: Fingerprint) -> FingerprintFields:
    return {
        "pairs": [_packed(pairs) for pairs in page_print.pairs],
        "title": page_print.title,
        "heading": page_print.heading,
        "shape": _packed(page_print.shape),
        "words": page_print.words,
    }


def _decode_fingerprint(fields: FingerprintFields) -> Fingerprint:
    first, second = fields["pairs"]
    title, bare = fields["title"]
    return Fingerprint(
        (_unpacked(first), _unpacked(second)),
        (tuple(title), tuple(bare)),
        tuple(fields["heading"]),
        _unpacked(fields["shape"]),
        fields["words"],
    )


def _packed(numbers: frozenset[int]) -> str:
    return b64encode(struct.pack(f"<{len(numbers)}I", *sorted(numbers))).decode()


def _unpacked(text: str) -> frozenset[int]:
    data = b64decode(text)
    return frozenset(struct.unpack(f"<{len(data) // PAIR_NUMBER_BYTES}I", data))
