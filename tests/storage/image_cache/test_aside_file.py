"""A file aside that is written piece by piece: its digest, its end, and what another process does to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.errors import FileSwept
from storage.image_cache import FolderStore, digest_of


@pytest.fixture
def blobs(tmp_path: Path) -> FolderStore:
    """An empty cache."""
    store = FolderStore(tmp_path / "cache")
    store.prepare()
    return store


def test_pieces_are_one_file(blobs: FolderStore) -> None:
    """Its bytes are those of all pieces, and so are its size and its digest."""
    file = blobs.open_aside()
    assert list(blobs.asides()) == []
    for piece in (b"the bytes ", b"of ", b"a picture"):
        file.write(piece)
    assert blobs.local(file.name).read_bytes() == b"the bytes of a picture"
    assert (file.size, file.digest) == (22, digest_of(b"the bytes of a picture"))


def test_file_that_was_swept_is_not_begun_anew(blobs: FolderStore) -> None:
    """The rest alone would be no picture."""
    file = blobs.open_aside()
    file.write(b"the first")
    blobs.discard(file.name)
    with pytest.raises(FileSwept):
        file.write(b"the rest")
    assert list(blobs.asides()) == []


def test_late_piece_does_not_bring_a_file_back(blobs: FolderStore) -> None:
    """A thread may be about to write while a visit that was cancelled discards."""
    file = blobs.open_aside()
    file.discard()
    file.write(b"late")
    assert list(blobs.asides()) == []
