"""The scheduler: hands out the permits of a run to its lanes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Generic

from crawler.errors import LaneClosed
from crawler.lanes.lane import SAMPLE_WINDOW, Job, JobHandler, Lane, LaneLimits, Permit, Signal
from crawler.lanes.ready_queue import ReadyQueue
from crawler.lanes.timers import WakeTimer, cancel_all


class Scheduler(Generic[Job]):
    """Hands out the permits of a run to its lanes."""

    def __init__(self, permits: int, limits_of: Callable[[str], LaneLimits]) -> None:
        self._free = permits
        self._limits_of = limits_of
        self._loop = asyncio.get_running_loop()
        self._lanes: dict[str, Lane[Job]] = {}
        self._queue: ReadyQueue[Job] = ReadyQueue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._handler: JobHandler[Job] | None = None
        self._left = 0
        self._visits = 0
        self._paused = False
        self._samples = 0
        self._wake_timer = WakeTimer(self._loop, self._dispatch)
        self._deadlines: list[asyncio.TimerHandle] = []
        self._drained = asyncio.Event()
        self._stopped: asyncio.Future[LaneClosed] = self._loop.create_future()

    def lane(self, key: str) -> Lane[Job]:
        """Return the lane of this key, made at first need."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key, self._limits_of(key))
        return lane

    def now(self) -> float:
        """Return the time by the clock of the lanes (loop time)."""
        return self._loop.time()

    def __iter__(self) -> Iterator[Lane[Job]]:
        return iter(self._lanes.values())

    def add(self, key: str, job: Job) -> None:
        """Put a job at the end of its lane; it starts in its turn once the scheduler runs."""
        lane = self.lane(key)
        lane.backlog.append(job)
        self._left += 1
        if self._handler is not None:
            self._place(lane)
            self._loop.call_soon(self._dispatch)

    async def run(self, handler: JobHandler[Job]) -> None:
        """Start every job in its turn; return when the last has ended."""
        self._handler = handler
        if self._stopped.done():
            self.stop(self._stopped.result())
        for lane in self._lanes.values():
            self._place(lane)
        self._drained.clear()
        self._dispatch()
        try:
            await self._drained.wait()
        finally:
            await self._end_tasks()
            self._handler = None

    @property
    def left(self) -> int:
        """How many jobs have not started."""
        return self._left

    async def acquire(self, key: str) -> Permit[Job]:
        """Wait for a permit in a lane, for a request that is not the first of its job.

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
                self.release(Permit(lane, self._loop.time()), Signal.NEUTRAL)
            raise
        return Permit(lane, self._loop.time())

    def release(self, permit: Permit[Job], signal: Signal) -> None:
        """Give a permit back, with what the response says of the lane."""
        lane = permit.lane
        lane.active -= 1
        self._free += 1
        if signal is not Signal.NEUTRAL or lane.starts == 1:
            self._learn(lane, signal, self._loop.time() - permit.taken_at)
        self._place(lane)
        self._dispatch()

    def _learn(self, lane: Lane[Job], signal: Signal, seconds: float) -> None:
        self._samples = min(self._samples + 1, SAMPLE_WINDOW * max(1, len(self._lanes)))
        self._queue.mean_service_time += (seconds - self._queue.mean_service_time) / self._samples
        lane.record(signal, seconds)

    def release_unused(self, permit: Permit[Job]) -> None:
        """Give a permit back that was not used: its interval was not used either."""
        lane = permit.lane
        if lane.next_at == permit.taken_at + lane.interval:
            lane.next_at = permit.next_before
        self.release(permit, Signal.NEUTRAL)

    def delay_until(self, lane: Lane[Job], until: float) -> None:
        """Start nothing in this lane before `until` (loop time); a later call never shortens it."""
        lane.next_at = max(lane.next_at, until)

    def drain(self, lane: Lane[Job]) -> list[Job]:
        """Take the jobs that did not start out of a lane; what is under way goes on."""
        jobs = list(lane.backlog)
        lane.backlog.clear()
        self._left -= len(jobs)
        self._settle()
        return jobs

    def close(self, lane: Lane[Job], reason: LaneClosed) -> None:
        """Take no more requests in this lane: drop its jobs, refuse those that wait."""
        lane.closed = reason
        self._empty(lane, reason)
        self._settle()

    def stop(self, reason: LaneClosed) -> None:
        """Start nothing more in any lane; what is under way goes on.

        What is waiting before `run` is dropped there, since no handler takes it sooner.
        """
        if not self._stopped.done():
            self._stopped.set_result(reason)
        for lane in list(self._lanes.values()):
            self._empty(lane, reason)
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

    async def sleep(self, seconds: float) -> None:
        """Wait without a permit.

        Raises:
            LaneClosed: the run was stopped meanwhile.
        """
        stops, _ = await asyncio.wait({self._stopped}, timeout=seconds)
        if stops:
            raise self._stopped.result()

    def _refuse(self, lane: Lane[Job]) -> None:
        if self._stopped.done():
            raise self._stopped.result()
        if lane.closed is not None:
            raise lane.closed

    def _empty(self, lane: Lane[Job], reason: LaneClosed) -> None:
        lane.refuse_waiting(reason)
        if self._handler is None:
            return
        for job in self.drain(lane):
            self._handler.dropped(job, reason)

    def _place(self, lane: Lane[Job]) -> None:
        self._queue.place(lane, self._loop.time())

    def _dispatch(self) -> None:
        self._queue.wake(self._loop.time())
        while self._free and not self._paused and (lane := self._queue.pop()):
            if not lane.can_start or (self._handler is None and not lane.waiting):
                continue  # `run` places every lane anew
            if lane.next_at <= self._loop.time():
                self._start(lane)
            self._place(lane)
        if self._free:
            self._wake_timer.set(self._queue.first_due)
        self._settle()

    def _start(self, lane: Lane[Job]) -> None:
        """Give the next permit of a lane: to a request that waits, else to a new job."""
        future = lane.first_waiting()
        if future is None and (not lane.backlog or self._handler is None):
            return
        now = self._loop.time()
        permit = Permit(lane, now, lane.next_at)
        lane.begin(now)
        self._free -= 1
        if lane.starts == 1 and lane.limits.deadline:
            self._deadlines.append(self._loop.call_later(lane.limits.deadline, self._expire, lane))
        if future is not None:
            future.set_result(None)
        elif self._handler is not None:
            self._left -= 1
            self._spawn(self._handler, lane.backlog.popleft(), permit)

    def _expire(self, lane: Lane[Job]) -> None:
        self.close(lane, LaneClosed(f"{lane.key} had its {lane.limits.deadline:g} s in this run"))

    def _spawn(self, handler: JobHandler[Job], job: Job, permit: Permit[Job]) -> None:
        permit.lane.visits += 1
        self._visits += 1
        task = self._loop.create_task(handler.work(job, permit))
        self._tasks.add(task)
        # Not in the task itself: one that is cancelled before its first step never runs a line.
        task.add_done_callback(partial(self._ended, permit.lane))

    def _ended(self, lane: Lane[Job], task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        lane.visits -= 1
        self._visits -= 1
        self._place(lane)
        self._dispatch()

    def _settle(self) -> None:
        """Tell `run` when nothing is left; called wherever that may have become true."""
        if not self._visits and not self._left:
            self._drained.set()

    async def _end_tasks(self) -> None:
        self._wake_timer.cancel()
        cancel_all(self._deadlines)
        self.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
