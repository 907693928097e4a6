"""SARIF 2.1.0, for code hosts and editors: a result for each link with something wrong, where it stands.

Every verdict and every issue is a rule, so that the rules of two reports are the same. Quotations
are of OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from crawler.data.version import program_version
from crawler.report.base import Summary
from crawler.report.descriptions import ISSUE_MEANS, VERDICT_MEANS
from crawler.report.escape import json, printable
from crawler.report.severity import Severity, severity
from crawler.report.target_json import detail, moment
from storage.model import Issue, LinkIssue, RecordProblem, Run, RunEnd, Verdict
from storage.queries.report import Entry, EntryLink
from storage.rollups.severity import CLASS_POINTS, ISSUE_POINTS

Json = dict[str, object]
SARIF_SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
PROBLEM_RULE: Final = "record-problem"
SARIF_RULES: Final = (*Verdict, *Issue, PROBLEM_RULE)
RULE_INDEX: Final[Mapping[str, int]] = {str(rule): number for number, rule in enumerate(SARIF_RULES)}
SARIF_LEVELS: Final[Mapping[Severity, str]] = {
    Severity.NONE: "none",
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}


def report(summary: Summary) -> Iterator[str]:
    """The log file in pieces, a result a line."""
    yield f'{{"$schema": {json(SARIF_SCHEMA)}, "version": "2.1.0", "runs": [{{\n'
    yield f'"tool": {json(_tool())},\n'
    # 3.14.17: columns count characters, not the UTF-16 halves that are the default.
    yield '"columnKind": "unicodeCodePoints",\n'
    if summary.run is not None:
        yield f'"invocations": {json([_invocation(summary.run)])},\n'
    yield '"results": ['
    separator = "\n"
    for result in _results(summary):
        yield separator + json(result)
        separator = ",\n"
    yield "\n]}]}\n"


def _tool() -> Json:
    name = "linkhealth"
    rules = [_rule(str(rule)) for rule in SARIF_RULES]
    return {"driver": {"name": name, "version": program_version(), "rules": rules}}


def _rule(rule: str) -> Json:
    """A rule with its sentence; 3.49.9: a short description is one sentence."""
    text = _means(rule)
    return {
        "id": rule,
        "shortDescription": {"text": text},
        "fullDescription": {"text": text},
        "help": {"text": f"{text} docs/verdicts.md says more.", "markdown": f"**`{rule}`**: {text}"},
        "defaultConfiguration": {"level": SARIF_LEVELS[_usual(rule)]},
    }


def _means(rule: str) -> str:
    if rule == PROBLEM_RULE:
        return "A file of records, or a part of it, cannot be read."
    return ISSUE_MEANS[Issue(rule)] if rule in list(Issue) else VERDICT_MEANS[Verdict(rule)]


def _usual(rule: str) -> Severity:
    """What the rule weighs by itself, before state, kind and age."""
    if rule == PROBLEM_RULE:
        return Severity.HIGH
    return Severity(
        ISSUE_POINTS[Issue(rule)] if rule in list(Issue) else CLASS_POINTS.get(Verdict(rule).cls, 0)
    )


def _invocation(run: Run) -> Json:
    """3.20: how the run went; one that was stopped did not succeed."""
    finished_at = moment(run.finished_at)
    return {
        "executionSuccessful": run.ended == RunEnd.FINISHED,
        "startTimeUtc": moment(run.started_at),
        **({"endTimeUtc": finished_at} if finished_at else {}),
        "properties": {"run": run.id, "command": run.command, "ended": run.ended},
    }


def _results(summary: Summary) -> Iterator[Json]:
    yield from (_unread(problem) for problem in summary.problems)
    for entry in summary.entries():
        for entry_link in entry.links:
            bad = severity(entry, entry_link.link.kind)
            if bad:
                yield _result(entry, entry_link, entry.verdict.value, bad, _said(entry))
            for issue in entry_link.issues:
                yield _result(
                    entry,
                    entry_link,
                    issue.issue.value,
                    Severity(ISSUE_POINTS[issue.issue]),
                    _differs(entry, issue),
                )


def _said(entry: Entry) -> str:
    """One sentence on the target: 3.11.3 wants plain text."""
    finding = entry.finding
    status = f" ({finding.status})" if finding and finding.status else ""
    why = detail(entry)
    reason = f": {printable(why)}" if why else ""
    since = f" Failing since {moment(entry.failing_since)}." if entry.failing_since else ""
    return f"{printable(entry.url)} is {entry.verdict.value}{status}{reason}.{since}"


def _differs(entry: Entry, issue: LinkIssue) -> str:
    sides = f"expected {printable(issue.expected or 'nothing')}, found {printable(issue.actual or 'nothing')}"
    return f"{issue.issue.value} of {printable(entry.url)}: {sides}."


def _result(entry: Entry, entry_link: EntryLink, rule: str, bad: Severity, text: str) -> Json:
    link = entry_link.link
    # 3.27.17: stays the same when the link moves to another line.
    mark = f"{rule}\0{entry_link.record}\0{link.field}\0{entry.url}"
    return {
        "ruleId": rule,
        "ruleIndex": RULE_INDEX[rule],
        "level": SARIF_LEVELS[bad],
        "message": {"text": _literal(text)},
        "locations": [_location(entry_link.record, link.line, link.column, link.field)],
        "partialFingerprints": {
            "linkhealth/v1": hashlib.sha256(mark.encode(errors="surrogatepass")).hexdigest()
        },
        "properties": {
            "severity": bad.word,
            "state": entry.state.value,
            "kind": link.kind.value,
        },
    }


def _literal(text: str) -> str:
    """3.11.5: braces are doubled; 3.11.6: what looks like a link would be one."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "]\\(")


def _unread(problem: RecordProblem) -> Json:
    return {
        "ruleId": PROBLEM_RULE,
        "ruleIndex": RULE_INDEX[PROBLEM_RULE],
        "level": SARIF_LEVELS[Severity.HIGH],
        "message": {"text": _literal(f"{printable(problem.reason) or 'It cannot be read'}.")},
        "locations": [_location(problem.path, problem.line, None, None)],
    }


def _location(path: str, line: int | None, column: int | None, field: str | None) -> Json:
    region = {"startLine": line} | ({} if column is None else {"startColumn": column})
    place = {"artifactLocation": _artifact(path)} | ({} if line is None else {"region": region})
    logical = [] if field is None else [{"fullyQualifiedName": printable(field), "kind": "member"}]
    return {"physicalLocation": place} | ({"logicalLocations": logical} if logical else {})


def _artifact(path: str) -> Json:
    """3.4.3: a URI; a relative one stands on the root of the sources."""
    uri = quote(path.encode(errors="surrogatepass"), safe="/-._~!$&'()*+,;=@")
    return {"uri": f"file://{uri}"} if path.startswith("/") else {"uri": uri, "uriBaseId": "%SRCROOT%"}
