"""Many workers on one run: the makespan over its lower bound, and what claims cost the database.

First, a simulation on virtual time: every worker has a scheduler of its own and takes shards by the
policy of `crawler.cluster`, from a table in memory that does what the database does. No order can
end before the bound: the longest lane under its own limits, or all the work spread over all permits.
Then the same calls are timed on a real PostgreSQL, with as many shards and workers, one connection
at a time; with the number of calls of the simulation they are a share of what the server can do.

    python -m benchmarks.claims [--targets 1000000] [--lanes 1000] [--workers 10] [--exponent 1.0]

`--targets 10000000 --lanes 10000 --workers 100` is the run of a large archive: about twenty minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from crawler.cluster.rebalance import pause, surplus, wanted
from crawler.cluster.sharding import planned
from crawler.errors import LaneClosed
from crawler.lanes import LaneLimits, Permit, Scheduler, Signal
from storage.db.database import open_engine
from storage.ledger import begin_run
from storage.shards import Leases, RunSnapshot, ShardPlan, WorkerReport, put_plan, shard_of
from tests import clock
from tests.storage import postgres
from tests.storage.build import NOW

LIMIT: Final = 1.10
SHARE: Final = 0.01  # of what the database can do, that claims may take
PACE: Final = LaneLimits(at_once=2, interval=0.5)
PERMITS: Final = 128
SHORTEST, LONGEST = 0.05, 0.5  # seconds that an answer takes
RENEW: Final = 5.0
JOINING: Final = 10.0  # seconds in which the workers come, one after the other
SEED: Final = 3


@dataclass(slots=True)
class Row:
    """A shard in memory."""

    share: ShardPlan
    remaining: int
    owner: int | None = None
    done: bool = False


@dataclass(slots=True)
class Table:
    """What the database does, and how often it is asked."""

    rows: dict[int, Row]
    idle: set[int] = field(default_factory=set)
    workers: set[int] = field(default_factory=set)
    calls: Counter[str] = field(default_factory=Counter)

    def snapshot(self, me: int) -> RunSnapshot:
        """How the run stands."""
        self.calls["scene"] += 1
        left = [row for row in self.rows.values() if not row.done]
        free = [row for row in left if row.owner is None]
        idle = len(self.idle - {me})
        targets, free_targets = (sum(row.remaining for row in some) for some in (left, free))
        busy = sum(row.remaining > 0 for row in left)
        workers = len(self.workers | {me})
        return RunSnapshot(False, workers, idle, len(left), busy, targets, len(free), free_targets)

    def claim(self, me: int, budget: int, most: int) -> list[int]:
        """Take free shards, heaviest first, as the statement does."""
        self.calls["claim"] += 1
        free = [row for row in self.rows.values() if row.owner is None and not row.done]
        free.sort(key=lambda row: (-row.share.weight, -row.remaining, row.share.number))
        chosen, load = free[:1], sum(row.remaining for row in free[:1])
        for row in free[1:most]:
            if load + row.remaining <= budget:
                chosen.append(row)
                load += row.remaining
        for row in chosen:
            row.owner = me
        return [row.share.number for row in chosen]


class Worker:
    """Takes, asks and gives back as a session does, with answers that only take their time."""

    def __init__(self, me: int, table: Table, lanes: dict[int, dict[str, list[int]]]) -> None:
        self._me, self._table, self._lanes = me, table, lanes
        self._dice = random.Random(SEED + me)
        self._held: set[int] = set()
        self._leaving: set[int] = set()
        self._shard: dict[str, int] = {}
        self._gate: Scheduler[str] = Scheduler(PERMITS, lambda _: PACE)

    async def ask(self, job: str, permit: Permit[str]) -> None:
        """Take the time of one answer."""
        await asyncio.sleep(self._dice.uniform(SHORTEST, LONGEST))
        self._table.rows[self._shard[job]].remaining -= 1
        self._gate.release(permit, Signal.OK)

    async def work(self) -> None:
        """Work until no shard is open."""
        await asyncio.sleep(JOINING * self._me * 8 / len(self._lanes))
        self._table.workers.add(self._me)
        while self._take().shards:
            if self._held:
                self._table.idle.discard(self._me)
                await self._wave()
            else:
                self._table.idle.add(self._me)
                await asyncio.sleep(pause(RENEW, len(self._table.workers), idle=True))

    async def _wave(self) -> None:
        tending = asyncio.create_task(self._tend())
        await self._gate.run(Handler(self))
        tending.cancel()
        self._table.calls["finish"] += 1
        for number in self._held:
            row = self._table.rows[number]
            row.done, row.owner = row.remaining == 0, None
        self._held.clear()
        self._leaving.clear()

    async def _tend(self) -> None:
        while True:
            await asyncio.sleep(pause(RENEW, len(self._table.workers), idle=False))
            scene = self._take()
            held = {
                n: self._table.rows[n].remaining for n in sorted(self._held - self._leaving, key=self._rank)
            }
            for number in surplus(scene, held):
                self._withdraw(number)
            for number in [n for n in self._leaving if self._quiet(n)]:
                self._table.calls["release"] += 1
                self._table.rows[number].owner = None
                self._held.discard(number)
                self._leaving.discard(number)

    def _rank(self, number: int) -> tuple[float, int]:
        return (-self._table.rows[number].share.weight, number)

    def _take(self) -> RunSnapshot:
        scene = self._table.snapshot(self._me)
        open_ = [left for number in self._held if (left := self._table.rows[number].remaining)]
        budget, most = wanted(scene, len(open_), sum(open_))
        for number in self._table.claim(self._me, budget, most) if most else ():
            self._held.add(number)
            for lane, left in self._lanes[number].items():
                self._shard[lane] = number
                for _ in range(left.pop() if left else 0):
                    self._gate.add(lane, lane)
        return scene

    def _withdraw(self, number: int) -> None:
        self._leaving.add(number)
        for lane, left in self._lanes[number].items():
            left.append(len(self._gate.drain(self._gate.lane(lane))))

    def _quiet(self, number: int) -> bool:
        return not any(self._gate.lane(lane).visits for lane in self._lanes[number])


class Handler:
    """The jobs of a worker, as its scheduler calls them."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def work(self, job: str, permit: Permit[str]) -> None:
        """Ask."""
        await self._worker.ask(job, permit)

    def dropped(self, job: str, reason: LaneClosed) -> None:
        """Nothing closes a lane here.

        Raises:
            RuntimeError: something did.
        """
        raise RuntimeError(f"{job} was dropped: {reason}")


def tail(targets: int, lanes: int, exponent: float) -> dict[str, int]:
    """Lane n has its share of 1 / n ** exponent of the targets."""
    weights = [1 / n**exponent for n in range(1, lanes + 1)]
    total = sum(weights)
    return {f"h{n}.example": max(1, int(targets * weight / total)) for n, weight in enumerate(weights)}


def bound(lanes: dict[str, int], workers: int) -> float:
    """Seconds that no order can undercut."""
    mean = (SHORTEST + LONGEST) / 2
    longest = (max(lanes.values()) - 1) * max(PACE.interval, mean / PACE.at_once)
    return max(longest, sum(lanes.values()) * mean / (workers * PERMITS))


def simulate(lanes: dict[str, int], shares: list[ShardPlan], workers: int) -> tuple[float, Counter[str]]:
    """Virtual seconds until the last answer, and how often the database was asked.

    Raises:
        RuntimeError: a target was left out.
    """
    inside: dict[int, dict[str, list[int]]] = {share.number: {} for share in shares}
    for lane, count in lanes.items():
        inside[shard_of(lane, len(shares))][lane] = [count]
    table = Table({one.number: Row(one, one.targets, done=not one.targets) for one in shares})

    async def main() -> float:
        await asyncio.gather(*(Worker(me, table, inside).work() for me in range(workers)))
        return asyncio.get_running_loop().time()

    seconds = clock.run(main())
    if any(row.remaining for row in table.rows.values()):
        raise RuntimeError("not all targets were asked")
    return seconds, table.calls


def costs(shares: list[ShardPlan], workers: int) -> dict[str, float]:
    """Seconds that each call takes on a real server: the median of many."""
    with postgres.serving() as folder:
        engine = open_engine(f"postgresql://{postgres.USER}@/postgres?host={folder}")
        run = begin_run(engine, "audit", NOW)
        put_plan(engine, run, planned([], len(shares), lambda _: PACE, {}).plan, shares, [])
        crowd = [Leases(engine, run.id, f"w{n}", f"worker {n}", 3600.0) for n in range(workers)]
        took: dict[str, list[float]] = {name: [] for name in ("scene", "claim", "renew", "release", "finish")}
        for one in crowd:
            most = max(1, len(shares) // workers)
            held = {lease.number: lease.epoch for lease in _timed(took["claim"], one.claim, 10**9, most)}
            told = {number: (epoch, 1) for number, epoch in held.items()}
            _timed(took["renew"], one.renew, told, WorkerReport(found=1))
            _timed(took["scene"], one.snapshot)
            _timed(took["release"], one.release, dict(list(held.items())[:1]))
            _timed(took["finish"], one.finish, dict(list(held.items())[1:]))
        engine.dispose()
    return {name: statistics.median(some) for name, some in took.items()}


def _timed(into: list[float], call: Callable[..., Any], *words: Any) -> Any:
    began = time.perf_counter()
    result = call(*words)
    into.append(time.perf_counter() - began)
    return result


def shared_out(lanes: dict[str, int], shards: int) -> list[ShardPlan]:
    """The shards of some lanes."""
    inside: list[list[int]] = [[] for _ in range(shards)]
    for lane, count in lanes.items():
        inside[shard_of(lane, shards)].append(count)
    heaviest = [(max(some, default=1) - 1) * PACE.interval for some in inside]
    return [ShardPlan(n, heaviest[n], sum(some), len(some)) for n, some in enumerate(inside)]


def report(options: argparse.Namespace) -> bool:
    """Simulate, measure and print; return whether both limits are kept."""
    lanes, workers = tail(options.targets, options.lanes, options.exponent), options.workers
    shares, least, began = shared_out(lanes, 8 * workers), bound(lanes, workers), time.perf_counter()
    seconds, calls = simulate(lanes, shares, workers)
    took, ratio = time.perf_counter() - began, seconds / least
    print(f"{sum(lanes.values()):,} targets, {len(lanes):,} lanes, {workers} workers, {len(shares)} shards")
    print(f"cannot end before {least:,.0f} s; ended after {seconds:,.0f} s: {ratio:.3f}, limit {LIMIT}")
    print(f"(simulated in {took:,.0f} s)")
    cost = costs(shares, workers)
    calls["renew"] = int(seconds / RENEW * workers)
    spent = {name: calls[name] * cost[name] / seconds for name in cost}
    for name in cost:
        print(f"{name:<8}{calls[name]:>10,} calls{cost[name] * 1000:>8.2f} ms each{spent[name]:>9.3%}")
    claims = sum(spent.values()) - spent["renew"]
    print(f"claims take {claims:.3%} of the time of one connection, limit {SHARE:.0%}")
    return ratio <= LIMIT and claims <= SHARE


def main() -> None:
    """Fail if a limit is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--targets", type=int, default=1_000_000)
    parser.add_argument("--lanes", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=10)
    parser.add_argument("--exponent", type=float, default=1.0)
    sys.exit(not report(parser.parse_args()))


if __name__ == "__main__":
    main()
