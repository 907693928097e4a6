"""Which rules would take the URLs that no rule takes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from storage.model import Kind

# Keys that say nothing by themselves: their rule names the key above, too.
COMMON_KEYS: Final = frozenset({"url", "href", "link", "src", "id", "@id", "loc", "uri", "path", "value"})
IMAGE_KEY: Final = re.compile(
    r"image|img|logo|icon|photo|thumb|poster|avatar|banner|cover|picture|screenshot|(^|\.)src$", re.IGNORECASE
)
IMAGE_URL: Final = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|svg|ico|bmp|jxl)(?:[?#]|$)", re.IGNORECASE)
AMP_CDN_URL: Final = re.compile(r"https?://[^/]*\.cdn\.ampproject\.org/", re.IGNORECASE)
AMP_KEY: Final = re.compile(r"(?:^|[._-])amp(?=[._A-Z-]|$)|^amp")


class SuggestedRule(NamedTuple):
    """A rule, the kind it should have, how many values it takes, and one of them."""

    rule: str
    kind: Kind
    values: int
    example: str


def suggested_rules(samples: Iterable[tuple[str, str, int]]) -> list[SuggestedRule]:
    """Rules for paths of keys, each with a value and how often it occurs; what takes most comes first."""
    counts: Counter[str] = Counter()
    examples: dict[str, tuple[str, str]] = {}
    for keys, text, count in samples:
        rule = rule_for(keys)
        counts[rule] += count
        examples.setdefault(rule, (keys, text))
    return [
        SuggestedRule(rule, kind_for(rule, examples[rule][1]), count, examples[rule][1])
        for rule, count in counts.most_common()
    ]


def rule_for(keys: str) -> str:
    """The shortest end of a path of keys that says what it is."""
    names = keys.split(".")
    length = next((n for n in range(1, len(names) + 1) if names[-n].lower() not in COMMON_KEYS), len(names))
    return ".".join(names[-length:])


def kind_for(rule: str, text: str) -> Kind:
    """What a URL at a key most likely leads to."""
    if AMP_CDN_URL.match(text):
        return Kind.AMP_CDN
    if AMP_KEY.search(rule):
        return Kind.AMP
    return Kind.IMAGE if IMAGE_URL.search(text) or IMAGE_KEY.search(rule) else Kind.WEB
