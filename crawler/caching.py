"""The image cache in a run: what is due for it, and the way of bytes into it.

Bytes are written aside before they wait for a process that proves them, so that what waits takes
room on the disk and none in memory. A file gets its name once it is proven and on the disk; its
row in the index follows with the finding.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import sqlalchemy as sa

from crawler.checks.image import ImageCheck
from crawler.checks.picture import Draft, PictureCheck
from crawler.config import Config
from crawler.errors import LocalFault
from crawler.pixels import structure
from crawler.pixels.proof import PIXELS, STRUCTURE, Faulty, Proven, decodes
from crawler.provers import Bounds, Provers
from crawler.staleness import Shelf, stale_at
from storage import queries
from storage.cache import Store, digest_of, entries, forget, make_room, name_of, open_store
from storage.errors import Swept
from storage.model import Cached, Kind, Picture, Run, Target, Verdict

T = TypeVar("T")
WRITERS: Final = 8  # threads that wait for the disk: together they sync four times as much as one
FULL: Final = "more than [images] cache_size, and none of it may go: 'linkhealth cache gc --all' makes room"
STAND_IN: Final = "a stand-in, by configuration"


@dataclass(frozen=True, slots=True)
class Rules:
    """What `[images]` and `[schedule]` say of the cache."""

    proof: str
    pixels: int
    stand_ins: frozenset[str]
    shelf: Shelf


def rules_of(config: Config) -> Rules:
    """The rules of a configuration."""
    images, plan = config.images, config.schedule
    shelf = Shelf(timedelta(seconds=plan.image_least), timedelta(seconds=plan.image_most))
    return Rules(images.proof, images.max_pixels, frozenset(images.placeholders), shelf)


class Keeper:
    """Keeps images: a `Gallery` with a folder, an index, and processes that decode."""

    def __init__(self, rules: Rules, blobs: Store, known: dict[int, Cached], provers: Provers) -> None:
        self._rules, self._blobs, self._provers = rules, blobs, provers
        self._entries = known
        self._proven = {_digest(one): _proof_of(one) for one in known.values() if self._well_proven(one)}
        self._threads = ThreadPoolExecutor(WRITERS, "cache")

    def due(self, targets: Iterable[Target], now: datetime) -> list[Target]:
        """The images among them that are not in the cache, or stale there."""
        return [one for one in targets if one.kind is Kind.IMAGE and self._is_due(one, now)]

    def _is_due(self, target: Target, now: datetime) -> bool:
        entry = self._entries.get(target.id)
        if entry is None or not self._well_proven(entry) or entry.picture.digest in self._rules.stand_ins:
            return True
        return stale_at(entry, self._rules.shelf) <= now

    def _well_proven(self, entry: Cached) -> bool:
        return entry.proof in {self._rules.proof, PIXELS} or not decodes(entry.picture.format)

    def entry(self, target: Target) -> Cached | None:
        """What is kept of a target, if its file is there and proven as it shall be."""
        entry = self._entries.get(target.id)
        if entry is None or not self._well_proven(entry):
            return None
        return entry if self._blobs.has(_name(entry.picture), entry.picture.bytes) else None

    def shown(self, entry: Cached) -> tuple[Picture, str | None]:
        """The picture of an entry, and why it is a stand-in, if it is one."""
        if entry.picture.digest in self._rules.stand_ins:
            return entry.picture, STAND_IN
        return self._placed(entry.picture), None

    async def draft(self, data: bytes, picture: Picture) -> Draft:
        """Write bytes aside, unless the cache has them, or they are no whole image.

        Raises:
            CacheError: the folder cannot be written.
            LocalFault: another process cleans the folder.
        """
        try:
            return await self._threaded(lambda: self._drafted(data, picture.format))
        except Swept as exc:
            raise LocalFault(str(exc)) from exc

    async def hang(self, draft: Draft, picture: Picture) -> tuple[Picture, Proven | Faulty]:
        """Prove what was written aside; keep it if it is whole and no stand-in.

        Raises:
            CacheError: the folder cannot be written.
            LocalFault: another process cleans the folder, or none can be started that decodes.
        """
        picture, aside = replace(picture, digest=draft.digest), draft.aside
        try:
            proof = draft.proof or await self._proof(str(aside), picture)
            if isinstance(proof, Faulty):
                return picture, proof
            if aside is not None:
                await self._threaded(lambda: self._blobs.keep(str(aside), _name(picture)))
                aside = None
        except Swept as exc:
            raise LocalFault(str(exc)) from exc
        finally:
            if aside is not None:
                self._threads.submit(self._blobs.discard, aside)
        told = replace(picture, frames=proof.frames or picture.frames, mode=proof.mode or picture.mode)
        self._proven[draft.digest] = proof
        return self._placed(told), proof

    async def _proof(self, aside: str, picture: Picture) -> Proven | Faulty:
        path = self._blobs.local(aside)
        proof = await self._provers.prove(path, picture.format, self._rules.proof)
        if proof is None:
            raise LocalFault(f"{path}: another process removed what was being written there")
        if isinstance(proof, Proven) and proof.blank:
            return Faulty(Verdict.PLACEHOLDER, "a picture that is wholly transparent")
        return proof

    def _drafted(self, data: bytes, format_: str) -> Draft:
        """The work of a thread: the digest, and a file, if one is needed."""
        digest = digest_of(data)
        proof = self._known(digest, data, format_)
        if proof is None and self._rules.proof == STRUCTURE and structure.told(format_):
            why = structure.fault(data, format_)
            if why is not None:
                return Draft(digest, len(data), None, Faulty(Verdict.TRUNCATED, why))
            self._blobs.keep(self._blobs.aside(data, sync=True), name_of(digest, format_), synced=True)
            return Draft(digest, len(data), None, Proven(STRUCTURE))
        return Draft(digest, len(data), None if proof else self._blobs.aside(data), proof)

    def _known(self, digest: str, data: bytes, format_: str) -> Proven | Faulty | None:
        """What is known of these bytes already."""
        if digest in self._rules.stand_ins:
            return Faulty(Verdict.PLACEHOLDER, STAND_IN)
        name, proof = name_of(digest, format_), self._proven.get(digest)
        if proof is None or not self._blobs.has(name, len(data)):
            return None
        self._blobs.touch(name)
        return proof

    def _placed(self, picture: Picture) -> Picture:
        return replace(picture, cached=self._blobs.where(_name(picture)))

    async def _threaded(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def make_room(self, engine: sa.Engine, most: int) -> list[str]:
        """Take away what no record names until `most` bytes are left; a sentence for each thing to know.

        Raises:
            CacheError: the folder cannot be used.
            LedgerError: the database cannot be used.
        """
        done = await self._threaded(lambda: make_room(self._blobs, engine, most))
        if done is None:
            return []
        went = [f"files that left the cache, since no record names them: {done.files}"] if done.files else []
        return went + ([f"the cache has {done.size_left} bytes, {FULL}"] if done.size_left > most else [])

    async def close(self) -> None:
        """End threads and processes."""
        await asyncio.to_thread(self._threads.shutdown)
        await self._provers.close()


def _digest(entry: Cached) -> str:
    return entry.picture.digest or ""


def _proof_of(entry: Cached) -> Proven:
    """What a proof of the past told."""
    return Proven(entry.proof, frames=entry.picture.frames, mode=entry.picture.mode)


def _name(picture: Picture) -> str:
    return name_of(picture.digest or "", picture.format)


@asynccontextmanager
async def open_keeper(config: Config, engine: sa.Engine) -> AsyncIterator[Keeper]:
    """The cache of a configuration, ready to be used.

    Raises:
        CacheError: its folder cannot be written.
        LedgerError: the database cannot be used.
    """
    rules = rules_of(config)
    blobs = await asyncio.to_thread(open_store, config.images.cache)
    await asyncio.to_thread(blobs.prepare)
    known = await asyncio.to_thread(_standing, blobs, engine)
    keeper = Keeper(rules, blobs, known, Provers(Bounds(rules.pixels)))
    try:
        yield keeper
    finally:
        await keeper.close()


def _standing(blobs: Store, engine: sa.Engine) -> dict[int, Cached]:
    """The index, without the entries whose file somebody took away."""
    known = entries(engine)
    gone = [key for key, one in known.items() if not blobs.has(_name(one.picture), one.picture.bytes)]
    if gone:
        forget(engine, gone)
    return {key: one for key, one in known.items() if key not in set(gone)}


def picture_check(
    config: Config, keeper: Keeper, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> PictureCheck:
    """The check of images that keeps them; `now` is UTC."""
    return PictureCheck(ImageCheck(config.images.max_bytes, config.images.max_pixels), keeper, now)


def due(
    engine: sa.Engine,
    run: Run,
    kinds: Collection[Kind],
    keeper: Keeper | None,
    *,
    force: bool,
    only_cache: bool,
) -> list[Target]:
    """The targets of a run's records that it has to ask; `force`: all of them.

    With a keeper, images that are not in the cache, or stale there, are due whatever else is known
    of them; `only_cache`: nothing else is due.

    Raises:
        LedgerError: the database cannot be read.
    """
    if force:
        return queries.due(engine, run, kinds=kinds, force=True)
    planned = [] if only_cache else queries.due(engine, run, kinds=kinds)
    if keeper is None:
        return planned
    known = {target.id for target in planned}
    every = queries.due(engine, run, kinds=kinds, force=True)
    return planned + [one for one in keeper.due(every, run.started_at) if one.id not in known]
