"""A correction of one link, and what decides on corrections, as plain values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from storage.frozen import frozen
from storage.model import Kind, Link, Size


class FixRule(StrEnum):
    """What `fix` corrects."""

    MOVED = "moved"
    SIZE = "size"
    AMP_CACHE_URL = "amp-cache-url"


@frozen
class Correction:
    """What one link should say: another `text`, or another `size` beside it.

    `new_url`: only the title of the record can tell whether this URL is of the same article.
    `follows`: made only if the AMP URL of the same item changes to that text. `waits`: why it
    is shown and not written yet.
    """

    path: str
    number: int
    link: Link
    text: str | None = None
    size: Size | None = None
    new_url: str | None = None
    follows: str | None = None
    waits: str | None = None

    @property
    def rule(self) -> FixRule:
        """The rule that asks for it."""
        if self.size is not None:
            return FixRule.SIZE
        return FixRule.AMP_CACHE_URL if self.link.kind is Kind.AMP_CDN else FixRule.MOVED


@frozen
class SkippedCorrection:
    """A correction that is not made, and why not."""

    path: str
    link: Link
    reason: str


@dataclass(slots=True)
class Corrections:
    """What to change by file, and what was left out."""

    by_file: dict[str, list[Correction]] = field(default_factory=dict)
    skips: list[SkippedCorrection] = field(default_factory=list)

    def add(self, correction: Correction | SkippedCorrection) -> None:
        """Add a correction to those of its file, or a skipped one to the others."""
        if isinstance(correction, Correction):
            self.by_file.setdefault(correction.path, []).append(correction)
        else:
            self.skips.append(correction)


@frozen
class FixPolicy:
    """What else decides on corrections: what the history says, and what the user allows.

    `moved_since` tells since when (UTC) the checks of a target, by its id, have led to the same new
    URL; `suspects` are the URLs of pictures that may be stand-ins. `other_domains` also follows
    redirects to another registrable domain; corrections by other than these `rules` are left out.
    """

    moved_since: Mapping[int, datetime] = field(default_factory=dict)
    suspects: Collection[str] = ()
    other_domains: bool = False
    rules: Collection[FixRule] = frozenset(FixRule)
