"""What `linkhealth worker` does."""

from __future__ import annotations

from functools import partial

from crawler.cli.context import CliContext
from crawler.cluster import StopHandle, join
from crawler.config import Config, load
from crawler.engine.observer import Observer
from crawler.progress import watch
from crawler.runtime import raise_open_files, relax_collector, run_loop, stop_signals
from storage.model import RunEnd


def work(context: CliContext, *, wait: bool, name: str, no_progress: bool) -> int:
    """Work until nothing is left, or somebody says stop; return the exit code."""
    config = load(context.config)
    raise_open_files(config.network.concurrency)
    relax_collector()
    with watch(progress=not no_progress, quiet=context.quiet) as observer:
        run_end = run_loop(_work(config, observer, name=name, wait=wait))
    return run_end.exit_code


async def _work(config: Config, observer: Observer, *, name: str, wait: bool) -> RunEnd:
    """SIGTERM gives the shards back once what is under way has ended; Ctrl-C does so at once."""
    stop_handle = StopHandle()
    terminate = partial(stop_handle.stop, RunEnd.TERMINATED, "the worker was told to end")
    interrupt = partial(stop_handle.abort, RunEnd.INTERRUPTED, "the worker was interrupted")
    with stop_signals(terminate, interrupt):
        return await join(config, observer, stop_handle, name=name, wait=wait)
