"""Progress on standard error: bars on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from crawler.progress.lines import ProgressLines, QuietProgress

if TYPE_CHECKING:
    from crawler.progress.bars import ProgressBars

__all__ = ["ProgressLines", "QuietProgress", "watch"]


def watch(*, progress: bool, quiet: bool, verbose: bool = False) -> ProgressBars | ProgressLines:
    """The observer that suits where standard error leads to; a `verbose` one says each URL as answered."""
    if quiet or not progress:
        return QuietProgress(verbose=verbose)
    if not sys.stderr.isatty():
        return ProgressLines(verbose=verbose)
    from crawler.progress.bars import ProgressBars  # noqa: PLC0415 - what draws them, for a terminal only

    return ProgressBars(verbose=verbose)
