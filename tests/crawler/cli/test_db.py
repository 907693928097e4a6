"""`linkhealth db`: the database looked after."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from storage.db.database import MIGRATIONS
from storage.db.schema import SCHEMA_VERSION
from tests.program import ended, records, run, start
from tests.site import hang, page, serve

pytestmark = pytest.mark.libraries

H = "http://site.example"


def _old(folder: Path) -> None:
    """A database of the first release."""
    engine = sa.create_engine(f"sqlite:///{folder}/linkhealth.db")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(sa.text(f"INSERT INTO target (url, host) VALUES ('{H}/kept', 'site.example')"))
    engine.dispose()


async def test_upgrade_is_asked_for_by_name(tmp_path: Path) -> None:
    """An older database is refused with the name of the cure, and fine after it."""
    records(tmp_path, "/relative")
    _old(tmp_path)
    refused = await run(tmp_path, "audit")
    upgraded = await run(tmp_path, "db", "upgrade")
    again = await run(tmp_path, "db", "upgrade")
    done = await run(tmp_path, "audit", "--format", "jsonl", "--fail-on", "hard")

    assert (refused.code, "run 'linkhealth db upgrade'" in refused.err) == (2, True)
    assert (upgraded.code, upgraded.out) == (0, f"schema {SCHEMA_VERSION} reached, from 0001\n")
    assert again.out == f"schema {SCHEMA_VERSION} is there already\n"
    assert done.code == 0, done.err


async def test_newer_database_is_refused(tmp_path: Path) -> None:
    """No command touches a database of a newer program."""
    records(tmp_path, "/relative")
    await run(tmp_path, "audit")
    with sqlite3.connect(tmp_path / "linkhealth.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    done = await run(tmp_path, "db", "upgrade")

    assert (done.code, "newer than this program" in done.err) == (2, True)


async def test_rejudge_tells_and_keeps(tmp_path: Path) -> None:
    """A policy that changed is tried on the whole history first, and applied with --write."""
    async with serve() as site:
        records(tmp_path, f"{H}/a")
        words = ("audit", "--force", "--connect-to", site.detour)
        await run(tmp_path, *words)
        await run(tmp_path, *words)
    config = (tmp_path / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(f"{config}[state]\nhard_span = 0\n")
    tried = await run(tmp_path, "db", "rejudge")
    before = await run(tmp_path, "report", "--format", "jsonl")
    kept = await run(tmp_path, "db", "rejudge", "--write")
    after = await run(tmp_path, "report", "--format", "jsonl")

    assert f"suspect -> dead  {H}/a\n" in tried.out
    assert "1 targets judged again by 2 findings: 1 would change their state" in tried.out
    assert "calls of dead: 1, 0 of them false (alive later); before: 0, 0 of them" in tried.out
    assert "1 changed their state" in kept.out
    states = [done.lines()[f"{H}/a"]["state"] for done in (before, after)]
    assert states == ["suspect", "dead"]


async def test_prune_by_the_configuration(tmp_path: Path) -> None:
    """What is older than `keep` is thinned out, and says how much."""
    async with serve() as site:
        site.fallback = page()
        records(tmp_path, f"{H}/a")
        for _ in range(4):
            await run(tmp_path, "audit", "--force", "--connect-to", site.detour)
    none = await run(tmp_path, "db", "prune")
    config = (tmp_path / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(f"{config}[database]\nkeep = 0\n")
    some = await run(tmp_path, "db", "prune")

    assert none.out == "0 of 4 findings deleted\n"
    assert some.out == "2 of 4 findings deleted\n"


async def test_export_names_its_files(tmp_path: Path) -> None:
    """The files that were written are on standard output."""
    records(tmp_path, "/relative")
    await run(tmp_path, "audit")
    done = await run(tmp_path, "db", "export", "--csv", "found.csv")
    neither = await run(tmp_path, "db", "export", "found.csv")

    assert (done.code, done.out) == (0, "found.csv\n")
    assert "/relative,new,1,1,invalid-url" in (tmp_path / "found.csv").read_text()
    assert (neither.code, "--csv or --parquet" in neither.err) == (2, True)


def test_parquet_without_its_extra() -> None:
    """Without pyarrow, the sentence says what to install."""
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path\n"
        "from storage.upkeep.export import export_parquet\n"
        "try: export_parquet(None, Path('x'))\n"
        "except Exception as exc: print(type(exc).__name__, exc)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "ExportError" in done.stdout
    assert "pip install 'linkhealth[parquet]'" in done.stdout


async def test_nothing_is_looked_after_during_a_run(tmp_path: Path) -> None:
    """What changes the database waits for no run: it ends with 75 and names it."""
    async with serve() as site:
        site.fallback = hang()
        records(tmp_path, f"{H}/a")
        first = await start(tmp_path, "audit", "--connect-to", site.detour)
        await site.hear(1)
        second = await run(tmp_path, "db", "prune")
        first.terminate()
        await ended(first)

    assert (second.code, f"process {first.pid}" in second.err) == (75, True)
