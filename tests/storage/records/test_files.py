"""Which files are read: once each, in order, and what cannot be listed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage.model import RecordProblem
from storage.records import NoRecords, files


def _tree(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("website: x\n", encoding="utf-8")


@pytest.mark.parametrize(
    "roots",
    [["."], [".", "."], ["sub", "."], ["a.yaml", "."], ["./a.yaml", "a.yaml", "sub/../sub"], ["{here}", "."]],
)
def test_each_file_comes_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, roots: list[str]) -> None:
    """However many of the paths lead to it, and however they spell it."""
    _tree(tmp_path, "a.yaml", "sub/b.yaml")
    monkeypatch.chdir(tmp_path)
    paths = list(files([root.format(here=tmp_path) for root in roots]))
    assert sorted(os.path.realpath(path) for path in paths) == [
        str(tmp_path / "a.yaml"),
        str(tmp_path / "sub" / "b.yaml"),
    ]


def test_folders_behind_symbolic_links_are_walked_once(tmp_path: Path) -> None:
    """Circles end, and a folder that is walked anyhow keeps its own name."""
    _tree(tmp_path, "r/z/b.yaml", "elsewhere/c.yaml")
    root = tmp_path / "r"
    (root / "a").symlink_to(root / "z")
    (root / "circle").symlink_to(root)
    (root / "out").symlink_to(tmp_path / "elsewhere")
    (root / "dead").symlink_to(tmp_path / "nowhere")
    assert [os.path.relpath(path, root) for path in files([str(root)])] == ["z/b.yaml", "out/c.yaml"]


def test_a_folder_that_cannot_be_listed_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reason is told, and the other folders go on."""
    _tree(tmp_path, "r/a.yaml", "r/closed/b.yaml")
    closed = str(tmp_path / "r" / "closed")
    listed = os.scandir

    def scandir(path: str) -> os._ScandirIterator[str]:
        if path == closed:
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    problems: list[RecordProblem] = []
    assert list(files([str(tmp_path / "r")], report=problems.append)) == [str(tmp_path / "r" / "a.yaml")]
    assert [(problem.path, problem.line) for problem in problems] == [(closed, None)]
    assert problems[0].reason.startswith("cannot be read: you may not do that there")
    problems.clear()
    assert list(files([closed], report=problems.append)) == []
    assert len(problems) == 1
    with pytest.raises(NoRecords, match="cannot be read"):
        list(files([closed]))


def test_standard_input_is_a_path(tmp_path: Path) -> None:
    """A dash comes as it is."""
    assert list(files(["-"])) == ["-"]
    assert tmp_path.exists()
