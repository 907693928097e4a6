"""The process of a worker: `python -m crawler.workers FD`, started by the parent."""

from __future__ import annotations

import asyncio
import gc
import sys

from crawler.workers.child import work


def main() -> None:
    """Work until the parent tells to end, or is gone."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        asyncio.run(work(int(sys.argv[1])))
    else:
        uvloop.run(work(int(sys.argv[1])))


main()
