"""What a run may leave behind: nothing."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.site import Site

FILES = Path("/proc/self/fd")  # without it, the word of the site has to do


def sockets() -> set[str]:
    """The sockets that this process holds open."""
    names = set()
    for one in list(FILES.iterdir()) if FILES.is_dir() else ():
        with suppress(FileNotFoundError):  # the folder itself was open a moment ago
            names.add(str(one.readlink()))
    return {name for name in names if name.startswith("socket:")}


@asynccontextmanager
async def none_left(site: Site) -> AsyncIterator[None]:
    """Hold that no task and no socket outlives what is done inside."""
    tasks, before = asyncio.all_tasks(), sockets()
    gc.disable()  # a leak that is collected is a leak still
    try:
        yield
        await site.deserted()
        assert asyncio.all_tasks() <= tasks
        assert sockets() <= before
    finally:
        gc.enable()
