"""A cache knows its database, wherever both are moved."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.errors import CacheError
from storage.image_cache import FolderStore, claim


def store(root: Path) -> FolderStore:
    """A cache that is ready."""
    blobs = FolderStore(root)
    blobs.prepare()
    return blobs


def database(path: Path) -> sa.Engine:
    """An engine that is never connected."""
    return sa.create_engine(f"sqlite:///{path}")


def test_the_first_database_claims_a_cache(tmp_path: Path) -> None:
    """It may come back; another one may not, and is told what to do."""
    blobs = store(tmp_path / "cache")
    claim(blobs, database(tmp_path / "a.db"))
    claim(blobs, database(tmp_path / "a.db"))
    with pytest.raises(CacheError, match=r"belongs to the database \.\./a\.db, not to \.\./b\.db"):
        claim(blobs, database(tmp_path / "b.db"))


def test_both_may_move(tmp_path: Path) -> None:
    """The way from one to the other is what counts."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    claim(store(here / "cache"), database(here / "a.db"))
    here.rename(there)
    claim(store(there / "cache"), database(there / "a.db"))


def test_no_password_is_written(tmp_path: Path) -> None:
    """A server is known by host and name alone."""
    blobs = store(tmp_path)
    claim(blobs, sa.create_engine("postgresql+psycopg://me:secret@db.example:5433/links?sslmode=require"))
    assert blobs.owner() == "postgresql://db.example:5433/links"


def test_what_tells_it_is_no_file_of_the_cache(tmp_path: Path) -> None:
    """Nothing finds fault with it, or sweeps it away."""
    blobs = store(tmp_path)
    claim(blobs, database(tmp_path / "a.db"))
    assert list(blobs.walk()) == []
