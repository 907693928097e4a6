"""A run that workers share: the same results as one alone, politeness over all, and clear refusals."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from crawler.cluster.rebalance import surplus, wanted
from storage.image_cache import digest_of
from storage.image_cache.folder_store import OWNER_FILE
from storage.shards import RunSnapshot
from tests.bucket import names
from tests.crawler.cli.test_refresh import place
from tests.crawler.cluster.stage import (
    ASKED_BY_GET,
    HELD,
    HOSTS,
    INTERVAL,
    PAGES,
    URLS,
    config,
    install,
    over,
    staged,
    web,
    write_records,
)
from tests.crawler.pictures import picture
from tests.program import ended, on_terminal, run
from tests.site import answer, redirect
from tests.storage import postgres
from tests.storage.postgres import Server

UNDER_WAY = 2 * HOSTS  # requests that one worker can have under way and not yet written, at most
AWAY = 8  # hosts whose pages lead to one host


def scene(workers: int, shards: int, targets: int, free: int, idle: int = 0) -> RunSnapshot:
    """A run as a worker sees it."""
    return RunSnapshot(False, workers, idle, shards, shards, targets, free, 0)


def test_nobody_takes_more_than_its_share() -> None:
    """A worker takes targets and shards up to its share; one without any takes one in any case."""
    assert wanted(scene(4, 64, 1000, 64), 0, 0) == (250, 16)
    assert wanted(scene(4, 64, 1000, 32), 10, 200) == (50, 6)
    assert wanted(scene(4, 64, 1000, 32), 10, 250) == (0, 0)
    assert wanted(scene(100, 3, 10, 1), 0, 0) == (1, 1)
    assert wanted(scene(4, 64, 1000, 0), 0, 0) == (0, 0)


def test_who_has_too_much_gives_back_to_who_has_nothing() -> None:
    """The lightest shards beyond the share go, only while somebody looks for work and none is free."""
    held = {7: 50, 3: 40, 9: 0, 1: 10}
    assert surplus(scene(2, 4, 100, 0, idle=1), held) == [1]
    assert surplus(scene(2, 4, 100, 0, idle=0), held) == []
    assert surplus(scene(2, 4, 100, 1, idle=1), held) == []
    assert surplus(scene(9, 4, 100, 0, idle=5), {7: 50}) == []
    exhausted = replace(scene(2, 64, 100, 0, idle=1), busy=3)
    assert surplus(exhausted, held) == [1]


async def test_late_worker_gets_its_share(server: Server, tmp_path: Path) -> None:
    """A worker that comes when all shards are taken is given some; status tells who has what."""
    urls = [*web(3 * PAGES), HELD]
    async with staged(server, tmp_path, urls, patience=60) as stage:
        go = stage.hold(HELD)
        first = await stage.run()
        await stage.until(lambda: stage.rows("SELECT 1 FROM shard WHERE owner IS NULL AND NOT done") == [])
        late = await stage.worker("late")
        await stage.has_work("late")
        status, told = await asyncio.gather(stage.status(), run(tmp_path, "status", "--format", "json"))
        go.set()
        assert await over(first, late) == [0, 4]
        last = await stage.status()
    stage.check(again=ASKED_BY_GET, urls=urls)
    shown = msgspec.json.decode(told.out)
    bound = shown["lower_bound"]
    assert (bound["seconds"], shown["lanes"]) == ((3 * PAGES - 1) * INTERVAL, 17)
    assert "run 1 (audit" in status.out
    assert f"of {len(urls)} targets are left, in 17 lanes\n" in status.out
    assert f"cannot end before {bound['seconds']:.0f} s after its start: {bound['lane']}\n" in status.out
    assert re.search(r"^late( +\d+){4} +\d+\.\d  \d+ s ago(, idle)?$", status.out, re.MULTILINE)
    assert re.search(r"^\d+ +\d+ s +\d+ +\d+  late, \d s$", status.out, re.MULTILINE)
    assert {one["name"] for one in shown["workers"]} > {"late"}
    assert all(one["lease"] > 0 for one in shown["shards"] if one["owner"])
    assert shown["rate"] == round(sum(one["rate"] for one in shown["workers"]), 2)
    assert " findings a second\n" in status.out
    assert re.match(r"last run +run 1 \(audit\), begun .* finished after \d+ s\n", last.out)


async def test_terminal_shows_what_all_workers_do(server: Server, tmp_path: Path) -> None:
    """The bar of a command is that of all workers, also while others still have shards."""
    urls = URLS[: 8 * PAGES]
    async with staged(server, tmp_path, urls) as stage:
        second = await stage.worker("second")
        words = ("--shared", "--connect-to", stage.site.detour, "-o", "report.txt")
        code, _, drawn = await on_terminal(tmp_path, "audit", *words)
        second.terminate()
        assert (code, (await ended(second)).code) == (0, 4)
    assert "checking, 8 lanes, 2 workers" in drawn
    assert f"{len(urls)}/{len(urls)}" in drawn
    stage.check(again=0, urls=urls)


async def test_redirects_into_lanes_of_others_take_turns(server: Server, tmp_path: Path) -> None:
    """A host that visitors of all workers are sent to, while one of them has it, is asked at its own pace."""
    own = [f"http://other.example/{n}" for n in range(AWAY)]
    urls = [f"http://h{host}.example/{n}" for host in range(AWAY) for n in range(3)] + own
    async with staged(server, tmp_path, urls) as stage:
        for host in range(AWAY):
            for n in range(3):
                away = redirect(302, f"http://other.example/from/{host}/{n}")
                stage.site.add(f"http://h{host}.example/{n}", away)
        second, third, first = await stage.worker("second"), await stage.worker("third"), await stage.run()
        assert await over(first, second, third) == [0, 4, 4]
    times = stage.times()
    assert len(times["other.example"]) == len(urls)
    stage.polite()
    verdicts = stage.rows("SELECT finding.verdict, count(*) FROM finding GROUP BY 1 ORDER BY 1")
    assert verdicts == [("ok", AWAY), ("redirected", 3 * AWAY)]


async def test_images_are_kept_by_all(server: Server, tmp_path: Path) -> None:
    """A shared `run` keeps every image once, whoever asked it, and says that the folder has to be one."""
    async with staged(server, tmp_path, []) as stage:
        urls = [f"http://h{host}.example/{n}.png" for host in range(8) for n in range(3)]
        lines = "".join(f"  - url: {url}\n    width: 24\n    height: 16\n" for url in urls)
        (tmp_path / "seeds" / "a.md").write_text(f"---\nimages:\n{lines}---\n")
        stage.site.fallback = answer(200, picture(), Content_Type="image/png")
        second = await stage.worker("second")
        done = await run(tmp_path, "run", "--shared", "--connect-to", stage.site.detour, "-o", "report.txt")
        second.terminate()
        assert (await ended(second)).code == 4
        assert done.code == 0, done.err
        assert "is a folder: all workers have to share it" in done.err
        assert stage.rows("SELECT count(*) FROM cached") == [(len(urls),)]
        assert len(stage.site.log) == len(urls)


async def test_images_in_a_bucket_outlive_a_worker(server: Server, tmp_path: Path, bucket: Any) -> None:
    """A worker that is killed in the middle leaves no image out, and none that the index does not know."""
    bodies = {
        f"http://h{host}.example/{n}.png": picture(24 * host + n) for host in range(8) for n in range(PAGES)
    }
    async with staged(server, tmp_path, []) as stage:
        with (tmp_path / "config.toml").open("a") as file:
            file.write('[images]\ncache = "s3://pictures/site"\n')
        lines = "".join(f"  - url: {url}\n    width: 24\n    height: 16\n" for url in bodies)
        (tmp_path / "seeds" / "a.md").write_text(f"---\nimages:\n{lines}---\n")
        for url, body in bodies.items():
            stage.site.add(url, answer(200, body, Content_Type="image/png"))
        lost, first = await stage.worker("lost"), await stage.run(command="run")
        await stage.has_work("lost")
        lost.kill()
        assert await over(first) == [0]
    stage.check(again=UNDER_WAY, urls=[*bodies])
    kept = stage.rows("SELECT target.url, digest FROM cached JOIN target ON target.id = target_id")
    assert dict(kept) == {url: digest_of(body) for url, body in bodies.items()}
    kept_files = {name: size for name, size in names(bucket).items() if name != f"site/{OWNER_FILE}"}
    assert kept_files == {f"site/{place(body)}": len(body) for body in bodies.values()}


async def test_credentials_are_told_to_nobody(server: Server, tmp_path: Path) -> None:
    """A URL with a password is asked by the command that read it: the database has it for nobody."""
    urls = ["http://h0.example/", "http://h1.example/1", "http://ann:word@h1.example/2"]
    async with staged(server, tmp_path, urls) as stage:
        assert await over(await stage.run()) == [0]
    (asked,) = [one for one in stage.site.log if one.url.endswith("/2")]
    assert asked.headers["authorization"].startswith("Basic ")
    stage.polite()
    assert len(stage.rows("SELECT 1 FROM finding WHERE verdict = 'ok'")) == len(urls)
    assert "word" not in str(stage.rows("SELECT * FROM target") + stage.rows("SELECT terms::text FROM plan"))


async def test_second_run_at_once_is_told_who_the_first_is(server: Server, tmp_path: Path) -> None:
    """Two commands do not plan at once."""
    async with staged(server, tmp_path) as stage:
        first = await stage.run()
        second = await run(tmp_path, "audit", "--shared")
        assert second.code == 75
        assert f"process {first.pid}" in second.err


async def test_other_configuration_or_version_is_refused(server: Server, tmp_path: Path) -> None:
    """A machine that would ask in another way does not help; what differs is named."""
    other = tmp_path / "other"
    other.mkdir()
    async with staged(server, tmp_path / "here") as stage:
        first = await stage.run()
        first.kill()  # its run stays open
        await first.communicate()
        (other / "config.toml").write_text(config(stage.url, interval=9))
        told = await ended(await stage.worker("other", other))
        (other / "config.toml").write_text(config(stage.url, lease=1))
        short = await ended(await stage.worker("short", other))
        (other / "config.toml").write_text(config(stage.url))
        install(other, "9.9")
        old = await ended(await stage.worker("old", other))
    assert told.code == short.code == old.code == 2
    assert re.search(r"planned by linkhealth .*, and this is 9.9: install the same", old.err)
    assert "differs from that of the run in [hosts]: give all machines the same" in told.err
    assert "[sharing] lease" in short.err


async def test_file_is_refused(tmp_path: Path) -> None:
    """SQLite cannot be shared, and the sentence says why."""
    write_records(tmp_path, URLS[:1])
    for words in (("audit", "--shared"), ("worker",)):
        told = await run(tmp_path, *words)
        assert told.code == 2
        assert "a file of SQLite" in told.err
    assert (await run(tmp_path, "audit", "--shared", "--workers", "2")).code == 2


def _all_places(dsn: str) -> list[psycopg.Connection[Any]]:
    """All connections that a server has left."""
    taken: list[psycopg.Connection[Any]] = []
    with suppress(psycopg.OperationalError):
        while True:
            taken.append(psycopg.connect(dsn))
    return taken


async def test_worker_waits_for_a_run_and_for_a_connection(tmp_path: Path) -> None:
    """A database at its limit is waited for, before and in a run; a run is waited for as well."""
    with postgres.served("max_connections=12") as server:
        async with staged(server, tmp_path) as stage:
            dsn = f"host={server.folder} user={postgres.USER} dbname=postgres"
            crowd = [psycopg.connect(dsn) for _ in range(12)]
            early = await stage.worker("early")
            assert early.stderr is not None
            said = await early.stderr.readline()
            refused = await run(tmp_path, "audit", "--shared")
            for connection in crowd:
                connection.close()
            first = await stage.run()
            await stage.has_work("early")
            crowd = await asyncio.to_thread(_all_places, dsn)
            await stage.site.hear(len(URLS) - 1)
            for connection in crowd:
                connection.close()
            assert await over(first, early) == [0, 4]
            assert b"waiting for it" in said
            assert refused.code == 2
            assert "has no connection free: allow more" in refused.err
            stage.check(again=0)
