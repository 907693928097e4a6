"""A PostgreSQL server of the tests' own, on a socket in a folder that goes with it."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Thread

USER = "linkhealth"
READY = b"database system is ready to accept connections"


def _program(name: str) -> str | None:
    found = shutil.which(name)
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return found or (str(places[-1]) if places else None)


def missing() -> str:
    """Why no server can be had here; "" if one can."""
    absent = [name for name in ("initdb", "postgres") if _program(name) is None]
    return f"no PostgreSQL server on this machine ({', '.join(absent)})" if absent else ""


def dsn(folder: str) -> str:
    """How to reach the database of the server that is always there."""
    return f"host={folder} user={USER} dbname=postgres"


@cache
def _template(user: str | None) -> str:
    """A folder with the data of an empty server: to copy it takes a tenth of the time."""
    folder = tempfile.mkdtemp(prefix="linkhealth-pg")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if user:
        shutil.chown(folder, user)
    words = ["-D", f"{folder}/data", "--no-sync", "-A", "trust", "-U", USER, "-E", "UTF8", "--no-locale"]
    making = [_program("initdb") or "", *words]
    subprocess.run(making, check=True, capture_output=True, user=user, cwd=folder)
    return f"{folder}/data"


class Server:
    """A server in a folder; it refuses to be run by root."""

    def __init__(self, folder: str, *options: str) -> None:
        """Make its data; `options` are settings such as "max_connections=20"."""
        self.folder = folder
        self._options = [word for one in options for word in ("-c", one)]
        self._user = "nobody" if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._draining = Thread()
        if self._user:
            shutil.chown(folder, self._user)
        copying = ["cp", "-r", _template(self._user), f"{folder}/data"]
        subprocess.run(copying, check=True, user=self._user, cwd=folder)

    def start(self) -> None:
        """Start, and wait for the word that it is ready."""
        words = ["-D", f"{self.folder}/data", "-k", self.folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        command = [_program("postgres") or "", *words, *self._options]
        self._process = subprocess.Popen(
            command, stderr=subprocess.PIPE, user=self._user, cwd=self.folder, start_new_session=True
        )
        assert self._process.stderr is not None
        log = iter(self._process.stderr.readline, b"")
        assert any(READY in line for line in log), "the server ended before it was ready"
        # A server whose log is full stands still: after 64 KiB, which is some hundred databases.
        self._draining = Thread(target=deque, args=(log, 0), daemon=True)
        self._draining.start()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT is a fast shutdown, SIGQUIT an immediate one, as in a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._draining.join()
            assert self._process.stderr is not None
            self._process.stderr.close()
            self._process = None


@contextmanager
def served(*options: str) -> Iterator[Server]:
    """A server that can be stopped and started again, from its first ready word to its end."""
    with tempfile.TemporaryDirectory(prefix="linkhealth-pg", ignore_cleanup_errors=True) as folder:
        server = Server(folder, *options)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def serving() -> Iterator[str]:
    """The folder of a server."""
    with served() as server:
        yield server.folder
