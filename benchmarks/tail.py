"""A web with a heavy tail, in a process of its own: few hosts have most pages, some are gone, some moved."""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Final

from tests.site import Wire, answer, page, redirect, serve

SEED: Final = 8
DELAYS: Final = (0.02, 0.2)  # seconds that an answer takes


def web(pipe: Connection) -> None:
    """Answer in its time, and hand out the log since the last time, until the pipe is closed."""

    async def step(wire: Wire) -> None:
        dice = random.Random(f"{SEED} {wire.asked.url}")
        await asyncio.sleep(dice.uniform(*DELAYS))
        kind = dice.choices(("page", "gone", "moved"), (90, 5, 5))[0]
        if kind == "moved" and "/new/" not in wire.asked.url:
            host, _, path = wire.asked.url.removeprefix("http://").partition("/")
            await redirect(301, f"http://{host}/new/{path}")(wire)
        else:
            await (answer(404) if kind == "gone" else page())(wire)

    async def main() -> None:
        async with serve() as site:
            site.fallback = step
            pipe.send(site.detour)
            while await asyncio.to_thread(_asked, pipe):
                pipe.send(site.log)
                site.log = []

    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)  # a web that has to wait for a processor sees requests late
    asyncio.run(main())


def _asked(pipe: Connection) -> bool:
    try:
        return bool(pipe.recv())
    except EOFError:
        return False


def tail(largest: int, hosts: int, exponent: float) -> list[str]:
    """URLs on hosts of which number n has the pages of the largest by n ** exponent, in any order."""
    sizes = {n: max(1, round(largest / n**exponent)) for n in range(1, hosts + 1)}
    urls = [f"http://h{n}.example/{page}" for n, size in sizes.items() for page in range(size)]
    random.Random(SEED).shuffle(urls)
    return urls
