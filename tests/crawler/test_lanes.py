"""The turnstile, on virtual time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise

import pytest
import uvloop

from crawler.errors import LaneClosed
from crawler.lanes import Mood, Pace, Seat, Turnstile
from tests import clock

Job = tuple[str, float]  # lane, seconds


class Web:
    """Pretends to ask: sleeps in virtual time and keeps a log."""

    def __init__(self, pace: Pace, seats: int = 64) -> None:
        self.turnstile = Turnstile[Job](seats, lambda _: pace, self.work, self.drop)
        self.starts: dict[str, list[float]] = defaultdict(list)
        self.under_way: dict[str, int] = defaultdict(int)
        self.most: dict[str, int] = defaultdict(int)
        self.dropped: list[Job] = []
        self.mood: Callable[[Job], Mood] = lambda _: Mood.CALM

    def now(self) -> float:
        """Virtual seconds."""
        return asyncio.get_running_loop().time()

    async def work(self, job: Job, seat: Seat[Job]) -> None:
        """One request of one job."""
        await self.ask(job, seat)

    async def ask(self, job: Job, seat: Seat[Job]) -> None:
        """Hold the seat for the seconds of the job."""
        key = seat.lane.key
        self.starts[key].append(self.now())
        self.under_way[key] += 1
        self.most[key] = max(self.most[key], self.under_way[key])
        await asyncio.sleep(job[1])
        self.under_way[key] -= 1
        self.turnstile.leave(seat, self.mood(job))

    def drop(self, job: Job, _why: LaneClosed) -> None:
        """Note a job that never started."""
        self.dropped.append(job)

    async def run(self, *jobs: Job) -> float:
        """Run the jobs; return the virtual seconds it took."""
        for job in jobs:
            self.turnstile.add(job[0], job)
        await self.turnstile.run()
        return self.now()


FAST = Pace(at_once=2, interval=0.0)


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
        web = Web(Pace(at_once=2, interval=0.5))
        await web.run(*[("a", 0.1)] * 4)
        return web.starts["a"]

    assert clock.run(main()) == pytest.approx([0.0, 0.5, 1.0, 1.5])


def test_slow_lane_listed_first_delays_nobody() -> None:
    """Two hundred slow jobs of one lane do not keep two hundred other lanes from starting."""

    async def main() -> float:
        web = Web(FAST, seats=64)
        quick = [(f"q{n % 200}", 0.01) for n in range(2000)]
        await web.run(*[("slow", 0.5)] * 200, *quick)
        return max(starts[0] for key, starts in web.starts.items() if key != "slow")

    assert clock.run(main()) < 0.1


def test_longest_remaining_lane_first() -> None:
    """With too few seats for all lanes, the run still ends within 5 % of its lower bound."""

    async def main() -> float:
        web = Web(FAST, seats=8)
        jobs = [(f"h{n}", 0.1) for n in range(40) for _ in range(400 // (n + 1))]
        bound = max(len(jobs) * 0.1 / 8, 400 * 0.1 / 2)
        return await web.run(*jobs) / bound

    assert clock.run(main()) < 1.05


def test_a_quick_first_answer_does_not_underrate_a_lane() -> None:
    """A lane is ranked by what is known now: one quick answer at the start is no evidence."""

    async def main() -> float:
        web = Web(FAST, seats=10)
        usual = [(f"h{n}", 0.25) for _ in range(30) for n in range(7)]
        lucky = [("lucky", 0.01), *[("lucky", 0.25)] * 39]
        bound = (len(usual) * 0.25 + 39 * 0.25 + 0.01) / 10
        return await web.run(*usual, *lucky) / bound

    assert clock.run(main()) < 1.05


def test_hold_stops_the_lane_and_is_never_shortened() -> None:
    """Retry-After stops the whole lane; a shorter or an older word does not reset that."""

    async def main() -> list[float]:
        web = Web(FAST)
        lane = web.turnstile.lane("a")
        web.turnstile.hold(lane, 30.0)
        web.turnstile.hold(lane, 5.0)
        await web.run(("a", 1.0), ("b", 1.0))
        return web.starts["a"] + web.starts["b"]

    assert clock.run(main()) == [30.0, 0.0]


def test_pressure_slows_and_calm_restores() -> None:
    """Pressure halves the seats and stretches the interval; calm gives both back."""

    async def main() -> tuple[float, float, float, float]:
        web = Web(Pace(at_once=4, interval=0.1))
        lane = web.turnstile.lane("a")
        lane.feel(Mood.PRESSURE, 0.1)
        low = (lane.seats, lane.interval)
        for _ in range(20):
            lane.feel(Mood.CALM, 0.1)
        return (*low, lane.seats, lane.interval)

    assert clock.run(main()) == (2.0, 0.2, 4.0, 0.1)


def test_second_request_of_a_job_takes_a_seat_of_its_own() -> None:
    """A job that enters another lane waits there without holding its first seat."""

    async def main() -> tuple[float, int]:
        web = Web(FAST, seats=2)

        async def hop(job: Job, seat: Seat[Job]) -> None:
            await Web.ask(web, job, seat)
            await Web.ask(web, job, await web.turnstile.enter("target"))

        web.turnstile._work = hop
        took = await web.run(*[(f"h{n}", 1.0) for n in range(6)])
        return took, web.most["target"]

    took, most = clock.run(main())
    assert took == pytest.approx(6.0)
    assert most == 2


def test_cancelled_waiter_gives_its_seat_back() -> None:
    """A request cancelled while it waits, or just as it gets its seat, loses no seat."""

    async def main() -> float:
        web = Web(FAST, seats=1)

        async def impatient(job: Job, seat: Seat[Job]) -> None:
            await Web.ask(web, job, seat)
            try:
                async with asyncio.timeout(0.5):
                    await Web.ask(web, job, await web.turnstile.enter("busy"))
            except TimeoutError:
                return

        web.turnstile._work = impatient
        return await web.run(*[(f"h{n}", 1.0) for n in range(4)])

    assert clock.run(main()) >= 4.0


def test_closed_lane_drops_its_jobs_and_the_run_ends() -> None:
    """Closing a lane hands back its jobs, refuses its waiters, and leaves the others alone."""

    async def main() -> tuple[int, int]:
        web = Web(FAST)

        def close(job: Job) -> Mood:
            if job[0] == "a":
                web.turnstile.close(web.turnstile.lane("a"), LaneClosed("come back tomorrow"))
            return Mood.PRESSURE

        web.mood = close
        await web.run(*[("a", 1.0)] * 10, *[("b", 1.0)] * 10)
        return len(web.dropped), len(web.starts["b"])

    assert clock.run(main()) == (8, 10)


def test_stop_lets_what_is_under_way_end() -> None:
    """Stopping starts nothing more; requests under way end, waits are called off."""

    async def main() -> tuple[float, int]:
        web = Web(FAST, seats=4)

        async def restless(job: Job, seat: Seat[Job]) -> None:
            await Web.ask(web, job, seat)
            with pytest.raises(LaneClosed):
                await web.turnstile.rest(60.0)

        web.turnstile._work = restless
        asyncio.get_running_loop().call_later(1.5, web.turnstile.stop, LaneClosed("the time is over"))
        took = await web.run(*[(f"h{n}", 1.0) for n in range(8)])
        return took, len(web.dropped)

    assert clock.run(main()) == (2.0, 0)


def test_tasks_exist_for_started_jobs_only() -> None:
    """A hundred thousand waiting jobs make no tasks."""

    async def main() -> int:
        web = Web(FAST, seats=16)
        most = 0

        async def count(_job: Job, seat: Seat[Job]) -> None:
            nonlocal most
            most = max(most, len(asyncio.all_tasks()))
            web.turnstile.leave(seat, Mood.CALM)

        web.turnstile._work = count
        await web.run(*[(f"h{n % 1000}", 0.0) for n in range(20_000)])
        return most

    assert clock.run(main()) < 40


def test_abort_in_the_moment_of_a_start() -> None:
    """A job that is cancelled before its first step has ended all the same."""

    async def main() -> list[float]:
        web = Web(FAST)
        asyncio.get_running_loop().call_soon(web.turnstile.stop, LaneClosed("over"))
        asyncio.get_running_loop().call_soon(web.turnstile.abort)
        await web.run(*[("a", 1.0)] * 4, *[("b", 1.0)] * 4)
        return web.starts["a"]

    assert clock.run(main()) == []


def test_stop_before_the_run() -> None:
    """A turnstile that was stopped early starts nothing."""

    async def main() -> int:
        web = Web(FAST)
        web.turnstile.stop(LaneClosed("over"))
        await web.run(("a", 1.0), ("b", 1.0))
        return len(web.dropped)

    assert clock.run(main()) == 2


def test_lane_that_lags_behind_itself_is_eased() -> None:
    """Answers that come ever more slowly are pressure, though nobody says so."""

    async def main() -> list[float]:
        web = Web(Pace(at_once=4, interval=0.5))
        await web.run(*[("a", 0.2)] * 8, *[("a", 3.0)] * 30)
        return web.starts["a"]

    starts = clock.run(main())
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert max(gaps[:8]) == pytest.approx(0.5)
    assert max(gaps[12:]) == pytest.approx(4.0)


def test_slow_from_the_first_is_no_pressure() -> None:
    """A site that always takes its time is asked at its own pace."""

    async def main() -> list[float]:
        web = Web(Pace(at_once=8, interval=0.5))
        await web.run(*[("a", 3.0)] * 20)
        return web.starts["a"]

    starts = clock.run(main())
    assert [later - earlier for earlier, later in pairwise(starts)] == pytest.approx([0.5] * 19)


def test_lane_has_its_time_and_no_more() -> None:
    """After its deadline a lane is closed, and the others go on."""

    async def main() -> tuple[int, int, list[Job]]:
        web = Web(Pace(at_once=1, interval=0.0, deadline=10.0))
        await web.run(*[("a", 3.0)] * 9, *[("b", 1.0)] * 5)
        return len(web.starts["a"]), len(web.starts["b"]), web.dropped

    first, second, dropped = clock.run(main())
    assert (first, second) == (4, 5)
    assert dropped == [("a", 3.0)] * 5


def test_timer_of_uvloop_for_what_is_due_at_once() -> None:
    """What is due at once has a handle without a time; lanes that come due together run all the same."""
    ended: list[int] = []

    async def main() -> None:
        async def work(job: int, seat: Seat[int]) -> None:
            turnstile.leave(seat, Mood.CALM)
            ended.append(job)

        pace = Pace(at_once=1, interval=0.0003)  # rounded to nothing: uvloop counts in milliseconds
        turnstile = Turnstile[int](64, lambda _: pace, work, lambda *_: None)
        for n in range(800):
            turnstile.add(f"lane{n % 40}", n)
        await turnstile.run()

    uvloop.run(main())
    assert sorted(ended) == list(range(800))
