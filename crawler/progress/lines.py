"""Lines on standard error, a few in a minute, where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections import Counter
from types import TracebackType
from typing import Final, Self

from crawler.report.escape import printable
from crawler.report.phrases import counted
from storage.model import Class, Finding

LINE_INTERVAL: Final = 5.0  # seconds between two lines where there is no terminal


def answer_line(finding: Finding) -> str:
    """One target as it was answered: verdict, status, seconds, URL."""
    status = "" if finding.status is None else str(finding.status)
    return f"{finding.verdict.value:<13} {status:>3} {finding.elapsed:6.2f} s  {printable(finding.url)}"


class ProgressLines:
    """Tells of a run in lines, seldom."""

    def __init__(self, *, interval: float = LINE_INTERVAL, verbose: bool = False) -> None:
        self._verbose = verbose
        self._every = interval
        self._next = time.monotonic() + interval
        self._counts: Counter[Class] = Counter()
        self._total = 0
        self._shared = False  # whether the progress of all workers is reported

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        return

    def read(self, records: int, links: int) -> None:
        """Tell how much was read, if it is time."""
        if self._is_time():
            self.said(f"read {counted(records, 'record')} with {counted(links, 'link')}")

    def planned(self, total: int, lanes: int) -> None:
        """Tell how much is due."""
        self._total = total
        verb = "is" if total == 1 else "are"
        self.said(f"{counted(total, 'target')} in {counted(lanes, 'lane')} {verb} due")

    def found(self, finding: Finding) -> None:
        """Tell how far it is, if it is time."""
        self._counts[finding.verdict.cls] += 1
        if self._verbose:
            self.said(answer_line(finding))
        if not self._shared and self._is_time():
            problems = sum(count for cls, count in self._counts.items() if cls.fails)
            self.said(f"checked {self._counts.total():,} of {self._total:,}, {counted(problems, 'problem')}")

    def left(self, targets: int, workers: int) -> None:
        """Tell how far all workers are, if it is time."""
        self._shared = True
        if self._is_time():
            problems = sum(count for cls, count in self._counts.items() if cls.fails)
            count = max(0, self._total - targets)
            text = f"checked {count:,} of {self._total:,}, {counted(problems, 'problem')}"
            self.said(text if workers == 1 else f"{workers} workers {text} found here")

    def judging(self) -> None:
        """Nothing to tell: it takes a moment."""

    def bounded(self, text: str) -> None:
        """Print the bound of the run."""
        self.said(text)

    def said(self, text: str) -> None:
        """Print a sentence."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress is what this is for

    def _is_time(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._every
        return True


class QuietProgress(ProgressLines):
    """Tells of nothing but what a person has to know."""

    def planned(self, total: int, lanes: int) -> None:
        """Keep still."""

    def bounded(self, text: str) -> None:
        """Keep still: whoever wants no progress wants no estimate."""

    def _is_time(self) -> bool:
        return False
