"""Processes that decode images, and may die of them: the run goes on, in a new process.

A process decodes one image at a time. One that takes too long is killed; one that dies has its image
tried once more in a new process, since something else may have killed it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Final

import msgspec

from crawler.errors import LocalFault
from crawler.images.decode import BYTES_PER_PIXEL, DecodeFailure, Proof
from crawler.images.decode_worker import READY, DecodeJob, DecodeReply
from crawler.runtime import child_environment
from storage.errors import system_reason
from storage.frozen import frozen
from storage.model import Verdict

DECODE_TIMEOUT_SECONDS: Final = (
    20.0  # seconds that one image may take: ten times what the largest allowed one does
)
PROCESS_BASE_BYTES: Final = 256 * 1024**2  # bytes of a process that holds Pillow and a file
PROCESS_ATTEMPTS: Final = 2
MAX_REPLY_BYTES: Final = 2**20  # bytes of the longest reply
# Threads of numpy's libraries reserve memory that is never used here.
SINGLE_THREAD_ENVIRONMENT: Final = {
    "MALLOC_ARENA_MAX": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}

_decoder: Final = msgspec.json.Decoder(DecodeReply)


@frozen
class DecodeLimits:
    """What one image may take: pixels, and seconds; `count` processes work at once."""

    pixels: int
    seconds: float = DECODE_TIMEOUT_SECONDS
    count: int = 0

    @property
    def memory(self) -> int:
        """Bytes of memory that a process may have."""
        return PROCESS_BASE_BYTES + BYTES_PER_PIXEL * self.pixels


class DecodePool:
    """A pool of processes, started when they are needed: see `prove` and `close`."""

    def __init__(
        self,
        bounds: DecodeLimits,
        lend_descriptors: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._bounds = bounds
        self._lend_descriptors = lend_descriptors
        count = bounds.count or len(os.sched_getaffinity(0))
        self._idle: asyncio.LifoQueue[asyncio.subprocess.Process | None] = asyncio.LifoQueue()
        for _ in range(count):
            self._idle.put_nowait(None)

    async def prove(self, path: Path, kind: str, how: str) -> Proof | None:
        """Prove a file; None if it is not there any more.

        Raises:
            LocalFault: no process can be started.
        """
        job = msgspec.json.encode(DecodeJob(str(path), kind, how, self._bounds.pixels)) + b"\n"
        process = await self._idle.get()
        try:
            for _ in range(PROCESS_ATTEMPTS):
                if process is None or process.returncode is not None:
                    process = await self._start()
                reply = await self._ask(process, job)
                if reply is not None:
                    return None if reply.gone else reply.proven or reply.faulty
        except asyncio.CancelledError:
            await _kill(process)
            raise
        finally:
            self._idle.put_nowait(process)
        return DecodeFailure(Verdict.UNDECODABLE, "whatever decodes it dies of it")

    async def close(self) -> None:
        """End every process."""
        while not self._idle.empty():
            await _kill(self._idle.get_nowait())

    async def _ask(self, process: asyncio.subprocess.Process, job: bytes) -> DecodeReply | None:
        """The reply of a process; None if it died. One that is late is killed."""
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a decoding process is started with pipes")
        try:
            async with asyncio.timeout(self._bounds.seconds):
                process.stdin.write(job)
                await process.stdin.drain()
                return _decoder.decode(await process.stdout.readline())
        except TimeoutError:
            await _kill(process)
            why = f"decoding it takes more than {self._bounds.seconds:.0f} s"
            return DecodeReply(faulty=DecodeFailure(Verdict.UNDECODABLE, why))
        except (ConnectionError, ValueError):
            await _kill(process)
            return None

    async def _start(self) -> asyncio.subprocess.Process:
        """A process that is ready: one that never is says nothing about an image."""
        with self._lend_descriptors():
            process = await self._spawn()
        ready = await process.stdout.readline() if process.stdout else b""
        if ready != READY:
            await _kill(process)
            raise LocalFault("a process that decodes does not start: 'linkhealth doctor' may tell why")
        return process

    async def _spawn(self) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "crawler.images.decode_worker",
                str(self._bounds.memory),
                env=_environment(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=MAX_REPLY_BYTES,
            )
        except OSError as exc:
            raise LocalFault(f"no process can be started that decodes: {system_reason(exc)}") from exc


def _environment() -> dict[str, str]:
    """What a process sees: this very program, whatever lies in the working directory."""
    return {**child_environment(), **SINGLE_THREAD_ENVIRONMENT}


async def _kill(process: asyncio.subprocess.Process | None) -> None:
    """Kill a process, and wait until it is gone."""
    if process is not None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
