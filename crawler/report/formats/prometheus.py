"""Prometheus text for the textfile collector of the node exporter: gauges, no times of their own.

Every word of the contract has its line, 0 where there is none, so that an alert never waits for a
series that is not there yet. A target that is not due counts by the verdict that still holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from crawler.report.base import Summary
from crawler.report.severity import Severity, entry_severity
from storage.model import Issue, Kind, Run, State, Verdict

Labels: TypeAlias = Mapping[str, str]
Sample: TypeAlias = tuple[Labels, float]
LABEL_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def report(summary: Summary) -> Iterator[str]:
    """The families in a fixed order; those of a run only once there is one."""
    verdicts: Counter[str] = Counter()
    severities: Counter[str] = Counter()
    for entry in summary.entries():
        verdicts[entry.verdict.value] += 1
        severities[entry_severity(entry).word] += 1
    totals = summary.totals
    by_verdict = [
        ({"class": member.cls.value, "verdict": member.value}, verdicts[member.value]) for member in Verdict
    ]
    yield _family("targets", "Targets by the verdict that holds.", by_verdict)
    yield _family("target_states", "Targets by state.", _counts("state", State, totals.states))
    yield _family("target_kinds", "Targets by kind.", _counts("kind", Kind, totals.kinds))
    words = [member.word for member in Severity]
    yield _family("target_severities", "Targets by severity.", _counts("severity", words, severities))
    yield _family("links", "Links of these targets.", [({}, totals.links)])
    yield _family("link_issues", "Issues of links.", _counts("issue", Issue, totals.issues))
    yield _family("record_problems", "What could not be read.", [({}, len(summary.problems))])
    if summary.run is not None:
        yield from _run(summary.run)


def _counts(label: str, words: Iterable[str], counts: Mapping[str, int]) -> Iterator[Sample]:
    return (({label: str(word)}, counts.get(str(word), 0)) for word in words)


def _run(run: Run) -> Iterator[str]:
    yield _family("run_number", "The number of the run.", [({"command": run.command}, run.id)])
    yield _family("run_start_timestamp_seconds", "When the run began.", [({}, run.started_at.timestamp())])
    if run.finished_at is None:
        return
    run_end = [({"ended": run.ended or ""}, run.finished_at.timestamp())]
    yield _family("run_end_timestamp_seconds", "When the run ended, and how.", run_end)
    took = (run.finished_at - run.started_at).total_seconds()
    yield _family("run_duration_seconds", "How long the run took.", [({}, took)])


def _family(name: str, says: str, samples: Iterable[Sample]) -> str:
    full = f"linkhealth_{name}"
    lines = [f"# HELP {full} {says}", f"# TYPE {full} gauge"]
    lines += [f"{full}{_labels(labels)} {_number(value)}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    inside = ",".join(f'{name}="{value.translate(LABEL_ESCAPES)}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def _number(value: float) -> str:
    """A number without an exponent: whole, or to the millisecond."""
    return str(int(value)) if value == int(value) else f"{value:.3f}"
