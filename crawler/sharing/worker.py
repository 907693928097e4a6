"""A worker: session after session, until no shard of its run is open."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid

from crawler.run import Observer
from crawler.sharing.clock import now
from crawler.sharing.crew import Crew
from crawler.sharing.patience import Patience
from crawler.sharing.session import Session, open_session
from crawler.sharing.tenure import Tenure, Word
from crawler.sharing.terms import Joint
from storage.database import open_engine
from storage.errors import LedgerError
from storage.model import Run
from storage.shards import Leases, Plan, Slots, Told, passing


class Worker:
    """One worker of a shared run; `ended` says how it ended, "" while it works."""

    def __init__(self, joint: Joint, run: Run, plan: Plan, observer: Observer, name: str = "") -> None:
        """`name` is what people see of it; machine and process if none is given."""
        seconds, url = joint.config.sharing.lease, joint.config.database.url
        me, name = uuid.uuid4().hex, name or f"{socket.gethostname()}:{os.getpid()}"
        # Two pools: whoever renews never waits for a connection that a write has.
        self._engine, self._renewing = open_engine(url, create=False), open_engine(url, create=False)
        slots = Slots(self._renewing, run.id, me, seconds)
        leases = Leases(self._renewing, run.id, me, name, seconds)
        self._crew = Crew(
            joint,
            run,
            plan,
            observer,
            self._engine,
            Leases(self._engine, run.id, me, name, seconds),
            Slots(self._engine, run.id, me, seconds),
            Tenure(leases, slots, joint.config.sharing.renew, self._told, self._hear),
            Patience(observer.said),
        )
        self._loop = asyncio.get_running_loop()
        self._session: Session | None = None
        self._told_of, self._told_at = 0, now()
        self.ended = ""

    async def work(self) -> str:
        """Work until no shard is open, or until it is told to end; return how it ended.

        Raises:
            StorageError: the database, or the cache, cannot be used, and that will not pass.
        """
        try:
            await self._crew.patience.call(self._crew.tenure.start)
            while not self.ended:
                await self._one_session()
        except LedgerError as exc:
            if not (self.ended and passing(exc)):
                raise
        finally:
            await asyncio.to_thread(self._close)
        return self.ended

    async def _one_session(self) -> None:
        async with open_session(self._crew) as session:
            self._session = session
            try:
                if await session.work():
                    self.ended = self.ended or "finished"
                elif session.ended:
                    self.ended = self.ended or session.ended
            finally:
                await session.leave()
                self._session = None

    def stop(self, ended: str, why: str) -> None:
        """Start nothing more, and give the shards back; what is under way gets a moment to end."""
        self._end(ended)
        if self._session is not None:
            self._session.running.stop(ended, why)

    def abort(self, ended: str, why: str) -> None:
        """End at once, and give the shards back."""
        self._end(ended)
        if self._session is not None:
            self._session.running.abort(ended, why)

    def _end(self, ended: str) -> None:
        self.ended = self.ended or ended
        self._crew.patience.end()
        if self._session is not None:
            self._session.stir()
            self._session.give_up()

    def _told(self) -> Told:
        """What to tell of this worker; called by the thread that renews."""
        found, at = self._crew.found, now()
        rate = (found - self._told_of) / max(at - self._told_at, 1e-3)
        self._told_of, self._told_at = found, at
        return Told(found, round(rate, 2), self._crew.idle)

    def _hear(self, word: Word) -> None:
        """Pass on what a renewal told; called by the thread that renews."""
        self._loop.call_soon_threadsafe(self._listen, word)

    def _listen(self, word: Word) -> None:
        if self._session is not None:
            self._session.hear(word)

    def _close(self) -> None:
        """Leave the list of workers, as far as the database can be reached; else it forgets by itself."""
        self._crew.tenure.stop()
        try:
            self._crew.leases.leave()
        except LedgerError as exc:
            if not passing(exc):
                raise
        finally:
            self._engine.dispose()
            self._renewing.dispose()
