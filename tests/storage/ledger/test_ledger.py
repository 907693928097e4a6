"""Findings in rows: none lost, none twice, and the history that follows from them."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import cast

import pytest
import sqlalchemy as sa

from storage.db.database import open_engine
from storage.errors import LedgerError
from storage.ledger import Ledger, begin_run, end_run
from storage.model import (
    CachedImage,
    Evidence,
    Finding,
    Hop,
    ImageEvidence,
    Picture,
    Redirect,
    Run,
    RunEnd,
    ServedHeaders,
    Size,
    Standing,
    Verdict,
)
from storage.queries import report as queries
from tests.storage.build import DAY, NOW, advance, catalogued, document, finding, ids, link, rows, write

pytestmark = pytest.mark.libraries

MANY = [f"https://a.example/{number}" for number in range(40)]
FULL = "PRAGMA max_page_count = 1"
ROOM = "PRAGMA max_page_count = 1000000"
STATES = "SELECT from_state, to_state FROM event ORDER BY id"


def _pragma(engine: sa.Engine, text: str) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql(text)


def _targets(engine: sa.Engine, urls: list[str]) -> Run:
    return catalogued(engine, document("a.md", [link(url, f"l[{n}]") for n, url in enumerate(urls)]))


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[sa.Engine]:
    """A database with one connection, so that what is set on it holds for every thread."""
    engine = open_engine(f"sqlite:///{tmp_path}/narrow.db")
    yield engine
    engine.dispose()


def test_run_has_a_beginning_and_an_end(engine: sa.Engine) -> None:
    """A run is there from its first moment, and tells how it ended."""
    run = begin_run(engine, "audit", NOW)
    assert queries.runs(engine) == [run]
    ended = end_run(engine, run, RunEnd.FINISHED, NOW + DAY)
    assert queries.runs(engine) == [ended] == [replace(run, ended=RunEnd.FINISHED, finished_at=NOW + DAY)]


def test_finding_comes_back_as_it_went(engine: sa.Engine) -> None:
    """Every fact of a finding is kept, in UTC."""
    run = _targets(engine, MANY[:1])
    (key,) = ids(engine).values()
    size = Size(640, 480)
    sent = Finding(
        target=key,
        url=MANY[0],
        verdict=Verdict.REDIRECTED,
        checked_at=NOW.astimezone(timezone(timedelta(hours=5, minutes=30))),
        status=200,
        final_url="https://b.example/ü",
        moved_to="https://c.example/",
        redirects=(Redirect(MANY[0], 302),),
        hops=(
            Hop(MANY[0], "GET", 302, None, 0.1, 1, "192.0.2.1"),
            Hop("https://b.example/", "GET", None, "reset", 0.2, 2),
        ),
        attempts=2,
        requests=2,
        elapsed=1.5,
        bytes=2**40,
        detail="a reason",
        picture=Picture(size, Size(480, 640), "JPEG", 6, 1, "RGB", 12345, "sha256:00", "00/00"),
        retry_at=NOW + DAY,
        evidence=Evidence(image=ImageEvidence("pixels", frames=2), waited=1.5),
    )
    write(engine, run, sent)
    (entry,) = queries.entries(engine)
    assert entry.finding == replace(sent, hops=(), checked_at=NOW)
    assert entry.finding.checked_at.utcoffset() == timedelta(0)
    assert tuple(queries.hops(engine, run.id, key)) == sent.hops


def test_plain_good_answer_stores_no_hops(engine: sa.Engine) -> None:
    """What was fine at the first request says all in its finding."""
    run = _targets(engine, MANY[:2])
    one, two = ids(engine).values()
    hop = Hop(MANY[0], "HEAD", 200)
    fine = replace(finding(one), hops=(hop,))
    write(engine, run, fine, replace(fine, target=two, hops=(hop, hop), requests=2))
    assert queries.hops(engine, run.id, one) == []
    assert len(queries.hops(engine, run.id, two)) == 2


def test_changes_of_state_become_events(engine: sa.Engine) -> None:
    """Every change of state has a row with its time, its run and both states."""
    run = _targets(engine, MANY[:1])
    (key,) = ids(engine).values()
    verdicts = [Verdict.OK, Verdict.OK, Verdict.GONE, Verdict.GONE, Verdict.GONE, Verdict.OK]
    for days, verdict in enumerate(verdicts):
        run = begin_run(engine, "audit", NOW + days * DAY)
        write(engine, run, finding(key, verdict, NOW + days * DAY))
    found = rows(engine, "SELECT run_id, from_state, to_state FROM event ORDER BY id")
    assert found == [
        (2, "new", "alive"),
        (4, "alive", "suspect"),
        (6, "suspect", "dead"),
        (7, "dead", "alive"),
    ]
    assert [one.verdict for one in queries.history(engine, key)] == verdicts


def test_second_finding_of_a_run_replaces_the_first(engine: sa.Engine) -> None:
    """A target asked again in a run has one finding, and is judged from where it stood before."""
    run = _targets(engine, MANY[:1])
    (key,) = ids(engine).values()
    picture = Picture(Size(1, 1), None, "PNG")
    first = replace(finding(key, Verdict.TIMEOUT), hops=(Hop(MANY[0], "GET", None, "timeout"),))
    ledgers = [first, replace(first, picture=picture), replace(first, verdict=Verdict.GONE, picture=picture)]
    for one in ledgers:
        Ledger(engine, run, advance)
        write(engine, run, one)
    assert rows(engine, "SELECT verdict FROM finding") == [("gone",)]
    assert rows(engine, "SELECT count(*) FROM hop") == [(1,)]


async def test_second_pass_counts_one_failure(engine: sa.Engine) -> None:
    """Failing twice in one run is one failing check; getting well in it, none."""
    run = _targets(engine, MANY[:2])
    ill, well = ids(engine).values()
    async with Ledger(engine, run, advance, batch=1) as ledger:
        for verdict in (Verdict.TIMEOUT, Verdict.RESET):
            await ledger.put(finding(ill, verdict))
        await ledger.put(finding(well, Verdict.TIMEOUT))
    async with Ledger(engine, run, advance, batch=1) as ledger:
        pass
    assert rows(engine, "SELECT failures, state FROM target ORDER BY id") == [(1, "suspect")] * 2
    assert rows(engine, STATES) == [("new", "suspect")] * 2


async def test_target_that_gets_well_in_the_second_pass(engine: sa.Engine) -> None:
    """The event of a first try that was replaced goes with it."""
    run = _targets(engine, MANY[:1])
    (key,) = ids(engine).values()
    written = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told(standing: Standing, one: Finding) -> Standing:
        loop.call_soon_threadsafe(written.set)
        return advance(standing, one)

    async with Ledger(engine, run, told, batch=1) as ledger:
        await ledger.put(finding(key, Verdict.TIMEOUT))
        await written.wait()
        await ledger.put(finding(key, Verdict.OK))
    assert rows(engine, STATES) == [("new", "alive")]
    assert rows(engine, "SELECT failures, state, finding.verdict FROM target, finding") == [
        (0, "alive", "ok")
    ]


@pytest.mark.parametrize("verdict", [Verdict.FRESH, Verdict.NOT_REACHED, Verdict.LOCAL_OUTAGE])
def test_silent_verdict_leaves_the_newest_word(engine: sa.Engine, verdict: Verdict) -> None:
    """What says nothing of the target does not become what is known of it."""
    run = _targets(engine, MANY[:1])
    (key,) = ids(engine).values()
    write(engine, run, finding(key))
    later = begin_run(engine, "audit", NOW + DAY)
    write(engine, later, finding(key, verdict, NOW + DAY))
    assert rows(engine, "SELECT last_run, state FROM target") == [(run.id, "alive")]
    assert [one.verdict for one in queries.history(engine, key)] == [Verdict.OK, verdict]


def test_strange_facts_are_kept(engine: sa.Engine) -> None:
    """Halves of surrogates, NUL, giant sizes and evidence that is no text lose no finding."""
    run = _targets(engine, MANY[:1])
    (key,) = ids(engine).values()
    odd = replace(
        finding(key),
        detail="x\udcff\0",
        final_url="\ud800",
        evidence=Evidence(https="\udcff\0", waited=2.5),
        picture=Picture(Size(2**80, 2**40), None, "SVG"),
    )
    write(engine, run, odd)
    (entry,) = queries.entries(engine)
    assert entry.finding is not None
    assert entry.finding.detail == "x?\N{REPLACEMENT CHARACTER}"
    assert entry.finding.picture == Picture(Size(2**31 - 1, 2**31 - 1), None, "SVG")
    assert entry.finding.evidence.waited == 2.5


def test_finding_on_no_target_harms_no_other(engine: sa.Engine) -> None:
    """A finding on a target that is not there changes no standing, and the others are kept."""
    run = _targets(engine, MANY[:1])
    (key,) = ids(engine).values()
    write(engine, run, finding(10**6), finding(key))
    assert rows(engine, "SELECT state FROM target") == [("alive",)]


async def test_moment_starts_a_write(engine: sa.Engine) -> None:
    """A finding that no batch follows is written soon, also when it came during a write."""
    run = _targets(engine, MANY[:3])
    keys = list(ids(engine).values())
    loop = asyncio.get_running_loop()
    seen: asyncio.Queue[int] = asyncio.Queue()

    def told(standing: Standing, one: Finding) -> Standing:
        loop.call_soon_threadsafe(seen.put_nowait, one.target)
        return advance(standing, one)

    async with Ledger(engine, run, told, batch=2, flush_interval=0.001) as ledger:
        for key in keys:
            await ledger.put(finding(key))
        assert sorted([await seen.get() for _ in keys]) == keys


async def test_put_waits_when_the_writer_is_far_behind(engine: sa.Engine) -> None:
    """Memory is bounded: with a writer that stands still, `put` stops taking."""
    run = _targets(engine, MANY)
    keys = list(ids(engine).values())
    go = threading.Event()

    def slow(standing: Standing, one: Finding) -> Standing:
        go.wait(10)
        return advance(standing, one)

    async with Ledger(engine, run, slow, batch=1) as ledger:
        putting = asyncio.ensure_future(_put_all(ledger, keys))
        done, _ = await asyncio.wait({putting}, timeout=0.05)
        assert not done
        go.set()
        assert await putting == len(keys)
    assert rows(engine, "SELECT count(*) FROM finding") == [(len(keys),)]


async def _put_all(ledger: Ledger, keys: list[int]) -> int:
    for key in keys:
        await ledger.put(finding(key))
    return len(keys)


async def test_cancellation_loses_nothing_that_was_taken(file_engine: sa.Engine) -> None:
    """Cancelled at two hundred seeded moments, twice each, every finding that was taken is written."""
    _targets(file_engine, MANY)
    keys = list(ids(file_engine).values())
    chance = random.Random(20261123)
    for _ in range(200):
        run = begin_run(file_engine, "audit", NOW)
        taken: list[int] = []
        task = asyncio.ensure_future(_record(file_engine, run, keys, taken))
        for _ in range(chance.randrange(60)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        found = rows(file_engine, f"SELECT target_id FROM finding WHERE run_id = {run.id}")
        assert {key for (key,) in found} == set(taken)


async def _record(engine: sa.Engine, run: Run, keys: list[int], taken: list[int]) -> None:
    async with Ledger(engine, run, advance, batch=7, flush_interval=0.001) as ledger:
        for key in keys:
            await ledger.put(finding(key))
            taken.append(key)
            await asyncio.sleep(0)


async def test_full_disk_is_told_and_made_good(narrow: sa.Engine) -> None:
    """A full disk stops `put` with a sentence; once there is room, closing writes what waited."""
    run = _targets(narrow, MANY)
    keys = list(ids(narrow).values())
    big = Evidence(https="x" * 50_000)
    _pragma(narrow, FULL)
    ledger = Ledger(narrow, run, advance, batch=4)
    taken = 0
    with pytest.raises(LedgerError, match="the disk is full: make room, then run again"):  # noqa: PT012
        while True:  # which of the findings is refused is the writer's affair
            await ledger.put(replace(finding(keys[taken]), evidence=big))
            taken += 1
            await asyncio.wait({asyncio.ensure_future(asyncio.to_thread(str))})
    with pytest.raises(LedgerError, match=rf"the disk is full.*\({taken} findings are not written\)"):
        await ledger.close()
    _pragma(narrow, ROOM)
    await ledger.close()
    assert rows(narrow, "SELECT count(*) FROM finding") == [(taken,)]


async def test_defect_in_the_judgement_is_no_silence(file_engine: sa.Engine) -> None:
    """A judgement that fails is a defect of ours: it comes out when the ledger closes."""
    run = _targets(file_engine, MANY[:1])

    def broken(_: Standing, __: Finding) -> Standing:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with Ledger(file_engine, run, broken) as ledger:
            await ledger.put(finding(1))


def test_numbers_that_no_server_may_claim(engine: sa.Engine) -> None:
    """A picture of 2^32 - 1 frames, sizes of 2^70 bytes and times that are none lose no finding."""
    run = _targets(engine, MANY[:2])
    first, second = ids(engine).values()
    odd = Picture(Size(1, 1), None, "PNG", 2**40, 2**32 - 1, "RGB", 2**70, "sha256:00")
    entry = CachedImage(first, odd, ServedHeaders(MANY[0]), "pixels", NOW, NOW)
    hops = (Hop(MANY[0], "GET", 2**40, None, float("inf"), 1, "\ud800"),)
    write(
        engine,
        run,
        replace(
            finding(first),
            picture=odd,
            cached=entry,
            bytes=2**80,
            elapsed=float("nan"),
            hops=hops,
            requests=2,
        ),
        finding(second),
    )
    assert rows(engine, "SELECT count(*) FROM finding") == [(2,)]
    assert rows(engine, "SELECT frames, bytes FROM image") == [(2**31 - 1, 2**63 - 1)]
    assert rows(engine, "SELECT frames FROM cached") == [(2**31 - 1,)]


@pytest.mark.parametrize("count", [3, 120])
def test_finding_that_is_refused_loses_only_itself(engine: sa.Engine, count: int) -> None:
    """The others of its batch are written, and its target has a finding that says why."""
    urls = [f"https://a.example/{n}" for n in range(count)]
    run = _targets(engine, urls)
    keys = ids(engine)
    poison = replace(finding(keys[urls[1]]), attempts=cast("int", None))
    write(engine, run, *(poison if key == poison.target else finding(key) for key in keys.values()))
    refused = "SELECT target_id FROM finding WHERE verdict = 'crashed'"
    assert rows(engine, refused) == [(poison.target,)]
    assert rows(engine, "SELECT count(*) FROM finding WHERE verdict = 'ok'") == [(count - 1,)]
    ((detail,),) = rows(engine, "SELECT detail FROM finding WHERE detail IS NOT NULL")
    assert str(detail).startswith("its finding could not be stored (")
    assert rows(engine, "SELECT count(*) FROM target WHERE state = 'alive'") == [(count - 1,)]
