"""Processes of the program that a fork server starts, as asyncio has those that it starts itself."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from asyncio.base_subprocess import BaseSubprocessTransport
from asyncio.subprocess import Process, SubprocessStreamProtocol
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

ROOT: Final = Path(__file__).parents[1]
STREAM_LIMIT: Final = 1 << 16  # bytes, as asyncio has it
Stream: TypeAlias = int | None


class ForkedProgram:
    """A process as `subprocess.Popen` shows it, as far as asyncio looks."""

    stdin: None = None

    def __init__(
        self,
        words: Sequence[str],
        folder: Path,
        environ: Mapping[str, str],
        stdout: Stream,
        stderr: Stream,
    ) -> None:
        """Ask the server for it; a stream that is no descriptor becomes a pipe."""
        self.returncode: int | None = None
        self.stdout, out = _pipe(stdout)
        self.stderr, err = _pipe(stderr)
        self.status, told = os.pipe()
        request = json.dumps({"words": list(words), "folder": str(folder), "environ": dict(environ)}).encode()
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - os.devnull is a text
            socket.send_fds(_server(), [request], [nothing.fileno(), out, err, told])
        for descriptor, given in ((out, stdout), (err, stderr), (told, None)):
            if descriptor != given:
                os.close(descriptor)
        self.pid = int(self._told())

    def _told(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            piece = os.read(self.status, 1)
            assert piece, "the fork server has gone"
            line += piece
        return line

    def end(self) -> int:
        """Take over how it ended."""
        self.returncode = int(self._told())
        os.close(self.status)
        return self.returncode

    def poll(self) -> int | None:
        """Its exit code, if it has ended."""
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


class ForkedTransport(BaseSubprocessTransport):
    """Connects a forked process with the loop."""

    _proc: ForkedProgram  # type: ignore[assignment]  # what is used of a Popen

    def _start(self, *_: Any, **options: Any) -> None:
        streams = [
            None if stream == subprocess.PIPE else stream for stream in (options["stdout"], options["stderr"])
        ]
        self._proc = ForkedProgram(options["args"], options["folder"], options["environ"], *streams)
        self._loop.add_reader(self._proc.status, self._ended)

    def _ended(self) -> None:
        self._loop.remove_reader(self._proc.status)
        self._process_exited(self._proc.end())


async def start_forked(
    folder: Path,
    environ: Mapping[str, str],
    *words: str,
    stdout: Stream = None,
    stderr: Stream = None,
) -> Process:
    """Start the program in a folder; a stream is a pipe, or a descriptor that is given."""
    loop = asyncio.get_running_loop()
    protocol = SubprocessStreamProtocol(limit=STREAM_LIMIT, loop=loop)
    waiter: asyncio.Future[None] = loop.create_future()
    out, err = (subprocess.PIPE if stream is None else stream for stream in (stdout, stderr))
    none = subprocess.DEVNULL
    transport = ForkedTransport(
        loop,
        protocol,
        words,
        False,
        none,
        out,
        err,
        0,
        waiter,
        folder=folder,
        environ=environ,
    )
    await waiter
    return Process(transport, protocol, loop)


def _pipe(stream: Stream) -> tuple[IO[bytes] | None, int]:
    """The end to read, if it is ours, and the descriptor that the process gets."""
    if stream is not None:
        return None, stream
    ours, theirs = os.pipe()
    return os.fdopen(ours, "rb", 0), theirs


@cache
def _server() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    command = [sys.executable, str(Path(__file__).with_name("fork_server.py")), str(theirs.fileno())]
    process = subprocess.Popen(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
    )
    theirs.close()

    def stop() -> None:
        ours.close()
        process.wait()

    atexit.register(stop)
    return ours
