"""One run at a time: who holds the lock, how long, and what a second one is told."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa

from storage.db import lock
from storage.db.database import open_engine
from storage.errors import LedgerError, LockHeld
from tests.program import records, run

ROOT: Final = Path(__file__).parents[3]
HOLDER: Final = """
import sys
from pathlib import Path
from storage.db import lock
with lock.hold_file(Path(sys.argv[1]), "audit"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _holder(database: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the lock of a database until its input ends."""
    command = [sys.executable, "-c", HOLDER, str(database)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == b"held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file to lock."""
    return tmp_path / "linkhealth.db"


def _refused(database: Path) -> str:
    with pytest.raises(LockHeld) as caught, lock.hold_file(database, "run"):
        pass
    return str(caught.value)


def test_second_holder_is_told_who_the_first_is(database: Path) -> None:
    """The error names process, command and start of the run that holds the lock."""
    with lock.hold_file(database, "refresh"):
        said = _refused(database)

    start = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    who = f"process {os.getpid()} runs 'linkhealth refresh' since {start}"
    assert re.search(rf"^{re.escape(str(database))} is in use: {who}; ", said)


def test_refusal_leaves_the_holder_alone(database: Path) -> None:
    """Whoever is refused neither takes the lock nor wipes the name of its holder."""
    with _holder(database) as process:
        first, second = _refused(database), _refused(database)

    assert f"process {process.pid} runs" in first
    assert first == second


def test_lock_is_free_again(database: Path) -> None:
    """After its block, at its end or by an error, the lock is free, and names nobody."""
    with lock.hold_file(database, "audit"):
        pass
    with pytest.raises(ZeroDivisionError), lock.hold_file(database, "audit"):
        raise ZeroDivisionError
    with lock.hold_file(database, "audit"):
        pass
    assert Path(f"{database}.lock").read_text() == ""


def test_lock_dies_with_its_process(database: Path) -> None:
    """A process that was killed holds nothing, though its name still stands in the file."""
    with _holder(database) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert f"process {process.pid} runs" in Path(f"{database}.lock").read_text()
        with lock.hold_file(database, "audit"):
            assert f"process {os.getpid()} runs" in _refused(database)


def test_two_names_of_one_file_are_one_lock(database: Path, tmp_path: Path) -> None:
    """A link to the database, and a way round to it, lead to the same lock."""
    database.touch()
    (tmp_path / "link.db").symlink_to(database)
    (tmp_path / "sub").mkdir()
    with lock.hold_file(database, "audit"):
        for other in (tmp_path / "link.db", tmp_path / "sub" / ".." / "linkhealth.db"):
            assert "is in use" in _refused(other)


def test_other_databases_are_free(database: Path, tmp_path: Path) -> None:
    """Each database has a lock of its own."""
    with lock.hold_file(database, "audit"), lock.hold_file(tmp_path / "other.db", "audit"):
        assert Path(f"{database}.lock").read_text() != ""


def test_lock_of_any_database(engine: sa.Engine, engine_url: str) -> None:
    """A file or a server: one run holds the lock, a second is told who, and then it is free."""
    other = open_engine(engine_url)
    with lock.hold(engine, "audit"):
        with pytest.raises(LockHeld, match=r"is in use: .*audit.*") as caught, lock.hold(other, "run"):
            pass
        assert f"process {os.getpid()}" in str(caught.value)
    with lock.hold(other, "run"):
        pass
    other.dispose()


def test_lock_of_a_server_ends_with_its_connection(server_url: str) -> None:
    """A run whose connection is gone, like one that was killed, holds nothing."""
    first, second = open_engine(server_url), open_engine(server_url)
    end = sa.text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'linkhealth%'"
    )
    with lock.hold(first, "audit"):
        with second.connect() as connection:
            connection.execute(end)
        with lock.hold(second, "audit"):
            pass
    first.dispose()
    second.dispose()


def test_place_that_takes_no_lock(tmp_path: Path) -> None:
    """Where no lock file can be written, a sentence says where."""
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match=r"file/x\.db\.lock cannot be written: a part of the path"):
        lock.hold_file(tmp_path / "file" / "x.db", "audit").__enter__()


async def test_program_that_finds_a_lock(tmp_path: Path) -> None:
    """The program ends with 75 and names the holder; reports need no lock."""
    records(tmp_path)
    await run(tmp_path, "audit")
    with _holder(tmp_path / "linkhealth.db") as process:
        refused = await run(tmp_path, "audit")
        report = await run(tmp_path, "report")

    assert (refused.code, refused.out) == (75, "")
    assert f"process {process.pid} runs 'linkhealth audit' since " in refused.err
    assert len(refused.err.splitlines()) == 1
    assert report.code == 0


def test_who_holds_the_lock_is_told_without_taking_it(database: Path) -> None:
    """While it is held, and neither before nor after; what a killed process left is nobody's."""
    engine = open_engine(f"sqlite:///{database}")
    assert lock.lock_holder(engine) is None
    with _holder(database) as process:
        assert f"process {process.pid} runs 'linkhealth audit'" in str(lock.lock_holder(engine))
        process.kill()
        process.wait()
        assert Path(f"{database}.lock").read_text()
        assert lock.lock_holder(engine) is None
    engine.dispose()
