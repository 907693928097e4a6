"""The database that these tests report on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.db.database import open_engine
from tests.crawler.report.build import small


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[sa.Engine]:
    """An open database without a run."""
    engine = open_engine(f"sqlite:///{tmp_path}/linkhealth.db")
    yield engine
    engine.dispose()


@pytest.fixture
def engine(empty: sa.Engine) -> sa.Engine:
    """The small database."""
    small(empty)
    return empty
