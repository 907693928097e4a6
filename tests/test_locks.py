"""The locks that `make` installs from fit; a misfit, or nothing to be had, is told in plain words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.locks import EXTRAS, ROOT, check

NOWHERE: Final = "http://127.0.0.1:9/"  # the port of discard, where nobody listens


def project(folder: Path, old: str = "", new: str = "") -> Path:
    """A copy of what the check reads, with a part of pyproject.toml changed."""
    manifest = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert old in manifest
    (folder / "pyproject.toml").write_text(manifest.replace(old, new, 1), encoding="utf-8")
    shutil.copytree(ROOT / "locks", folder / "locks")
    return folder


def test_locks_fit() -> None:
    """What is checked in has what pyproject.toml asks for."""
    assert check(ROOT) == []


@pytest.mark.parametrize("lock", [*EXTRAS, "lock"])
def test_a_lock_has_hashes_and_names_no_host(lock: str) -> None:
    """Every package has the hashes of its files, and may come from any index."""
    text = (ROOT / "locks" / f"{lock}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in re.sub(r"#.*", "", text)
    pins = re.findall(r"^\w.*==.*$", text, re.MULTILINE)
    assert pins
    assert len(re.findall(r"^\w.*==.* \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)) == len(pins)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("dependencies = [", 'dependencies = [\n"left-pad>=1",', "left-pad is not locked"),
        ('"idna>=3.7"', '"idna>=99"', r"idna is locked at [\d.]+, not >=99"),
        ('"idna>=3.7"', '"idna>=3.7,<3.8"', r"idna is locked at [\d.]+, not <3.8,>=3.7"),
        ('    "idna>=3.7",', "", "idna is locked, and not asked for"),
        ('"idna>=3.7"', '"idna[all]>=3.7"', r"idna is locked without \[all\]"),
        ('"apprise>=1.9"', '"apprise>=99"', r"apprise is locked at [\d.]+, not >=99"),
        ('requires = ["setuptools>=77"]', 'requires = ["flit"]', "flit is not locked"),
    ],
)
def test_a_lock_that_does_not_fit(old: str, new: str, words: str, tmp_path: Path) -> None:
    """A dependency that was added, bounded anew or dropped is told of by name."""
    problems = check(project(tmp_path, old, new))
    assert problems
    assert all(re.fullmatch(rf"locks/\w+\.txt: {words}", line) for line in problems), problems


def test_a_lock_that_is_missing(tmp_path: Path) -> None:
    """It is named."""
    (project(tmp_path) / "locks" / "run.txt").unlink()
    assert check(tmp_path) == ["locks/run.txt is missing"]


def test_check_says_what_to_run(tmp_path: Path) -> None:
    """`make check` ends with the command that mends it."""
    folder = project(tmp_path, '"idna>=3.7"', '"idna>=99"')
    (folder / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "locks.py", folder / "tests")
    done = subprocess.run(
        [sys.executable, folder / "tests" / "locks.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "run make lock" in done.stderr.splitlines()[-1]


def install(python: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Install the runtime's lock with this Python, from an index that nobody can reach."""
    env = os.environ | {
        "PYTHON": python,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": NOWHERE,
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RETRIES": "0",
        "PIP_FIND_LINKS": str(folder),
    }
    command = [ROOT / ".ci" / "install", folder / "venv", ROOT / "locks" / "run.txt"]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)


def test_no_network(tmp_path: Path) -> None:
    """One sentence says what could not be fetched, and by which step."""
    done = install(sys.executable, tmp_path)
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert re.match(
        r"step 1 of 2, installing the packages of .*run\.txt: [\w.-]+==[\w.]+ could not be fetched", sentence
    )


def test_no_python_at_all(tmp_path: Path) -> None:
    """A command that is not there is named."""
    done = install("python3-that-is-not-there", tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "needs Python 3.11 or newer, and there is no python3-that-is-not-there" in done.stderr


def test_an_old_python(tmp_path: Path) -> None:
    """One sentence tells which Python it is, and which it should be."""
    python = tmp_path / "python3.10"  # it answers what an old one answers to what the script asks
    python.write_text(
        '#!/bin/sh\n[ "$1" = -V ] && { echo Python 3.10.14; exit 0; }\nexit 1\n', encoding="utf-8"
    )
    python.chmod(0o755)
    done = install(str(python), tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert re.search(r"needs Python 3\.11 or newer, and .* is Python 3\.10", done.stderr)


@pytest.mark.parametrize("argument", ["--help", "-h", "test", "--no-such-option"])
def test_ci_takes_no_arguments(argument: str) -> None:
    """Whatever is asked of .ci/run, it starts nothing and tells how it is used."""
    done = subprocess.run(
        [ROOT / ".ci" / "run", argument], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ")
