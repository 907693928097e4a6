"""A process that has loaded the program once, and forks itself for each command: python fork_server.py FD.

A command starts in a hundredth of the time that its imports take. It is a process of its own, with its
own signals, descriptors, folder and environment, and it ends as the interpreter ends any program.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

PROGRAM: Final = Path(__file__).parents[1] / "crawler" / "__main__.py"
MAX_REQUEST_BYTES: Final = 1 << 20
FILES: Final = 4  # descriptors of a request: standard input, output, error, and where its end is told


def _load() -> Callable[[], None]:
    """Import what the commands import, so that every fork has it; gives the program."""
    from crawler import cli  # noqa: PLC0415 - only here, after the warnings are set

    program = cli.main  # before a module of the same name hides it
    for module in pkgutil.iter_modules(cli.__path__):
        importlib.import_module(f"crawler.cli.{module.name}")
    for name in (
        "crawler.app",
        "crawler.runners",
        "sqlalchemy.dialects.sqlite",
        "storage.records.markdown",
    ):
        importlib.import_module(name)
    return program


class ForkServer:
    """Serves one client until it has gone."""

    def __init__(self, client: socket.socket) -> None:
        """Take over the death of children."""
        self._client = client
        self._ends: dict[int, int] = {}  # by process: the descriptor that is told how it ended
        self._wakeup, wakes = socket.socketpair()
        for end in (self._wakeup, wakes):
            end.setblocking(False)
        self._wakes = wakes
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at pytest is for pytest
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)

    def serve(self) -> list[str] | None:
        """Fork for each request; gives the words of a command in the fork, and nothing at the end."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._client, selectors.EVENT_READ)
            selector.register(self._wakeup, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._wakeup in ready:
                    self._wakeup.recv(4096)
                    self._tell_ends()
                if self._client in ready:
                    request, files, _, _ = socket.recv_fds(self._client, MAX_REQUEST_BYTES, FILES)
                    if not request:
                        self._close()
                        return None
                    words = self._fork(json.loads(request), files)
                    if words is not None:
                        return words

    def _fork(self, request: dict[str, object], files: list[int]) -> list[str] | None:
        pid = os.fork()
        if pid:
            *streams, told = files
            for descriptor in streams:
                os.close(descriptor)
            self._ends[pid] = told
            os.write(told, b"%d\n" % pid)
            return None
        return self._become(request, files)

    def _become(self, request: dict[str, object], files: list[int]) -> list[str]:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, descriptor in enumerate(files[:-1]):
            os.dup2(descriptor, number)
        for descriptor in (*files, *self._ends.values()):
            os.close(descriptor)
        self._close()
        folder, environ, words = request["folder"], request["environ"], request["words"]
        assert isinstance(folder, str)
        assert isinstance(environ, dict)
        assert isinstance(words, list)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environ)
        return words

    def _close(self) -> None:
        signal.set_wakeup_fd(-1)
        for end in (self._client, self._wakeup, self._wakes):
            end.close()

    def _tell_ends(self) -> None:
        while self._ends:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            told = self._ends.pop(pid)
            os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
            os.close(told)


def _run(program: Callable[[], None], words: list[str]) -> None:
    """Be the program: leave as it leaves."""
    from crawler.data.version import program_version  # noqa: PLC0415 - as in `_load`

    sys.argv = [str(PROGRAM), *words]
    sys.path[0] = str(Path.cwd())  # as `python -m` has it
    program_version.cache_clear()  # what was found on another path
    # Streams opened anew: these know whether they are pipes, files or terminals.
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - open until the end
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115 - as above
    program()


def main() -> None:
    """Load, serve, and in each fork run."""
    client = socket.socket(fileno=int(sys.argv[1]))
    program = _load()
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a thread does not survive a fork"
    gc.collect()
    gc.freeze()
    words = ForkServer(client).serve()
    if words is not None:
        _run(program, words)


if __name__ == "__main__":
    main()
