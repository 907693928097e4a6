"""What a pipe is told of a run, and who is told nothing."""

from __future__ import annotations

import pytest

from crawler import progress
from crawler.progress import ProgressLines, watch
from storage.model import Verdict
from tests.storage.build import finding


def test_lines_of_all_workers(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal a line tells how far all workers are, and none how far this one is."""
    lines = ProgressLines(interval=0)
    lines.planned(10, 7)
    lines.left(8, 1)
    lines.left(6, 3)
    lines.found(finding(1, Verdict.NOT_FOUND))
    lines.left(5, 3)
    said = capsys.readouterr().err.splitlines()[1:]
    assert said == [
        "checked 2 of 10, 0 problems",
        "3 workers checked 4 of 10, 0 problems found here",
        "3 workers checked 5 of 10, 1 problem found here",
    ]


def test_suits_where_standard_error_leads() -> None:
    """Bars are for terminals; a pipe gets lines, and who asked for silence gets it."""
    assert type(progress.watch(progress=True, quiet=False)).__name__ == "ProgressLines"
    assert type(progress.watch(progress=False, quiet=False)).__name__ == "QuietProgress"
    assert type(progress.watch(progress=True, quiet=True)).__name__ == "QuietProgress"


def test_a_quiet_run_tells_no_bound(capsys: pytest.CaptureFixture[str]) -> None:
    """With -q, nothing but what changed reaches a person; otherwise the bound does."""
    for quiet in (True, False):
        with watch(progress=not quiet, quiet=quiet) as observer:
            observer.bounded("cannot end before 2 min: slow.example has 240 targets")
    assert capsys.readouterr().err.count("cannot end before") == 1
