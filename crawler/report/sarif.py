"""SARIF 2.1.0, for code hosts and editors: a result for each link with something wrong, where it stands.

Every verdict and every issue is a rule, so that the rules of two reports are the same. Quotations
are of OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import quote

from crawler.report.base import Summary
from crawler.report.line import detail, moment
from crawler.report.meanings import ISSUE_MEANS, VERDICT_MEANS
from crawler.report.safe import json, shown
from crawler.report.severity import Severity, severity
from storage.model import Issue, LinkIssue, Problem, Run, Verdict
from storage.queries import Entry, EntryLink
from storage.severity import ISSUES, POINTS

Json = dict[str, Any]
SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
PROBLEM: Final = "record-problem"
RULES: Final = (*Verdict, *Issue, PROBLEM)
INDEX: Final[Mapping[str, int]] = {str(rule): number for number, rule in enumerate(RULES)}
LEVELS: Final[Mapping[Severity, str]] = {
    Severity.NONE: "none",
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}


def report(summary: Summary) -> Iterator[str]:
    """The log file in pieces, a result a line."""
    yield f'{{"$schema": {json(SCHEMA)}, "version": "2.1.0", "runs": [{{\n'
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
    rules = [_rule(str(rule)) for rule in RULES]
    return {"driver": {"name": name, "version": version(name), "rules": rules}}


def _rule(rule: str) -> Json:
    """A rule with its sentence; 3.49.9: a short description is one sentence."""
    text = _means(rule)
    return {
        "id": rule,
        "shortDescription": {"text": text},
        "fullDescription": {"text": text},
        "help": {"text": f"{text} docs/verdicts.md says more.", "markdown": f"**`{rule}`**: {text}"},
        "defaultConfiguration": {"level": LEVELS[_usual(rule)]},
    }


def _means(rule: str) -> str:
    if rule == PROBLEM:
        return "A file of records, or a part of it, cannot be read."
    return ISSUE_MEANS[Issue(rule)] if rule in list(Issue) else VERDICT_MEANS[Verdict(rule)]


def _usual(rule: str) -> Severity:
    """What the rule weighs by itself, before state, kind and age."""
    if rule == PROBLEM:
        return Severity.HIGH
    return Severity(ISSUES[Issue(rule)] if rule in list(Issue) else POINTS.get(Verdict(rule).cls, 0))


def _invocation(run: Run) -> Json:
    """3.20: how the run went; one that was stopped did not succeed."""
    ended = moment(run.finished_at)
    return {
        "executionSuccessful": run.ended == "finished",
        "startTimeUtc": moment(run.started_at),
        **({"endTimeUtc": ended} if ended else {}),
        "properties": {"run": run.id, "command": run.command, "ended": run.ended},
    }


def _results(summary: Summary) -> Iterator[Json]:
    yield from (_unread(problem) for problem in summary.problems)
    for entry in summary.entries():
        for one in entry.links:
            bad = severity(entry, one.link.kind)
            if bad:
                yield _result(entry, one, entry.known.value, bad, _said(entry))
            for issue in one.issues:
                yield _result(
                    entry, one, issue.issue.value, Severity(ISSUES[issue.issue]), _differs(entry, issue)
                )


def _said(entry: Entry) -> str:
    """One sentence on the target: 3.11.3 wants plain text."""
    finding = entry.finding
    status = f" ({finding.status})" if finding and finding.status else ""
    why = detail(entry)
    reason = f": {shown(why)}" if why else ""
    since = f" Failing since {moment(entry.failing_since)}." if entry.failing_since else ""
    return f"{shown(entry.url)} is {entry.known.value}{status}{reason}.{since}"


def _differs(entry: Entry, issue: LinkIssue) -> str:
    sides = f"expected {shown(issue.expected or 'nothing')}, found {shown(issue.actual or 'nothing')}"
    return f"{issue.issue.value} of {shown(entry.url)}: {sides}."


def _result(entry: Entry, one: EntryLink, rule: str, bad: Severity, text: str) -> Json:
    link = one.link
    # 3.27.17: stays the same when the link moves to another line.
    mark = f"{rule}\0{one.record}\0{link.field}\0{entry.url}"
    return {
        "ruleId": rule,
        "ruleIndex": INDEX[rule],
        "level": LEVELS[bad],
        "message": {"text": _literal(text)},
        "locations": [_location(one.record, link.line, link.column, link.field)],
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


def _unread(problem: Problem) -> Json:
    return {
        "ruleId": PROBLEM,
        "ruleIndex": INDEX[PROBLEM],
        "level": LEVELS[Severity.HIGH],
        "message": {"text": _literal(f"{shown(problem.reason) or 'It cannot be read'}.")},
        "locations": [_location(problem.path, problem.line, None, None)],
    }


def _location(path: str, line: int | None, column: int | None, field: str | None) -> Json:
    region = {"startLine": line} | ({} if column is None else {"startColumn": column})
    place = {"artifactLocation": _artifact(path)} | ({} if line is None else {"region": region})
    logical = [] if field is None else [{"fullyQualifiedName": shown(field), "kind": "member"}]
    return {"physicalLocation": place} | ({"logicalLocations": logical} if logical else {})


def _artifact(path: str) -> Json:
    """3.4.3: a URI; a relative one stands on the root of the sources."""
    uri = quote(path.encode(errors="surrogatepass"), safe="/-._~!$&'()*+,;=@")
    return {"uri": f"file://{uri}"} if path.startswith("/") else {"uri": uri, "uriBaseId": "%SRCROOT%"}
