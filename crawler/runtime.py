"""The process: its event loop, its garbage collector, its signals, its limits, and its children."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

Result = TypeVar("Result")
SPARE_DESCRIPTORS: Final = 64  # file descriptors beside one for each request at once
GOAL_DESCRIPTORS: Final = 16_384  # file descriptors that a run takes where it may have them


def relax_collector() -> None:
    """Look for cycles of garbage a hundred times less often.

    A run makes hundreds of thousands of small values that hold no cycles and stay for a while; to
    look through them again and again took a quarter of its time (benchmarks/throughput.py).
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def run_loop(main: Coroutine[object, None, Result]) -> Result:
    """Run a coroutine to its end, on uvloop where there is one; LINKHEALTH_LOOP=asyncio leaves it out."""
    if os.environ.get("LINKHEALTH_LOOP") == "asyncio":
        return asyncio.run(main)
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


@contextmanager
def stop_signals(terminate: Callable[[], None], interrupt: Callable[[], None]) -> Iterator[None]:
    """Call one function at SIGTERM and another at SIGINT (Ctrl-C), in the loop that runs.

    Where a loop cannot take signals (not the main thread, or a system without them), they are left to
    the caller.
    """
    loop = asyncio.get_running_loop()
    handlers: list[signal.Signals] = []
    for number, handler in ((signal.SIGTERM, terminate), (signal.SIGINT, interrupt)):
        try:
            loop.add_signal_handler(number, handler)
        except (NotImplementedError, ValueError, RuntimeError):
            break
        handlers.append(number)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


def open_files_limit() -> int:
    """Return how many files this process may have open at once."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return GOAL_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft


def raise_open_files(count: int) -> int:
    """Raise this process's limit of open files: idle connections are kept beside `count` requests.

    Returns:
        How many requests at once the limit allows now, at most `count`.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    goal = max(count + SPARE_DESCRIPTORS, GOAL_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY:
        return count
    if soft < goal and os.name == "posix":
        soft = goal if hard == resource.RLIM_INFINITY else min(hard, goal)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(count, max(soft - SPARE_DESCRIPTORS, soft // 4, 1))


def child_environment() -> dict[str, str]:
    """The environment of a child process that runs this very program, wherever it works."""
    paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
