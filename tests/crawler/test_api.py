"""The library: findings for programs and notebooks."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import linkhealth
from crawler.config import Config, load
from linkhealth import ConfigError, audit, findings, states
from storage.errors import LockHeld, StorageError
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
    assert [entry.verdict for entry in second] == [Verdict.NOT_FOUND, Verdict.OK]
    assert [(entry.asked, entry.not_asked) for entry in second] == [(False, Verdict.FRESH)] * 2


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


async def test_states_ask_nothing(tmp_path: Path) -> None:
    """What is stored is read without a request; a word that is none is refused."""
    async with serve() as site:
        site.fallback = page()
        site.add(f"{H}/dead", answer(404))
        records(tmp_path, f"{H}/a", f"{H}/dead")
        config = settings(site, tmp_path)
        with pytest.raises(StorageError):
            await states(config=config)
        await audit(tmp_path / "seeds", config=config)
        asked = len(site.log)
        entries = await states(config=config)
        failing = await states(config=config, only=["suspect", "dead"])

    assert len(site.log) == asked
    assert {(entry.url, entry.verdict) for entry in entries} == {
        (f"{H}/a", Verdict.OK),
        (f"{H}/dead", Verdict.NOT_FOUND),
    }
    assert [entry.url for entry in failing] == [f"{H}/dead"]
    with pytest.raises(ConfigError, match="ded is no class"):
        await states(config=config, only=["ded"])


def test_every_public_name_is_there() -> None:
    """Each name leads to its home, and importing the package imports none of them."""
    assert all(getattr(linkhealth, name) is not None for name in linkhealth.__all__)
    code = "import sys, linkhealth; print(sorted({'crawler', 'storage'} & set(sys.modules)))"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


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
SAID = [
    f"not-found suspect {H}/dead seeds/000.md:2\n",
    f"not-found 404 {H}/dead\n",
    f"{H}/dead not-found True\n",
]


@pytest.mark.parametrize(
    ("text", "said"), list(zip(EXAMPLES, SAID, strict=True)), ids=["audit", "findings", "states"]
)
async def test_examples_of_the_documentation(tmp_path: Path, text: str, said: str) -> None:
    """What the page shows runs as it stands there."""
    async with serve() as site:
        records(tmp_path, f"{H}/dead")
        (tmp_path / "config.toml").write_text(_leading_to(site))
        (tmp_path / "example.py").write_text(text)
        if "states(" in text:
            await _python(
                tmp_path, "-c", "import asyncio, linkhealth; asyncio.run(linkhealth.audit('seeds'))"
            )
        done = await _python(tmp_path, "example.py")

    assert (done.code, done.out, done.err) == (0, said, "")


async def _python(folder: Path, *words: str) -> Ended:
    pipe = asyncio.subprocess.PIPE
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = (sys.executable, *words)
    made = await asyncio.create_subprocess_exec(*command, cwd=folder, env=environ, stdout=pipe, stderr=pipe)
    return await ended(made)
