"""What a command imports: commands that ask nothing load neither network nor parsers, and start soon."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from storage.db.database import open_engine
from tests.program import ROOT
from tests.storage.build import catalogued, document, finding, ids, link, write

URL: Final = "https://site.example/"
NETWORK: Final = {"aiohttp", "lxml", "tenacity", "aiodns", "yarl", "protego"}
READERS: Final = {"yaml", "markdown_it", "xml", "html"}
UNNEEDED: Final = {"alembic", "PIL", "imagesize", "sqlalchemy.dialects.postgresql"}
LOOKING: Final = NETWORK | READERS | UNNEEDED
# What a command that asks nothing loads, of which SQLAlchemy for SQLite is three quarters.
DATABASE_MODULES: Final = 400
COMMANDS: Final = {
    "report": (("report",), LOOKING, DATABASE_MODULES + 60),
    "explain": (("explain", URL), LOOKING, DATABASE_MODULES + 60),
    "diff": (("diff",), LOOKING, DATABASE_MODULES + 60),
    "pin": (
        ("pin", URL, "dead", "--why", "a test"),
        LOOKING | {"rich"},
        DATABASE_MODULES,
    ),
    "status": (("status",), LOOKING | {"rich"}, DATABASE_MODULES + 30),
    "db": (("db", "prune"), LOOKING | {"rich"}, DATABASE_MODULES),
    "fix": (("fix", "."), NETWORK | UNNEEDED | {"markdown_it", "rich", "xml", "html"}, DATABASE_MODULES + 85),
    "audit": (
        ("-q", "audit", "--no-progress", "--only-kind", "image"),
        UNNEEDED
        | {
            "jinja2",
            "ray",
            "markdown_it",
            "rich.progress",
            "storage.records.xml",
            "storage.records.html",
            "storage.shards",
        }
        | {"crawler.cluster", "crawler.processes", "crawler.engine.image_cache", "crawler.images.decode"},
        DATABASE_MODULES + 420,
    ),
    **{
        f"help of {name}": ((name, "--help"), NETWORK | {"sqlalchemy", "rich", "asyncio"}, 190)
        for name in ("audit", "run", "report", "diff", "explain", "serve", "worker", "doctor", "demo")
    },
    "help": (("--help",), NETWORK | {"sqlalchemy", "rich", "msgspec", "asyncio"}, 110),
    "version": (("--version",), NETWORK | {"click", "sqlalchemy", "importlib.metadata"}, 45),
}
PROGRAM: Final = """
import sys
from crawler.cli import main
try:
    main()
finally:
    print("\\n".join(sys.modules), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small database."""
    folder = tmp_path_factory.mktemp("imports")
    engine = open_engine(f"sqlite:///{folder / 'linkhealth.db'}")
    run = catalogued(engine, document("r.md", [link(URL, URL)]))
    write(engine, run, finding(ids(engine)[URL]))
    engine.dispose()
    (folder / "r.md").write_text(f"---\nwebUrl: {URL}\n---\n")
    return folder


@pytest.fixture(scope="module")
def interpreter_modules(folder: Path) -> set[str]:
    """What Python itself loads here, whatever it runs: an editable install adds modules of its own."""
    program = "import sys; print('\\n'.join(sys.modules), file=sys.stderr)"
    return set(_run(folder, program).stderr.split())


def _run(folder: Path, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program, *words]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_imports_what_it_needs(folder: Path, interpreter_modules: set[str], name: str) -> None:
    """Modules of the network, parsers and pictures are left to the commands that use them."""
    words, unneeded, limit = COMMANDS[name]
    done = _run(folder, PROGRAM, *words)
    modules = set(done.stderr.split("\n")) - interpreter_modules
    assert done.returncode in {0, 1, 2}, done.stdout
    assert "Traceback" not in done.stderr
    assert unneeded & modules == set()
    assert len(modules) <= limit
