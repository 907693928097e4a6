"""The parent's side: shares lanes out, keeps the findings of workers, and passes their hops on."""

from __future__ import annotations

import asyncio
import heapq
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from crawler.engine.context import FindingStore
from crawler.engine.observer import Observer
from crawler.engine.run import STOP_GRACE
from crawler.processes.messages import (
    AbortWorker,
    CloseWorker,
    FindingBatch,
    ObservedFinding,
    RemoteHop,
    RemoteHopReply,
    StopWorker,
    WorkerDone,
    WorkerFailed,
    WorkerSentence,
    WorkerSetup,
    WorkerSpec,
)
from crawler.processes.pipe import Message, Pipe, open_pipe
from crawler.processes.remote_lanes import RemoteReply
from crawler.runtime import child_environment
from storage.errors import StorageError
from storage.model import Finding, RunEnd, Target

WORKER_GONE: Final = RemoteReply(None, None, None)
EXIT_TIMEOUT: Final = STOP_GRACE + 5.0  # seconds a worker may take to end once it was told to


@dataclass(slots=True)
class WorkerProcess:
    """One worker as the parent sees it; `open_hops` are those it asks for others (asker, number)."""

    number: int
    process: subprocess.Popen[bytes]
    pipe: Pipe
    done: bool = False
    open_hops: set[tuple[int, int]] = field(default_factory=set)


class WorkerPool:
    """A run on several processes: a `Runner`."""

    def __init__(
        self, spec: WorkerSpec, store: FindingStore, observer: Observer, workers: Sequence[WorkerProcess]
    ) -> None:
        self._spec = spec
        self._store = store
        self._observer = observer
        self._workers = workers
        self._sentences: set[str] = set()
        self._failure: StorageError | None = None
        self.ended = RunEnd.FINISHED
        self.dropped_count = 0

    async def check(self, targets: Iterable[tuple[str, Target]]) -> None:
        """Check each target in the lane of its key.

        Raises:
            StorageError: findings cannot be kept; those made before are.
        """
        by_lane: dict[str, list[Target]] = {}
        for lane, target in targets:
            by_lane.setdefault(lane, []).append(target)
        owners = share_out({lane: len(backlog) for lane, backlog in by_lane.items()}, len(self._workers))
        for worker in self._workers:
            lanes = [lane for lane, owner in owners.items() if owner == worker.number]
            pairs = [(lane, target) for lane in lanes for target in by_lane[lane]]
            worker.pipe.send(WorkerSetup(worker.number, len(self._workers), self._share(), owners, pairs))
        await asyncio.gather(*(self._listen(worker) for worker in self._workers))
        if self._failure is not None:
            raise self._failure

    def _share(self) -> WorkerSpec:
        """The specification for one worker: its part of what all may do at once."""
        count, config = len(self._workers), self._spec.config
        network, hosts = config.network, config.hosts
        network = msgspec.structs.replace(network, concurrency=max(1, network.concurrency // count))
        hosts = msgspec.structs.replace(hosts, per_address=max(1, hosts.per_address // count))
        return replace(self._spec, config=msgspec.structs.replace(config, network=network, hosts=hosts))

    async def _listen(self, worker: WorkerProcess) -> None:
        while (message := await worker.pipe.read()) is not None:
            await self._take(worker, message)
        if not worker.done:
            self._lost(worker)

    async def _take(self, worker: WorkerProcess, message: Message) -> None:
        match message:
            case FindingBatch():
                await self._keep(message.findings)
            case ObservedFinding():
                self._observer.found(message.finding)
            case WorkerSentence():
                self._say(message.text)
            case RemoteHop():
                self._pass_on(message)
            case RemoteHopReply():
                worker.open_hops.discard((message.asker, message.number))
                self._workers[message.asker].pipe.send(message)
            case WorkerFailed():
                self._failure = self._failure or StorageError(message.reason)
                self.stop(RunEnd.FAILED, message.reason)
            case WorkerDone():
                self.dropped_count += message.dropped_count
                self._finish(worker, message.run_end)

    async def _keep(self, batch: list[tuple[Finding, bool]]) -> None:
        for finding, new in batch:
            try:
                await self._store.put(finding)
            except StorageError as exc:
                self._failure = self._failure or exc
                self.stop(RunEnd.FAILED, "the database takes no more findings")
            if new:
                self._observer.found(finding)

    def _say(self, text: str) -> None:
        """Say once what several workers say."""
        if text not in self._sentences:
            self._sentences.add(text)
            self._observer.said(text)

    def _pass_on(self, hop: RemoteHop) -> None:
        owner = self._workers[hop.owner]
        if owner.process.poll() is None:
            owner.open_hops.add((hop.asker, hop.number))
            owner.pipe.send(hop)
        else:
            self._workers[hop.asker].pipe.send(RemoteHopReply(hop.asker, hop.number, WORKER_GONE))

    def _finish(self, worker: WorkerProcess, run_end: RunEnd) -> None:
        """A worker has no targets left; it goes on asking for others until none of them has."""
        if run_end != RunEnd.FINISHED:
            self.stop(run_end, f"worker {worker.number + 1} ended: {run_end}")
        self._note_done(worker)

    def _lost(self, worker: WorkerProcess) -> None:
        """A worker died: what it had not found stays due, and workers that wait for it get a reply."""
        self._observer.said(
            f"worker {worker.number + 1} died; what it did not reach is due: run again to go on with it"
        )
        if self.ended == RunEnd.FINISHED:
            self.ended = RunEnd.FAILED
        for asker, number in worker.open_hops:
            self._workers[asker].pipe.send(RemoteHopReply(asker, number, WORKER_GONE))
        self._note_done(worker)

    def _note_done(self, worker: WorkerProcess) -> None:
        worker.done = True
        if all(process.done for process in self._workers):
            self._send(CloseWorker())

    def _send(self, message: Message) -> None:
        for worker in self._workers:
            worker.pipe.send(message)

    def stop(self, run_end: RunEnd, why: str) -> None:
        """Start nothing more; give what is under way a moment to end."""
        if self.ended == RunEnd.FINISHED:
            self.ended = run_end
            self._send(StopWorker(run_end, why))

    def abort(self, run_end: RunEnd, why: str) -> None:
        """End at once."""
        self.ended = run_end
        self._send(AbortWorker(run_end, why))

    async def close(self) -> None:
        """Wait for every worker to end; one that does not is killed."""
        self._send(CloseWorker())
        for worker in self._workers:
            worker.pipe.close()
        await asyncio.to_thread(self._wait)

    def _wait(self) -> None:
        for worker in self._workers:
            try:
                worker.process.wait(EXIT_TIMEOUT)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()


async def _start_worker(number: int) -> WorkerProcess:
    parent_socket, worker_socket = socket.socketpair()
    command = [sys.executable, "-P", "-m", "crawler.processes", str(worker_socket.fileno())]
    # In a session of its own: Ctrl-C is the parent's to hear, even while a worker still starts.
    process = subprocess.Popen(  # noqa: S603, ASYNC220 - this very program, and quick to start
        command,
        pass_fds=[worker_socket.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        env=child_environment(),
    )
    worker_socket.close()
    return WorkerProcess(number, process, await open_pipe(parent_socket))


def share_out(lanes: Mapping[str, int], count: int) -> dict[str, int]:
    """Which worker has which lane: the largest lanes first, each to the worker with the fewest targets."""
    loads = [(0, number) for number in range(count)]
    owners: dict[str, int] = {}
    for lane, targets in sorted(lanes.items(), key=lambda item: (-item[1], item[0])):
        load, number = loads[0]
        owners[lane] = number
        heapq.heapreplace(loads, (load + targets, number))
    return owners


@asynccontextmanager
async def open_pool(
    spec: WorkerSpec, store: FindingStore, observer: Observer, count: int
) -> AsyncIterator[WorkerPool]:
    """A run on `count` processes."""
    workers: list[WorkerProcess] = []
    pool = WorkerPool(spec, store, observer, workers)
    try:
        for number in range(count):
            workers.append(await _start_worker(number))  # noqa: PERF401 - each is closed if the next fails
        yield pool
    finally:
        await pool.close()
