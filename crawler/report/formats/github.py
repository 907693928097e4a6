"""Annotations of GitHub Actions: a workflow command for each link with something wrong, where it stands.

The commands are those of docs.github.com, "Workflow commands for GitHub Actions": what a message and a
property may not hold is percent-encoded as actions/toolkit does. GitHub shows ten of each level a step,
so the worst come first, and the last line counts all.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from typing import Final

from crawler.report.base import Summary
from crawler.report.escape import printable
from crawler.report.formats.table import run_sentence
from crawler.report.phrases import issue_phrase
from crawler.report.severity import Severity, severity
from crawler.report.target_json import detail
from storage.model import RecordProblem
from storage.queries.report import Entry, EntryLink
from storage.rollups.severity import ISSUE_POINTS

ANNOTATION_LEVELS: Final[Mapping[Severity, str]] = {
    Severity.LOW: "notice",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
MAX_ANNOTATIONS: Final = 1_000  # annotations; a check of GitHub shows no more
MESSAGE_ESCAPES: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
PROPERTY_ESCAPES: Final = {**MESSAGE_ESCAPES, ":": "%3A", ",": "%2C"}
Annotation = tuple[Severity, str]


def report(summary: Summary) -> Iterator[str]:
    """The worst annotations first, then a notice with the counts."""
    worst = heapq.nlargest(MAX_ANNOTATIONS, _annotations(summary), key=lambda annotation: annotation[0])
    for _, line in worst:
        yield line
    yield f"::notice title=linkhealth::{_escaped(run_sentence(summary), MESSAGE_ESCAPES)}\n"


def _annotations(summary: Summary) -> Iterator[Annotation]:
    for problem in summary.problems:
        yield Severity.HIGH, _problem(problem)
    for entry in summary.entries():
        for entry_link in entry.links:
            badness = severity(entry, entry_link.link.kind)
            if badness:
                yield badness, _annotation(entry_link, entry.verdict, badness, _message(entry))
            for issue in entry_link.issues:
                points = Severity(ISSUE_POINTS[issue.issue])
                if points:
                    phrase = f"{printable(entry.url)}: {issue_phrase(issue, printable)}"
                    yield points, _annotation(entry_link, issue.issue, points, phrase)


def _problem(problem: RecordProblem) -> str:
    line = "" if problem.line is None else f",line={problem.line}"
    file = _escaped(printable(problem.path), PROPERTY_ESCAPES)
    reason = _escaped(printable(problem.reason), MESSAGE_ESCAPES)
    return f"::error file={file}{line},title=record problem::{reason}\n"


def _annotation(entry_link: EntryLink, rule: str, badness: Severity, message: str) -> str:
    link = entry_link.link
    file = _escaped(printable(entry_link.record), PROPERTY_ESCAPES)
    title = _escaped(f"{rule}, {badness.word}", PROPERTY_ESCAPES)
    place = f"file={file},line={link.line},col={link.column},title={title}"
    return f"::{ANNOTATION_LEVELS[badness]} {place}::{_escaped(message, MESSAGE_ESCAPES)}\n"


def _message(entry: Entry) -> str:
    finding = entry.finding
    status = f" ({finding.status})" if finding and finding.status else ""
    reason = f": {printable(why)}" if (why := detail(entry)) else ""
    return f"{printable(entry.url)} is {entry.verdict.value}{status}, {entry.state.value}{reason}"


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    """A text in which nothing begins another command or property."""
    return "".join(escapes.get(letter, letter) for letter in text)
