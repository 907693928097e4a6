"""The parent's side: shares lanes out, keeps what workers find, and passes on what they ask."""

from __future__ import annotations

import asyncio
import heapq
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from crawler.run import GRACE, Observer, Store
from crawler.workers.foreign import Reply
from crawler.workers.order import Order, Setup
from crawler.workers.pipe import Message, Pipe, open_pipe
from storage.errors import StorageError
from storage.model import Finding, Target

GONE: Final = Reply(None, None, None)
LATE: Final = GRACE + 5.0  # seconds a worker may take to end once it was told to


@dataclass(slots=True)
class Hand:
    """One worker as the parent sees it."""

    number: int
    process: subprocess.Popen[bytes]
    pipe: Pipe
    done: bool = False
    asked: set[tuple[int, int]] = field(default_factory=set)


class Pool:
    """A run on several processes: to who runs it, the same as one on its own."""

    def __init__(self, order: Order, store: Store, observer: Observer) -> None:
        self._order, self._store, self._observer = order, store, observer
        self._hands: list[Hand] = []
        self._said: set[str] = set()
        self._failure: StorageError | None = None
        self.ended = "finished"

    async def start(self, count: int) -> None:
        """Start the workers."""
        for number in range(count):
            ours, theirs = socket.socketpair()
            words = [sys.executable, "-P", "-m", "crawler.workers", str(theirs.fileno())]
            # In a session of its own: Ctrl-C is the parent's to hear, even while a worker still starts.
            process = subprocess.Popen(  # noqa: S603, ASYNC220 - this very program, and quick to start
                words,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": _python_path()},
            )
            theirs.close()
            self._hands.append(Hand(number, process, await open_pipe(ours)))

    async def check(self, targets: Iterable[tuple[str, Target]]) -> None:
        """Check each target in the lane of its key.

        Raises:
            StorageError: findings cannot be kept; what was found before is.
        """
        by_lane: dict[str, list[Target]] = {}
        for lane, target in targets:
            by_lane.setdefault(lane, []).append(target)
        owners = share_out({lane: len(some) for lane, some in by_lane.items()}, len(self._hands))
        for hand in self._hands:
            lanes = [lane for lane, owner in owners.items() if owner == hand.number]
            mine = [(lane, one) for lane in lanes for one in by_lane[lane]]
            setup = Setup(hand.number, len(self._hands), self._share(), owners, mine)
            hand.pipe.send(setup)
        await asyncio.gather(*(self._listen(hand) for hand in self._hands))
        if self._failure is not None:
            raise self._failure

    def _share(self) -> Order:
        """The order for one worker: its part of what all may do at once."""
        count, config = len(self._hands), self._order.config
        network, hosts = config.network, config.hosts
        network = msgspec.structs.replace(network, concurrency=max(1, network.concurrency // count))
        hosts = msgspec.structs.replace(hosts, per_address=max(1, hosts.per_address // count))
        return replace(self._order, config=msgspec.structs.replace(config, network=network, hosts=hosts))

    async def _listen(self, hand: Hand) -> None:
        while (message := await hand.pipe.read()) is not None:
            await self._take(hand, message)
        if not hand.done:
            self._lost(hand)

    async def _take(self, hand: Hand, message: Message) -> None:
        kind, *rest = message
        if kind == "found":
            await self._keep(*rest)
        elif kind == "seen":
            self._observer.found(*rest)
        elif kind == "said":
            self._say(*rest)
        elif kind == "hop":
            self._pass_on(hand, *rest)
        elif kind == "reply":
            self._reply(hand, *rest)
        elif kind == "broken":
            self._failure = self._failure or StorageError(*rest)
            self.stop("failed", *rest)
        else:
            self._finish(hand, *rest)

    async def _keep(self, batch: list[tuple[Finding, bool]]) -> None:
        for finding, new in batch:
            try:
                await self._store.put(finding)
            except StorageError as exc:
                self._failure = self._failure or exc
                self.stop("failed", "the database takes no more findings")
            if new:
                self._observer.found(finding)

    def _say(self, text: str) -> None:
        """Say once what several workers say."""
        if text not in self._said:
            self._said.add(text)
            self._observer.said(text)

    def _pass_on(self, hand: Hand, number: int, owner: int, request: Any) -> None:
        other = self._hands[owner]
        if other.process.poll() is None:
            other.asked.add((hand.number, number))
            other.pipe.send("hop", hand.number, number, request)
        else:
            hand.pipe.send("reply", number, GONE)

    def _reply(self, hand: Hand, asker: int, number: int, reply: Reply) -> None:
        hand.asked.discard((asker, number))
        self._hands[asker].pipe.send("reply", number, reply)

    def _finish(self, hand: Hand, ended: str) -> None:
        """A worker is through; it goes on asking for others until all are."""
        hand.done = True
        if ended != "finished":
            self.stop(ended, f"worker {hand.number + 1} ended: {ended}")
        if all(one.done for one in self._hands):
            self._tell("close")

    def _lost(self, hand: Hand) -> None:
        """A worker died: what it had not found stays due, and who waits for it is told."""
        hand.done = True
        self._observer.said(
            f"worker {hand.number + 1} died; what it did not reach is due: run again to go on with it"
        )
        if self.ended == "finished":
            self.ended = "failed"
        for asker, number in hand.asked:
            self._hands[asker].pipe.send("reply", number, GONE)
        if all(one.done for one in self._hands):
            self._tell("close")

    def _tell(self, *message: Any) -> None:
        for hand in self._hands:
            hand.pipe.send(*message)

    def stop(self, ended: str, why: str) -> None:
        """Start nothing more; give what is under way a moment to end."""
        if self.ended == "finished":
            self.ended = ended
            self._tell("stop", ended, why)

    def abort(self, ended: str, why: str) -> None:
        """End at once."""
        self.ended = ended
        self._tell("abort", ended, why)

    async def close(self) -> None:
        """See every worker out; one that does not go is killed."""
        self._tell("close")
        for hand in self._hands:
            hand.pipe.close()
        await asyncio.to_thread(self._wait)

    def _wait(self) -> None:
        for hand in self._hands:
            try:
                hand.process.wait(LATE)
            except subprocess.TimeoutExpired:
                hand.process.kill()
                hand.process.wait()


def _python_path() -> str:
    """Where a worker finds this very program, whatever lies in the working directory."""
    paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.pathsep.join(paths)


def share_out(lanes: Mapping[str, int], count: int) -> dict[str, int]:
    """Which worker has which lane: the largest lanes first, each to who has the least so far."""
    load = [(0, number) for number in range(count)]
    owners: dict[str, int] = {}
    for lane, targets in sorted(lanes.items(), key=lambda one: (-one[1], one[0])):
        least, number = load[0]
        owners[lane] = number
        heapq.heapreplace(load, (least + targets, number))
    return owners


@asynccontextmanager
async def open_pool(order: Order, store: Store, observer: Observer, count: int) -> AsyncIterator[Pool]:
    """A run on `count` processes."""
    pool = Pool(order, store, observer)
    try:
        await pool.start(count)
        yield pool
    finally:
        await pool.close()
