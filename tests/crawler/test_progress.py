"""What a terminal shows of a run: bars by phase, and the problems above them as they are found."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from crawler import progress
from crawler.progress import SHOWN, Bars, Lines
from storage.model import Verdict
from tests.program import on_terminal, records
from tests.site import answer, page, serve
from tests.storage.build import finding

H = "http://site.example"


def _drawn(verdict: Verdict, count: int) -> str:
    out = io.StringIO()
    with Bars(Console(file=out, force_terminal=True, width=200)) as bars:
        bars.read(3, 40)
        bars.planned(count, 7)
        for number in range(count):
            bars.found(replace(finding(number, verdict), url=f"{H}/{number}\x1b[2J"))
        bars.judging()
    return out.getvalue()


def test_bars_by_phase() -> None:
    """Reading, checking with its counts, and judging have a bar each."""
    drawn = _drawn(Verdict.OK, 5)

    assert "reading, 40 links" in drawn
    assert "checking, 7 lanes" in drawn
    assert "5/5" in drawn
    assert "0 problems" in drawn
    assert "judging the links" in drawn


def test_bar_of_all_workers() -> None:
    """The bar moves on with what others do, never back, and says that problems are those found here."""
    out = io.StringIO()
    with Bars(Console(file=out, force_terminal=True, width=200)) as bars:
        bars.planned(10, 7)
        bars.left(6, 3)
        bars.found(finding(1, Verdict.OK))
        bars.left(6, 3)
        bars.left(0, 3)
        bars.found(finding(2, Verdict.OK))
    drawn = out.getvalue()
    assert "checking, 7 lanes, 3 workers" in drawn
    assert "10/10" in drawn
    assert "0 problems found here" in drawn


def test_lines_of_all_workers(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal a line tells how far all workers are, and none how far this one is."""
    lines = Lines(every=0)
    lines.planned(10, 7)
    lines.left(8, 1)
    lines.left(6, 3)
    lines.found(finding(1, Verdict.NOT_FOUND))
    lines.left(5, 3)
    said = capsys.readouterr().err.splitlines()[1:]
    assert said == [
        "checked 2 of 10, 0 problems",
        "3 workers checked 4 of 10, 0 problems found here",
        "3 workers checked 5 of 10, 1 problems found here",
    ]


def test_problems_scroll_by_and_end() -> None:
    """Each problem is printed with its URL, harmless; beyond a thousand they are counted alone."""
    drawn = _drawn(Verdict.NOT_FOUND, SHOWN + 5)

    assert f"not-found  {H}/0\\u001b[2J" in drawn
    assert drawn.count("not-found  ") == SHOWN
    assert drawn.count("more problems stand in the report") == 1
    assert f"{SHOWN + 5} problems" in drawn


def test_suits_where_standard_error_leads() -> None:
    """Bars are for terminals; a pipe gets lines, and who asked for silence gets it."""
    assert type(progress.watch(progress=True, quiet=False)).__name__ == "Lines"
    assert type(progress.watch(progress=False, quiet=False)).__name__ == "Silence"
    assert type(progress.watch(progress=True, quiet=True)).__name__ == "Silence"


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_the_program_on_a_terminal(tmp_path: Path, workers: str) -> None:
    """A real run draws on the terminal what all its processes find, and its data stays apart."""
    async with serve() as site:
        site.add(f"{H}/", page())
        site.add(f"{H}/dead", answer(404))
        site.add("http://other.example/", page())
        records(tmp_path, f"{H}/", f"{H}/dead", "http://other.example/")
        words = ("audit", "--connect-to", site.detour, "--format", "jsonl", "--workers", workers)
        code, out, drawn = await on_terminal(tmp_path, *words)

    assert (code, len(out.splitlines())) == (1, 3)
    assert f"not-found  {H}/dead" in drawn
    assert "checking, 2 lanes" in drawn
    assert "3/3" in drawn
    assert "\x1b[" not in out.decode()
