"""The process of a worker: `python -m crawler.processes FD`, started by the parent."""

from __future__ import annotations

import sys

from crawler.processes.worker import work
from crawler.runtime import relax_collector, run_loop


def main() -> None:
    """Work until the parent tells to end, or is gone."""
    relax_collector()
    run_loop(work(int(sys.argv[1])))


main()
