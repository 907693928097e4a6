"""The library: findings for programs and notebooks."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from crawler import audit, findings
from crawler.config import Config, load
from storage.errors import LockHeld
from storage.model import Kind, State, Verdict
from tests.program import QUICK, ROOT, Ended, ended, records
from tests.site import Site, answer, hang, page, serve

H = "http://site.example"


def settings(site: Site, folder: Path) -> Config:
    """A configuration that leads to a site, and loses no time."""
    (folder / "library.toml").write_text(_leading_to(site))
    environ = {"LINKHEALTH_DATABASE__URL": f"sqlite:///{folder}/lib.db"}
    return load(str(folder / "library.toml"), environ)


def _leading_to(site: Site) -> str:
    return QUICK.replace("[network]", f'[network]\nconnect_to = ["{site.detour}"]')


async def test_audit_returns_every_target(tmp_path: Path) -> None:
    """A list has all targets of the records with their findings, states and links; fresh ones, too."""
    async with serve() as site:
        site.add(f"{H}/a", page())
        records(tmp_path, f"{H}/dead", f"{H}/a", f"{H}/a")
        first = await audit(tmp_path / "seeds", config=settings(site, tmp_path))
        second = await audit(tmp_path / "seeds", config=settings(site, tmp_path))

    dead, alive = first
    assert (dead.url, dead.verdict, dead.state) == (f"{H}/dead", Verdict.NOT_FOUND, State.SUSPECT)
    assert dead.finding is not None
    assert dead.finding.status == 404
    assert (alive.verdict, len(alive.links)) == (Verdict.OK, 2)
    assert [entry.verdict for entry in second] == [Verdict.FRESH, Verdict.FRESH]
    assert [entry.known for entry in second] == [Verdict.NOT_FOUND, Verdict.OK]


async def test_findings_come_as_they_are_made(tmp_path: Path) -> None:
    """Who waits for one target has heard of another by then; leaving the loop keeps what was found."""
    async with serve() as site:
        site.add(f"{H}/a", page())
        site.add("http://slow.example/", hang())
        records(tmp_path, f"{H}/a", "http://slow.example/")
        config = settings(site, tmp_path)
        stream = findings(tmp_path / "seeds", config=config)
        first = await anext(aiter(stream))
        await stream.aclose()  # type: ignore[attr-defined]  # it is a generator
        site.add("http://slow.example/", answer(204))
        rest = [finding.url async for finding in findings(tmp_path / "seeds", config=config)]

    assert (first.url, first.verdict) == (f"{H}/a", Verdict.OK)
    assert rest == ["http://slow.example/"]


async def test_one_kind_and_force(tmp_path: Path) -> None:
    """The options of the command line are arguments."""
    async with serve() as site:
        site.fallback = page()
        records(tmp_path, f"{H}/a")
        config = settings(site, tmp_path)
        images = [one async for one in findings(tmp_path / "seeds", config=config, only_kind=[Kind.IMAGE])]
        pages = [one async for one in findings(tmp_path / "seeds", config=config)]
        again = [one async for one in findings(tmp_path / "seeds", config=config, force=True)]

    assert (len(images), len(pages), len(again)) == (0, 1, 1)


async def test_errors_are_raised(tmp_path: Path) -> None:
    """A database in use is an exception, for the list and for the stream."""
    async with serve() as site:
        site.fallback = hang()
        records(tmp_path, f"{H}/a")
        config = settings(site, tmp_path)
        first = asyncio.ensure_future(audit(tmp_path / "seeds", config=config))
        await site.hear(1)
        with pytest.raises(LockHeld):
            await audit(tmp_path / "seeds", config=config)
        with pytest.raises(LockHeld):
            await anext(aiter(findings(tmp_path / "seeds", config=config)))
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
    with closing(sqlite3.connect(tmp_path / "lib.db")) as database:
        assert database.execute("SELECT ended FROM run").fetchall() == [("interrupted",)]


EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "library.md").read_text(), re.DOTALL)
SAID = [f"not-found suspect {H}/dead seeds/000.md:2\n", f"not-found 404 {H}/dead\n"]


@pytest.mark.parametrize(("text", "said"), list(zip(EXAMPLES, SAID, strict=True)), ids=["audit", "findings"])
async def test_examples_of_the_documentation(tmp_path: Path, text: str, said: str) -> None:
    """What the page shows runs as it stands there."""
    async with serve() as site:
        records(tmp_path, f"{H}/dead")
        (tmp_path / "config.toml").write_text(_leading_to(site))
        (tmp_path / "example.py").write_text(text)
        done = await _python(tmp_path, "example.py")

    assert (done.code, done.out, done.err) == (0, said, "")


async def _python(folder: Path, *words: str) -> Ended:
    pipe = asyncio.subprocess.PIPE
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = (sys.executable, *words)
    made = await asyncio.create_subprocess_exec(*command, cwd=folder, env=environ, stdout=pipe, stderr=pipe)
    return await ended(made)
