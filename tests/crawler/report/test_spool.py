"""Pieces that are made before what stands above them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.report.spool import spooled
from storage.errors import StorageError


@pytest.mark.parametrize("bound", [1, 8 * 1024 * 1024])
def test_pieces_come_out_as_they_went_in(bound: int) -> None:
    """In memory and by way of a file: line ends, letters of any script, halves of surrogates."""
    pieces = ["a\r\n", "\n", "ü\udc80", "x" * 100_000, "日本"]
    with spooled(pieces, memory=bound) as copies:
        assert "".join(copies) == "".join(pieces)


def test_pieces_are_made_before_the_first_is_handed_out() -> None:
    """So that what they count is known."""
    counts: list[int] = []

    def pieces() -> Iterator[str]:
        for number in range(3):
            counts.append(number)
            yield str(number)

    with spooled(pieces()) as copies:
        assert counts == [0, 1, 2]
        assert "".join(copies) == "012"


def test_a_folder_that_takes_no_file_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As a fault of the folder of temporary files, not of the report's own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    told = "gone, where reports are made, cannot be written: there is no such file or folder"
    with pytest.raises(StorageError, match=told), spooled(["x" * 10_000], memory=1):
        pass
