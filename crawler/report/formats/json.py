"""JSON: one object with the counts of the run, what could not be read, and the targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from crawler.report.base import Summary
from crawler.report.escape import json
from crawler.report.spool import spooled
from crawler.report.target_json import TargetJson, line, moment

REPORT_SCHEMA_VERSION: Final = 1


class ProblemJson(Struct, frozen=True):
    """Why a record file, or a part of it, could not be read; `line` is 1-based, null for a whole file."""

    path: str
    line: int | None
    reason: str


class RunJson(Struct, frozen=True):
    """The run and its counts: by the verdict that holds, by state, and by why targets were not asked."""

    schema: int
    id: int | None
    command: str | None
    started_at: str | None
    finished_at: str | None
    ended: str | None
    targets: int
    links: int
    record_problems: int
    classes: dict[str, int]
    verdicts: dict[str, int]
    kinds: dict[str, int]
    states: dict[str, int]
    issues: dict[str, int]
    not_asked: dict[str, int]


class ReportJson(Struct, frozen=True):
    """The report: the run with its counts, the record problems, and the targets."""

    run: RunJson
    record_problems: list[ProblemJson]
    targets: list[TargetJson]


def report(summary: Summary) -> Iterator[str]:
    """The object in pieces, with its targets not all in memory; they are counted as they are read."""
    problems = [ProblemJson(problem.path, problem.line, problem.reason) for problem in summary.problems]
    with spooled(_targets(summary)) as targets:
        yield f'{{"run": {json(_run(summary))},\n'
        yield f'"record_problems": {json(problems)},\n"targets": ['
        yield from targets
    yield "\n]}\n"


def _targets(summary: Summary) -> Iterator[str]:
    separator = "\n"
    for entry in summary.entries():
        yield separator + json(line(entry))
        separator = ",\n"


def _run(summary: Summary) -> RunJson:
    run, totals = summary.run, summary.totals
    return RunJson(
        REPORT_SCHEMA_VERSION,
        run.id if run else None,
        run.command if run else None,
        moment(run.started_at) if run else None,
        moment(run.finished_at) if run else None,
        run.ended if run else None,
        totals.targets,
        totals.links,
        len(summary.problems),
        totals.classes,
        totals.verdicts,
        totals.kinds,
        totals.states,
        totals.issues,
        totals.not_asked,
    )
