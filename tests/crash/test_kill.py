"""The program killed at any moment: what was found is kept, and nothing is asked twice.

`pytest tests/crash --kills 300` does it three hundred times; the moments follow from a seed.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.program import QUICK, ended, run, start
from tests.site import Asked, Site, page, serve

SEED = 20261123
LOST = 2.0  # seconds of findings that a kill may cost
HOSTS, PAGES = 60, 30
URLS = frozenset(f"http://h{host}.example/{number}" for host in range(HOSTS) for number in range(PAGES))
CONFIG = f"{QUICK}[checks]\nnot_found = false\nparked = false\n"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make as many rounds as the option asks for."""
    if "round_" in metafunc.fixturenames:
        metafunc.parametrize("round_", range(metafunc.config.getoption("--kills")))


def _records(folder: Path) -> None:
    (folder / "seeds").mkdir()
    (folder / "config.toml").write_text(CONFIG)
    urls = sorted(URLS)
    for number in range(0, len(urls), 20):
        lines = "".join(f"  - webUrl: {url}\n" for url in urls[number : number + 20])
        (folder / "seeds" / f"{number:05}.md").write_text(f"---\nrelated:\n{lines}---\n")


def _rows(folder: Path, query: str) -> list[str]:
    """The rows of one column, as far as there is a database."""
    file = folder / "linkhealth.db"
    if not file.exists():
        return []
    with closing(sqlite3.connect(file)) as database, suppress(sqlite3.OperationalError):
        return [cell for (cell,) in database.execute(query)]
    return []


def _found(folder: Path) -> set[str]:
    """The URLs with a finding."""
    return set(_rows(folder, "SELECT url FROM finding JOIN target ON target.id = target_id"))


def _unended(folder: Path) -> int:
    """How many runs have no last word."""
    return len(_rows(folder, "SELECT command FROM run WHERE ended IS NULL"))


def _answered(asked: Sequence[Asked], before: float) -> set[str]:
    """The URLs whose answers the program had taken before a time.

    It asks a host a third time only once it is done with the first: two at once are allowed.
    """
    hosts: dict[str, list[Asked]] = {}
    for one in asked:
        hosts.setdefault(one.headers["host"], []).append(one)
    pairs = (pair for some in hosts.values() for pair in zip(some, some[2:], strict=False))
    return {one.url for one, later in pairs if later.at < before}


async def _killed(site: Site, folder: Path, chance: random.Random) -> float:
    """Start the program and kill it at some moment; tell when that was, in monotonic seconds."""
    process = await start(folder, "audit", "--connect-to", site.detour, "-o", "report.txt")
    if chance.random() < 1 / 3:  # before the first request, or soon after
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), chance.uniform(0.0, 2.0))
    else:
        asked = len(site.log) + chance.randrange(1, len(URLS) // 2)
        heard = asyncio.ensure_future(site.hear(asked))
        gone = asyncio.ensure_future(process.wait())
        await asyncio.wait({heard, gone}, return_when=asyncio.FIRST_COMPLETED)
        for one in (heard, gone):
            one.cancel()
    if process.returncode is None:
        process.kill()
    at = time.monotonic()
    await ended(process)
    return at


async def test_nothing_is_lost_and_nothing_asked_twice(tmp_path: Path, round_: int) -> None:
    """Killed once or more, then left alone: two seconds are lost at most, and it says how it goes on."""
    chance = random.Random(SEED + round_)
    _records(tmp_path)
    async with serve() as site:
        site.fallback = page()
        for _ in range(chance.randrange(1, 4)):
            before = len(site.log)
            known = _found(tmp_path)
            at = await _killed(site, tmp_path, chance)
            asked = site.log[before:]
            assert _answered(asked, at - LOST) | known <= _found(tmp_path)
            assert not {one.url for one in asked} & known
        before, known, unended = len(site.log), _found(tmp_path), _unended(tmp_path)
        done = await run(tmp_path, "audit", "--connect-to", site.detour, "-o", "report.txt")

    assert done.code == 0, done.err
    assert not {one.url for one in site.log[before:]} & known
    assert _found(tmp_path) == URLS
    assert done.err.count("was killed before its end") == unended
    assert "Traceback" not in done.err


async def test_next_start_says_what_was_killed(tmp_path: Path) -> None:
    """The next start names the run that was killed and what is kept of it, once."""
    _records(tmp_path)
    async with serve() as site:
        site.fallback = page()
        process = await start(tmp_path, "audit", "--connect-to", site.detour)
        await site.hear(len(URLS) // 3)
        process.kill()
        await ended(process)
        kept = len(_found(tmp_path))
        words = ("audit", "--connect-to", site.detour, "-o", "report.txt")
        second = await run(tmp_path, *words)
        third = await run(tmp_path, *words)

    assert f"was killed before its end: {kept} findings of it are kept" in second.err
    assert "run 1 (audit, begun 20" in second.err
    assert "killed" not in third.err
