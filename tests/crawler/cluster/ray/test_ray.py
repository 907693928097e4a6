"""A run with workers on a Ray cluster: whatever dies, each target has one finding, politely."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.crawler.cluster.ray.cluster import LOOPBACK, clustered
from tests.crawler.cluster.stage import (
    ASKED_BY_GET,
    HELD,
    HOSTS,
    PAGES,
    RENEW,
    URLS,
    Stage,
    install,
    staged,
    web,
)
from tests.program import ended, on_terminal, records, run
from tests.storage.postgres import Server

UNDER_WAY = 2 * HOSTS  # requests that one worker can have under way and not yet written, at most


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep Ray on this machine's own address."""
    for name, value in LOOPBACK.items():
        monkeypatch.setenv(name, value)


def _pids(stage: Stage, found: int = 1) -> list[int]:
    """The processes of the workers that Ray placed, and that have found something, or so much."""
    rows = stage.rows(f"SELECT name FROM worker WHERE name LIKE 'ray %' AND found >= {found}")
    return [int(name.rpartition(":")[2]) for (name,) in rows]


async def test_actor_node_and_command_are_killed(server: Server, tmp_path: Path) -> None:
    """Ray starts workers again, and the same command ends a run whose command died: nothing is lost."""
    urls = [*web(3 * PAGES), HELD]
    async with clustered() as cluster, staged(server, tmp_path, urls, patience=60) as stage:
        go = stage.hold(HELD)
        words = ("--ray", cluster.address, "--workers", "2")
        lost = await stage.run(*words)
        await stage.until(lambda: len(_pids(stage)) == 2)
        first = _pids(stage)
        os.kill(first[0], signal.SIGKILL)
        await stage.until(lambda: not {*_pids(stage, 0)} <= {*first})
        await cluster.kill_node()
        lost.kill()
        out, said = await lost.communicate()
        go.set()
        again = await ended(await stage.run(*words))
    assert again.code == 0, again.err
    assert out == b""
    assert b"Ray starts 2 workers on 2 nodes" in said
    assert b"a worker died, and Ray starts it again" in said
    assert "run 1 is open: this goes on with the rest of it" in again.err
    stage.check(again=5 * UNDER_WAY, urls=urls)


async def test_node_that_joins_late_gets_a_worker(server: Server, tmp_path: Path) -> None:
    """Where nobody says how many workers, each processor has one, those of late nodes too."""
    async with clustered() as cluster, staged(server, tmp_path, [*URLS, HELD], patience=60) as stage:
        go = stage.hold(HELD)
        first = await stage.run("--ray", cluster.address)
        await cluster.add_node()
        await stage.until(lambda: stage.rows("SELECT 1 FROM worker WHERE name LIKE 'ray 3 %'") != [])
        go.set()
        done = await ended(first)
    assert done.code == 0, done.err
    assert "Ray starts 2 workers on 2 nodes" in done.err
    assert "Ray starts 1 workers on 3 nodes" in done.err
    stage.check(again=ASKED_BY_GET, urls=[*URLS, HELD])


async def test_nodes_with_another_version_do_not_help(server: Server, tmp_path: Path) -> None:
    """Workers whose program is not that of the command end with a sentence; the run goes on without them."""
    (tmp_path / "path").mkdir()
    install(tmp_path / "path", "9.9")
    async with clustered(tmp_path / "path") as cluster, staged(server, tmp_path / "here") as stage:
        done = await ended(await stage.run("--ray", cluster.address, "--workers", "1"))
    assert done.code == 0, done.err
    assert "a worker cannot help: " in done.err
    assert "and this is 9.9: install the same" in done.err
    stage.check(again=0)


async def test_cluster_of_this_machine(server: Server, tmp_path: Path) -> None:
    """`--ray local` needs no cluster: one is started here, and ended; the bar is that of all workers."""
    async with staged(server, tmp_path, [*URLS, HELD], patience=60) as stage:
        go = stage.hold(HELD)
        words = ("--ray", "local", "--workers", "1", "--connect-to", stage.site.detour, "-o", "report.txt")
        running = asyncio.create_task(on_terminal(tmp_path, "audit", *words))
        await stage.until(lambda: stage.rows("SELECT 1 FROM worker WHERE name LIKE 'ray 1 %'") != [])
        await stage.silence(2 * RENEW)
        go.set()
        code, _, drawn = await running
    assert code == 0, drawn
    assert "Ray starts 1 workers on 1 nodes" in drawn
    assert f"checking, {HOSTS + 1} lanes, 2 workers" in drawn
    assert f"{len(URLS) + 1}/{len(URLS) + 1}" in drawn
    stage.check(again=ASKED_BY_GET, urls=[*URLS, HELD])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--ray", "local"), "SQLite is a file of one machine"),
        (("--shared", "--workers", "2"), "start 'linkhealth worker' for each further process"),
    ],
)
async def test_refused(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """What cannot be shared is refused with the reason, before anything is asked."""
    records(tmp_path, "http://site.example/")
    done = await run(tmp_path, "audit", *words)

    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


async def test_without_ray_or_without_its_cluster(server: Server, tmp_path: Path) -> None:
    """Where Ray is missing, the extra is named; where nobody answers at the address, that is said."""
    async with staged(server, tmp_path) as stage:
        away = await run(stage.folder, "audit", "--ray", "127.0.0.1:1")
        (stage.folder / "ray").mkdir()
        (stage.folder / "ray" / "__init__.py").write_text("raise ImportError")
        missing = await run(stage.folder, "audit", "--ray", "local")

    assert (away.code, missing.code) == (2, 2), away.err
    assert "linkhealth: --ray 127.0.0.1:1: " in away.err
    assert "pip install 'linkhealth[ray]'" in missing.err
    assert "Traceback" not in away.err + missing.err
