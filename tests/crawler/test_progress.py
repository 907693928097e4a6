"""What a terminal shows of a run: bars by phase, and the problems above them as they are found."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from crawler import progress
from crawler.progress import SHOWN, Bars
from storage.model import Verdict
from tests.program import ROOT, records
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


async def _on_terminal(folder: Path, *words: str) -> tuple[int, bytes, str]:
    """Run the program with a terminal for standard error: its exit code, its data, what was drawn."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "crawler", *words),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "160"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    drawing = asyncio.create_task(asyncio.to_thread(_all_of, ours))
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out, await drawing


def _all_of(number: int) -> str:
    with os.fdopen(number, "rb", buffering=0) as file:
        pieces = []
        try:
            while piece := file.read(65_536):
                pieces.append(piece)
        except OSError:  # the other side has gone
            pass
        return b"".join(pieces).decode()


async def test_the_program_on_a_terminal(tmp_path: Path) -> None:
    """A real run draws on the terminal, and its data stays apart."""
    async with serve() as site:
        site.add(f"{H}/", page())
        site.add(f"{H}/dead", answer(404))
        records(tmp_path, f"{H}/", f"{H}/dead")
        words = ("audit", "--connect-to", site.detour, "--format", "jsonl")
        code, out, drawn = await _on_terminal(tmp_path, *words)

    assert (code, len(out.splitlines())) == (1, 2)
    assert f"not-found  {H}/dead" in drawn
    assert "checking, 1 lanes" in drawn
    assert "\x1b[" not in out.decode()
