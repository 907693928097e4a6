"""Whatever dies, is stopped or cut off: each target has one finding, and no lane is asked too often."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.crawler.cluster.stage import HOSTS, LEASE, URLS, Line, config, over, staged
from tests.program import ended, run
from tests.storage.postgres import Server

UNDER_WAY = 2 * HOSTS  # requests that one worker can have under way and not yet written, at most


async def test_worker_is_killed(server: Server, tmp_path: Path) -> None:
    """What a killed worker had is asked by the others once its leases have ended."""
    async with staged(server, tmp_path) as stage:
        lost, third, first = await stage.worker("lost"), await stage.worker("third"), await stage.run()
        await stage.has_work("lost")
        lost.kill()
        assert await over(first, third) == [0, 4]
    stage.check(again=UNDER_WAY)


async def test_worker_sleeps_for_two_leases(server: Server, tmp_path: Path) -> None:
    """A worker that wakes after others took its shards asks nothing more there, and writes nothing."""
    async with staged(server, tmp_path) as stage:
        sleeper, first = await stage.worker("sleeper"), await stage.run()
        await stage.has_work("sleeper")
        sleeper.send_signal(signal.SIGSTOP)
        await stage.until(lambda: stage.shards_of("sleeper") == 0, 4 * LEASE + 10)
        sleeper.send_signal(signal.SIGCONT)
        assert await over(first, sleeper) == [0, 4]
    stage.check(again=UNDER_WAY)


async def test_worker_is_cut_from_the_database(server: Server, tmp_path: Path) -> None:
    """A worker that sees the web but not the database stops asking in time, and comes back."""
    away = tmp_path / "away"
    away.mkdir()
    line = Line(away, server.folder)
    (away / "config.toml").write_text(config(line.url))
    async with staged(server, tmp_path / "here") as stage:
        await line.mend()
        cut, first = await stage.worker("cut", away), await stage.run()
        await stage.has_work("cut")
        await line.cut()
        await stage.until(lambda: stage.shards_of("cut") == 0, 4 * LEASE + 10)
        await line.mend()
        assert await over(first, cut) == [0, 4]
        await line.cut()
    stage.check(again=UNDER_WAY)


async def test_database_is_restarted_in_the_middle(server: Server, tmp_path: Path) -> None:
    """A crash of the database loses no finding: workers wait for it, and go on."""
    async with staged(server, tmp_path) as stage:
        second, first = await stage.worker("second"), await stage.run()
        await stage.has_work("second")
        server.stop(signal.SIGQUIT)
        server.start()
        assert await over(first, second) == [0, 4]
    stage.check(again=0)


async def test_database_is_away_for_longer_than_a_lease(server: Server, tmp_path: Path) -> None:
    """Nothing is asked while nobody can have a lease; afterwards all goes on, with what was found before."""
    async with staged(server, tmp_path) as stage:
        second, first = await stage.worker("second"), await stage.run()
        await stage.has_work("second")
        server.stop(signal.SIGQUIT)
        await stage.silence(LEASE)
        server.start()
        assert await over(first, second) == [0, 4]
    stage.check(again=2 * UNDER_WAY)


async def test_command_is_killed_and_run_again(server: Server, tmp_path: Path) -> None:
    """Workers go on without who planned; the same command again ends the run, and there is no other run."""
    async with staged(server, tmp_path) as stage:
        second, first = await stage.worker("second"), await stage.run()
        await stage.has_work("second")
        first.kill()
        await first.communicate()
        third = await stage.run()
        done = await ended(third)
        second.terminate()
        helped = await ended(second)
    assert (done.code, helped.code) == (0, 4), done.err + helped.err
    assert "run 1 is open: this goes on with the rest of it" in done.err
    stage.check(again=UNDER_WAY)


async def test_killed_run_without_workers_goes_on(server: Server, tmp_path: Path) -> None:
    """All are killed: the same command asks the rest, and a further one has nothing to ask."""
    async with staged(server, tmp_path) as stage:
        second, first = await stage.worker("second"), await stage.run()
        await stage.has_work("second")
        for process in (first, second):
            process.kill()
            await process.communicate()
        asked = len(stage.site.log)
        assert await over(await stage.run()) == [0]
        stage.check(again=2 * UNDER_WAY)
        assert len(stage.site.log) - asked <= len(URLS) - asked + 2 * UNDER_WAY
        asked = len(stage.site.log)
        last = await run(tmp_path, "audit", "--shared", "-o", "report.txt")
        assert len(stage.site.log) == asked
    assert last.code == 0, last.err


async def test_other_command_ends_a_run_that_nobody_leads(server: Server, tmp_path: Path) -> None:
    """A run that is not the same one takes over: workers of the old one write nothing more, and end."""
    async with staged(server, tmp_path) as stage:
        second, first = await stage.worker("second"), await stage.run()
        await stage.has_work("second")
        first.kill()
        await first.communicate()
        other = await run(tmp_path, "audit", "--connect-to", stage.site.detour, "-o", "report.txt")
        second.terminate()
        helped = await ended(second)
    assert (other.code, helped.code) == (0, 4), other.err + helped.err
    assert "was killed before its end" in other.err
    assert stage.rows("SELECT ended FROM run ORDER BY id") == [("killed",), ("finished",)]
    found = stage.rows("SELECT target_id FROM finding")
    assert len(set(found)) == len(URLS)


async def test_worker_that_is_told_to_end_gives_its_shards_back(server: Server, tmp_path: Path) -> None:
    """SIGTERM, as systemd and Kubernetes send it: nobody waits for a lease, and nothing is asked twice."""
    async with staged(server, tmp_path) as stage:
        second, first = await stage.worker("second"), await stage.run()
        await stage.has_work("second")
        second.send_signal(signal.SIGTERM)
        told = await ended(second)
        assert stage.rows("SELECT 1 FROM worker WHERE name = 'second'") == []
        assert await over(first) == [0]
    assert told.code == 4, told.err
    stage.check(again=0)
