"""Progress on standard error: a bar on a terminal, a line every few seconds elsewhere."""

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

from storage.model import Class, Finding

EVERY: Final = 5.0  # seconds between two lines where there is no terminal
PROBLEMS: Final = frozenset({Class.HARD, Class.SOFT, Class.TRANSIENT, Class.CONTENT})


class Bar:
    """Shows a run on a terminal."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[problems]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID = self._progress.add_task("reading", total=None, rate="", problems="")
        self._counts: Counter[Class] = Counter()
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._progress.stop()

    def read(self, records: int, links: int) -> None:
        """Show how much was read."""
        self._progress.update(self._task, description=f"reading: {records} records, {links} links")

    def planned(self, total: int, lanes: int) -> None:
        """Show how much is due."""
        self._started = time.monotonic()
        self._progress.update(self._task, description=f"checking, {lanes} lanes", total=total, completed=0)

    def found(self, finding: Finding) -> None:
        """Move the bar on."""
        self._counts[finding.verdict.cls] += 1
        done = self._counts.total()
        rate = done / max(time.monotonic() - self._started, 1e-3)
        problems = sum(self._counts[cls] for cls in PROBLEMS)
        self._progress.update(self._task, advance=1, rate=f"{rate:.0f}/s", problems=f"{problems} problems")

    def said(self, text: str) -> None:
        """Print a sentence above the bar."""
        self._progress.console.print(text, markup=False, highlight=False)


class Lines:
    """Tells of a run in lines, seldom."""

    def __init__(self, *, every: float = EVERY) -> None:
        self._every = every
        self._next = time.monotonic() + every
        self._counts: Counter[Class] = Counter()
        self._total = 0

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
        if self._is_time():
            problems = sum(self._counts[cls] for cls in PROBLEMS)
            self.said(f"checked {self._counts.total()} of {self._total}, {problems} problems")

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


def watch(*, progress: bool, quiet: bool) -> Bar | Lines:
    """The observer that suits where standard error leads to."""
    if quiet or not progress:
        return Silence()
    return Bar() if sys.stderr.isatty() else Lines()
