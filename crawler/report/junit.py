"""JUnit XML, for the test reports of CI: a suite for the files of records, one for the targets.

A target fails as the default `--fail-on` says: by its verdict (hard, soft, transient, content), or by
an issue of a link. What says nothing is skipped. File and line are those of its worst link.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from crawler.report.base import Summary
from crawler.report.line import detail, moment
from crawler.report.safe import shown, whole
from crawler.report.severity import of_link
from storage.model import Class, PinWord, Problem, Verdict
from storage.queries import Entry, EntryLink

# XML 1.0, 2.2: letters that no document may hold, and that are left once others are spelled out.
REFUSED: Final = re.compile("[\ufffe\uffff]")
FAILING: Final = frozenset({Class.HARD, Class.SOFT, Class.TRANSIENT, Class.CONTENT})
LINKS: Final = 50  # links of one target that are told; the rest are counted


def report(summary: Summary) -> Iterator[str]:
    """The document in pieces; the targets are read twice, since their counts come first."""
    counts = Counter(_outcome(entry) for entry in summary.entries())
    broken = len(summary.problems)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    tests, failures = counts.total() + broken, counts["failure"]
    numbers = f'tests="{tests}" failures="{failures}" errors="{counts["error"] + broken}"'
    yield f'<testsuites name="linkhealth" {numbers}>\n'
    yield f'<testsuite name="records" tests="{broken}" failures="0" errors="{broken}" skipped="0">\n'
    for problem in summary.problems:
        yield _problem(problem)
    yield "</testsuite>\n"
    run = summary.run
    at = f' timestamp="{moment(run.started_at)}"' if run else ""
    numbers = f'tests="{counts.total()}" failures="{failures}" errors="{counts["error"]}"'
    yield f'<testsuite name="targets" {numbers} skipped="{counts["skipped"]}"{at}>\n'
    for entry in summary.entries():
        yield _case(entry)
    yield "</testsuite>\n</testsuites>\n"


def _attribute(text: str) -> str:
    return quoteattr(REFUSED.sub(_spelled, text))


def _text(text: str) -> str:
    return escape(REFUSED.sub(_spelled, text))


def _spelled(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _problem(problem: Problem) -> str:
    line = "" if problem.line is None else f' line="{problem.line}"'
    path = _attribute(whole(problem.path))
    message = _attribute(shown(problem.reason))
    return (
        f'<testcase classname="linkhealth.record" name={path} file={path}{line}>'
        f'<error type="record-problem" message={message}/></testcase>\n'
    )


def _outcome(entry: Entry) -> str:
    """`failure`, `error`, `skipped`, or `passed`."""
    known, word = entry.known, entry.pin.word if entry.pin else None
    if known is Verdict.CRASHED:
        return "error"
    if _fails(entry) or any(link.issues for link in entry.links):
        return "failure"
    silent = known.cls in {Class.UNKNOWN, Class.UNCHECKED} and word is not PinWord.ALIVE
    return "skipped" if silent else "passed"


def _case(entry: Entry) -> str:
    links = sorted(entry.links, key=lambda one: -of_link(entry, one))
    place = f" file={_attribute(whole(links[0].record))}" if links else ""
    place += f' line="{links[0].link.line}"' if links else ""
    time = f' time="{entry.finding.elapsed:.3f}"' if entry.finding else ""
    case = f"<testcase classname={_attribute(f'linkhealth.{entry.kind.value}')}"
    return f"{case} name={_attribute(whole(entry.url))}{place}{time}{_inside(entry, links)}\n"


def _inside(entry: Entry, links: list[EntryLink]) -> str:
    outcome = _outcome(entry)
    if outcome == "passed":
        return "/>"
    said = detail(entry)
    message = _attribute(f"{_word(entry)}: {shown(said)}" if said else _word(entry))
    if outcome == "skipped":
        return f"><skipped message={message}/></testcase>"
    text = _text("\n".join(_evidence(entry, links)))
    return f'><{outcome} type="{_type(entry)}" message={message}>{text}</{outcome}></testcase>'


def _type(entry: Entry) -> str:
    """The verdict if that is what fails, else the first issue."""
    issues = [issue.issue.value for one in entry.links for issue in one.issues]
    return entry.known.value if _fails(entry) or not issues else issues[0]


def _fails(entry: Entry) -> bool:
    """Whether its verdict is a problem, by itself."""
    pinned = entry.pin is not None and entry.pin.word is PinWord.ALIVE
    return entry.known.cls in FAILING and not pinned


def _word(entry: Entry) -> str:
    word, status = _type(entry), entry.finding.status if entry.finding else None
    return f"{word} ({status})" if status and word == entry.known else word


def _evidence(entry: Entry, links: list[EntryLink]) -> Iterator[str]:
    yield f"state {entry.state.value}"
    for one in links[:LINKS]:
        yield f"{whole(one.record)}:{one.link.line}:{one.link.column} {whole(one.link.field)}"
        for issue in one.issues:
            yield f"  {issue.issue.value}: {shown(issue.expected or '')} -> {shown(issue.actual or '')}"
    if len(links) > LINKS:
        yield f"and {len(links) - LINKS} more links"
