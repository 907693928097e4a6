"""Processes that decode images, and may die of them: the run goes on, in a new process.

A prover does one image at a time. One that takes too long is killed; one that dies has its image
tried once more in a new process, since something else may have killed it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from crawler.errors import LocalFault
from crawler.pixels.proof import Faulty, Proof
from crawler.pixels.worker import READY, Job, Reply
from storage.model import Verdict

LONGEST: Final = 20.0  # seconds that one image may take: ten times what the largest allowed one does
BASE: Final = 256 * 1024**2  # bytes of a process that holds Pillow and a file
A_PIXEL: Final = 6  # bytes of memory a pixel: four samples, and the copy of one
TRIES: Final = 2
LINE: Final = 2**20  # bytes of the longest reply
# Threads of numpy's libraries reserve memory that nobody uses here.
ALONE: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

Prove = Callable[[Path, str, str], Awaitable[Proof | None]]
_decoder: Final = msgspec.json.Decoder(Reply)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one image may take: pixels, and seconds; `count` processes work at once."""

    pixels: int
    seconds: float = LONGEST
    count: int = 0

    @property
    def memory(self) -> int:
        """Bytes of memory that a process may have."""
        return BASE + A_PIXEL * self.pixels


class Provers:
    """A pool of processes, started when they are needed: `async with Provers(...) as provers`."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        count = bounds.count or len(os.sched_getaffinity(0))
        self._idle: asyncio.LifoQueue[asyncio.subprocess.Process | None] = asyncio.LifoQueue()
        for _ in range(count):
            self._idle.put_nowait(None)

    async def prove(self, path: Path, kind: str, how: str) -> Proof | None:
        """Prove a file; None if it is not there any more.

        Raises:
            LocalFault: no process can be started.
        """
        job = msgspec.json.encode(Job(str(path), kind, how, self._bounds.pixels)) + b"\n"
        process = await self._idle.get()
        try:
            for _ in range(TRIES):
                if process is None or process.returncode is not None:
                    process = await self._start()
                reply = await self._ask(process, job)
                if reply is not None:
                    return None if reply.gone else reply.proven or reply.faulty
        except asyncio.CancelledError:
            await _ended(process)
            raise
        finally:
            self._idle.put_nowait(process)
        return Faulty(Verdict.UNDECODABLE, "whatever decodes it dies of it")

    async def close(self) -> None:
        """End every process."""
        while not self._idle.empty():
            await _ended(self._idle.get_nowait())

    async def _ask(self, process: asyncio.subprocess.Process, job: bytes) -> Reply | None:
        """The reply of a process; None if it died. One that is late is killed."""
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a prover is started with pipes")
        try:
            async with asyncio.timeout(self._bounds.seconds):
                process.stdin.write(job)
                await process.stdin.drain()
                return _decoder.decode(await process.stdout.readline())
        except TimeoutError:
            await _ended(process)
            why = f"decoding it takes more than {self._bounds.seconds:.0f} s"
            return Reply(faulty=Faulty(Verdict.UNDECODABLE, why))
        except (ConnectionError, ValueError):
            await _ended(process)
            return None

    async def _start(self) -> asyncio.subprocess.Process:
        """A process that is ready: one that never is says nothing about an image."""
        process = await self._spawn()
        ready = await process.stdout.readline() if process.stdout else b""
        if ready != READY:
            await _ended(process)
            raise LocalFault("a process that decodes does not start: 'linkhealth doctor' may tell why")
        return process

    async def _spawn(self) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "crawler.pixels.worker",
                str(self._bounds.memory),
                env=_environment(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=LINE,
            )
        except OSError as exc:
            raise LocalFault(f"no process can be started that decodes: {exc.strerror}") from exc


def _environment() -> dict[str, str]:
    """What a process sees: this very program, whatever lies in the working directory."""
    paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "MALLOC_ARENA_MAX": "1", **ALONE}


async def _ended(process: asyncio.subprocess.Process | None) -> None:
    """Kill a process, and wait until it is gone."""
    if process is not None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
