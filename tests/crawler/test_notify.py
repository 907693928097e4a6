"""Notices: what is said, how much of it, and that nothing of it fails a run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from crawler.notify import MAX_TARGETS, message
from storage.model import Finding, Kind, Link, State, Verdict
from storage.queries.report import Change, ChangeKind, Entry, EntryLink
from tests.extras import needs
from tests.program import QUICK, records, run
from tests.site import Step, Wire, answer, close, page, serve

pytestmark = pytest.mark.libraries

AT = datetime(2026, 11, 23, tzinfo=UTC)
H = "http://site.example"
ON = ("dead", "alive", "suspect", "moved")


def change(news: ChangeKind, url: str, *paths: str, moved_to: str | None = None) -> Change:
    """A change of one target that some records name."""
    found = Finding(1, url, Verdict.GONE, AT, moved_to=moved_to)
    links = tuple(EntryLink(path, Link("webUrl", 1, 1, url, Kind.WEB)) for path in paths)
    entry = Entry(1, url, Kind.WEB, Verdict.GONE, State.DEAD, None, None, found, links)
    return Change(news, entry, State.SUSPECT, State.DEAD, AT, 1)


def test_message_is_grouped_by_news_host_and_record() -> None:
    """One message has all that is wanted, under its kind and its host, with the records of each."""
    said = message(
        [
            change(ChangeKind.RECOVERED, "https://c.example/", "c.md"),
            change(ChangeKind.DEAD, "https://b.example/1", "b.md", "a.md", "b.md"),
            change(ChangeKind.DEAD, "https://a.example/", *(f"{n}.md" for n in range(5))),
            change(ChangeKind.DEAD, "https://b.example/0", "b.md", moved_to="https://new.example/"),
        ],
        ON,
    )
    assert said is not None
    assert said.title == "linkhealth: 3 newly dead, 1 alive again"
    assert said.body.splitlines() == [
        "Newly dead:",
        "  a.example",
        "    https://a.example/ (gone)",
        "      in 0.md, 1.md, 2.md and 2 more records",
        "  b.example",
        "    https://b.example/0 (gone, now at https://new.example/)",
        "      in b.md",
        "    https://b.example/1 (gone)",
        "      in a.md, b.md",
        "Alive again:",
        "  c.example",
        "    https://c.example/ (gone)",
        "      in c.md",
    ]


def test_message_has_an_end() -> None:
    """However much changed, a message names so many targets and counts the rest."""
    said = message([change(ChangeKind.DEAD, f"https://h{n}.example/") for n in range(5000)], ON)
    assert said is not None
    assert said.title == "linkhealth: 5000 newly dead"
    assert said.body.count("https://") == MAX_TARGETS
    assert said.body.endswith(f"... and {5000 - MAX_TARGETS} more: linkhealth diff shows them")


@pytest.mark.parametrize("on", [(), ("alive",), ("moved", "suspect")])
def test_no_message_without_wanted_news(on: Sequence[str]) -> None:
    """What was not asked for is not told."""
    assert message([change(ChangeKind.DEAD, "https://a.example/")], on) is None


def take(bodies: list[bytes], then: Step) -> Step:
    """Read the body of a request before it is answered."""

    async def step(wire: Wire) -> None:
        bodies.append(await wire.reader.readexactly(int(wire.asked.headers["content-length"])))
        await then(wire)

    return step


def _configure(folder: Path, *lines: str) -> None:
    (folder / "config.toml").write_text("\n".join((QUICK, "[notify]", *lines, "")))


@needs("apprise")
async def test_run_tells_its_news_once(tmp_path: Path) -> None:
    """A run with news sends one message and asks the heartbeat; one without asks the heartbeat alone."""
    bodies: list[bytes] = []
    async with serve() as site:
        here = f"127.0.0.1:{site.port}"
        site.add(f"http://{here}/news", take(bodies, answer(200)))
        site.add(f"http://{here}/beat", answer(200))
        records(tmp_path, f"{H}/a", f"{H}/b")
        _configure(
            tmp_path,
            f'urls = ["json://{here}/news"]',
            f'heartbeat = "http://{here}/beat"',
            'on = ["suspect"]',
        )
        words = ("audit", "--connect-to", f"site.example::{site.detour.removeprefix('::')}")
        first = await run(tmp_path, *words)
        second = await run(tmp_path, *words)
        beats = site.asked(f"http://{here}/beat")

    assert (first.code, second.code) == (1, 1), first.err
    (said,) = [msgspec.json.decode(body) for body in bodies]
    assert said["title"] == "linkhealth: 2 newly suspect"
    assert f"    {H}/a (not-found)\n      in seeds/000.md" in said["message"]
    assert len(beats) == 2


@needs("apprise")
async def test_notice_that_fails_fails_no_run(tmp_path: Path) -> None:
    """A receiver that is down, or that no one knows, is told without its secrets; the run is fine."""
    async with serve() as site:
        here = f"127.0.0.1:{site.port}"
        site.add(f"http://{here}/news", close)
        site.add(f"http://{here}/beat", answer(500))
        site.add(f"{H}/a", page())
        records(tmp_path, f"{H}/a", f"{H}/b")
        _configure(
            tmp_path,
            f'urls = ["json://me:secret@{here}/news", "nonsense://secret"]',
            f'heartbeat = "http://{here}/beat"',
            'on = ["suspect"]',
        )
        done = await run(tmp_path, "audit", "--connect-to", f"site.example::{site.detour.removeprefix('::')}")

    assert done.code == 1
    assert "linkhealth: [notify] urls: number 2 is no URL that apprise knows; not every notice" in done.err
    assert "linkhealth: [notify] heartbeat: it could not be asked" in done.err
    assert "secret" not in done.out + done.err
    assert "Traceback" not in done.err


async def test_unknown_news_are_a_mistake(tmp_path: Path) -> None:
    """A word of `on` that is no news is told with its key."""
    records(tmp_path, f"{H}/a")
    _configure(tmp_path, 'on = ["deaf"]')
    done = await run(tmp_path, "audit")

    assert done.code == 2
    assert "[notify] on" in done.err


def test_notices_without_their_extra() -> None:
    """Without apprise, the sentence says what to install."""
    program = (
        "import sys; sys.modules['apprise'] = None\n"
        "from crawler.notify import Notice, send\n"
        "print(send(['json://x'], Notice('a', 'b')))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[notify] urls needs apprise: pip install 'linkhealth[notify]'\n"
