"""A run on several processes: the same results, the same politeness, and a clean end."""

from __future__ import annotations

import itertools
import os
import re
import signal
from pathlib import Path

import pytest

from crawler.processes.pool import share_out
from tests.program import QUICK, ended, records, run, start
from tests.site import Site, answer, hang, page, redirect, serve

URLS = [f"http://h{host}.example/{n}" for host in range(6) for n in range(4)]
MIXED = [
    *URLS,
    "http://h0.example/dead",
    "http://h1.example/busy",
    "http://h2.example/loop",
    "http://h3.example/gone",
    "http://user:word@h4.example/secret",
    "no URL",
    *[f"http://h{n}.example/away" for n in range(6)],
]
INTERVAL = 0.1
# Requests are left out: each process learns by itself whether HEAD is any use at a host.
SAME = ("verdict", "status", "final_url", "moved_to", "redirects", "attempts", "state")


def load(site: Site) -> None:
    """A site where every host sends some of its visitors to another host."""
    site.fallback = page()
    site.add("http://h0.example/dead", answer(404))
    site.add("http://h1.example/busy", answer(503), answer(503), page())
    site.add("http://h2.example/loop", redirect(302, "http://h3.example/loop"))
    site.add("http://h3.example/loop", redirect(302, "http://h2.example/loop"))
    site.add("http://h3.example/gone", redirect(301, "http://nowhere.example/gone"))
    site.add("http://nowhere.example/gone", answer(410))
    for n in range(6):
        site.add(f"http://h{n}.example/away", redirect(301, f"http://other.example/{n}"))


def made(folder: Path) -> Path:
    """A new folder."""
    folder.mkdir()
    return folder


def children(pid: int) -> list[int]:
    """The processes that one started, oldest first."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


Lines = dict[str, dict[str, object]]


async def audit(folder: Path, workers: int, interval: float = 0) -> tuple[Lines, dict[str, list[float]]]:
    """The lines of one audit, and when each host was asked."""
    async with serve() as site:
        load(site)
        records(folder, *MIXED)
        (folder / "config.toml").write_text(QUICK.replace("interval = 0", f"interval = {interval}"))
        options = ("--format", "jsonl", "--connect-to", site.detour, "--workers", str(workers))
        done = await run(folder, "audit", *options)
        asked: dict[str, list[float]] = {}
        for one in site.log:
            asked.setdefault(one.url.split("/")[2], []).append(one.at)
    assert done.code == 1, done.err
    return done.lines(), asked


async def test_results_are_those_of_one_process(tmp_path: Path) -> None:
    """Verdicts, chains and counts do not depend on the number of processes."""
    alone, _ = await audit(made(tmp_path / "alone"), 1)
    shared, _ = await audit(made(tmp_path / "shared"), 3)

    assert alone.keys() == shared.keys()
    for url, line in alone.items():
        assert {key: shared[url][key] for key in SAME} == {key: line[key] for key in SAME}, url
    assert shared["http://h5.example/away"]["moved_to"] == "http://other.example/5"


async def test_one_lane_is_polite_over_all_processes(tmp_path: Path) -> None:
    """A host that visitors of all workers are sent to is asked at its own pace all the same."""
    _, asked = await audit(made(tmp_path / "shared"), 3, INTERVAL)
    times = asked["other.example"]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]

    assert len(times) == 6
    # A busy machine may look late at one request, and so seem to get the next one early.
    assert min(gaps) > INTERVAL * 0.3
    assert times[-1] - times[0] > 5 * INTERVAL * 0.9


async def test_interrupt_ends_every_process(tmp_path: Path) -> None:
    """Ctrl-C, which a terminal sends to all of them, leaves none behind and loses nothing."""
    async with serve() as site:
        site.fallback = page()
        site.add("http://slow.example/", hang())
        records(tmp_path, "http://fast.example/", "http://slow.example/", "http://third.example/")
        options = ("--format", "jsonl", "--connect-to", site.detour, "--workers", "3")
        process = await start(tmp_path, "audit", *options, under=("setsid",))
        await site.hear(2)
        workers = children(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        done = await ended(process)
    assert done.code == 130
    assert "Traceback" not in done.err
    assert len(workers) == 3
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
    assert done.lines()["http://slow.example/"]["verdict"] == "not-reached"


async def test_worker_that_dies_is_told(tmp_path: Path) -> None:
    """What a killed worker did not reach stays due; what the others found is kept; the exit code is 4."""
    async with serve() as site:
        site.fallback = page()
        site.add("http://slow.example/", hang())
        records(tmp_path, "http://fast.example/", "http://slow.example/")
        options = ("--format", "jsonl", "--connect-to", site.detour, "--workers", "2")
        process = await start(tmp_path, "audit", *options)
        await site.hear(2)
        os.kill(children(process.pid)[1], signal.SIGKILL)  # lanes of one size are shared out by name
        done = await ended(process)
    assert done.code == 4
    assert re.search(r"worker \d died; what it did not reach is due", done.err)
    assert done.lines()["http://slow.example/"]["verdict"] == "not-reached"


def test_lanes_are_shared_out_by_their_work() -> None:
    """The largest lanes go to different workers, and nobody has much more than another."""
    owners = share_out({"a": 100, "b": 60, "c": 50, "d": 1}, 2)
    assert owners["a"] != owners["b"] == owners["c"]
    assert owners["d"] == owners["a"]
