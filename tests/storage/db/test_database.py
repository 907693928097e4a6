"""Opening databases: ours, others', old, new, and what is none."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage.db import schema
from storage.db.database import MIGRATIONS, open_engine, open_or_empty, upgrade
from storage.db.engine import look_url, make_engine, path_of
from storage.db.lock import lock_holder
from storage.db.transactions import reading, writing
from storage.errors import LedgerError, SchemaError
from storage.ledger import begin_run
from tests.extras import needs
from tests.storage.build import NOW

pytestmark = pytest.mark.libraries


def _refused(url: str, **options: bool) -> str:
    with pytest.raises(LedgerError) as caught:
        open_engine(url, **options)
    return str(caught.value)


def _set_version(url: str, version: str) -> None:
    engine = open_engine(url)
    with writing(engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :new"), {"new": version})
    engine.dispose()


def _belongs(item: sa.schema.SchemaItem, name: str | None, kind: str, *_: object) -> bool:
    """Whether a part of the schema is in every database: two for URLs are in SQLite alone."""
    columns = [column.name for column in getattr(item, "columns", ())]
    return name != "ix_target_failing_url" and not (kind == "unique_constraint" and columns == ["url"])


def test_new_database_has_the_tables_of_the_schema(engine: sa.Engine) -> None:
    """The migrations lead exactly to the tables that the program knows."""
    with engine.connect() as connection:
        opts = {"compare_type": True, "include_object": _belongs}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, schema.metadata) == []


PRAGMAS = ("table_xinfo", "index_list", "foreign_key_list")


def _tables(path: Path) -> dict[str, object]:
    """All that SQLite knows of the tables of a file, but the order of columns."""
    with closing(sqlite3.connect(path)) as database:
        shape: dict[str, object] = {
            row[1]: (row[2], row[4:])
            for row in database.execute("PRAGMA table_list")
            if row[1] != "sqlite_schema"
        }
        for table in list(shape):
            for pragma in PRAGMAS:
                rows = database.execute(f"PRAGMA {pragma}({table})")
                shape[f"{table} {pragma}"] = sorted(map(repr, (row[1:] for row in rows)))
        # The text of an index tells its order, and which rows it is of.
        indexes = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        shape |= {name: "".join(sql.split()).translate(BARE) for name, sql in database.execute(indexes)}
    return shape


BARE = str.maketrans("", "", '"()')


def test_a_new_file_is_what_the_migrations_make_of_one(tmp_path: Path) -> None:
    """Tables made at once are those that come to be step by step, in an older file that is upgraded."""
    new, old = tmp_path / "new.db", tmp_path / "old.db"
    open_engine(f"sqlite:///{new}").dispose()
    engine = make_engine(f"sqlite:///{old}")
    upgrade(engine)
    engine.dispose()
    assert _tables(new) == _tables(old)
    assert len(_tables(new)) > 100


def test_a_new_file_is_of_the_newest_version(tmp_path: Path) -> None:
    """A later program finds in it from where to migrate."""
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    assert upgrade(engine) == schema.SCHEMA_VERSION
    engine.dispose()


def test_head_is_the_newest_migration() -> None:
    """The version that the program wants is the last of its migrations."""
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == schema.SCHEMA_VERSION


def test_what_is_written_is_there_when_opened_again(url: str) -> None:
    """A database is made once, and kept."""
    for number in (1, 2):
        engine = open_engine(url)
        with writing(engine) as connection:
            connection.execute(sa.insert(schema.target).values(url=f"https://a.example/{number}", host=""))
        engine.dispose()
    engine = open_engine(url, create=False)
    with reading(engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.target)).scalar() == 2
    engine.dispose()


def test_upgrade_of_the_newest_changes_nothing(engine: sa.Engine) -> None:
    """Bringing up to date what is up to date does no harm."""
    upgrade(engine)


def test_transaction_that_fails_leaves_nothing(engine: sa.Engine) -> None:
    """All of a transaction is written, or nothing."""
    twice = [{"url": "https://a.example/", "host": "a.example"}] * 2
    with pytest.raises(LedgerError), writing(engine) as connection:
        connection.execute(sa.insert(schema.target), twice)
    with reading(engine) as connection:
        assert connection.execute(sa.select(schema.target)).all() == []


def test_many_may_make_one_database_at_once(url: str) -> None:
    """Programs that start together on a database that is not there do not disturb each other."""
    together = Barrier(4)

    def make(_: int) -> None:
        together.wait(10)
        open_engine(url).dispose()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(make, range(4)))


def test_older_schema_names_the_cure(url: str) -> None:
    """A database of an older release is not touched: the person is told how to bring it up."""
    _set_version(url, "0000")
    with pytest.raises(SchemaError, match="older schema 0000: run 'linkhealth db upgrade'"):
        open_engine(url)


def test_newer_schema_is_refused(url: str) -> None:
    """A database of a newer release is not touched."""
    _set_version(url, "9999")
    with pytest.raises(SchemaError, match="newer than this program"):
        open_engine(url)


def test_file_that_is_no_database(tmp_path: Path) -> None:
    """A file of something else is named, and stays as it is."""
    path = tmp_path / "notes.txt"
    path.write_text("dear diary\n" * 1000)
    assert "is no database" in _refused(f"sqlite:///{path}")
    assert path.read_text() == "dear diary\n" * 1000


def test_database_of_another_program(tmp_path: Path) -> None:
    """Another program's database is refused, and not one byte of it changes."""
    path = tmp_path / "places.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmark (url TEXT)")
    other.close()
    before = path.read_bytes()
    assert "database of another program" in _refused(f"sqlite:///{path}")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_damaged_database(tmp_path: Path) -> None:
    """A database with a hole in it is told in a sentence when it is read."""
    path = tmp_path / "hole.db"
    open_engine(f"sqlite:///{path}").dispose()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    assert "damaged" in _refused(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///{}/none/linkhealth.db", "there is no folder"),
        ("sqlite:///{}", "is a directory"),
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("mysql://root:secret@localhost/x", "is none that can be opened"),
        ("linkhealth.db", "is none that can be opened"),
        ("", "is none that can be opened"),
        pytest.param("postgresql://me:secret@127.0.0.1:1/x", "does the server run", marks=needs("psycopg")),
        ("postgresql://me:secret@host:port/x", "is none that can be opened"),
    ],
)
def test_url_that_leads_nowhere(url: str, words: str, tmp_path: Path) -> None:
    """Each wrong URL gets one sentence, without its password."""
    said = _refused(url.format(tmp_path))
    assert words in said
    assert "secret" not in said
    assert "\n" not in said


def test_database_that_nobody_asked_to_make(tmp_path: Path) -> None:
    """Who only reads does not leave an empty database behind."""
    assert "no database" in _refused(f"sqlite:///{tmp_path}/none.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_empty_server_database_that_nobody_asked_to_fill(url: str) -> None:
    """Who only reads makes no tables either."""
    assert "'linkhealth audit'" in _refused(url, create=False)


def test_read_only_database(tmp_path: Path) -> None:
    """What may not be written is told when it is written to, and can be read."""
    path = tmp_path / "fixed.db"
    open_engine(f"sqlite:///{path}").dispose()
    engine = open_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    with reading(engine) as connection:
        assert connection.execute(sa.select(schema.run)).all() == []
    with pytest.raises(LedgerError, match="is read-only: give yourself the right"):
        begin_run(engine, "audit", NOW)
    engine.dispose()


@pytest.mark.parametrize("log", [b"", b"left by a run"])
def test_a_file_that_may_only_be_read_is_looked_at_by_a_url_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: bytes
) -> None:
    """Nothing is made beside it; what a run left beside it is read, too."""
    path = tmp_path / "a b%.db"
    url = f"sqlite:///{path}"
    open_engine(url).dispose()
    assert look_url(url) == url
    Path(f"{path}-wal").write_bytes(log)
    monkeypatch.setattr("os.access", lambda *_: False)
    look = look_url(url)
    assert ("immutable=1" in look) is not bool(log)
    assert look_url(look) == look
    if not log:
        Path(f"{path}-wal").unlink()
        engine = open_or_empty(url)
        with reading(engine) as connection:
            assert connection.execute(sa.select(schema.run)).all() == []
        assert lock_holder(engine) is None
        engine.dispose()
        assert [file.name for file in tmp_path.iterdir()] == ["a b%.db"]


def test_locked_database(tmp_path: Path) -> None:
    """A database that another program keeps for itself is told, once the wait is over."""
    url = f"sqlite:///{tmp_path}/busy.db?timeout=0.01"
    first, second = open_engine(url), open_engine(url)
    with writing(first), pytest.raises(LedgerError, match="is locked by another"), writing(second):
        pytest.fail("two wrote at once")
    first.dispose()
    second.dispose()


def test_driver_that_is_not_installed() -> None:
    """Without psycopg, the sentence says what to install."""
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from storage.db.database import open_engine\n"
        "try: open_engine('postgresql://me:secret@host/x')\n"
        "except Exception as exc: print(type(exc).__name__, exc)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "LedgerError" in done.stdout
    assert "pip install 'linkhealth[postgres]'" in done.stdout
    assert "secret" not in done.stdout


@needs("psycopg")
def test_path_is_that_of_a_file_alone(file_engine: sa.Engine, tmp_path: Path) -> None:
    """Only a database in a file has a path."""
    assert path_of(file_engine) == tmp_path / "file.db"
    assert path_of(sa.create_engine("postgresql+psycopg://host/x")) is None
