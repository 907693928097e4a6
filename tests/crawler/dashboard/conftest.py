"""The databases that the tests of the dashboard show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.model import Verdict
from tests.crawler.dashboard.serving import checked, filled, finding, ids, reader

GOOD = "https://a.example/good"
BAD = "https://a.example/bad"


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sa.Engine]:
    """A database with two targets, two runs, and one target that is suspect since the second."""
    engine = filled(tmp_path, GOOD, BAD)
    keys = ids(engine)
    checked(engine, finding(keys[GOOD]), finding(keys[BAD]))
    checked(engine, finding(keys[BAD], Verdict.NOT_FOUND))
    yield engine
    engine.dispose()


@pytest.fixture
def engine(writer: sa.Engine, tmp_path: Path) -> Iterator[sa.Engine]:
    """The same, as the dashboard opens it."""
    del writer
    opened = reader(tmp_path)
    yield opened
    opened.dispose()
