"""Phrases that several reports share: counts with their noun, and what is wrong with a link."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from storage.model import Issue, LinkIssue

MEASURED_ISSUES: Final = frozenset({Issue.SIZE_MISMATCH, Issue.SIZE_ROTATED, Issue.SIZE_SCALED})


def counted(count: int, noun: str) -> str:
    """A count with its noun, in the singular or with an s: "1 target", "2,000 targets"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def issue_phrase(issue: LinkIssue, escape: Callable[[str], str]) -> str:
    """What an issue expected and what is there: "size-mismatch: declared 160x163, is 160x200"."""
    word = "declared" if issue.issue in MEASURED_ISSUES else "expected"
    sides = (
        f"{word} {escape(issue.expected)}" if issue.expected else "",
        f"is {escape(issue.actual)}" if issue.actual else "",
    )
    text = ", ".join(filter(None, sides))
    return f"{issue.issue.value}: {text}" if text else issue.issue.value


def not_asked_phrase(counts: Mapping[str, int]) -> str:
    """How many targets a run did not ask, by the reason; "" for none."""
    return ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.items()))
