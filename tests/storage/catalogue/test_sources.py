"""Files that need not be read again, and what becomes of their links."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.catalogue import Catalogue
from storage.ledger import begin_run
from storage.model import Run
from storage.queries import report as queries
from storage.queries.run import due_targets
from storage.records import DEFAULT_RULES, files, read_news
from tests.storage.build import NOW, finding, ids, place, rows, write

pytestmark = pytest.mark.libraries

A, B = "https://a.example/", "https://b.example/"
JOINED = "link JOIN record ON record.id = record_id"
LINKS = f"SELECT path, text, first_run, closed_run FROM {JOINED} ORDER BY link.id"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a folder of records."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seeds").mkdir()
    return tmp_path / "seeds"


def _put(name: str, *urls: str) -> Path:
    path = Path("seeds", name)
    path.write_text("---\n" + "".join(f"l{n}:\n  webUrl: {url}\n" for n, url in enumerate(urls)) + "---\n")
    return path


def _read(engine: sa.Engine, reading: str = "", roots: Iterable[str] = ("seeds",)) -> tuple[Run, list[str]]:
    """Read the records in a run of their own; return it, and the files that had to be read."""
    run = begin_run(engine, "audit", NOW)
    catalogue = Catalogue(engine, run, place, reading=reading)
    news = []
    for path in files(roots):
        document = read_news(path, DEFAULT_RULES, catalogue.knows)
        if document is not None:
            news.append(path)
            catalogue.put(document)
    catalogue.close(roots)
    return run, news


def test_file_that_says_the_same_is_not_read_again(engine: sa.Engine) -> None:
    """Only the file that changed is read; the targets of both are still those of the run."""
    _put("a.md", A)
    _put("b.md", B)
    assert _read(engine)[1] == ["seeds/a.md", "seeds/b.md"]
    _put("b.md", B, A)
    run, news = _read(engine)
    assert news == ["seeds/b.md"]
    assert {target.url for target in due_targets(engine, run)} == {A, B}
    assert _read(engine)[1] == []
    assert len(rows(engine, LINKS)) == 3


def test_new_time_is_no_new_content(engine: sa.Engine) -> None:
    """A fresh checkout, that sets every time anew, changes nothing; a change that hides its time does."""
    path = _put("a.md", A)
    os.utime(path, ns=(1, 1))
    _read(engine)
    os.utime(path, ns=(2, 2))
    assert _read(engine)[1] == []
    _put("a.md", B)
    os.utime(path, ns=(2, 2))
    assert _read(engine)[1] == ["seeds/a.md"]


def test_other_rules_read_anew(engine: sa.Engine) -> None:
    """Once files are read in another way, none is known."""
    _put("a.md", A)
    _read(engine, "one")
    assert _read(engine, "two")[1] == ["seeds/a.md"]
    assert _read(engine, "two")[1] == []


def test_counts_hold_what_was_known(engine: sa.Engine) -> None:
    """What was not read again counts all the same."""
    _put("a.md", A, B)
    _read(engine)
    catalogue = Catalogue(engine, begin_run(engine, "audit", NOW), place)
    assert read_news("seeds/a.md", DEFAULT_RULES, catalogue.knows) is None
    assert (catalogue.counts.records, catalogue.counts.links) == (1, 2)


def test_secrets_are_read_each_time(engine: sa.Engine) -> None:
    """A file whose URLs carry credentials is read each time: they are used and never stored."""
    path = _put("a.md", "https://me:secret@a.example/")
    _read(engine)
    assert _read(engine)[1] == [str(path)]
    _put("a.md", A)
    _read(engine)
    assert _read(engine)[1] == []


def test_broken_file_stays_a_problem(engine: sa.Engine) -> None:
    """What could not be read is told by each run, though it is not tried again."""
    _put("a.md", A)
    Path("seeds/a.md").write_text("---\nwebUrl: {\n---\n")
    _read(engine)
    run, news = _read(engine)
    assert news == []
    assert [problem.path for problem in queries.problems(engine, run=run)] == ["seeds/a.md"]


def test_record_that_moved_keeps_its_history(engine: sa.Engine) -> None:
    """The same content elsewhere, its old place empty, is the same record: rows, links and findings."""
    path = _put("a.md", A)
    first, _ = _read(engine)
    write(engine, first, finding(ids(engine)[A]))
    Path("seeds/new").mkdir()
    path.rename("seeds/new/b.md")
    run, news = _read(engine)
    assert news == []
    assert rows(engine, LINKS) == [("seeds/new/b.md", A, 1, None)]
    (entry,) = queries.entries(engine, reading_run=run)
    assert (entry.links[0].record, entry.finding is not None) == ("seeds/new/b.md", True)
    assert _read(engine)[1] == []


def test_copy_is_a_record_of_its_own(engine: sa.Engine) -> None:
    """The same content in two places is two records; so is a copy that is read in another way."""
    path = _put("a.md", A)
    _read(engine)
    shutil.copy(path, "seeds/b.md")
    assert _read(engine)[1] == ["seeds/b.md"]
    path.rename("seeds/c.yaml")
    assert _read(engine)[1] == ["seeds/c.yaml"]
    opened = [(row[0], row[1]) for row in rows(engine, LINKS) if row[3] is None]
    assert opened == [("seeds/b.md", A), ("seeds/c.yaml", A)]


def test_place_with_a_past_is_read(engine: sa.Engine) -> None:
    """A record that moves to where another stood is read there, and the old one's past stays."""
    a, b = _put("a.md", A), _put("b.md", B)
    _read(engine)
    b.unlink()
    _read(engine)
    a.rename(b)
    assert _read(engine)[1] == ["seeds/b.md"]
    assert rows(engine, LINKS) == [
        ("seeds/a.md", A, 1, 3),
        ("seeds/b.md", B, 1, 2),
        ("seeds/b.md", A, 3, None),
    ]


def test_file_that_went_and_came_back_is_read(engine: sa.Engine) -> None:
    """The links of a file that was gone are opened anew when it is there again."""
    _put("b.md", B)
    path = _put("a.md", A)
    text = path.read_text()
    _read(engine)
    path.unlink()
    _read(engine)
    path.write_text(text)
    assert _read(engine)[1] == ["seeds/a.md"]
    assert [row[2:] for row in rows(engine, LINKS) if row[1] == A] == [(1, 2), (3, None)]


def _series(corpus: Path) -> list[tuple[str, Path]]:
    """The versions of real records in time order: each with the name of its record."""
    manifest = json.loads((corpus / "record-series.manifest.json").read_text())
    manifest.sort(key=lambda one: datetime.fromisoformat(one["time"]))
    return [
        (
            Path(one["file"]).parent.as_posix().replace("/", "_") + ".md",
            corpus / "record-series" / one["file"],
        )
        for one in manifest
    ]


Spans = Counter[tuple[str, str, str, int, int | None]]


def test_versions_of_real_records_give_their_history(file_engine: sa.Engine, corpus: Path) -> None:
    """Fed version by version, every link is open from the run that saw it first to the one that did not."""
    versions = _series(corpus)
    expected: Spans = Counter()
    open_: dict[tuple[str, str, str], list[int]] = {}
    for number, (name, version) in enumerate(versions, 1):
        shutil.copy(version, Path("seeds", name))
        run, news = _read(file_engine)
        assert run.id == number
        assert news == [f"seeds/{name}"] or not news
        _follow(expected, open_, number, name)
    for (name, field, text), since in open_.items():
        expected.update((name, field, text, first, None) for first in since)

    query = f"SELECT path, field, text, first_run, closed_run FROM {JOINED}"
    assert Counter(rows(file_engine, query)) == expected
    assert len(versions) > 200


def _follow(spans: Spans, open_: dict[tuple[str, str, str], list[int]], run: int, name: str) -> None:
    """Note which links of a record came and went with its newest version."""
    path = f"seeds/{name}"
    document = read_news(path, DEFAULT_RULES, lambda *_: False)
    assert document is not None
    now = Counter((path, link.field, link.text) for one in document.records for link in one.links)
    for key in {*open_, *now}:
        if key[0] != path:
            continue
        since = open_.setdefault(key, [])
        since += [run] * (now[key] - len(since))
        spans.update((*key, first, run) for first in since[now[key] :])
        del since[now[key] :]
