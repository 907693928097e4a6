"""A PostgreSQL server of the tests' own, on a socket in a folder that goes with it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


@contextmanager
def serving() -> Iterator[str]:
    """A server, from its first ready word to its end; it refuses to be run by root."""
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="linkhealth-pg", ignore_cleanup_errors=True) as folder:
        if user:
            shutil.chown(folder, user)
        data = f"{folder}/data"
        making = [_program("initdb") or "", "-D", data, "--no-sync", "-A", "trust", "-U", USER, "-E", "UTF8"]
        subprocess.run([*making, "--no-locale"], check=True, capture_output=True, user=user, cwd=folder)
        command = [_program("postgres") or "", "-D", data, "-k", folder]
        options = ["-c", "listen_addresses=", "-c", "fsync=off"]
        with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, user=user, cwd=folder) as process:
            assert process.stderr is not None
            log = iter(process.stderr.readline, b"")
            assert any(READY in line for line in log), "the server ended before it was ready"
            yield folder
            process.send_signal(signal.SIGINT)
            process.communicate()
