"""Shards: planned once, leased by the clock of the database, written behind a fence."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

import pytest
import sqlalchemy as sa

from storage.db.database import open_engine
from storage.db.transactions import writing
from storage.errors import LedgerError
from storage.ledger import begin_run, close_killed, end_run
from storage.ledger.writer import LedgerWriter
from storage.model import Kind, Run, RunEnd, Target, Verdict
from storage.shards import (
    FencedWriter,
    LaneDelays,
    LaneTurns,
    Lease,
    Leases,
    ShardPlan,
    ShardTarget,
    SharedRunPlan,
    WorkerHooks,
    WorkerReport,
    open_plan,
    put_plan,
    require_server,
    shard_of,
    shared_state,
    tasks_left,
)
from storage.shards.plans import RunTerms
from tests.storage.build import NOW, advance, catalogued, document, finding, ids, link, rows

URLS = [f"https://h{number}.example/" for number in range(12)]
NOTHING = LaneDelays([], [], [])


@pytest.fixture
def pg(database_url: str) -> Iterator[sa.Engine]:
    """An open database on a server."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


TERMS: Final[RunTerms] = {
    "command": "audit",
    "detours": [],
    "cache": False,
    "probes": False,
    "program": "1",
    "agreed": {},
}


def planned(engine: sa.Engine, shards: int = 4) -> Run:
    """A run of twelve targets, three a shard; shard 0 is the heaviest."""
    run = catalogued(engine, document("a.md", [link(url, f"l[{n}]") for n, url in enumerate(URLS)]))
    targets = sorted(ids(engine).values())
    tasks = [ShardTarget(n % shards, _target(engine, key)) for n, key in enumerate(targets)]
    shares = [ShardPlan(n, float(shards - n), len(targets) // shards, 3) for n in range(shards)]
    put_plan(
        engine,
        run,
        SharedRunPlan(shards, len(targets), 12, 4.0, "h0.example", TERMS),
        shares,
        tasks,
    )
    return run


def _target(engine: sa.Engine, key: int) -> Target:
    url = next(url for url, one in ids(engine).items() if one == key)
    return Target(key, url, Kind.WEB, ("part",) if key % 2 else ())


def leases(engine: sa.Engine, run: Run, me: str = "one", seconds: float = 30.0) -> Leases:
    """The leases of a worker."""
    return Leases(engine, run.id, me, f"{me} here", seconds)


def expire(engine: sa.Engine) -> None:
    """Let every lease end."""
    with writing(engine) as connection:
        connection.execute(sa.text("UPDATE shard SET lease_until = lease_until - interval '1 day'"))


def writer(
    engine: sa.Engine, run: Run, lease: Lease, lost: Callable[[Mapping[int, int]], None]
) -> FencedWriter:
    """What writes findings of one shard."""
    inner = LedgerWriter(engine, run, advance)
    mine = (lease.number, lease.epoch)
    return FencedWriter(
        engine, run.id, inner, 30.0, WorkerHooks(lambda _: mine, lambda: NOTHING, lost, lambda _: None)
    )


def found(engine: sa.Engine) -> list[tuple[object, ...]]:
    """The targets with a finding."""
    return rows(engine, "SELECT target_id FROM finding ORDER BY target_id")


def test_lane_has_the_same_shard_everywhere() -> None:
    """The shard of a lane follows from its name alone, and all shards get some."""
    assert [shard_of(name, 64) for name in ("bbc.co.uk", "example.org", "*.wiki")] == [61, 6, 43]
    assert {shard_of(f"h{n}.example", 64) for n in range(1000)} == set(range(64))


def test_file_is_refused(file_engine: sa.Engine) -> None:
    """SQLite has no leases; the sentence says why, and what to do."""
    with pytest.raises(LedgerError, match=r"a file of SQLite.*needs postgresql://"):
        require_server(file_engine)


def test_plan_comes_back(pg: sa.Engine) -> None:
    """An open run is found with its plan, and every target in its shard, with what it looks for."""
    run = planned(pg)
    opened = open_plan(pg)
    assert opened is not None
    assert opened[0].id == run.id
    assert opened[1].bound_lane == "h0.example"
    assert opened[1].terms == TERMS
    targets = [one for shard in range(4) for one in tasks_left(pg, run.id, shard)]
    assert sorted(one.url for one in targets) == sorted(URLS)
    assert all(one.fragments == (("part",) if one.id % 2 else ()) for one in targets)


def test_heaviest_shards_go_first_and_none_twice(pg: sa.Engine) -> None:
    """A claim takes the heaviest that are free, within its budget; what is taken is not free."""
    run = planned(pg)
    first, second = leases(pg, run), leases(pg, run, "two")
    assert [one.number for one in first.claim(6, 64)] == [0, 1]
    assert [one.number for one in second.claim(1, 64)] == [2]
    assert [one.number for one in first.claim(64, 64)] == [3]
    assert second.claim(64, 64) == []


def test_claims_at_one_moment_are_apart(pg: sa.Engine) -> None:
    """Workers that claim together wait for nobody, and no shard has two owners."""
    run = planned(pg)
    together = threading.Barrier(4)
    taken: list[int] = []

    def claim(number: int) -> None:
        mine = leases(pg, run, f"w{number}")
        together.wait(10)
        for _ in range(4):
            taken.extend(one.number for one in mine.claim(1, 64))

    threads = [threading.Thread(target=claim, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [0, 1, 2, 3]


def test_lease_that_ended_is_taken_with_a_new_epoch(pg: sa.Engine) -> None:
    """A shard left behind is free once its lease has ended, and its old owner cannot renew it."""
    run = planned(pg, 1)
    first, second = leases(pg, run), leases(pg, run, "two")
    (old,) = first.claim(99, 64)
    assert second.claim(99, 64) == []
    expire(pg)
    (new,) = second.claim(99, 64)
    assert (new.epoch, new.left_behind) == (old.epoch + 1, True)
    assert first.renew({0: (old.epoch, 12)}, WorkerReport()).kept == frozenset()
    assert second.renew({0: (new.epoch, 12)}, WorkerReport()).kept == {0}


def test_lease_that_nobody_took_may_be_renewed(pg: sa.Engine) -> None:
    """After a restart of the database, who had a shard goes on with it if nobody was quicker."""
    run = planned(pg, 1)
    first = leases(pg, run)
    (mine,) = first.claim(99, 64)
    expire(pg)
    assert first.renew({0: (mine.epoch, 12)}, WorkerReport()).kept == {0}
    assert leases(pg, run, "two").claim(99, 64) == []


def test_shard_given_back_is_free_at_once(pg: sa.Engine) -> None:
    """Whoever gives a shard back leaves nothing that has to be waited for."""
    run = planned(pg, 1)
    first = leases(pg, run)
    (mine,) = first.claim(99, 64)
    first.release({0: mine.epoch})
    (again,) = leases(pg, run, "two").claim(99, 64)
    assert not again.left_behind
    assert again.epoch > mine.epoch


def test_finding_and_its_task_go_together(pg: sa.Engine) -> None:
    """What is found is no task any more; a shard without tasks can be finished, no other."""
    run = planned(pg)
    mine = leases(pg, run)
    (lease,) = mine.claim(1, 1)
    targets = tasks_left(pg, run.id, lease.number)
    out = writer(pg, run, lease, lambda _: None)
    out.write([finding(one.id) for one in targets[:-1]])
    assert tasks_left(pg, run.id, lease.number) == targets[-1:]
    mine.finish({lease.number: lease.epoch})
    assert mine.snapshot().shards == 4
    out.write([finding(targets[-1].id)])
    mine.finish({lease.number: lease.epoch})
    assert mine.snapshot().shards == 3
    assert len(found(pg)) == len(targets)


def test_stale_epoch_writes_nothing(pg: sa.Engine) -> None:
    """Who lost a shard writes no finding of it, no state and no time of a lane, and is told."""
    run = planned(pg, 1)
    (old,) = leases(pg, run).claim(99, 64)
    expire(pg)
    (new,) = leases(pg, run, "two").claim(99, 64)
    lost: dict[int, int] = {}
    key = tasks_left(pg, run.id, 0)[0].id
    stale = writer(pg, run, old, lost.update)
    stale._hooks = replace(stale._hooks, pauses=lambda: LaneDelays(["h0.example"], [0], [60.0]))
    stale.write([finding(key, Verdict.NOT_FOUND)])
    assert lost == {0: old.epoch}
    assert found(pg) == []
    assert rows(pg, "SELECT key FROM lane") == []
    assert rows(pg, f"SELECT state FROM target WHERE id = {key}") == [("new",)]
    writer(pg, run, new, lost.update).write([finding(key)])
    assert found(pg) == [(key,)]


def test_one_finding_a_target_whoever_writes(pg: sa.Engine) -> None:
    """A target that is found twice by its owner, as a second pass does, has one row."""
    run = planned(pg, 1)
    (lease,) = leases(pg, run).claim(99, 64)
    out = writer(pg, run, lease, lambda _: None)
    key = tasks_left(pg, run.id, 0)[0].id
    out.write([finding(key, Verdict.TIMEOUT)])
    out.write([finding(key)])
    assert rows(pg, "SELECT target_id, verdict FROM finding") == [(key, "ok")]


def test_batch_waits_for_a_database_that_comes_back(pg: sa.Engine) -> None:
    """A connection that the server ended costs a pause, and no finding."""
    run = planned(pg, 1)
    (lease,) = leases(pg, run).claim(99, 64)
    out = writer(pg, run, lease, lambda _: None)
    keys = [one.id for one in tasks_left(pg, run.id, 0)]
    out.write([finding(keys[0])])
    other = open_engine(str(pg.url.render_as_string(hide_password=False)).replace("+psycopg", ""))
    with other.connect() as connection:
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    other.dispose()
    out.write([finding(keys[1])])
    assert len(found(pg)) == 2


def test_batch_that_nobody_waits_for_is_given_up(pg: sa.Engine, database_url: str) -> None:
    """Once a worker has to end, a database that is away is waited for no longer."""
    run = planned(pg, 1)
    (lease,) = leases(pg, run).claim(99, 64)
    away = open_engine(database_url)
    away.dispose()
    out = writer(away, run, lease, lambda _: None)
    sa.event.listen(away, "do_connect", _refuse)
    out.abandon()
    with pytest.raises(LedgerError):
        out.write([finding(tasks_left(pg, run.id, 0)[0].id)])


def _refuse(*_: object) -> None:
    raise sa.exc.OperationalError("connect", None, Exception("too many clients already"))


def test_lanes_keep_their_next_time(pg: sa.Engine) -> None:
    """When a lane may be asked next is there for who takes its shard, and never moves back."""
    run = planned(pg, 1)
    mine = leases(pg, run)
    (lease,) = mine.claim(99, 64)
    out = writer(pg, run, lease, lambda _: None)
    keys = [one.id for one in tasks_left(pg, run.id, 0)]
    for number, wait in enumerate((600.0, 5.0)):
        pauses = partial(LaneDelays, ["h0.example", "h1.example"], [0, 7], [wait, wait])
        out._hooks = replace(out._hooks, pauses=pauses)
        out.write([finding(keys[number])])
    waits = mine.work(lease).waits
    assert waits.keys() == {"h0.example"}
    assert 500 < waits["h0.example"] <= 600


def test_turns_are_an_interval_apart(pg: sa.Engine) -> None:
    """In a lane of a shard that nobody has, each who comes gets the next turn."""
    run = planned(pg, 1)
    first, second = LaneTurns(pg, run.id, "one", 30.0), LaneTurns(pg, run.id, "two", 30.0)
    turns = [one.take("away.example", 0, 100.0) for one in (first, second, first)]
    assert [round(turn or 0.0, -1) for turn in turns] == [0.0, 100.0, 200.0]


def test_owner_is_asked_before_its_lane_is_visited(pg: sa.Engine) -> None:
    """A visitor waits until the owner agrees, with the time of its own last request; then both take turns."""
    run = planned(pg, 1)
    (lease,) = leases(pg, run).claim(99, 64)
    owner, visitor = LaneTurns(pg, run.id, "one", 30.0), LaneTurns(pg, run.id, "two", 30.0)
    assert visitor.take("h0.example", 0, 100.0) is None
    assert owner.asked() == [("h0.example", 0)]
    owner.agree({"h0.example": (lease.epoch, 50.0)})
    assert owner.asked() == []
    turns = [one.take("h0.example", 0, 100.0) for one in (visitor, owner)]
    assert [round(turn or 0.0, -1) for turn in turns] == [50.0, 150.0]


def test_new_owner_agrees_anew(pg: sa.Engine) -> None:
    """An agreement ends with the lease it was made under; the next owner is told of visits at once."""
    run = planned(pg, 1)
    (lease,) = leases(pg, run).claim(99, 64)
    visitor = LaneTurns(pg, run.id, "three", 30.0)
    visitor.take("h0.example", 0, 1.0)
    LaneTurns(pg, run.id, "one", 30.0).agree({"h0.example": (lease.epoch, 0.0)})
    expire(pg)
    second = leases(pg, run, "two")
    (new,) = second.claim(99, 64)
    assert visitor.take("h0.example", 0, 1.0) is None
    assert second.work(new).visited == {"h0.example"}


def test_run_that_ends_leaves_nothing_open(pg: sa.Engine) -> None:
    """Whoever still has a shard of a run that ended, or was replaced, loses it."""
    for close in (lambda run: end_run(pg, run, RunEnd.TERMINATED, NOW), lambda _: close_killed(pg)):
        run = planned(pg) if not ids(pg) else _again(pg)
        mine = leases(pg, run)
        (lease,) = mine.claim(1, 1)
        close(run)
        renewed = mine.renew({lease.number: (lease.epoch, 3)}, WorkerReport())
        assert renewed.ended
        assert renewed.kept == frozenset()
        assert open_plan(pg) is None
        assert rows(pg, "SELECT 1 FROM task") == []


def _again(pg: sa.Engine) -> Run:
    run = begin_run(pg, "audit", NOW)
    put_plan(pg, run, SharedRunPlan(1, 0, 0, 0.0, "", TERMS), [ShardPlan(0, 1.0, 1, 1)], [])
    return run


def test_run_that_goes_on_is_spared(pg: sa.Engine) -> None:
    """A shared run outlives who began it."""
    run = planned(pg)
    assert close_killed(pg, run.id) == []
    assert open_plan(pg) is not None


def test_scene_counts_workers_that_were_heard_of(pg: sa.Engine) -> None:
    """Workers count while they renew; those that look for work are told apart."""
    run = planned(pg)
    first, second = leases(pg, run), leases(pg, run, "two")
    first.renew({}, WorkerReport())
    second.renew({}, WorkerReport(idle=True))
    first.claim(1, 1)
    scene = first.snapshot()
    assert (scene.workers, scene.idle, scene.shards, scene.free, scene.free_targets) == (2, 1, 4, 3, 9)
    second.leave()
    assert first.snapshot().workers == 1


def test_state_tells_who_has_what(pg: sa.Engine) -> None:
    """Workers, leases and what is left, for people."""
    run = planned(pg)
    assert leases(pg, run).claim(1, 1)
    leases(pg, run).renew({0: (1, 2)}, WorkerReport(found=7, rate=1.5))
    state = shared_state(pg)
    assert state is not None
    assert (state.run.id, state.left, state.plan.bound) == (run.id, 12, 4.0)
    (worker,) = state.workers
    assert (worker.name, worker.found, worker.shards, worker.remaining) == ("one here", 7, 1, 2)
    assert worker.silent < 10
    assert [one.name for one in state.shards] == ["one here", None, None, None]
    assert 20 < (state.shards[0].lease or 0) <= 30
