"""The files and the index of the image cache: names, order of writing, links, and what goes wrong."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.errors import CacheError, FileSwept
from storage.image_cache import FolderStore, digest_of, entries, forget, name_of, named
from storage.model import CachedImage, Picture, ServedHeaders, Size
from tests.storage.build import NOW, catalogued, document, finding, ids, link, write

BODY = b"the bytes of a picture"
NAME = name_of(digest_of(BODY), "PNG")
PICTURE = Picture(Size(3, 4), Size(4, 3), "PNG", 6, 2, "RGBA", len(BODY), digest_of(BODY))
SERVED = ServedHeaders(
    "http://a.example/1", '"e"', "yesterday", "max-age=5", "1", "later", "Accept", "image/png", "now"
)


@pytest.fixture
def blobs(tmp_path: Path) -> FolderStore:
    """An empty cache."""
    made = FolderStore(tmp_path / "cache")
    made.prepare()
    return made


def files(root: Path) -> list[str]:
    """Every file below a folder."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def test_file_is_called_by_its_bytes(blobs: FolderStore) -> None:
    """SHA-256 in hex, the first two digits as a folder, the format as a suffix."""
    blobs.keep(blobs.aside(BODY), NAME)
    digits = hashlib.sha256(BODY).hexdigest()
    assert files(blobs.root) == [f"{digits[:2]}/{digits[2:]}.png"]
    assert blobs.read(NAME) == BODY
    assert [blob.digest for blob in blobs.walk()] == [f"sha256:{digits}"]


def test_nothing_has_a_final_name_before_it_is_kept(blobs: FolderStore) -> None:
    """What is written aside can be taken back, and is seen by nobody who looks for pictures."""
    token = blobs.aside(BODY)
    assert list(blobs.walk()) == []
    assert [blob.size for blob in blobs.asides()] == [len(BODY)]
    assert blobs.discard(token)
    assert not blobs.discard(token)
    assert files(blobs.root) == []


def test_threads_do_not_get_in_each_others_way(blobs: FolderStore) -> None:
    """Each gets a name of its own, however many write at once."""
    with ThreadPoolExecutor(8) as threads:
        tokens = list(threads.map(blobs.aside, [BODY * number for number in range(1000)]))
    assert len(set(tokens)) == 1000
    assert sorted(blob.size for blob in blobs.asides()) == [len(BODY) * number for number in range(1000)]


def test_folder_swept_by_another_process(blobs: FolderStore) -> None:
    """A folder that is gone is made again; what was written aside there is missed."""
    token = blobs.aside(BODY)
    for path in (*blobs.root.rglob(".aside/*"), blobs.root / ".aside", blobs.root):
        path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(FileSwept, match="another process"):
        blobs.keep(token, NAME)
    blobs.keep(blobs.aside(BODY), NAME)
    assert blobs.has(NAME, len(BODY))


def test_no_link_is_followed(blobs: FolderStore, tmp_path: Path) -> None:
    """A symbolic link below the cache leads neither a write nor a removal out of it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    fan, file = NAME.split("/")
    (outside / file).write_bytes(b"precious")
    (blobs.root / fan).symlink_to(outside)
    with pytest.raises(CacheError, match="symbolic link"):
        blobs.keep(blobs.aside(BODY), NAME)
    with pytest.raises(CacheError, match="symbolic link"):
        blobs.discard(NAME)
    assert (outside / file).read_bytes() == b"precious"
    assert [(blob.name, blob.digest) for blob in blobs.walk()] == [(fan, None)]


def test_link_in_place_of_a_file_is_replaced(blobs: FolderStore, tmp_path: Path) -> None:
    """A final name that is a link becomes a file; where it led to stays as it was."""
    outside = tmp_path / "outside"
    outside.write_bytes(BODY)
    path = blobs.root / NAME
    path.parent.mkdir()
    path.symlink_to(outside)
    assert not blobs.has(NAME, len(BODY))
    with pytest.raises(CacheError):
        blobs.read(NAME)
    blobs.keep(blobs.aside(BODY), NAME)
    assert blobs.has(NAME, len(BODY))
    assert not path.is_symlink()


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="no folder that even root may not write")
def test_cache_that_may_not_be_written() -> None:
    """It is told before anything is asked, with what to do."""
    with pytest.raises(CacheError, match="give yourself the right"):
        FolderStore(Path("/sys/kernel/linkhealth")).prepare()


def test_cache_that_is_a_file(tmp_path: Path) -> None:
    """So is a name that is taken."""
    (tmp_path / "cache").write_text("mine")
    with pytest.raises(CacheError, match="no folder"):
        FolderStore(tmp_path / "cache").prepare()


def test_index_keeps_what_was_served(engine: sa.Engine) -> None:
    """An entry comes back as it was written with its finding; a later one replaces it."""
    run = catalogued(engine, document("a.md", [link("http://a.example/1"), link("http://a.example/2")]))
    one, two = ids(engine).values()
    entry = CachedImage(one, PICTURE, SERVED, "pixels", NOW, NOW)
    write(engine, run, replace(finding(one), cached=entry), finding(two))
    assert entries(engine) == {one: entry}

    later = replace(entry, served=ServedHeaders("http://b.example/"), confirmed_at=NOW + timedelta(hours=1))
    write(engine, run, replace(finding(one), cached=later))
    assert entries(engine) == {one: later}
    assert named(engine) == {one: "http://a.example/1"}

    forget(engine, [one, two])
    assert entries(engine) == {}
