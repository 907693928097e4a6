"""The docs name everything there is, and nothing that is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import msgspec
import pytest
import sqlalchemy as sa

from crawler.cli.exit_code import Exit
from crawler.cli.main import cli
from crawler.config import Config
from crawler.report.base import REPORTS
from storage.db import schema
from storage.db.database import open_engine
from storage.model import Class, Issue, Kind, State, Verdict
from tests.behaviours import page

ROOT: Final = Path(__file__).parents[1]
DOCS: Final = ROOT / "docs"
FILE: Final = r"`((?:crawler|storage|tests|benchmarks|docs)/[\w./-]+)`"
PAGES: Final = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]


def text(name: str) -> str:
    """A page of the docs."""
    return (DOCS / name).read_text(encoding="utf-8")


def commands(group: click.Group = cli, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


@pytest.mark.parametrize("word", [*Verdict, *Class, *State, *Issue], ids=str)
def test_every_word_of_a_finding_is_explained(word: str) -> None:
    """Verdicts, classes, states and issues stand in docs/verdicts.md."""
    assert f"`{word}`" in text("verdicts.md")


@pytest.mark.parametrize("verdict", list(Verdict), ids=str)
def test_every_verdict_has_a_row(verdict: Verdict) -> None:
    """Each verdict has a row of its own with a sentence."""
    rows = re.findall(rf"^\|[^|]*\| `{verdict}` \| (.+) \|$", text("verdicts.md"), re.MULTILINE)
    assert [row for row in rows if row.endswith(".")] == rows
    assert len(rows) == 1


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_is_named(name: str) -> None:
    """Each command stands in docs/commands.md."""
    assert re.search(rf"`(linkhealth )?{name}[ `\[]", text("commands.md")), name


@pytest.mark.parametrize(
    "options", sorted({tuple(p.opts) for _, c in commands() for p in c.params if isinstance(p, click.Option)})
)
def test_every_option_is_named(options: tuple[str, ...]) -> None:
    """Each option stands in docs/commands.md, by its short name or its long one."""
    assert any(option in text("commands.md") for option in options)


@pytest.mark.parametrize("word", [*REPORTS, *(kind.value for kind in Kind)])
def test_every_format_and_kind_is_named(word: str) -> None:
    """Each format of a report, and each kind of link, stands in docs/commands.md."""
    assert f"`{word}`" in text("commands.md")


@pytest.mark.parametrize("code", list(Exit))
def test_every_exit_code_is_told(code: Exit) -> None:
    """Each exit code has a row in docs/commands.md, and one in the README."""
    for told in (text("commands.md"), (ROOT / "README.md").read_text(encoding="utf-8")):
        assert f"| {code.value} | " in told


def _keys() -> Iterator[str]:
    for section in msgspec.structs.fields(Config):
        if section.type is str:  # the folder of the file
            continue
        yield from (field.encode_name for field in msgspec.structs.fields(section.type))


@pytest.mark.parametrize("key", sorted(set(_keys()) - {"patterns"}))
def test_every_key_is_told(key: str) -> None:
    """Each key of the configuration stands in docs/configuration.md."""
    assert re.search(rf"`{key}[`.]", text("configuration.md")) or f".{key}" in text("configuration.md")


@pytest.mark.parametrize(
    "name", [f"{table.name}.{column.name}" for table in schema.metadata.sorted_tables for column in table.c]
)
def test_every_column_is_told(name: str) -> None:
    """Each table and column stands in docs/database.md."""
    table, column = name.split(".")
    assert f"`{table}`" in text("database.md")
    assert f"`{column}`" in text("database.md") or re.search(rf"\b{column}\b", text("database.md"))


def test_queries_of_the_docs_run(tmp_path: Path) -> None:
    """Whoever copies a query from docs/database.md gets an answer, not an error."""
    queries = re.findall(r"```sql\n(.*?)```", text("database.md"), re.DOTALL)
    engine = open_engine(f"sqlite:///{tmp_path}/linkhealth.db")
    with engine.connect() as connection:
        for query in queries:
            connection.execute(sa.text(query))
    engine.dispose()
    assert queries


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_of_the_docs_lead_somewhere(path: Path) -> None:
    """Each relative link is a file of the project."""
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_files_that_the_docs_name_are_there(path: Path) -> None:
    """A page that names a file of the project names one that is there."""
    named = re.findall(FILE, path.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_behaviours_are_those_of_the_table() -> None:
    """docs/behaviours.md is what the tests prove: `python -m tests.behaviours` writes it anew."""
    assert page.PATH.read_text(encoding="utf-8") == page.written()


def test_the_glossary_has_one_meaning_a_word() -> None:
    """Each term stands once, with a sentence, and with what others call it."""
    rows = re.findall(r"^\| (\w.+?) \| (.+) \| (.+) \|$", text("glossary.md"), re.MULTILINE)[1:]
    assert len({term for term, _, _ in rows}) == len(rows) > 30
    assert [term for term, meaning, _ in rows if not meaning.endswith(".")] == []
