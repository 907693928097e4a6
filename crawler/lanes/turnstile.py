"""The turnstile: hands out the seats of a run to its lanes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any, Generic

from crawler.errors import LaneClosed
from crawler.lanes.lane import HEARD, Job, Lane, Mood, Pace, Seat
from crawler.lanes.queue import Queue


class Turnstile(Generic[Job]):
    """Hands out the seats of a run to its lanes.

    `work(job, seat)` is run as a task for each job that starts; it must not raise. `dropped` gets
    each job of a lane that was closed, or of a run that was stopped, before it started.
    """

    def __init__(
        self,
        seats: int,
        pace_of: Callable[[str], Pace],
        work: Callable[[Job, Seat[Job]], Coroutine[Any, Any, None]],
        dropped: Callable[[Job, LaneClosed], None],
    ) -> None:
        self._free = seats
        self._pace_of, self._work, self._dropped = pace_of, work, dropped
        self._loop = asyncio.get_running_loop()
        self._lanes: dict[str, Lane[Job]] = {}
        self._queue: Queue[Job] = Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._left = 0
        self._visits = 0
        self._paused = self._running = False
        self._heard = 0
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = 0.0
        self._timers: list[asyncio.TimerHandle] = []
        self._drained = asyncio.Event()
        self._stopped: asyncio.Future[LaneClosed] = self._loop.create_future()

    def lane(self, key: str) -> Lane[Job]:
        """The lane of this key, made at first need."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key, self._pace_of(key))
        return lane

    def now(self) -> float:
        """The time by the clock of the lanes (loop time)."""
        return self._loop.time()

    def __iter__(self) -> Iterator[Lane[Job]]:
        return iter(self._lanes.values())

    def add(self, key: str, job: Job) -> None:
        """Put a job at the end of its lane; it starts in its turn once the turnstile runs."""
        lane = self.lane(key)
        lane.backlog.append(job)
        self._left += 1
        if self._running:
            self._place(lane)
            self._loop.call_soon(self._dispatch)

    async def run(self) -> None:
        """Start every job in its turn; return when the last has ended."""
        if self._stopped.done():
            self.stop(self._stopped.result())
        for lane in self._lanes.values():
            self._place(lane)
        self._running = True
        self._drained.clear()
        self._dispatch()
        try:
            await self._drained.wait()
        finally:
            self._running = False
            await self._end_tasks()

    @property
    def left(self) -> int:
        """How many jobs have not started."""
        return self._left

    async def enter(self, key: str) -> Seat[Job]:
        """Wait for a seat in a lane, for a request that is not the first of its job.

        Raises:
            LaneClosed: the lane, or the run, takes no more requests.
        """
        lane = self.lane(key)
        self._refuse(lane)
        future: asyncio.Future[None] = self._loop.create_future()
        lane.waiting = lane.waiting or deque()
        lane.waiting.append(future)
        self._place(lane)
        self._dispatch()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.leave(Seat(lane, self._loop.time()), Mood.SILENT)
            raise
        return Seat(lane, self._loop.time())

    def leave(self, seat: Seat[Job], mood: Mood) -> None:
        """Give a seat back, with what the answer says of the lane."""
        lane = seat.lane
        lane.active -= 1
        self._free += 1
        if mood is not Mood.SILENT or lane.starts == 1:
            self._learn(lane, mood, self._loop.time() - seat.taken_at)
        self._place(lane)
        self._dispatch()

    def _learn(self, lane: Lane[Job], mood: Mood, took: float) -> None:
        self._heard = min(self._heard + 1, HEARD * max(1, len(self._lanes)))
        self._queue.usual += (took - self._queue.usual) / self._heard
        lane.feel(mood, took)

    def return_(self, seat: Seat[Job]) -> None:
        """Give a seat back that was not used: its interval was not used either."""
        lane = seat.lane
        if lane.next_at == seat.taken_at + lane.interval:
            lane.next_at = seat.next_before
        self.leave(seat, Mood.SILENT)

    def hold(self, lane: Lane[Job], until: float) -> None:
        """Start nothing in this lane before `until` (loop time); a later hold never shortens it."""
        lane.next_at = max(lane.next_at, until)

    def withdraw(self, lane: Lane[Job]) -> list[Job]:
        """Take the jobs that did not start out of a lane; what is under way goes on."""
        jobs, lane.backlog = list(lane.backlog), deque()
        self._left -= len(jobs)
        self._settle()
        return jobs

    def close(self, lane: Lane[Job], why: LaneClosed) -> None:
        """Take no more requests in this lane: drop its jobs, refuse those that wait."""
        lane.closed = why
        self._empty(lane, why)
        self._settle()

    def stop(self, why: LaneClosed) -> None:
        """Start nothing more in any lane; what is under way goes on."""
        if not self._stopped.done():
            self._stopped.set_result(why)
        for lane in list(self._lanes.values()):
            self._empty(lane, why)
        self._settle()

    def pause(self) -> None:
        """Start nothing, in any lane, until `resume`; what is under way goes on."""
        self._paused = True

    def resume(self) -> None:
        """Start again what is ready."""
        self._paused = False
        self._dispatch()

    def abort(self) -> None:
        """Cancel what is under way, too."""
        for task in self._tasks:
            task.cancel()

    async def rest(self, seconds: float) -> None:
        """Wait without a seat.

        Raises:
            LaneClosed: the run was stopped meanwhile.
        """
        done, _ = await asyncio.wait({self._stopped}, timeout=seconds)
        if done:
            raise self._stopped.result()

    def _refuse(self, lane: Lane[Job]) -> None:
        if self._stopped.done():
            raise self._stopped.result()
        if lane.closed is not None:
            raise lane.closed

    def _empty(self, lane: Lane[Job], why: LaneClosed) -> None:
        jobs, lane.backlog = lane.backlog, deque()
        self._left -= len(jobs)
        waiting, lane.waiting = lane.waiting, ()
        for job in jobs:
            self._dropped(job, why)
        for future in waiting:
            if not future.done():
                future.set_exception(why)

    def _place(self, lane: Lane[Job]) -> None:
        self._queue.place(lane, self._loop.time())

    def _dispatch(self) -> None:
        self._queue.wake(self._loop.time())
        while self._free and not self._paused and (lane := self._queue.pop()):
            if not lane.willing:
                continue
            if lane.next_at <= self._loop.time():
                self._start(lane)
            self._place(lane)
        self._set_timer()
        self._settle()

    def _start(self, lane: Lane[Job]) -> None:
        """Give the next seat of a lane: to a request that waits, else to a new job."""
        future = lane.first_waiting()
        if future is None and not lane.backlog:
            return
        now, before = self._loop.time(), lane.next_at
        lane.next_at = max(lane.next_at, now + lane.interval)
        lane.active += 1
        lane.starts += 1
        self._free -= 1
        if lane.starts == 1 and lane.pace.deadline:
            self._timers.append(self._loop.call_later(lane.pace.deadline, self._expire, lane))
        if future is not None:
            future.set_result(None)
        else:
            self._left -= 1
            self._spawn(lane, lane.backlog.popleft(), Seat(lane, now, before))

    def _expire(self, lane: Lane[Job]) -> None:
        self.close(lane, LaneClosed(f"{lane.key} had its {lane.pace.deadline:g} s in this run"))

    def _spawn(self, lane: Lane[Job], job: Job, seat: Seat[Job]) -> None:
        lane.visits += 1
        self._visits += 1
        task = self._loop.create_task(self._work(job, seat))
        self._tasks.add(task)
        # Not in the task itself: one that is cancelled before its first step never runs a line.
        task.add_done_callback(partial(self._ended, lane))

    def _ended(self, lane: Lane[Job], task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        lane.visits -= 1
        self._visits -= 1
        self._place(lane)
        self._dispatch()

    def _set_timer(self) -> None:
        """Sleep until the first snoozed lane may start, if a seat is free for it."""
        first = self._queue.first_due
        if first is None or not self._free:
            return
        if self._timer is not None:
            if self._rings_at <= first:
                return
            self._timer.cancel()
        # uvloop gives a handle without a time for what is due at once, so the time is kept here.
        self._timer, self._rings_at = self._loop.call_at(first, self._ring), first

    def _ring(self) -> None:
        self._timer = None
        self._dispatch()

    def _settle(self) -> None:
        """Tell `run` when nothing is left; called wherever that may have become true."""
        if not self._visits and not self._left:
            self._drained.set()

    async def _end_tasks(self) -> None:
        for timer in (self._timer, *self._timers):
            if timer is not None:
                timer.cancel()
        self._timer = None
        self.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
