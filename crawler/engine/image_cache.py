"""The image cache in a run: the images it lacks, and how bytes become a file of it.

Bytes are written aside before they wait for a process that proves them, so that what waits takes
room on the disk and none in memory. A file gets its name once it is proven and on the disk; its
row in the index follows with the finding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from crawler.checks.image_whole import StagedBody, whole_measure
from crawler.engine.body_spool import SpoolFolder
from crawler.engine.descriptor_reserve import DescriptorReserve
from crawler.engine.writer_threads import WriterThreads
from crawler.errors import LocalFault
from crawler.fetch.base import BodySpool, SpooledBody
from crawler.fetch.headers.freshness import FreshnessBounds, stale_at
from crawler.images import Measure, integrity
from crawler.images.decode import (
    PIXEL_PROOF,
    STRUCTURE_PROOF,
    Decoded,
    DecodeFailure,
    decodes,
    is_beyond_memory,
    prove,
)
from crawler.images.decode_pool import DecodePool
from storage.errors import FileSwept
from storage.frozen import frozen
from storage.image_cache import BlobStore, digest_of, make_room, name_of
from storage.model import CachedImage, Kind, Picture, Target, Verdict

CACHE_OVER_SIZE: Final = (
    "more than [images] cache_size, and none of it may go: 'linkhealth cache gc --all' makes room"
)
CONFIGURED_PLACEHOLDER: Final = "a stand-in, by configuration"


@frozen
class ImageCacheRules:
    """What `[images]` and `[schedule]` say of the cache."""

    proof: str
    pixels: int
    stand_ins: frozenset[str]
    freshness: FreshnessBounds


class ImageCacheWriter:
    """Keeps images: an `ImageStore` with a folder, an index, and processes that decode."""

    def __init__(
        self,
        rules: ImageCacheRules,
        blobs: BlobStore,
        index: dict[int, CachedImage],
        decode_pool: DecodePool,
        reserve: DescriptorReserve,
    ) -> None:
        self._rules = rules
        self._blobs = blobs
        self._decode_pool = decode_pool
        self._entries = index
        self._proven = {
            _digest(entry): _proof_of(entry) for entry in index.values() if self._well_proven(entry)
        }
        self._threads = WriterThreads(reserve)
        self._spools = SpoolFolder(blobs, self._threads)

    def due(self, targets: Iterable[Target], now: datetime) -> list[Target]:
        """The images among them that are not in the cache, or stale there."""
        return [target for target in targets if target.kind is Kind.IMAGE and self._is_due(target, now)]

    def _is_due(self, target: Target, now: datetime) -> bool:
        entry = self._entries.get(target.id)
        if entry is None or not self._well_proven(entry) or entry.picture.digest in self._rules.stand_ins:
            return True
        # What was confirmed in the future was confirmed by a clock that went wrong.
        return entry.confirmed_at > now or stale_at(entry, self._rules.freshness) <= now

    def _well_proven(self, entry: CachedImage) -> bool:
        picture = entry.picture
        if entry.proof in {self._rules.proof, PIXEL_PROOF} or not decodes(picture.format):
            return True
        return is_beyond_memory(picture.size, picture.format, self._rules.pixels)

    def entry(self, target: Target) -> CachedImage | None:
        """What is kept of a target, if its file is there and proven as it shall be."""
        entry = self._entries.get(target.id)
        if entry is None or not self._well_proven(entry):
            return None
        return entry if self._blobs.has(file_name(entry.picture), entry.picture.bytes) else None

    def shown(self, entry: CachedImage) -> tuple[Picture, str | None]:
        """The picture of an entry, and why it is a stand-in, if it is one."""
        if entry.picture.digest in self._rules.stand_ins:
            return entry.picture, CONFIGURED_PLACEHOLDER
        return self._placed(entry.picture), None

    def open_spool(self) -> BodySpool:
        """A place for a body that is too long for memory."""
        return self._spools.open_spool()

    async def measured(self, spooled_body: SpooledBody) -> Measure:
        """What all bytes of a body on the disk are.

        Raises:
            CacheError: the folder cannot be read.
            LocalFault: another process cleans the folder.
        """
        return await self._spools.look(spooled_body.aside, whole_measure)

    def drop(self, spooled_body: SpooledBody) -> None:
        """Remove a body that is not wanted."""
        self._discard(spooled_body.aside)

    async def stage(self, body: bytes | SpooledBody, picture: Picture) -> StagedBody:
        """Have a body aside, unless the cache has it, or it is no whole image.

        Raises:
            CacheError: the folder cannot be written.
            LocalFault: another process cleans the folder.
        """
        if isinstance(body, SpooledBody):
            return await self._staged_from_spool(body, picture.format)
        return await self._spools.run(lambda: self._drafted(body, picture.format))

    async def _staged_from_spool(self, body: SpooledBody, format_: str) -> StagedBody:
        proof = await self._spools.run(lambda: self._known(body.digest, body.size, format_))
        if proof is None and self._proven_here(format_):
            proof = await self._spools.look(body.aside, lambda data: self._structure_proof(data, format_))
            if isinstance(proof, Decoded):
                await self._spools.run(lambda: self._blobs.keep(body.aside, name_of(body.digest, format_)))
                return StagedBody(body.digest, body.size, None, proof)
        if proof is not None:
            self.drop(body)
        return StagedBody(body.digest, body.size, None if proof else body.aside, proof)

    async def commit(self, draft: StagedBody, picture: Picture) -> tuple[Picture, Decoded | DecodeFailure]:
        """Prove what was written aside; keep it if it is whole and no stand-in.

        Raises:
            CacheError: the folder cannot be written.
            LocalFault: another process cleans the folder, or none can be started that decodes.
        """
        picture, aside = replace(picture, digest=draft.digest), draft.aside
        try:
            proof = draft.proof or await self._proof(str(aside), picture)
            if isinstance(proof, DecodeFailure):
                return picture, proof
            if aside is not None:
                await self._threads.run(lambda: self._blobs.keep(str(aside), file_name(picture)))
                aside = None
        except FileSwept as exc:
            raise LocalFault(str(exc)) from exc
        finally:
            if aside is not None:
                self._discard(aside)
        decoded_picture = replace(
            picture, frames=proof.frames or picture.frames, mode=proof.mode or picture.mode
        )
        self._proven[draft.digest] = proof
        return self._placed(decoded_picture), proof

    async def _proof(self, aside: str, picture: Picture) -> Decoded | DecodeFailure:
        path = self._blobs.local(aside)
        proof = await self._decode_pool.prove(path, picture.format, self._rules.proof)
        if proof is None:
            raise LocalFault(f"{path}: another process removed what was being written there")
        if isinstance(proof, Decoded) and proof.blank:
            return DecodeFailure(Verdict.PLACEHOLDER, "a picture that is wholly transparent")
        return proof

    def _drafted(self, data: bytes, format_: str) -> StagedBody:
        """The work of a thread: the digest, and a file, if one is needed."""
        digest = digest_of(data)
        proof = self._known(digest, len(data), format_)
        if proof is None and self._proven_here(format_):
            proof = self._structure_proof(data, format_)
            if isinstance(proof, Decoded):
                self._blobs.keep(self._blobs.aside(data, sync=True), name_of(digest, format_), synced=True)
        return StagedBody(digest, len(data), None if proof else self._blobs.aside(data), proof)

    def _proven_here(self, format_: str) -> bool:
        """Whether a proof takes no process of its own."""
        return self._rules.proof == STRUCTURE_PROOF and integrity.has_structure(format_)

    def _structure_proof(self, data: bytes, format_: str) -> Decoded | DecodeFailure:
        return prove(data, format_, STRUCTURE_PROOF, self._rules.pixels)

    def _known(self, digest: str, size: int, format_: str) -> Decoded | DecodeFailure | None:
        """What is known of some bytes already."""
        if digest in self._rules.stand_ins:
            return DecodeFailure(Verdict.PLACEHOLDER, CONFIGURED_PLACEHOLDER)
        name, proof = name_of(digest, format_), self._proven.get(digest)
        if proof is None or not self._blobs.has(name, size):
            return None
        self._blobs.touch(name)
        return proof

    def _discard(self, aside: str) -> None:
        self._threads.submit(lambda: self._blobs.discard(aside))

    def _placed(self, picture: Picture) -> Picture:
        return replace(picture, cached=self._blobs.where(file_name(picture)))

    async def make_room(self, engine: sa.Engine, max_bytes: int) -> list[str]:
        """Take away what no record names until `max_bytes` are left; a sentence for each thing to know.

        Raises:
            CacheError: the folder cannot be used.
            LedgerError: the database cannot be used.
        """
        collection = await self._threads.run(lambda: make_room(self._blobs, engine, max_bytes))
        if collection is None:
            return []
        notes = []
        if collection.files:
            notes.append(f"files that left the cache, since no record names them: {collection.files}")
        if collection.size_left > max_bytes:
            notes.append(f"the cache has {collection.size_left} bytes, {CACHE_OVER_SIZE}")
        return notes

    async def close(self) -> None:
        """End threads and processes."""
        await self._threads.close()
        await self._decode_pool.close()


def _digest(entry: CachedImage) -> str:
    return entry.picture.digest or ""


def _proof_of(entry: CachedImage) -> Decoded:
    """What an earlier proof found."""
    return Decoded(entry.proof, frames=entry.picture.frames, mode=entry.picture.mode)


def file_name(picture: Picture) -> str:
    """Where the file of a picture lies below the cache."""
    return name_of(picture.digest or "", picture.format)
