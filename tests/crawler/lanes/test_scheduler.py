"""The scheduler, on virtual time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from itertools import pairwise

import pytest
import uvloop

from crawler.errors import LaneClosed
from crawler.lanes import LaneLimits, Permit, Scheduler, Signal
from tests import clock

Job = tuple[str, float]  # lane, seconds


class Web:
    """Pretends to ask: sleeps in virtual time and keeps a log."""

    def __init__(self, pace: LaneLimits, permits: int = 64) -> None:
        self.scheduler = Scheduler[Job](permits, lambda _: pace)
        self.do: Callable[[Job, Permit[Job]], Coroutine[None, None, None]] = self.ask
        self.starts: dict[str, list[float]] = defaultdict(list)
        self.under_way: dict[str, int] = defaultdict(int)
        self.most: dict[str, int] = defaultdict(int)
        self.refused: list[Job] = []
        self.signal: Callable[[Job], Signal] = lambda _: Signal.OK

    def now(self) -> float:
        """Virtual seconds."""
        return asyncio.get_running_loop().time()

    async def work(self, job: Job, permit: Permit[Job]) -> None:
        """One request of one job."""
        await self.do(job, permit)

    async def ask(self, job: Job, permit: Permit[Job]) -> None:
        """Hold the permit for the seconds of the job."""
        key = permit.lane.key
        self.starts[key].append(self.now())
        self.under_way[key] += 1
        self.most[key] = max(self.most[key], self.under_way[key])
        await asyncio.sleep(job[1])
        self.under_way[key] -= 1
        self.scheduler.release(permit, self.signal(job))

    def dropped(self, job: Job, _reason: LaneClosed) -> None:
        """Note a job that never started."""
        self.refused.append(job)

    async def run(self, *jobs: Job) -> float:
        """Run the jobs; return the virtual seconds it took."""
        for job in jobs:
            self.scheduler.add(job[0], job)
        await self.scheduler.run(self)
        return self.now()


FAST = LaneLimits(at_once=2, interval=0.0)


def test_two_at_once_in_a_lane() -> None:
    """A lane has as many requests under way as its pace allows, and no more."""

    async def main() -> tuple[float, int]:
        web = Web(FAST)
        return await web.run(*[("a", 1.0)] * 10), web.most["a"]

    took, most = clock.run(main())
    assert took == pytest.approx(5.0)
    assert most == 2


def test_interval_from_start_to_start() -> None:
    """Starts in one lane are at least the interval apart, whatever the requests take."""

    async def main() -> list[float]:
        web = Web(LaneLimits(at_once=2, interval=0.5))
        await web.run(*[("a", 0.1)] * 4)
        return web.starts["a"]

    assert clock.run(main()) == pytest.approx([0.0, 0.5, 1.0, 1.5])


def test_slow_lane_listed_first_delays_nobody() -> None:
    """Two hundred slow jobs of one lane do not keep two hundred other lanes from starting."""

    async def main() -> float:
        web = Web(FAST, permits=64)
        quick = [(f"q{n % 200}", 0.01) for n in range(2000)]
        await web.run(*[("slow", 0.5)] * 200, *quick)
        return max(starts[0] for key, starts in web.starts.items() if key != "slow")

    assert clock.run(main()) < 0.1


def test_longest_remaining_lane_first() -> None:
    """With too few permits for all lanes, the run still ends within 5 % of its lower bound."""

    async def main() -> float:
        web = Web(FAST, permits=8)
        jobs = [(f"h{n}", 0.1) for n in range(40) for _ in range(400 // (n + 1))]
        bound = max(len(jobs) * 0.1 / 8, 400 * 0.1 / 2)
        return await web.run(*jobs) / bound

    assert clock.run(main()) < 1.05


def test_a_quick_first_answer_does_not_underrate_a_lane() -> None:
    """A lane is ranked by what is known now: one quick answer at the start is no evidence."""

    async def main() -> float:
        web = Web(FAST, permits=10)
        usual = [(f"h{n}", 0.25) for _ in range(30) for n in range(7)]
        lucky = [("lucky", 0.01), *[("lucky", 0.25)] * 39]
        bound = (len(usual) * 0.25 + 39 * 0.25 + 0.01) / 10
        return await web.run(*usual, *lucky) / bound

    assert clock.run(main()) < 1.05


def test_hold_stops_the_lane_and_is_never_shortened() -> None:
    """Retry-After stops the whole lane; a shorter or an older word does not reset that."""

    async def main() -> list[float]:
        web = Web(FAST)
        lane = web.scheduler.lane("a")
        web.scheduler.delay_until(lane, 30.0)
        web.scheduler.delay_until(lane, 5.0)
        await web.run(("a", 1.0), ("b", 1.0))
        return web.starts["a"] + web.starts["b"]

    assert clock.run(main()) == [30.0, 0.0]


def test_pressure_slows_and_calm_restores() -> None:
    """Pressure halves the permits and stretches the interval; calm gives both back."""

    async def main() -> tuple[float, float, float, float]:
        web = Web(LaneLimits(at_once=4, interval=0.1))
        lane = web.scheduler.lane("a")
        lane.record(Signal.OVERLOADED, 0.1)
        low = (lane.permits, lane.interval)
        for _ in range(20):
            lane.record(Signal.OK, 0.1)
        return (*low, lane.permits, lane.interval)

    assert clock.run(main()) == (2.0, 0.2, 4.0, 0.1)


def test_second_request_of_a_job_takes_a_seat_of_its_own() -> None:
    """A job that enters another lane waits there without holding its first permit."""

    async def main() -> tuple[float, int]:
        web = Web(FAST, permits=2)

        async def hop(job: Job, permit: Permit[Job]) -> None:
            await web.ask(job, permit)
            await web.ask(job, await web.scheduler.acquire("target"))

        web.do = hop
        took = await web.run(*[(f"h{n}", 1.0) for n in range(6)])
        return took, web.most["target"]

    took, most = clock.run(main())
    assert took == pytest.approx(6.0)
    assert most == 2


def test_a_request_gets_its_permit_after_the_run() -> None:
    """A request of no job gets its turn when all jobs have ended; a job that waits starts in a run only."""

    async def main() -> tuple[float, int]:
        web = Web(LaneLimits(at_once=1, interval=2.0))
        await web.run(("a", 0.5))
        web.scheduler.add("a", ("a", 0.5))
        web.scheduler.release(await web.scheduler.acquire("a"), Signal.OK)
        return web.now(), len(web.starts["a"])

    seconds, starts = clock.run(main())
    assert seconds == pytest.approx(2.0)
    assert starts == 1


def test_cancelled_waiter_gives_its_seat_back() -> None:
    """A request cancelled while it waits, or just as it gets its permit, loses no permit."""

    async def main() -> float:
        web = Web(FAST, permits=1)

        async def impatient(job: Job, permit: Permit[Job]) -> None:
            await web.ask(job, permit)
            try:
                async with asyncio.timeout(0.5):
                    await web.ask(job, await web.scheduler.acquire("busy"))
            except TimeoutError:
                return

        web.do = impatient
        return await web.run(*[(f"h{n}", 1.0) for n in range(4)])

    assert clock.run(main()) >= 4.0


def test_closed_lane_drops_its_jobs_and_the_run_ends() -> None:
    """Closing a lane hands back its jobs, refuses its waiters, and leaves the others alone."""

    async def main() -> tuple[int, int]:
        web = Web(FAST)

        def close(job: Job) -> Signal:
            if job[0] == "a":
                web.scheduler.close(web.scheduler.lane("a"), LaneClosed("come back tomorrow"))
            return Signal.OVERLOADED

        web.signal = close
        await web.run(*[("a", 1.0)] * 10, *[("b", 1.0)] * 10)
        return len(web.refused), len(web.starts["b"])

    assert clock.run(main()) == (8, 10)


def test_stop_lets_what_is_under_way_end() -> None:
    """Stopping starts nothing more; requests under way end, waits are called off."""

    async def main() -> tuple[float, int]:
        web = Web(FAST, permits=4)

        async def restless(job: Job, permit: Permit[Job]) -> None:
            await web.ask(job, permit)
            with pytest.raises(LaneClosed):
                await web.scheduler.sleep(60.0)

        web.do = restless
        asyncio.get_running_loop().call_later(1.5, web.scheduler.stop, LaneClosed("the time is over"))
        took = await web.run(*[(f"h{n}", 1.0) for n in range(8)])
        return took, len(web.refused)

    assert clock.run(main()) == (2.0, 0)


def test_tasks_exist_for_started_jobs_only() -> None:
    """A hundred thousand waiting jobs make no tasks."""

    async def main() -> int:
        web = Web(FAST, permits=16)
        most = 0

        async def count(_job: Job, permit: Permit[Job]) -> None:
            nonlocal most
            most = max(most, len(asyncio.all_tasks()))
            web.scheduler.release(permit, Signal.OK)

        web.do = count
        await web.run(*[(f"h{n % 1000}", 0.0) for n in range(20_000)])
        return most

    assert clock.run(main()) < 40


def test_abort_in_the_moment_of_a_start() -> None:
    """A job that is cancelled before its first step has ended all the same."""

    async def main() -> list[float]:
        web = Web(FAST)
        asyncio.get_running_loop().call_soon(web.scheduler.stop, LaneClosed("over"))
        asyncio.get_running_loop().call_soon(web.scheduler.abort)
        await web.run(*[("a", 1.0)] * 4, *[("b", 1.0)] * 4)
        return web.starts["a"]

    assert clock.run(main()) == []


def test_stop_before_the_run() -> None:
    """A scheduler that was stopped early starts nothing."""

    async def main() -> int:
        web = Web(FAST)
        web.scheduler.stop(LaneClosed("over"))
        await web.run(("a", 1.0), ("b", 1.0))
        return len(web.refused)

    assert clock.run(main()) == 2


def test_lane_that_lags_behind_itself_is_eased() -> None:
    """Answers that come ever more slowly are pressure, though nobody says so."""

    async def main() -> list[float]:
        web = Web(LaneLimits(at_once=4, interval=0.5))
        await web.run(*[("a", 0.2)] * 8, *[("a", 3.0)] * 30)
        return web.starts["a"]

    starts = clock.run(main())
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert max(gaps[:8]) == pytest.approx(0.5)
    assert max(gaps[12:]) == pytest.approx(4.0)


def test_slow_from_the_first_is_no_pressure() -> None:
    """A site that always takes its time is asked at its own pace."""

    async def main() -> list[float]:
        web = Web(LaneLimits(at_once=8, interval=0.5))
        await web.run(*[("a", 3.0)] * 20)
        return web.starts["a"]

    starts = clock.run(main())
    assert [later - earlier for earlier, later in pairwise(starts)] == pytest.approx([0.5] * 19)


def test_lane_has_its_time_and_no_more() -> None:
    """After its deadline a lane is closed, and the others go on."""

    async def main() -> tuple[int, int, list[Job]]:
        web = Web(LaneLimits(at_once=1, interval=0.0, deadline=10.0))
        await web.run(*[("a", 3.0)] * 9, *[("b", 1.0)] * 5)
        return len(web.starts["a"]), len(web.starts["b"]), web.refused

    first, second, dropped = clock.run(main())
    assert (first, second) == (4, 5)
    assert dropped == [("a", 3.0)] * 5


class Counter:
    """Notes each job that it does."""

    def __init__(self, scheduler: Scheduler[int]) -> None:
        self.scheduler = scheduler
        self.ended: list[int] = []

    async def work(self, job: int, permit: Permit[int]) -> None:
        """Give the permit back at once."""
        self.scheduler.release(permit, Signal.OK)
        self.ended.append(job)

    def dropped(self, job: int, reason: LaneClosed) -> None:
        """Nothing closes a lane here."""
        raise AssertionError(job) from reason


def test_timer_of_uvloop_for_what_is_due_at_once() -> None:
    """What is due at once has a handle without a time; lanes that come due together run all the same."""

    async def main() -> list[int]:
        pace = LaneLimits(at_once=1, interval=0.0003)  # rounded to nothing: uvloop counts in milliseconds
        counter = Counter(Scheduler[int](64, lambda _: pace))
        for n in range(800):
            counter.scheduler.add(f"lane{n % 40}", n)
        await counter.scheduler.run(counter)
        return counter.ended

    assert sorted(uvloop.run(main())) == list(range(800))
