"""A file of records is replaced whole or not at all, and what is shown of it is what patch takes."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from crawler.fix import FileLeftAlone, OriginalFile, read_original, replace_file, unified_diff


def _taken(path: Path) -> OriginalFile:
    return read_original(str(path), {hashlib.sha256(path.read_bytes()).hexdigest()})


def test_kept_file_has_its_mode(tmp_path: Path) -> None:
    """A file that is written has its old mode, the new bytes, and nothing lies beside it."""
    path = tmp_path / "a.md"
    path.write_bytes(b"old")
    path.chmod(0o640)
    replace_file(_taken(path), b"new")

    assert (path.read_bytes(), path.stat().st_mode & 0o7777) == (b"new", 0o640)
    assert list(tmp_path.iterdir()) == [path]


def test_changed_file_is_not_overwritten(tmp_path: Path) -> None:
    """What somebody wrote since the file was taken stays."""
    path = tmp_path / "a.md"
    path.write_bytes(b"old")
    taken = _taken(path)
    path.write_bytes(b"mine!")

    with pytest.raises(FileLeftAlone, match="changed"):
        replace_file(taken, b"new")
    path.unlink()
    with pytest.raises(FileLeftAlone, match="there is no such file"):
        replace_file(taken, b"new")
    assert list(tmp_path.iterdir()) == []


def test_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be written to its end is the old one, and nothing lies beside it."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "a.md"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(FileLeftAlone, match="it cannot be written: the disk is full"):
        replace_file(_taken(path), b"new")
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"old", [path])


def test_links_and_others_are_refused(tmp_path: Path) -> None:
    """Links, pipes, compressed, missing, changed and read-only files are not taken, each for its reason."""
    real = tmp_path / "real.md"
    real.write_bytes(b"x")
    (tmp_path / "soft.md").symlink_to(real)
    for name, why in (
        ("soft.md", "symbolic"),
        ("a.md.gz", "compressed"),
        ("none.md", "is no such file"),
    ):
        with pytest.raises(FileLeftAlone, match=why):
            read_original(str(tmp_path / name), None)
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(FileLeftAlone, match="no regular file"):
        read_original(str(tmp_path / "pipe.md"), None)
    (tmp_path / "hard.md").hardlink_to(real)
    with pytest.raises(FileLeftAlone, match="several names"):
        _taken(real)
    real.unlink()
    with pytest.raises(FileLeftAlone, match="changed since it was read"):
        read_original(str(tmp_path / "hard.md"), {hashlib.sha256(b"y").hexdigest()})
    (tmp_path / "hard.md").chmod(0o444)
    with pytest.raises(FileLeftAlone, match="read-only"):
        _taken(tmp_path / "hard.md")


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_diff_is_what_patch_takes(end: str) -> None:
    """A diff has three lines around a change, joins changes that are near, and knows a missing last end."""
    old = ("\n".join(f"line {number}" for number in range(30)) + end).encode()
    new = old.replace(b"line 1\n", b"one\n").replace(b"line 8\n", b"eight\n").replace(b"line 29", b"last")
    said = b"".join(unified_diff("seeds/a.md", old, new)).decode()
    tail = end or "\n\\ No newline at end of file\n"

    assert said == (
        "--- seeds/a.md\n+++ seeds/a.md\n@@ -1,12 +1,12 @@\n line 0\n-line 1\n+one\n line 2\n line 3\n"
        " line 4\n line 5\n line 6\n line 7\n-line 8\n+eight\n line 9\n line 10\n line 11\n"
        f"@@ -27,4 +27,4 @@\n line 26\n line 27\n line 28\n-line 29{tail}+last{tail}"
    )
    assert list(unified_diff("a.md", old, old)) == []
