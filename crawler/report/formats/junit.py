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
from crawler.report.escape import printable, printable_in_full
from crawler.report.phrases import counted, issue_phrase
from crawler.report.severity import link_severity
from crawler.report.spool import spooled
from crawler.report.target_json import detail, moment
from storage.model import Class, PinWord, RecordProblem, Verdict
from storage.queries.report import Entry, EntryLink

# XML 1.0, 2.2: letters that no document may hold, and that are left once others are spelled out.
XML_FORBIDDEN: Final = re.compile("[\ufffe\uffff]")
MAX_CASE_LINKS: Final = 50  # links of one target that are told; the rest are counted


def report(summary: Summary) -> Iterator[str]:
    """The document in pieces; its targets are made first, since their counts come before them."""
    counts: Counter[str] = Counter()
    with spooled(_cases(summary, counts)) as cases:
        yield from _head(summary, counts)
        yield from cases
    yield "</testsuite>\n</testsuites>\n"


def _cases(summary: Summary, counts: Counter[str]) -> Iterator[str]:
    """The targets, counted by their outcome."""
    for entry in summary.entries():
        counts[_outcome(entry)] += 1
        yield _case(entry)


def _head(summary: Summary, counts: Counter[str]) -> Iterator[str]:
    problems = len(summary.problems)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    tests, failures = counts.total() + problems, counts["failure"]
    numbers = f'tests="{tests}" failures="{failures}" errors="{counts["error"] + problems}"'
    yield f'<testsuites name="linkhealth" {numbers}>\n'
    yield f'<testsuite name="records" tests="{problems}" failures="0" errors="{problems}" skipped="0">\n'
    for problem in summary.problems:
        yield _problem(problem)
    yield "</testsuite>\n"
    run = summary.run
    at = f' timestamp="{moment(run.started_at)}"' if run else ""
    numbers = f'tests="{counts.total()}" failures="{failures}" errors="{counts["error"]}"'
    yield f'<testsuite name="targets" {numbers} skipped="{counts["skipped"]}"{at}>\n'


def _attribute(text: str) -> str:
    return quoteattr(XML_FORBIDDEN.sub(_spelled, text))


def _text(text: str) -> str:
    return escape(XML_FORBIDDEN.sub(_spelled, text))


def _spelled(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _problem(problem: RecordProblem) -> str:
    line = "" if problem.line is None else f' line="{problem.line}"'
    path = _attribute(printable_in_full(problem.path))
    message = _attribute(printable(problem.reason))
    return (
        f'<testcase classname="linkhealth.record" name={path} file={path}{line}>'
        f'<error type="record-problem" message={message}/></testcase>\n'
    )


def _outcome(entry: Entry) -> str:
    """`failure`, `error`, `skipped`, or `passed`."""
    verdict, word = entry.verdict, entry.pin.word if entry.pin else None
    if verdict is Verdict.CRASHED:
        return "error"
    if _fails(entry) or any(link.issues for link in entry.links):
        return "failure"
    silent = verdict.cls in {Class.UNKNOWN, Class.UNCHECKED} and word is not PinWord.ALIVE
    return "skipped" if silent else "passed"


def _case(entry: Entry) -> str:
    links = sorted(entry.links, key=lambda entry_link: -link_severity(entry, entry_link))
    place = f" file={_attribute(printable_in_full(links[0].record))}" if links else ""
    place += f' line="{links[0].link.line}"' if links else ""
    time = f' time="{entry.finding.elapsed:.3f}"' if entry.finding else ""
    case = f"<testcase classname={_attribute(f'linkhealth.{entry.kind.value}')}"
    return f"{case} name={_attribute(printable_in_full(entry.url))}{place}{time}{_inside(entry, links)}\n"


def _inside(entry: Entry, links: list[EntryLink]) -> str:
    outcome = _outcome(entry)
    if outcome == "passed":
        return "/>"
    reason = detail(entry)
    message = _attribute(f"{_word(entry)}: {printable(reason)}" if reason else _word(entry))
    if outcome == "skipped":
        return f"><skipped message={message}/></testcase>"
    text = _text("\n".join(_evidence(entry, links)))
    return f'><{outcome} type="{_type(entry)}" message={message}>{text}</{outcome}></testcase>'


def _type(entry: Entry) -> str:
    """The verdict if that is what fails, else the first issue."""
    issues = [issue.issue.value for entry_link in entry.links for issue in entry_link.issues]
    return entry.verdict.value if _fails(entry) or not issues else issues[0]


def _fails(entry: Entry) -> bool:
    """Whether its verdict is a problem, by itself."""
    is_pinned_alive = entry.pin is not None and entry.pin.word is PinWord.ALIVE
    return entry.verdict.cls.fails and not is_pinned_alive


def _word(entry: Entry) -> str:
    word, status = _type(entry), entry.finding.status if entry.finding else None
    return f"{word} ({status})" if status and word == entry.verdict else word


def _evidence(entry: Entry, links: list[EntryLink]) -> Iterator[str]:
    yield f"state {entry.state.value}"
    for entry_link in links[:MAX_CASE_LINKS]:
        yield f"{printable_in_full(entry_link.place)} {printable_in_full(entry_link.link.field)}"
        for issue in entry_link.issues:
            yield f"  {issue_phrase(issue, printable)}"
    if len(links) > MAX_CASE_LINKS:
        yield f"and {counted(len(links) - MAX_CASE_LINKS, 'more link')}"
