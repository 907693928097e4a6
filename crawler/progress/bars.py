"""Bars on a terminal: one for each phase of a run, and above them what a person has to know."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from crawler.progress.lines import answer_line
from crawler.report.phrases import counted
from storage.model import Class, Finding


class ProgressBars:
    """Shows a run on a terminal: a bar for each phase, and if `verbose`, above them each answer."""

    def __init__(self, console: Console | None = None, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[problems]}"),
            console=console or Console(stderr=True),
            transient=True,
        )
        self._read = self._phase("reading")
        self._check: TaskID | None = None
        self._counts: Counter[Class] = Counter()
        self._total = 0
        self._done = 0
        self._lanes = 0
        self._before: int | None = None  # done elsewhere when this first heard of others
        self._workers = 1
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._progress.stop()

    def _phase(self, name: str, total: int | None = None) -> TaskID:
        return self._progress.add_task(name, total=total, rate="", problems="")

    def _end(self, phase: TaskID) -> None:
        count = self._progress.tasks[self._progress.task_ids.index(phase)].completed
        self._progress.update(phase, total=count or 1, completed=count or 1)

    def read(self, records: int, links: int) -> None:
        """Show how much was read."""
        self._progress.update(self._read, completed=records, description=f"reading, {counted(links, 'link')}")

    def planned(self, total: int, lanes: int) -> None:
        """Show how much is due."""
        self._started = time.monotonic()
        self._end(self._read)
        self._total = total
        self._lanes = lanes
        self._check = self._phase(f"checking, {counted(lanes, 'lane')}", total)

    def found(self, finding: Finding) -> None:
        """Move the bar on, and show what is wrong."""
        self._counts[finding.verdict.cls] += 1
        if self._verbose:
            self.said(answer_line(finding))
        if self._check is not None:
            self._done = min(self._total, self._done + 1)
            self._move(self._check)

    def left(self, targets: int, workers: int) -> None:
        """Move the bar on to what all workers have done; what was found here since then is more yet."""
        if self._check is None:
            return
        if self._before is None:
            self._before = max(0, self._total - targets - self._done)
        self._done = min(self._total, max(self._done, self._total - targets))
        self._workers = workers
        helpers = f", {workers} workers" if workers > 1 else ""
        self._move(self._check, f"checking, {counted(self._lanes, 'lane')}{helpers}")

    def _move(self, check: TaskID, description: str | None = None) -> None:
        rate = (self._done - (self._before or 0)) / max(time.monotonic() - self._started, 1e-3)
        problems = sum(count for cls, count in self._counts.items() if cls.fails)
        self._progress.update(
            check,
            completed=self._done,
            description=description,
            rate=f"{rate:.0f}/s",
            problems=f"{counted(problems, 'problem')}{' found here' if self._workers > 1 else ''}",
        )

    def judging(self) -> None:
        """Show that nothing is asked any more."""
        if self._check is not None:
            self._phase("judging the links")

    def bounded(self, text: str) -> None:
        """Print the bound of the run above the bars."""
        self.said(text)

    def said(self, text: str) -> None:
        """Print a sentence above the bars."""
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
