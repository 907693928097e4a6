"""Is this machine fit for a run, and is the configuration? What is wrong, and how to mend it.

Everything is looked at, and nothing is made: no folder, no database, no file.
"""

from __future__ import annotations

from collections.abc import Iterator

from crawler.config import Config
from crawler.doctor.base import CheckResult
from crawler.doctor.machine import MACHINE_CHECKS
from crawler.doctor.places import PLACE_CHECKS

__all__ = ["CheckResult", "examine"]


def examine(config: Config) -> Iterator[CheckResult]:
    """Look at everything that a run needs."""
    for check in (*MACHINE_CHECKS, *PLACE_CHECKS):
        yield check(config)
