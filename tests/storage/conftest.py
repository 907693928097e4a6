"""Databases for tests: a file of SQLite, and a real PostgreSQL of their own where there is one."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.db import schema
from storage.db.database import open_engine
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


def _execute(folder: str, statement: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres.dsn(folder), autocommit=True) as connection:
        connection.execute(statement.encode())


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
    return _made(server)


def _made(folder: str) -> str:
    name = f"test{next(NUMBERS)}"
    _execute(folder, f"CREATE DATABASE {name}")
    return f"postgresql://{postgres.USER}@/{name}?host={folder}"


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables: to copy it takes a tenth of the time of the migrations."""
    path = tmp_path_factory.mktemp("empty") / "empty.db"
    open_engine(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(scope="session")
def reused_database(server: str) -> str:
    """The URL of a database with all tables on the server: to empty it is quicker than to make another."""
    url = _made(server)
    open_engine(url).dispose()
    return url


@pytest.fixture
def file_url(empty_file: Path, tmp_path: Path) -> str:
    """The URL of a file that has all tables, and no rows."""
    shutil.copy(empty_file, tmp_path / "linkhealth.db")
    return f"sqlite:///{tmp_path}/linkhealth.db"


@pytest.fixture
def database_url(reused_database: str) -> str:
    """The URL of a database on a server that has all tables, and no rows."""
    psycopg = pytest.importorskip("psycopg")
    names = ", ".join(table.name for table in schema.metadata.sorted_tables)
    with psycopg.connect(reused_database, autocommit=True) as connection:
        connection.execute(f"SET lock_timeout = '5s'; TRUNCATE {names} RESTART IDENTITY CASCADE")
    return reused_database


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database that has all tables, and no rows, once for each kind."""
    url: str = request.getfixturevalue("file_url" if request.param == "sqlite" else "database_url")
    return url


@pytest.fixture
def engine(engine_url: str) -> Iterator[sa.Engine]:
    """An open database, once for each kind."""
    opened = open_engine(engine_url)
    yield opened
    opened.dispose()


@pytest.fixture
def file_engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """An open database in a file, for what is true of files alone."""
    opened = open_engine(f"sqlite:///{tmp_path}/file.db")
    yield opened
    opened.dispose()
