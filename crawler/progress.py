"""Progress on standard error: bars on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from crawler.report.safe import shown
from storage.model import Class, Finding

EVERY: Final = 5.0  # seconds between two lines where there is no terminal
SHOWN: Final = 1_000  # problems that are printed as they are found
PROBLEMS: Final = frozenset({Class.HARD, Class.SOFT, Class.TRANSIENT, Class.CONTENT})


class Bars:
    """Shows a run on a terminal: a bar for each phase, and above them the problems as they are found."""

    def __init__(self, console: Console | None = None) -> None:
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
        self._total = self._done = self._lanes = 0
        self._before: int | None = None  # done elsewhere when this first heard of others
        self._workers = 1
        self._shown = 0
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
        done = self._progress.tasks[self._progress.task_ids.index(phase)].completed
        self._progress.update(phase, total=done or 1, completed=done or 1)

    def read(self, records: int, links: int) -> None:
        """Show how much was read."""
        self._progress.update(self._read, completed=records, description=f"reading, {links} links")

    def planned(self, total: int, lanes: int) -> None:
        """Show how much is due."""
        self._started = time.monotonic()
        self._end(self._read)
        self._total, self._lanes = total, lanes
        self._check = self._phase(f"checking, {lanes} lanes", total)

    def found(self, finding: Finding) -> None:
        """Move the bar on, and show what is wrong."""
        self._counts[finding.verdict.cls] += 1
        if finding.verdict.cls in PROBLEMS:
            self._tell(finding)
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
        others = f", {workers} workers" if workers > 1 else ""
        self._move(self._check, f"checking, {self._lanes} lanes{others}")

    def _move(self, check: TaskID, description: str | None = None) -> None:
        rate = (self._done - (self._before or 0)) / max(time.monotonic() - self._started, 1e-3)
        problems = sum(self._counts[cls] for cls in PROBLEMS)
        self._progress.update(
            check,
            completed=self._done,
            description=description,
            rate=f"{rate:.0f}/s",
            problems=f"{problems} problems{' found here' if self._workers > 1 else ''}",
        )

    def _tell(self, finding: Finding) -> None:
        """Print a problem above the bars, as long as somebody may follow."""
        self._shown += 1
        if self._shown <= SHOWN:
            self.said(f"{finding.verdict.value}  {shown(finding.url)}")
        elif self._shown == SHOWN + 1:
            self.said("more problems stand in the report")

    def judging(self) -> None:
        """Show that nothing is asked any more."""
        if self._check is not None:
            self._phase("judging the links")

    def said(self, text: str) -> None:
        """Print a sentence above the bars."""
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)


class Lines:
    """Tells of a run in lines, seldom."""

    def __init__(self, *, every: float = EVERY) -> None:
        self._every = every
        self._next = time.monotonic() + every
        self._counts: Counter[Class] = Counter()
        self._total, self._shared = 0, False  # shared: somebody tells how far all workers are

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        return

    def read(self, records: int, links: int) -> None:
        """Tell how much was read, if it is time."""
        if self._is_time():
            self.said(f"read {records} records with {links} links")

    def planned(self, total: int, lanes: int) -> None:
        """Tell how much is due."""
        self._total = total
        self.said(f"{total} targets in {lanes} lanes are due")

    def found(self, finding: Finding) -> None:
        """Tell how far it is, if it is time."""
        self._counts[finding.verdict.cls] += 1
        if not self._shared and self._is_time():
            problems = sum(self._counts[cls] for cls in PROBLEMS)
            self.said(f"checked {self._counts.total()} of {self._total}, {problems} problems")

    def left(self, targets: int, workers: int) -> None:
        """Tell how far all workers are, if it is time."""
        self._shared = True
        if self._is_time():
            problems = sum(self._counts[cls] for cls in PROBLEMS)
            done = f"checked {max(0, self._total - targets)} of {self._total}"
            said = f"{problems} problems" if workers == 1 else f"{problems} problems found here"
            self.said(f"{done}, {said}" if workers == 1 else f"{workers} workers {done}, {said}")

    def judging(self) -> None:
        """Nothing to tell: it takes a moment."""

    def said(self, text: str) -> None:
        """Print a sentence."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress is what this is for

    def _is_time(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._every
        return True


class Silence(Lines):
    """Tells of nothing but what a person has to know."""

    def planned(self, total: int, lanes: int) -> None:
        """Keep still."""

    def _is_time(self) -> bool:
        return False


def watch(*, progress: bool, quiet: bool) -> Bars | Lines:
    """The observer that suits where standard error leads to."""
    if quiet or not progress:
        return Silence()
    return Bars() if sys.stderr.isatty() else Lines()
