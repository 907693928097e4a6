"""JSON: one object with the counts of the run, what could not be read, and the targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crawler.report.base import Summary
from crawler.report.line import line, moment
from crawler.report.safe import json


def report(summary: Summary) -> Iterator[str]:
    """The object in pieces, so that its targets need not all be in memory."""
    problems = [{"path": p.path, "line": p.line, "reason": p.reason} for p in summary.problems]
    yield f'{{"run": {json(_run(summary))},\n'
    yield f'"record_problems": {json(problems)},\n"targets": ['
    separator = "\n"
    for entry in summary.entries():
        yield separator + json(line(entry))
        separator = ",\n"
    yield "\n]}\n"


def _run(summary: Summary) -> dict[str, Any]:
    run, totals = summary.run, summary.totals
    return {
        "id": run.id if run else None,
        "command": run.command if run else None,
        "started_at": moment(run.started_at) if run else None,
        "finished_at": moment(run.finished_at) if run else None,
        "ended": run.ended if run else None,
        "targets": totals.targets,
        "links": totals.links,
        "record_problems": len(summary.problems),
        "classes": totals.classes,
        "verdicts": totals.verdicts,
        "kinds": totals.kinds,
        "states": totals.states,
        "issues": totals.issues,
    }
