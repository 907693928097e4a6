"""Databases for tests: a file of SQLite, and a real PostgreSQL of their own where there is one."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from storage.database import open_engine
from tests.storage import postgres

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The socket folder of a PostgreSQL server that lives as long as the tests."""
    why = postgres.missing()
    if why:
        assert not os.environ.get("CI"), f"{why}, and CI must not skip its tests"
        pytest.skip(why)
    with postgres.serving() as folder:
        yield folder


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that holds nothing, one for each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/linkhealth.db"
    made: str = request.getfixturevalue("server_url")
    return made


@pytest.fixture
def server_url(server: str) -> str:
    """The URL of a database on a server that holds nothing."""
    folder, name = server, f"test{next(NUMBERS)}"
    with psycopg.connect(postgres.dsn(folder), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"postgresql://{postgres.USER}@/{name}?host={folder}"


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    """An open database, once for each kind."""
    opened = open_engine(url)
    yield opened
    opened.dispose()


@pytest.fixture
def file_engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """An open database in a file, for what is true of files alone."""
    opened = open_engine(f"sqlite:///{tmp_path}/file.db")
    yield opened
    opened.dispose()
