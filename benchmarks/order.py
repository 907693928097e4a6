"""Makespan over its lower bound: the scheduler beside the orders that other checkers use.

Everything runs on virtual time, so the figures do not depend on the machine. A small server counts
what is under way, per host and in all, and fails the run if an order breaks a limit: who beats the
bound has broken one. The web has a heavy tail: few hosts have most targets.

The bound is the largest of two: the longest lane under its own limits, and all the work spread
over all the permits. No order can end before it.

    python -m benchmarks.order [--targets 8000] [--hosts 200] [--permits 256] [--at-once 2]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Final

from crawler.errors import LaneClosed
from crawler.lanes import LaneLimits, Permit, Scheduler, Signal
from tests import clock

Job = tuple[str, float]  # host, seconds that its answer takes
LIMIT: Final = 1.05
EXPONENTS: Final = (1.0, 0.15)
SEED: Final = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests under way in all, and at one host."""

    permits: int = 256
    at_once: int = 2


class Server:
    """Answers after a while of virtual time, and counts what is under way."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._under_way: Counter[str] = Counter()
        self.answered = 0

    async def answer(self, job: Job) -> None:
        """Answer one request.

        Raises:
            RuntimeError: more requests are under way than the limits allow.
        """
        host, seconds = job
        self._under_way[host] += 1
        if self._under_way[host] > self._limits.at_once or self._under_way.total() > self._limits.permits:
            raise RuntimeError(f"{self._under_way[host]} at {host}, {self._under_way.total()} in all")
        await asyncio.sleep(seconds)
        self._under_way[host] -= 1
        self.answered += 1


Order = Callable[[list[Job], Server, Limits], Awaitable[None]]


class Handler:
    """Asks the server for each job that the scheduler starts."""

    def __init__(self, scheduler: Scheduler[Job], server: Server) -> None:
        self._scheduler = scheduler
        self._server = server

    async def work(self, job: Job, permit: Permit[Job]) -> None:
        """Ask, and give the permit back."""
        await self._server.answer(job)
        self._scheduler.release(permit, Signal.OK)

    def dropped(self, job: Job, reason: LaneClosed) -> None:
        """Nothing closes a lane here.

        Raises:
            RuntimeError: something did.
        """
        raise RuntimeError(f"{job} was dropped: {reason}")


async def lanes_in_order(jobs: list[Job], server: Server, limits: Limits) -> None:
    """The project's own: crawler.lanes.Scheduler."""
    pace = LaneLimits(at_once=limits.at_once, interval=0.0)
    scheduler = Scheduler[Job](limits.permits, lambda _: pace)
    for job in jobs:
        scheduler.add(job[0], job)
    await scheduler.run(Handler(scheduler, server))


async def omniscient(jobs: list[Job], server: Server, limits: Limits) -> None:
    """Longest remaining lane first, told every delay beforehand: what is left to gain."""
    left: dict[str, float] = defaultdict(float)
    for host, seconds in jobs:
        left[host] += seconds

    async def ask(job: Job) -> None:
        left[job[0]] -= job[1]
        await server.answer(job)

    await _by_choice(jobs, ask, limits, lambda hosts: max(hosts, key=left.__getitem__))


async def turns(jobs: list[Job], server: Server, limits: Limits) -> None:
    """Host after host in turn."""
    last, turn = Counter[str](), itertools.count(1)

    def choose(hosts: list[str]) -> str:
        host = min(hosts, key=last.__getitem__)
        last[host] = next(turn)
        return host

    await _by_choice(jobs, server.answer, limits, choose)


async def host_first(jobs: list[Job], server: Server, limits: Limits) -> None:
    """A task a URL: wait for the host's semaphore, then for a permit, first come first served."""
    permits, hosts = _semaphores(limits)

    async def ask(job: Job) -> None:
        async with hosts[job[0]], permits:
            await server.answer(job)

    await asyncio.gather(*map(ask, jobs))


async def permit_first(jobs: list[Job], server: Server, limits: Limits) -> None:
    """A task a URL: take a permit, then wait with it for the host's semaphore."""
    permits, hosts = _semaphores(limits)

    async def ask(job: Job) -> None:
        async with permits, hosts[job[0]]:
            await server.answer(job)

    await asyncio.gather(*map(ask, jobs))


async def longest_job(jobs: list[Job], server: Server, limits: Limits) -> None:
    """Longest processing time first (LPT), told every delay beforehand, blind to lanes."""
    await host_first(sorted(jobs, key=lambda job: -job[1]), server, limits)


async def largest_host(jobs: list[Job], server: Server, limits: Limits) -> None:
    """Hosts with most targets first, decided once at the start."""
    sizes = Counter(host for host, _ in jobs)
    await host_first(sorted(jobs, key=lambda job: -sizes[job[0]]), server, limits)


SCHEDULERS: Final[dict[str, Order]] = {
    "linkhealth scheduler": lanes_in_order,
    "longest lane, omniscient": omniscient,
    "largest host first, once": largest_host,
    "host, then permit (connector)": host_first,
    "turns in order (round robin)": turns,
    "longest job first (LPT)": longest_job,
    "permit, then host (one queue)": permit_first,
}


def _semaphores(limits: Limits) -> tuple[asyncio.Semaphore, dict[str, asyncio.Semaphore]]:
    return asyncio.Semaphore(limits.permits), defaultdict(lambda: asyncio.Semaphore(limits.at_once))


async def _by_choice(
    jobs: list[Job],
    ask: Callable[[Job], Coroutine[None, None, None]],
    limits: Limits,
    choose: Callable[[list[str]], str],
) -> None:
    """Start a job wherever the limits allow one; `choose` says at which host."""
    lanes: dict[str, list[Job]] = defaultdict(list)
    for job in reversed(jobs):
        lanes[job[0]].append(job)
    free = Counter(dict.fromkeys(lanes, limits.at_once))
    tasks: dict[asyncio.Task[None], str] = {}
    while lanes or tasks:
        while len(tasks) < limits.permits and (open_ := [host for host in lanes if free[host]]):
            host = choose(open_)
            free[host] -= 1
            tasks[asyncio.ensure_future(ask(lanes[host].pop()))] = host
            if not lanes[host]:
                del lanes[host]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
            free[tasks.pop(task)] += 1


def heavy_tail(targets: int, hosts: int, exponent: float) -> list[Job]:
    """Targets with seeded delays of 50 to 500 ms; host n has its share of 1 / n ** exponent."""
    dice = random.Random(SEED)
    weights = [1 / n**exponent for n in range(1, hosts + 1)]
    names = [f"h{n:03}.example" for n in dice.sample(range(hosts), hosts)]
    shares = [int(targets * weight / sum(weights)) for weight in weights]
    for n in range(targets - sum(shares)):  # what rounding left over, one each
        shares[n] += 1
    return [
        (name, dice.uniform(0.05, 0.5))
        for name, share in zip(names, shares, strict=True)
        for _ in range(share)
    ]


def orders(jobs: list[Job]) -> dict[str, list[Job]]:
    """The same jobs as inputs may list them."""
    dice = random.Random(SEED)
    shuffled = dice.sample(jobs, len(jobs))
    rank = {host: n for n, host in enumerate(dict.fromkeys(host for host, _ in shuffled))}
    return {
        "sorted": jobs,
        "reversed": jobs[::-1],
        "shuffled": shuffled,
        "grouped": sorted(jobs, key=lambda job: rank[job[0]]),
    }


def bound(jobs: list[Job], limits: Limits) -> tuple[float, str]:
    """Seconds that no order can undercut, and what sets them."""
    lanes: dict[str, list[float]] = defaultdict(list)
    for host, seconds in jobs:
        lanes[host].append(seconds)
    longest = max(lanes, key=lambda host: sum(lanes[host]))
    own = max(sum(lanes[longest]) / limits.at_once, *lanes[longest])
    whole = sum(seconds for _, seconds in jobs) / limits.permits
    if own >= whole:
        return own, f"{longest} has {len(lanes[longest])} targets, {limits.at_once} at once"
    return whole, f"{len(jobs)} targets on {limits.permits} permits"


def makespan(scheduler: Order, jobs: list[Job], limits: Limits) -> float:
    """Virtual seconds until the last answer.

    Raises:
        RuntimeError: a limit was broken, or a job was left out.
    """

    async def main() -> float:
        server = Server(limits)
        await scheduler(jobs, server, limits)
        if server.answered != len(jobs):
            raise RuntimeError(f"{server.answered} of {len(jobs)} were asked")
        return asyncio.get_running_loop().time()

    return clock.run(main())


def table(jobs: list[Job], limits: Limits) -> float:
    """Print the ratios of every order; return the worst one of the scheduler."""
    least, why = bound(jobs, limits)
    print(f"cannot end before {least:.1f} s: {why}")
    inputs = orders(jobs)
    print(f"{'':<30}" + "".join(f"{name:>10}" for name in inputs))
    worst = 0.0
    for name, scheduler in SCHEDULERS.items():
        ratios = [makespan(scheduler, given, limits) / least for given in inputs.values()]
        print(f"{name:<30}" + "".join(f"{ratio:>10.3f}" for ratio in ratios), flush=True)
        worst = max(worst, *ratios) if scheduler is lanes_in_order else worst
    return worst


def main() -> None:
    """Print a table an exponent; fail if the scheduler misses its limit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--targets", type=int, default=8_000)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--permits", type=int, default=256)
    parser.add_argument("--at-once", type=int, default=2)
    options = parser.parse_args()
    limits = Limits(options.permits, options.at_once)
    worst = 0.0
    for exponent in EXPONENTS:
        print(f"\n{options.targets} targets, {options.hosts} hosts, exponent {exponent}: ", end="")
        worst = max(worst, table(heavy_tail(options.targets, options.hosts, exponent), limits))
    print(f"\nworst of the scheduler {worst:.3f}, limit {LIMIT}")
    sys.exit(worst > LIMIT)


if __name__ == "__main__":
    main()
