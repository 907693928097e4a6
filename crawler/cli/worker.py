"""`linkhealth worker`: help with the run that machines share."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import click

from crawler.cli.audit import loop_runner, rest_collector
from crawler.cli.tell import UNFINISHED
from crawler.config import Config, load
from crawler.doctor import raise_open_files
from crawler.progress import watch
from crawler.run import Observer
from crawler.sharing import Post, join


@click.command()
@click.option("--wait", is_flag=True, help="Wait for a run, and for the next, until told to end.")
@click.option("--name", default="", help="What 'linkhealth status' calls this worker.")
@click.option("--no-progress", is_flag=True, help="Show no progress.")
@click.pass_obj
def worker(obj: dict[str, Any], /, *, wait: bool, name: str, no_progress: bool) -> int:
    """Work in the run that is open in the configured database, until nothing of it is."""
    config = load(obj["config"])
    raise_open_files(config.network.concurrency)
    rest_collector()
    with watch(progress=not no_progress, quiet=obj["quiet"]) as observer:
        ended = loop_runner()(_work(config, observer, name=name, wait=wait))
    return UNFINISHED.get(ended, 0)


async def _work(config: Config, observer: Observer, *, name: str, wait: bool) -> str:
    post = Post()
    with _signals(post):
        return await join(config, observer, post, name=name, wait=wait)


@contextmanager
def _signals(post: Post) -> Iterator[None]:
    """SIGTERM gives the shards back once what is under way has ended; Ctrl-C does so at once."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, partial(post.stop, "terminated", "the worker was told to end"))
    loop.add_signal_handler(signal.SIGINT, partial(post.abort, "interrupted", "the worker was interrupted"))
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
