"""What a terminal shows of a run: bars by phase, and above them each answer if it is asked for."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from crawler.progress.bars import ProgressBars
from storage.model import Verdict
from tests.program import on_terminal, records
from tests.site import answer, page, serve
from tests.storage.build import finding

pytestmark = pytest.mark.libraries

H = "http://site.example"


def _drawn(verdict: Verdict, count: int, *, verbose: bool = False) -> str:
    out = io.StringIO()
    with ProgressBars(Console(file=out, force_terminal=True, width=200), verbose=verbose) as bars:
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
    with ProgressBars(Console(file=out, force_terminal=True, width=200)) as bars:
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


def test_each_answer_is_said_where_it_is_asked_for() -> None:
    """With -v above the bars, harmless; without it they are counted alone."""
    drawn = _drawn(Verdict.NOT_FOUND, 5, verbose=True)
    assert f"{H}/0\\u001b[2J" in drawn
    assert drawn.count("not-found  ") == 5

    quiet = _drawn(Verdict.NOT_FOUND, 5)
    assert "not-found" not in quiet
    assert "5 problems" in quiet


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_the_program_on_a_terminal(tmp_path: Path, workers: str) -> None:
    """A real run draws on the terminal what all its processes find, and its data stays apart."""
    async with serve() as site:
        site.add(f"{H}/", page())
        site.add(f"{H}/dead", answer(404))
        site.add("http://other.example/", page())
        records(tmp_path, f"{H}/", f"{H}/dead", "http://other.example/")
        words = ("-v", "audit", "--connect-to", site.detour, "--format", "jsonl", "--workers", workers)
        code, out, drawn = await on_terminal(tmp_path, *words)

    assert (code, len(out.splitlines())) == (1, 3)
    assert re.search(rf"not-found +404 +[0-9.]+ s  {H}/dead", drawn)
    assert "checking, 2 lanes" in drawn
    assert "3/3" in drawn
    assert "\x1b[" not in out.decode()
