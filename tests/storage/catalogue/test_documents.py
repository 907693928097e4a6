"""What records say, in rows: kept, opened, closed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import catalogue as catalogues
from storage.catalogue import Catalogue, LinkTarget, RecordPaths, documents, join_doubled_records
from storage.db.database import open_engine
from storage.db.rows import link_row
from storage.errors import LedgerError
from storage.ledger import begin_run
from storage.model import Declared, Document, FileStamp, Kind, Link, RecordProblem, Verdict
from storage.queries import report as queries
from storage.records import files, read
from storage.rollups.targets import update_targets
from tests.storage.build import NOW, catalogued, document, finding, ids, link, place, rows, write

OPEN = "SELECT text FROM link WHERE closed_run IS NULL ORDER BY text"
A, B, C = (f"https://{name}.example/" for name in "abc")


def test_each_url_is_one_target(engine: sa.Engine) -> None:
    """However many links name a URL, in one run or in two, there is one target."""
    for _ in range(2):
        catalogued(engine, document("a.md", [link(A), link(A, "ampUrl")]), document("b.md", [link(A)]))
    assert rows(engine, "SELECT url, host FROM target") == [(A, "a.example")]
    assert len(rows(engine, OPEN)) == 3


def test_record_keeps_the_stamp_of_its_file(engine: sa.Engine) -> None:
    """What tells whether a file has changed is kept, as of the last reading."""
    for size in (10, 20):
        stamp = FileStamp(size, 1_700_000_000_123_456_789, "ab" * 32)
        catalogued(engine, replace(document("a.md", [link(A)], [link(B)]), stamp=stamp))
    kept = rows(engine, "SELECT number, size, mtime_ns, digest, seen_run FROM record ORDER BY number")
    assert kept == [(n, 20, 1_700_000_000_123_456_789, "ab" * 32, 2) for n in (0, 1)]


def test_link_that_moves_in_its_file_keeps_its_row(engine: sa.Engine) -> None:
    """A new line, or a new declared size, changes the row of a link and asks for a new judgement."""
    catalogued(engine, document("a.md", [link(A)]))
    judge = sa.text("UPDATE link SET judged_run = 1")
    with engine.begin() as connection:
        connection.execute(judge)
    moved = replace(link(A, line=7), declared=Declared(10, "wide", cached=True))
    catalogued(engine, document("a.md", [moved]))
    assert rows(engine, "SELECT line, first_run, closed_run, judged_run FROM link") == [(7, 1, None, None)]
    (entry,) = queries.entries(engine)
    assert entry.links[0].link == moved


def test_link_that_stays_is_not_judged_anew(engine: sa.Engine) -> None:
    """Reading the same again touches nothing."""
    same = document("a.md", [replace(link(A), declared=Declared(10, 20)), link("https://a.example/ü")])
    catalogued(engine, same)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE link SET judged_run = 1"))
    catalogued(engine, same)
    assert rows(engine, "SELECT DISTINCT first_run, closed_run, judged_run FROM link") == [(1, None, 1)]


def test_link_that_is_gone_is_closed(engine: sa.Engine) -> None:
    """A link that its record names no longer keeps its row, closed; another opens a new one."""
    catalogued(engine, document("a.md", [link(A), link(B, "ampUrl")]))
    catalogued(engine, document("a.md", [link(A), link(C, "ampUrl")]))
    found = rows(engine, "SELECT text, first_run, closed_run FROM link ORDER BY text")
    assert found == [(A, 1, None), (B, 1, 2), (C, 2, None)]


def test_field_that_occurs_twice_is_stable(engine: sa.Engine) -> None:
    """Two links with the same field and text stay two rows, however often they are read."""
    twice = document("a.md", [link(A, line=1), link(A, line=2)])
    for _ in range(3):
        catalogued(engine, twice)
    assert rows(engine, "SELECT line, first_run FROM link ORDER BY line") == [(1, 1), (2, 1)]
    catalogued(engine, document("a.md", [link(A, line=2)]))
    assert len(rows(engine, OPEN)) == 1


def test_record_that_its_file_holds_no_longer(engine: sa.Engine) -> None:
    """A file that shrinks closes the links of the records it lost, down to the last."""
    catalogued(engine, document("a.jsonl", [link(A)], [link(B)]))
    catalogued(engine, document("a.jsonl", [link(A)]))
    assert rows(engine, OPEN) == [(A,)]
    catalogued(engine, document("a.jsonl"))
    assert rows(engine, OPEN) == []


def test_broken_file_keeps_its_links(engine: sa.Engine) -> None:
    """What cannot be read says nothing: the links of its last good reading stay open."""
    catalogued(engine, document("a.jsonl", [link(A)], [link(B)]))
    catalogued(engine, document("a.jsonl", [link(A)], problems=["line 2 is no JSON"]))
    assert rows(engine, OPEN) == [(A,), (B,)]


def test_file_that_is_gone(engine: sa.Engine, tmp_path: Path) -> None:
    """Below the paths that were read, and only there, a file that is no more loses its links."""
    names = {name: f"{tmp_path}/{name}/r.md" for name in ("read", "other", "there")}
    urls = {"read": A, "other": B, "there": C}
    catalogued(engine, *(document(path, [link(urls[name])]) for name, path in names.items()))
    Path(names["there"]).parent.mkdir()
    Path(names["there"]).touch()
    catalogue = Catalogue(engine, begin_run(engine, "audit", NOW), place)
    catalogue.close([f"{tmp_path}/read", f"{tmp_path}/there/"])
    assert rows(engine, OPEN) == [(B,), (C,)]


def test_gone_file_below_the_working_directory(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path `.` stands for every relative path."""
    monkeypatch.chdir(tmp_path)
    catalogued(
        engine, document("gone.md", [link(A)], problems=["half of it"]), document("/x/y.md", [link(B)])
    )
    Catalogue(engine, begin_run(engine, "audit", NOW), place).close(["."])
    assert rows(engine, OPEN) == [(B,)]
    assert queries.problems(engine) == []


def test_problems_are_those_of_the_newest_reading(engine: sa.Engine) -> None:
    """A file that was mended has no problem any more; one that was not read keeps its own."""
    catalogued(engine, document("a.md", problems=["bad", "worse"]), document("b.md", problems=["odd"]))
    run = catalogued(engine, document("a.md", [link(A)]))
    assert [(one.path, one.reason) for one in queries.problems(engine)] == [("b.md", "odd")]
    assert queries.problems(engine, run=run) == []


def test_counts(file_engine: sa.Engine) -> None:
    """Records, links and problems are counted as they are written."""
    catalogue = Catalogue(file_engine, begin_run(file_engine, "audit", NOW), place)
    catalogue.put(document("a.jsonl", [link(A)], [link(B), link(C)], problems=["x"]))
    catalogue.flush()
    assert catalogue.counts == catalogues.CatalogueCounts(records=2, links=3, problems=1)


def test_credentials_are_used_and_never_stored(tmp_path: Path) -> None:
    """The URL to ask is in memory; no file of the database holds the password."""
    engine = open_engine(f"sqlite:///{tmp_path}/linkhealth.db")
    catalogue = Catalogue(engine, begin_run(engine, "audit", NOW), place)
    catalogue.put(document("a.md", [link("https://me:hunter2@a.example/"), link("https://x:y@a.example/")]))
    catalogue.close()
    (key,) = ids(engine).values()
    assert catalogue.secrets == {key: "https://me:hunter2@a.example/"}
    assert rows(engine, "SELECT url, host FROM target") == [("https://***@a.example/", "a.example")]
    assert rows(engine, "SELECT DISTINCT text FROM link") == [("https://***@a.example/",)]
    engine.dispose()
    assert not any(b"hunter2" in path.read_bytes() for path in tmp_path.iterdir())


def test_text_that_no_database_takes(engine: sa.Engine) -> None:
    """Halves of surrogates and NUL, in a path or a URL, are replaced; the URL asked is the real one."""
    odd = document("b\udcffd.md", [link("https://a.example/\ud800"), link("\0", "x")], problems=["\udcff\0"])
    run = begin_run(engine, "audit", NOW)
    catalogue = Catalogue(engine, run, place)
    catalogue.put(odd)
    catalogue.close()
    again = Catalogue(engine, run, place)
    again.put(odd)
    again.close()
    assert rows(engine, OPEN) == [("https://a.example/?",), ("\N{REPLACEMENT CHARACTER}",)]
    assert "https://a.example/\ud800" in catalogue.secrets.values()
    assert len(queries.problems(engine)) == 1


def test_texts_that_are_stored_as_the_same(engine: sa.Engine) -> None:
    """Two URLs that differ only in what no database takes are two links of one target."""
    catalogue = Catalogue(engine, begin_run(engine, "audit", NOW), place)
    catalogue.put(
        document("a.md", [link("\ud800"), link("\udfff", "x"), link("b\0", "y"), link("b\ufffd", "z")])
    )
    catalogue.close()
    assert rows(engine, "SELECT count(*), count(DISTINCT target_id) FROM link") == [(4, 2)]


def test_each_text_is_placed_once(file_engine: sa.Engine) -> None:
    """Where a text leads is asked once, however many links say it."""
    asked: list[str] = []

    def counted(one: Link) -> LinkTarget:
        asked.append(one.text)
        return place(one)

    catalogue = Catalogue(file_engine, begin_run(file_engine, "audit", NOW), counted)
    catalogue.put(document("a.md", [link(A, f"images[{n}].url", Kind.IMAGE) for n in range(30)]))
    catalogue.close()
    assert asked == [A]


def test_what_cannot_be_written_waits(file_engine: sa.Engine) -> None:
    """A full disk loses nothing: once there is room, the same documents are written."""
    run = begin_run(file_engine, "audit", NOW)
    catalogue = Catalogue(file_engine, run, place)
    catalogue.put(document("a.md", [link(f"https://a.example/{n}", f"l[{n}]") for n in range(3000)]))
    with file_engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 50")
    with pytest.raises(LedgerError, match="the disk is full: make room"):
        catalogue.flush()
    assert catalogue.counts.links == 0
    with file_engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 100000")
    catalogue.flush()
    assert catalogue.counts.links == 3000


@pytest.fixture
def some(corpus: Path) -> Iterator[Path]:
    """A part of the real records."""
    yield from sorted((corpus / "records").glob("*"))[:1]


def test_real_records_read_twice_change_nothing(file_engine: sa.Engine, some: Path) -> None:
    """A second reading of real records opens and closes no link."""
    documents = [read(path) for path in files([str(some)])][:300]
    first = catalogued(file_engine, *documents)
    links = sum(len(record.links) for one in documents for record in one.records)
    catalogued(file_engine, *documents)
    assert rows(
        file_engine, "SELECT count(*), min(first_run), max(first_run), max(closed_run) FROM link"
    ) == [(links, first.id, first.id, None)]


def test_links_below_a_folder_that_cannot_be_looked_at_stay(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files may be there still; its problem goes once it can be listed."""
    folder = tmp_path / "closed"
    file = folder / "a.yaml"
    folder.mkdir()
    file.write_text(f"website: {A}\n", encoding="utf-8")
    catalogued(engine, read(str(file)))
    looked_at = os.lstat

    def lstat(path: str, **_: object) -> os.stat_result:
        if str(path) == str(file):
            raise PermissionError(13, "Permission denied", path)
        return looked_at(path)

    problem = RecordProblem(str(folder), None, "cannot be read")
    with monkeypatch.context() as patch:
        patch.setattr(os, "lstat", lstat)
        patch.setattr(os, "stat", lstat)
        _close(engine, tmp_path, Document(str(folder), None, problems=(problem,)))
    assert rows(engine, OPEN) == [(A,)]
    assert rows(engine, "SELECT path FROM problem") == [(str(folder),)]
    _close(engine, tmp_path, read(str(file)))
    assert rows(engine, OPEN) == [(A,)]
    assert rows(engine, "SELECT path FROM problem") == []


def _close(engine: sa.Engine, root: Path, *documents: Document) -> None:
    catalogue = Catalogue(engine, begin_run(engine, "audit", NOW), place)
    for read_document in documents:
        catalogue.put(read_document)
    catalogue.close([str(root)])


LONG_URL = f"data:image/png;base64,{'A' * 9000}"


def test_url_of_any_length_is_a_target(engine: sa.Engine) -> None:
    """A long URL of letters that do not compress has its row, once, and one with a long host too."""
    noise = "".join(chr(33 + (n * n * 31 + n) % 90) for n in range(6000))
    urls = [LONG_URL, f"data:,{noise}", f"https://{noise}/", A]
    for number in (1, 2):
        run = catalogued(engine, document(f"{number}.md", [link(url, f"l{n}") for n, url in enumerate(urls)]))
        failing = replace(finding(ids(engine)[urls[1]], Verdict.UNSUPPORTED_SCHEME), url=urls[1])
        write(engine, run, failing)
        update_targets(engine)
    assert set(ids(engine)) == set(urls)
    assert rows(engine, "SELECT count(*) FROM target") == [(4,)]


def test_texts_that_are_stored_alike_are_one_target(engine: sa.Engine) -> None:
    """Two URLs that differ by what no database takes share a row, and no link is lost."""
    catalogued(
        engine, document("a.md", [link("https://a.example/\ud800", "x"), link("https://a.example/?", "y")])
    )
    assert rows(engine, "SELECT count(*) FROM link") == [(2,)]


def test_document_that_is_refused_loses_only_itself(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others of its batch are written, and it becomes a record problem with the reason."""
    texts = [f"https://a.example/{n}" for n in range(7)]

    def poisonous(row: Sequence[object], *rest: object) -> tuple[object, ...]:
        made = link_row(*(row, *rest))  # type: ignore[arg-type]  # as the catalogue calls it
        return (*made[:5], None, *made[6:]) if texts[3] in made else made

    monkeypatch.setattr(documents, "link_row", poisonous)
    catalogue = Catalogue(engine, begin_run(engine, "audit", NOW), place)
    for number, text in enumerate(texts):
        catalogue.put(document(f"{number}.md", [link(text)]))
    catalogue.close()
    catalogue = Catalogue(engine, begin_run(engine, "audit", NOW), place)
    catalogue.put(document("later.md", [link(texts[3])]))
    monkeypatch.undo()
    catalogue.close()
    assert len(rows(engine, OPEN)) == 7
    assert catalogue.counts.links == 1
    (problem,) = queries.problems(engine)
    assert (problem.path, problem.line) == ("3.md", None)
    assert problem.reason.startswith("cannot be stored (")


NAMES = {
    "as it is": "r/a.md",
    "from the working directory": "./r/a.md",
    "with a detour": "r/../r//a.md",
    "from the root": "{}/r/a.md",
    "by way of a link to the folder": "link/a.md",
}


@pytest.mark.parametrize("name", NAMES)
def test_file_has_one_identity(
    name: str, engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However a file is named, it is the same record, and it is read once a run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r").mkdir()
    (tmp_path / "r/a.md").touch()
    (tmp_path / "link").symlink_to("r")
    catalogued(engine, document("r/a.md", [link(A)]))
    catalogue = Catalogue(engine, begin_run(engine, "audit", NOW), place)
    path = NAMES[name].format(tmp_path)
    taken = [catalogue.takes(one) for one in (path, "r/a.md", f"{tmp_path}/r/./a.md")]
    assert taken == [True, False, False]
    catalogue.put(document(path, [link(A)]))
    catalogue.close([path])
    assert rows(engine, "SELECT path, number FROM record") == [("r/a.md", 0)]
    assert rows(engine, OPEN) == [(A,)]


def test_names_that_are_no_utf8_are_told_apart(engine: sa.Engine, tmp_path: Path) -> None:
    """Each keeps its bytes, is shown in plain text, and leads back to its file."""
    names = [b"caf\xe9.md", b"caf\xe8.md", "caf\u00e9.md".encode(), b"caf\\xe9.md", b"a\\\xe9\\.md"]
    paths = [f"{tmp_path}/{os.fsdecode(name)}" for name in names]
    for path in paths:
        Path(path).touch()
    catalogue = Catalogue(engine, begin_run(engine, "audit", NOW), place)
    for number, path in enumerate(paths):
        catalogue.put(document(path, [link(f"https://a.example/{number}")]))
    catalogue.close()
    stored = [path for (path,) in rows(engine, "SELECT path FROM record ORDER BY id")]
    shown = ["caf\\xe9.md", "caf\\xe8.md", "caf\u00e9.md", "caf\\\\xe9.md", "a\\\\\\xe9\\\\.md"]
    assert [str(path).removeprefix(f"{tmp_path}/") for path in stored] == shown
    assert [catalogue.paths.location(str(path)) for path in stored] == paths
    Catalogue(engine, begin_run(engine, "audit", NOW), place).close([str(tmp_path)])
    assert len(rows(engine, OPEN)) == 5


def test_file_in_a_closed_folder_keeps_its_links(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of which nobody can tell whether it is there is not gone."""
    catalogued(engine, document("/closed/a.md", [link(A)]), document("/open/b.md", [link(B)]))

    def lstat(path: str) -> os.stat_result:
        if path.startswith("/closed"):
            raise PermissionError(13, "no", path)
        raise FileNotFoundError(2, "no", path)

    monkeypatch.setattr(os, "lstat", lstat)
    Catalogue(engine, begin_run(engine, "audit", NOW), place).close(["/closed", "/open"])
    monkeypatch.undo()
    assert rows(engine, OPEN) == [(A,)]


def test_doubled_records_are_joined(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What older programs kept under two names is one record, with one link for two that are alike."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.md", "b.md"):
        (tmp_path / name).touch()
    catalogued(engine, document("a.md", [link(A), link(C, "gone")], problems=["odd"]))
    catalogued(
        engine, document("far.md", [link(A), link(B, "new")], problems=["odd"]), document("b0.md", [link(C)])
    )
    with engine.begin() as connection:
        for old, new in (("far.md", f"{tmp_path}/a.md"), ("b0.md", "./b.md")):
            for table in ("record", "problem", "source"):
                connection.execute(
                    sa.text(f"UPDATE {table} SET path = :new WHERE path = :old"), {"new": new, "old": old}
                )
    paths = RecordPaths(tmp_path)
    assert join_doubled_records(engine, paths) == 2
    assert join_doubled_records(engine, paths) == 0
    assert rows(engine, "SELECT path FROM record ORDER BY path") == [("a.md",), ("b.md",)]
    assert sorted(rows(engine, OPEN)) == [(A,), (B,), (C,)]
    assert rows(engine, "SELECT first_run FROM link WHERE text = 'https://a.example/'") == [(1,)]
    assert [one.path for one in queries.problems(engine)] == ["a.md"]
