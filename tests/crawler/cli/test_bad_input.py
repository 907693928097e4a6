"""Bad input to the program itself: one clear sentence, the right exit code, and nothing else lost."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Final

import pytest

from tests.extras import needs
from tests.program import Ended, records, run
from tests.site import page, serve

pytestmark = pytest.mark.libraries

H: Final = "http://site.example"
GOOD: Final = f"---\nwebUrl: {H}/%s\n---\n"
ALIASES: Final = "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

# File -> what stands in it, the line that is told, and words of the reason.
BROKEN: Final[dict[str, tuple[bytes, int | None, str]]] = {
    "alias-bomb.md": (f"---\na: &a [x, x, x, x]\n{ALIASES}---\n".encode(), 6, "aliases repeat more than"),
    "binary.md": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 9, None, "a binary file"),
    "broken.md": (b"---\ntitle: fine\nexcerpt: one: two\n---\n", 3, "not YAML"),
    "cut.json": (b'{"webUrl": "http://site.example/cut"', 1, "not JSON"),
    "latin.md": (b"---\ntitle: x\nname: caf\xe9\n---\n", 3, "not UTF-8"),
    "list.md": (b"---\n- 1\n- 2\n---\n", 2, "this is a list"),
    "long-line.md": (
        b"---\ntitle: x\nexcerpt: " + b"x" * 5_000_000 + b"\n---\n",
        3,
        "a line of 5,000,009 bytes",
    ),
    "nesting.json": (b'{"a":' * 100_000, 1, "deeper than"),
    "nesting.md": (b"---\na: " + b"[" * 100_000 + b"\n---\n", 2, "deeper than"),
    "no-end.md": (b"---\nwebUrl: http://site.example/no-end\n", 1, "no closing ---"),
    "number.json": (b"42", 1, "this is a single value"),
    "number.md": (b"---\n42\n---\n", 2, "this is a single value"),
    "object.md": (b"---\nx: *nothing\n---\n", 2, "stands for nothing"),
    "plain.md.gz": (b"---\nwebUrl: http://site.example/gz\n---\n", None, "not gzip"),
    "short.md.gz": (gzip.compress(bytes(range(256)) * 40)[:-20], None, "gzip breaks off"),
    "wide.md.gz": (gzip.compress(b"x" * 60_000_000), None, "opens to more than 32 MiB"),
}


def _fine(folder: Path) -> None:
    """Good records before, between and behind the bad ones."""
    for name in ("aaa", "middle", "zzz"):
        (folder / "seeds" / f"{name}.md").write_text(GOOD % name)


def _in_a_sentence(done: Ended, code: int, said: str) -> None:
    """It ended with this code, and with one message that says this; no other output, no traceback."""
    messages = [line for line in done.err.splitlines() if line.startswith(("linkhealth: ", "Error: "))]
    assert (done.code, done.out) == (code, ""), done.err
    assert len(messages) == 1, done.err
    assert said in messages[0]
    assert "Traceback" not in done.err
    assert "defect" not in done.err


async def _audit(folder: Path, *words: str) -> Ended:
    async with serve() as site:
        site.fallback = page()
        return await run(folder, "audit", "--connect-to", site.detour, *words)


async def test_broken_records_lose_no_others(tmp_path: Path) -> None:
    """Each broken file is one problem with its line and reason; all other records are checked."""
    records(tmp_path)
    _fine(tmp_path)
    for name, (content, _, _) in BROKEN.items():
        (tmp_path / "seeds" / name).write_bytes(content)
    done = await _audit(tmp_path, "--format", "json")
    whole = json.loads(done.out)
    told = {
        one["path"].removeprefix("seeds/"): (one["line"], one["reason"]) for one in whole["record_problems"]
    }

    assert len(whole["record_problems"]) == len(BROKEN)
    assert {name: line for name, (line, _) in told.items()} == {name: row[1] for name, row in BROKEN.items()}
    assert {name: told[name][1] for name, row in BROKEN.items() if row[2] not in told[name][1]} == {}
    assert {one["url"]: one["verdict"] for one in whole["targets"]} == dict.fromkeys(
        (f"{H}/aaa", f"{H}/middle", f"{H}/zzz"), "ok"
    )
    assert done.code == 1
    assert "Traceback" not in done.err


async def test_problems_stand_first_in_the_table(tmp_path: Path) -> None:
    """For people, each problem is a line with file, line and reason; --fail-on can leave them out."""
    records(tmp_path)
    _fine(tmp_path)
    (tmp_path / "seeds" / "broken.md").write_bytes(BROKEN["broken.md"][0])
    strict = await _audit(tmp_path)
    mild = await _audit(tmp_path, "--fail-on", "hard")

    assert (strict.code, mild.code) == (1, 0)
    assert strict.out.startswith("seeds/broken.md:3  not YAML: ")
    assert "3 targets, 3 links, 1 record problem" in strict.out


async def test_what_is_no_file_to_read(tmp_path: Path) -> None:
    """A line of 100 MB, a pipe, a link to nowhere, a circle of links and a folder named .md stop nothing."""
    records(tmp_path)
    _fine(tmp_path)
    seeds = tmp_path / "seeds"
    with (seeds / "giant.md").open("wb") as file:
        file.write(b"---\nwebUrl: http://site.example/giant\nexcerpt: ")
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b"\n---\n")
    os.mkfifo(seeds / "pipe.md")
    (seeds / "nowhere.md").symlink_to("not-there")
    (seeds / "circle").symlink_to(".")
    (seeds / "self.md").symlink_to("self.md")
    (seeds / "folder.md").mkdir()
    done = await _audit(tmp_path, "--format", "json")
    whole = json.loads(done.out)

    problems = whole["record_problems"]
    assert [(one["path"], one["line"], one["reason"].partition(" (")[0]) for one in problems] == [
        ("seeds/giant.md", None, "larger than 32 MiB: split it into several files"),
        ("seeds/nowhere.md", None, "cannot be read: there is no such file or folder"),
        ("seeds/pipe.md", None, "cannot be read: no regular file"),
        ("seeds/self.md", None, "cannot be read: symbolic links lead in a circle"),
    ]
    assert [one["verdict"] for one in whole["targets"]] == ["ok"] * 3
    assert "Traceback" not in done.err


ODD_URLS: Final = {
    f"{H}/{'x' * 10_000}": "ok",
    "http://": "invalid-url",
    "http://site.example:99999/": "invalid-url",
    "http://[::1": "invalid-url",
    "/relative": "invalid-url",
    "javascript:alert(1)": "unsupported-scheme",
    "file:///etc/passwd": "unsupported-scheme",
    "mailto:joe@site.example": "unsupported-scheme",
    "\u202egnp.exe": "invalid-url",
    "x" * 70_000: "invalid-url",
}


async def test_odd_urls_are_findings(tmp_path: Path) -> None:
    """A URL of 10,000 letters is asked; what cannot be asked has its verdict, and stops nothing."""
    records(tmp_path)
    listed = [{"webUrl": url} for url in ODD_URLS] + [
        {"webUrl": "http://a.example/\ud800"},
        {"webUrl": [1, {"a": None}]},
    ]
    (tmp_path / "seeds" / "odd.json").write_text(json.dumps(listed))
    done = await _audit(tmp_path, "--format", "jsonl")
    lines = done.lines()
    found = {url: line["verdict"] for url, line in lines.items()}

    assert {url: found.get(url) for url in ODD_URLS} == ODD_URLS
    assert all(line["detail"] for line in lines.values() if line["class"] == "unchecked")
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    assert len((await run(tmp_path, "report")).out) < 100_000


async def test_yaml_makes_no_objects(tmp_path: Path) -> None:
    """A tag that would run a command is a text, or a problem; nothing is run."""
    records(tmp_path)
    _fine(tmp_path)
    tag = '---\nwebUrl: !!python/object/apply:os.system ["touch ran"]\n---\n'
    (tmp_path / "seeds" / "tag.md").write_text(tag)
    done = await _audit(tmp_path, "--format", "jsonl")

    assert not (tmp_path / "ran").exists()
    assert {f"{H}/aaa", f"{H}/middle", f"{H}/zzz"} <= set(done.lines())
    assert "Traceback" not in done.err


WORDS: Final[list[tuple[tuple[str, ...], str]]] = [
    (("audit", "nowhere"), "nowhere does not exist"),
    (("audit", "seeds", "nowhere"), "nowhere does not exist"),
    (("audit", "empty"), "empty holds no records"),
    (("audit", "--only-kind", "pdf"), "'--only-kind': 'pdf' is not one of 'web', 'amp', 'amp-cdn', 'image'"),
    (("audit", "--max-runtime", "soon"), "'--max-runtime': 'soon' is no duration: write seconds"),
    (("audit", "--max-runtime", "-1"), "'--max-runtime': '-1' is no duration"),
    (("audit", "--format", "pdf"), "'pdf'"),
    (("audit", "--fail-on", "hrad"), "hrad: no class, verdict, issue or state"),
    (("audit", "--connect-to", "here"), "'here' is not HOST1:PORT1:HOST2:PORT2"),
    (("audit", "-o", "missing/report.html"), "there is no folder missing, make it first"),
    (("audit", "-o", "seeds"), "seeds is a directory"),
    (("audit", "--colour"), "--colour"),
    (("report", "--only", "hrad"), "hrad: no class, verdict, issue, state or kind"),
    (("report", "--run", "last"), "'last'"),
    (("report", "-o", "config.toml/report.html"), "there is no folder config.toml, make it first"),
    (("diff", "--since", "soon"), "'soon'"),
    (("explain",), "'URL'"),
    (("pin", f"{H}/", "perhaps", "--why", "x"), "'perhaps'"),
    (("pin", f"{H}/", "dead"), "pin URL alive|dead|ignore --why TEXT"),
    (("polish",), "'polish'"),
    (("-c", "nowhere.toml", "audit"), "nowhere.toml: cannot be read: there is no such file or folder"),
    (("-c", "seeds", "report"), "seeds: cannot be read: it is a folder"),
]


@pytest.mark.parametrize(("words", "said"), WORDS, ids=[" ".join(words) for words, _ in WORDS])
async def test_wrong_words(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """Words that make no sense end with 2 and one message, before anything is asked."""
    records(tmp_path, f"{H}/a")
    (tmp_path / "empty").mkdir()
    done = await run(tmp_path, *words)

    _in_a_sentence(done, 2, said)


DATABASES: Final = [
    ("sqlite:///seeds", "seeds is a directory: name a file in [database] url"),
    ("sqlite:///config.toml/linkhealth.db", "there is no folder config.toml, make it first"),
    ("sqlite:///missing/linkhealth.db", "there is no folder missing, make it first"),
    (
        "sqlite:////proc/linkhealth.db",
        "/proc/linkhealth.db cannot be opened: may you write to it and its folder?",
    ),
    ("sqlite:///config.toml", "is no database"),
    ("linkhealth.db", "[database] url 'linkhealth.db' is none that can be opened: write sqlite:///FILE"),
    (
        "mysql://joe:s3cret@db.example/x",
        "[database] url 'mysql://joe:***@db.example/x' is none that can be opened",
    ),
    ("postgresql://joe:s3cret@127.0.0.1:1/x", "cannot be reached: does the server run?"),
]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param(url, said, marks=needs("psycopg") if "127.0.0.1" in url else ())
        for url, said in DATABASES
    ],
    ids=[url for url, _ in DATABASES],
)
async def test_databases_that_are_none(tmp_path: Path, url: str, said: str) -> None:
    """A database that cannot be opened ends the program with 2; what stands there stays as it is."""
    records(tmp_path, f"{H}/a")
    config = tmp_path / "config.toml"
    config.write_text(f'{config.read_text()}[database]\nurl = "{url}"\n# {"long enough for a header " * 9}\n')
    before = config.read_bytes()
    done = await run(tmp_path, "audit")

    _in_a_sentence(done, 2, said)
    assert "s3cret" not in done.err
    assert config.read_bytes() == before


async def test_every_mistake_of_a_configuration(tmp_path: Path) -> None:
    """All mistakes of file and environment are told at once, a line each, and nothing is asked."""
    records(tmp_path, f"{H}/a")
    (tmp_path / "config.toml").write_text(
        "[netwrok]\n[retry]\nattempts = 0\nbackof = 1\n[images]\nmax_bytes = 'big'\n"
    )
    done = await run(tmp_path, "audit")

    assert (done.code, done.out) == (2, "")
    assert [line.partition(": ")[2].partition("] ")[0] for line in done.err.splitlines()] == [
        "config.toml: [netwrok]: no such section; did you mean 'network'?",
        "config.toml: [retry",
        "config.toml: [retry",
        "config.toml: [images",
    ]
    assert not (tmp_path / "linkhealth.db").exists()


async def test_output_that_takes_nothing(tmp_path: Path) -> None:
    """A full disk behind -o ends with 2 and a sentence; what was found is in the database."""
    records(tmp_path, f"{H}/a")
    done = await _audit(tmp_path, "-o", "/dev/full")
    again = await run(tmp_path, "report", "--format", "jsonl")

    assert done.code == 2
    assert "Error: -o /dev/full: cannot be written: the disk is full" in done.err
    assert "Traceback" not in done.err
    assert again.lines()[f"{H}/a"]["verdict"] == "ok"
