"""The program itself: commands, exit codes, and what it says."""

from __future__ import annotations

import signal
import sqlite3
from pathlib import Path

import pytest

from crawler.demo.web import png
from storage.model import Size
from tests.program import ended, records, run, start
from tests.site import Site, answer, hang, page, redirect, serve

pytestmark = pytest.mark.libraries

H = "http://site.example"
MIXED = """---
webUrl: http://me:secret@site.example/good
images:
  - {url: "http://site.example/i.png", width: 40, height: 30}
  - {url: "http://site.example/i.png", width: 80, height: 60}
  - {url: "http://site.example/i.png", width: 41, height: 99}
  - {url: "http://site.example/i.png", width: none, height: 30}
related:
  - webUrl: http://site.example/moved
  - webUrl: http://site.example/dead
  - webUrl: " http://site.example/dead#part "
  - webUrl: /relative
  - ampWebUrl: http://news.example/amp
    cdnAmpWebUrl: http://news-example.cdn.ampproject.org/c/s/news.example/amp
---
"""
KEYS = [
    "url",
    "asked",
    "not_asked",
    "verdict",
    "class",
    "state",
    "status",
    "final_url",
    "moved_to",
    "redirects",
    "attempts",
    "requests",
    "elapsed",
    "bytes",
    "checked_at",
    "detail",
    "next_due",
    "failing_since",
    "image",
    "links",
]


def mixed(site: Site, folder: Path) -> tuple[str, str]:
    """A record with everything in it, and a site for it; returns the detour to it."""
    records(folder)
    (folder / "seeds" / "a.md").write_text(MIXED)
    site.add(f"{H}/good", page())
    site.add(f"{H}/i.png", answer(200, png(Size(40, 30))))
    site.add(f"{H}/moved", redirect(301, "/good"))
    return "--connect-to", site.detour


async def test_audit_end_to_end(tmp_path: Path) -> None:
    """One audit says the verdict, the state and the links of every target, and exits with 1."""
    async with serve() as site:
        detour = mixed(site, tmp_path)
        done = await run(tmp_path, "audit", "--format", "jsonl", *detour)
    lines = done.lines()

    assert done.code == 1
    assert {url: line["verdict"] for url, line in lines.items() if url.startswith(H)} == {
        f"{H}/i.png": "ok",
        f"{H}/moved": "moved",
        f"{H}/dead": "not-found",
    }
    assert lines["/relative"]["verdict"] == "invalid-url"
    assert lines[f"{H}/moved"]["moved_to"] == f"{H}/good"
    assert all(list(line) == KEYS for line in lines.values())
    issues = [[i["issue"] for i in link["issues"]] for link in lines[f"{H}/i.png"]["links"]]  # type: ignore[attr-defined]
    assert issues == [[], ["size-scaled"], ["size-mismatch"], ["declared-invalid"]]
    assert "secret" not in done.out + done.err
    assert lines["http://***@site.example/good"]["verdict"] == "ok"
    assert b"secret" not in (tmp_path / "linkhealth.db").read_bytes()


async def test_each_target_is_asked_once(tmp_path: Path) -> None:
    """However many links name a URL, with and without fragment, one request is sent for it."""
    async with serve() as site:
        site.add(f"{H}/a", page())
        records(tmp_path, *[f"{H}/a"] * 5, *[f"{H}/a#{n}" for n in range(5)])
        done = await run(tmp_path, "audit", "--format", "jsonl", "--connect-to", site.detour)
        asked = site.asked(f"{H}/a")

    assert asked == ["GET"]  # the only page of a site is read
    assert done.code == 0
    assert len(done.lines()[f"{H}/a"]["links"]) == 10  # type: ignore[arg-type]


async def test_the_second_audit_asks_what_is_due(tmp_path: Path) -> None:
    """What was checked is fresh, a known problem stays one, and --force asks everything."""
    async with serve() as site:
        records(tmp_path, f"{H}/a", f"{H}/dead")
        site.add(f"{H}/a", page())
        words = ("audit", "--format", "jsonl", "--connect-to", site.detour)
        await run(tmp_path, *words)
        first = len(site.log)
        again = await run(tmp_path, *words)
        second = len(site.log)
        forced = await run(tmp_path, *words, "--force")

    assert first == second
    assert {(line["asked"], line["not_asked"]) for line in again.lines().values()} == {(False, "fresh")}
    assert again.lines()[f"{H}/dead"]["verdict"] == "not-found"
    assert again.code == 1
    assert len(site.log) == 2 * first
    assert forced.lines()[f"{H}/dead"]["state"] == "suspect"


async def test_pipes_carry_the_data_alone(tmp_path: Path) -> None:
    """Progress and complaints go to standard error; -o writes a file."""
    async with serve() as site:
        detour = mixed(site, tmp_path)
        done = await run(tmp_path, "audit", "--format", "json", "-o", "out.json", *detour)
        table = await run(tmp_path, "report")

    assert done.out == ""
    assert (tmp_path / "out.json").read_text().startswith('{"run": {')
    assert "targets" in done.err
    assert "\x1b" not in table.out
    assert "seeds/a.md:10:13" in table.out
    assert "amp-cache-url" in table.out


async def test_reports_and_explain(tmp_path: Path) -> None:
    """What was found can be read again: by run, by word, as a page, and as a story."""
    async with serve() as site:
        detour = mixed(site, tmp_path)
        await run(tmp_path, "audit", *detour)
    only = await run(tmp_path, "report", "--only", "hard", "--format", "jsonl")
    one = await run(tmp_path, "report", "--run", "1", "--format", "jsonl")
    html = await run(tmp_path, "report", "--format", "html")
    story = await run(tmp_path, "explain", f"{H}/dead")
    stranger = await run(tmp_path, "explain", "http://never.example/")
    missing = await run(tmp_path, "report", "--run", "7")

    assert f"{H}/dead" in only.lines()
    assert {line["class"] for line in only.lines().values()} == {"hard"}
    assert len(one.lines()) == 7
    assert html.out.startswith("<!doctype html>")
    assert "<script" not in html.out
    for said in ("not-found (hard, status 404)", "HEAD", "GET", "seeds/a.md:10", "suspect"):
        assert said in story.out
    assert stranger.code == 1
    assert (missing.code, "there are 1 to 1" in missing.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--fail-on", "transient"), 0),
        (("--fail-on", "not-found"), 1),
        (("--fail-on", "size-scaled"), 1),
        (("--fail-on", "dead"), 0),
        (("--only-kind", "image", "--fail-on", "hard"), 0),
        (("--fail-on", "nonsense"), 2),
        (("--connect-to", "x"), 2),
        (("--max-runtime", "soon"), 2),
        (("nowhere",), 2),
    ],
)
async def test_exit_codes(tmp_path: Path, words: tuple[str, ...], code: int) -> None:
    """The exit code says what --fail-on asks for, or that the words were wrong."""
    async with serve() as site:
        detour = mixed(site, tmp_path)
        done = await run(tmp_path, "audit", *detour, *words)

    assert done.code == code, done.err
    assert "Traceback" not in done.err


async def test_the_time_is_over(tmp_path: Path) -> None:
    """--max-runtime ends a run that hangs, with 4; what it did not reach stays due."""
    async with serve() as site:
        records(tmp_path, *[f"http://h{n}.example/{m}" for n in range(3) for m in range(20)])
        patient(tmp_path)
        site.fallback = hang()
        words = ("--max-runtime", "4s", "--format", "jsonl")
        done = await run(tmp_path, "audit", "--connect-to", site.detour, *words)

    assert done.code == 4
    assert "not-reached" in {line["verdict"] for line in done.lines().values()}


def patient(folder: Path) -> None:
    """Let a run wait for a server that hangs, however slow this machine is: it ends by a signal alone.

    One request at a time: whoever is asked second knows that the first was answered.
    """
    config = folder / "config.toml"
    text = config.read_text().replace("read_timeout = 1\n", "read_timeout = 300\n")
    config.write_text(text.replace("[hosts]\n", "[hosts]\nper_host = 1\n"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 4), (signal.SIGINT, 130)])
async def test_signals(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """SIGTERM and Ctrl-C end a run, and what was found by then is kept."""
    async with serve() as site:
        site.add(f"{H}/quick", page())
        site.add(f"{H}/slow", hang())
        records(tmp_path, f"{H}/quick", f"{H}/slow")
        patient(tmp_path)
        with (tmp_path / "config.toml").open("a") as file:
            file.write("[checks]\nnot_found = false\n")
        process = await start(tmp_path, "audit", "--connect-to", site.detour)
        await site.hear(2)
        process.send_signal(number)
        done = await ended(process)
    with sqlite3.connect(tmp_path / "linkhealth.db") as database:
        found = database.execute("SELECT count(*) FROM finding WHERE verdict = 'ok'").fetchone()
    database.close()

    assert done.code == code, done.err
    assert "Traceback" not in done.err
    assert found == (1,)


async def test_one_run_at_a_time(tmp_path: Path) -> None:
    """A second run on one database ends with 75 and names the first."""
    async with serve() as site:
        site.fallback = hang()
        records(tmp_path, f"{H}/a")
        patient(tmp_path)
        first = await start(tmp_path, "audit", "--connect-to", site.detour)
        await site.hear(1)
        second = await run(tmp_path, "audit", "--connect-to", site.detour)
        first.send_signal(signal.SIGINT)
        await ended(first)

    assert second.code == 75
    assert f"process {first.pid} runs 'linkhealth audit'" in second.err


BAD = [
    ("config", "config.toml", "[network]\nconcurency = 1\n", "did you mean 'concurrency'?"),
    ("not TOML", "config.toml", "[network\n", "config.toml: not TOML"),
    (
        "no database",
        "linkhealth.db",
        "this is text, and long enough to be read as a header\n" * 40,
        "is no database",
    ),
]


@pytest.mark.parametrize(("name", "file", "text", "said"), BAD, ids=[row[0] for row in BAD])
async def test_bad_input_is_told_in_a_sentence(
    tmp_path: Path, name: str, file: str, text: str, said: str
) -> None:
    """A broken configuration, or a database that is none, ends with 2 and one sentence."""
    records(tmp_path, f"{H}/{name.replace(' ', '-')}")
    (tmp_path / file).write_text(text)
    done = await run(tmp_path, "audit")

    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


async def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    """A database of another program is refused, not filled."""
    records(tmp_path, f"{H}/a")
    with sqlite3.connect(tmp_path / "linkhealth.db") as database:
        database.execute("CREATE TABLE theirs (x)")
    database.close()
    done = await run(tmp_path, "audit")

    assert done.code == 2
    assert "another program" in done.err


async def test_a_full_disk_ends_the_run_and_keeps_what_was_found(tmp_path: Path) -> None:
    """When the database can grow no more, the run ends with a sentence, and stays readable."""
    async with serve() as site:
        site.fallback = page()
        records(tmp_path, f"{H}/a")
        await run(tmp_path, "audit", "--connect-to", site.detour)
        more = [f"http://h{n}.example/{'x' * 2000}" for n in range(400)]
        records(tmp_path, f"{H}/a", *more)
        # No file may grow past 300 KiB: to SQLite that is a disk that takes no more.
        limit = ("prlimit", "--fsize=307200")
        done = await ended(await start(tmp_path, "audit", "--connect-to", site.detour, under=limit))
    after = await run(tmp_path, "report", "--format", "jsonl")

    assert done.code == 2
    assert "sqlite:///linkhealth.db cannot" in done.err
    assert "Traceback" not in done.err
    assert f"{H}/a" in after.lines()


async def test_doctor_looks_at_everything(tmp_path: Path) -> None:
    """The doctor says of each thing whether it is fine, and how to mend what is not."""
    records(tmp_path)
    done = await run(tmp_path, "doctor")

    for name in ("Python", "libyaml", "DNS", "database", "cache folder", "clock", "open files"):
        assert name in done.out
    assert done.code in {0, 1}
    assert "Traceback" not in done.err


async def test_the_demo_shows_every_kind_of_trouble(tmp_path: Path) -> None:
    """The demo runs without internet, ends with 0, and says where everything lies."""
    done = await run(tmp_path, "demo")

    assert done.code == 0, done.err
    for said in (
        "not-found",
        "gone",
        "moved 1",
        "wrong-type",
        "placeholder",
        "size-mismatch",
        "amp-cache-url",
        "bot-blocked",
        "linkhealth-demo/report.html",
    ):
        assert said in done.out
    assert (tmp_path / "linkhealth-demo" / "report.html").is_file()


@pytest.mark.parametrize(
    "words", ["report", "report --format jsonl", "explain http://a.example/", "pin", "diff"]
)
async def test_looking_leaves_nothing_behind(tmp_path: Path, words: str) -> None:
    """Where there was no run, a command that only looks says so, and makes no database."""
    done = await run(tmp_path, *words.split())

    assert done.code in {0, 1, 2}
    assert "Traceback" not in done.err
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 - nothing else runs here


async def test_exclude_fits_what_the_record_writes(tmp_path: Path) -> None:
    """A pattern fits the request URL, or the URL as a record writes it, whatever becomes of it."""
    async with serve() as site:
        site.fallback = page()
        texts = [f"{H}/Über uns", "http://müller.example/a", f"{H}/x#Part", f"{H}/x%C3%BC", f"{H}/b"]
        records(tmp_path, *texts)
        path = tmp_path / "config.toml"
        patterns = '["*Über*", "müller.example", "#Part", "/x%C3"]'
        path.write_text(path.read_text() + f"[records]\nexclude = {patterns}\n")
        done = await run(tmp_path, "audit", "--format", "jsonl", "--connect-to", site.detour)

    verdicts = {url: line["verdict"] for url, line in done.lines().items()}
    assert sorted(str(verdict) for verdict in verdicts.values()) == ["excluded"] * 4 + ["ok"]
    assert verdicts[f"{H}/b"] == "ok"
    asked = {request.url for request in site.log}
    left_out = {f"{H}/x", f"{H}/x%C3%BC"}
    assert not {url for url in asked if "ller" in url or url in left_out or "%C3" in url}
    assert done.code == 0
