"""The check of an image by all of its bytes: is it whole, has it changed, and shall it be kept.

No network and no disk in here: a `ImageStore` writes, proves and keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, fields, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from crawler.checks.base import Judgement
from crawler.checks.image_header import ACCEPT, BLAMES, ImageCheck
from crawler.checks.image_verdicts import whole_image_evidence
from crawler.fetch.base import BodySpool, Request, Response, SpooledBody, Trace
from crawler.fetch.headers.conditional import (
    CONDITIONS,
    conditional_headers,
    is_not_modified,
    is_same_resource,
    served_headers,
    updated_headers,
)
from crawler.images import Measure, NeedMoreBytes, measure
from crawler.images.decode import Decoded, DecodeFailure
from crawler.verdicts.bot_walls import WALL_STATUSES
from storage.frozen import frozen
from storage.model import CachedImage, ImageEvidence, Picture, ServedHeaders, Target, Verdict

WHOLE_IMAGE_HEADERS: Final[Mapping[str, str]] = {"Accept": ACCEPT, "Accept-Encoding": "identity"}


@frozen
class StagedBody:
    """Bytes on their way into the cache: their digest, how many, and where they lie meanwhile.

    `aside` is None where they are there already, or shall not be; `proof` tells which.
    """

    digest: str
    size: int
    aside: str | None
    proof: Decoded | DecodeFailure | None = None


class ImageStore(Protocol):
    """What keeps images."""

    def entry(self, target: Target) -> CachedImage | None:
        """What is kept of a target, if its file is there."""

    def open_spool(self) -> BodySpool:
        """A place for a body that is too long for memory."""

    async def measured(self, spooled_body: SpooledBody) -> Measure:
        """What all bytes of a body on the disk are (`whole_measure`)."""

    def drop(self, spooled_body: SpooledBody) -> None:
        """Remove a body that is not wanted."""

    async def stage(self, body: bytes | SpooledBody, picture: Picture) -> StagedBody:
        """Have a body aside."""

    async def commit(self, draft: StagedBody, picture: Picture) -> tuple[Picture, Decoded | DecodeFailure]:
        """Prove what was written aside, and keep it under its name if it is whole and no stand-in.

        The picture has its digest then, and where it lies if it is kept.
        """

    def shown(self, entry: CachedImage) -> tuple[Picture, str | None]:
        """The picture of an entry with the place of its file; why it is a stand-in, if it is one."""


@frozen
class ImageRequest(Request):
    """A request for an image, with what is kept of it."""

    target: int = 0
    entry: CachedImage | None = None


@frozen
class StagedResponse(Response):
    """An answer whose body was written aside while its request still held its permit."""

    judgement: Judgement = field(default_factory=Judgement)
    stage: StagedBody | None = None


@frozen
class WholeImageCheck:
    """Images, whole; `image` judges what their header says, `now` is UTC.

    `conditional`: an image that is kept is asked for only if it has changed.
    """

    image: ImageCheck
    store: ImageStore
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    conditional: bool = True

    def ask(self, target: Target, trace: Trace) -> Request:
        """Ask for all of it, but not if it is what is kept already."""
        entry = self.store.entry(target)
        condition_headers = conditional_headers(entry.served) if entry and self.conditional else {}
        return ImageRequest(
            target.url,
            headers={**WHOLE_IMAGE_HEADERS, **condition_headers},
            limit=self.image.max_bytes + 1,
            tolerant=True,
            whole=True,
            handoff=self._stage,
            open_spool=self.store.open_spool,
            trace=trace,
            target=target.id,
            entry=entry,
        )

    async def _stage(self, answer: Response) -> Response:
        """Write the body of an image aside at once: what waits for its proof takes no memory.

        The request has not released its permit yet, so a slow disk slows the network down.
        """
        if not answer.ok:
            return answer
        try:
            return await self._staged(answer)
        except BaseException:
            if answer.spooled is not None:
                self.store.drop(answer.spooled)
            raise

    async def _staged(self, answer: Response) -> Response:
        judgement = await self._by_header(answer)
        facts = {attribute.name: getattr(answer, attribute.name) for attribute in fields(answer)}
        if _kept(judgement, answer) and judgement.picture is not None:
            draft = await self.store.stage(answer.spooled or answer.body, judgement.picture)
            return StagedResponse(**{**facts, "body": b"", "spooled": None}, judgement=judgement, stage=draft)
        if answer.spooled is None:
            return answer
        self.store.drop(answer.spooled)
        return StagedResponse(**{**facts, "spooled": None}, judgement=judgement)

    def judge(self, request: Request, answer: Response) -> Judgement | Request:
        """Judge the header at once, and the pixels later."""
        if not isinstance(request, ImageRequest):
            raise TypeError("the request is not one of this check")
        if is_not_modified(request, answer):
            return self._unchanged(request, answer)
        judgement = self._judged(answer)
        if judgement.verdict in BLAMES and not CONDITIONS.isdisjoint(request.headers):
            return replace(request, headers=WHOLE_IMAGE_HEADERS)  # an empty 200, or another odd answer
        if not _kept(judgement, answer) or judgement.picture is None:
            return judgement
        return replace(judgement, later=self._later(request, answer, judgement.picture))

    def _judged(self, answer: Response) -> Judgement:
        if isinstance(answer, StagedResponse):
            return answer.judgement
        return self._too_large(answer) or self.image.judgement_of(whole_measure(answer.body), answer)

    async def _by_header(self, answer: Response) -> Judgement:
        """Judge what a header says; of a body on the disk, by its beginning wherever that is enough."""
        if answer.spooled is None:
            return self._judged(answer)
        too_large = self._too_large(answer)
        if too_large is not None:
            return too_large
        measurement = measure(answer.body, complete=False)
        if isinstance(measurement, NeedMoreBytes):
            measurement = await self.store.measured(answer.spooled)
        return self.image.judgement_of(measurement, answer)

    def _too_large(self, answer: Response) -> Judgement | None:
        max_bytes, length = self.image.max_bytes, max(answer.length or 0, answer.size)
        if length <= max_bytes:
            return None
        return Judgement(Verdict.TOO_LARGE, f"{length} bytes or more, over {max_bytes}")

    def _unchanged(self, request: ImageRequest, answer: Response) -> Judgement | Request:
        """Judge an image that its server calls unchanged.

        A validator belongs to one URL: what another one says of it counts for nothing.
        """
        entry = request.entry
        if entry is None or not is_same_resource(entry.served, answer):
            return replace(request, headers=WHOLE_IMAGE_HEADERS, entry=None)
        fresh = replace(entry, served=updated_headers(entry.served, answer), confirmed_at=self.now())
        picture, stand_in = self.store.shown(fresh)
        _note(request.trace, picture, Decoded(entry.proof), fresh.served)
        if stand_in is not None:
            return Judgement(Verdict.PLACEHOLDER, stand_in, picture)
        return Judgement(picture=picture, cached=fresh)

    async def _later(self, request: ImageRequest, answer: Response, picture: Picture) -> Judgement:
        draft = answer.stage if isinstance(answer, StagedResponse) else None
        if draft is None:  # another process asked, and handed on what came
            draft = await self.store.stage(answer.body, picture)
        picture = replace(picture, bytes=draft.size)
        picture, proof = await self.store.commit(draft, picture)
        if isinstance(proof, DecodeFailure):
            judgement = Judgement(proof.verdict, proof.why, picture)
            request.trace.evidence.whole_image = whole_image_evidence(judgement, answer, picture.bytes)
            return judgement
        _note(request.trace, picture, proof, served_headers(answer))
        entry = self._entry(request, answer, picture, proof)
        return Judgement(detail=proof.remark, picture=picture, cached=entry)

    def _entry(
        self, request: ImageRequest, answer: Response, picture: Picture, proof: Decoded
    ) -> CachedImage:
        now, before = self.now(), request.entry
        unchanged_before = before is not None and before.picture.digest == picture.digest
        stored_at = before.stored_at if before is not None and unchanged_before else now
        return CachedImage(
            request.target, picture, served_headers(answer), proof.proof, stored_at, now, proof.likeness
        )


def whole_measure(data: bytes) -> Measure:
    """What a file is by its header; only one that never comes to its end is looked at as a whole."""
    measurement = measure(data, complete=False)
    return measure(data, complete=True) if isinstance(measurement, NeedMoreBytes) else measurement


def _kept(judgement: Judgement, answer: Response) -> bool:
    """Whether an image may be kept, by its header; a page behind a wall comes with 202, too."""
    verdict, status = judgement.verdict, answer.status
    return verdict is Verdict.OK and judgement.picture is not None and status not in WALL_STATUSES


def _note(trace: Trace, picture: Picture, proof: Decoded, headers: ServedHeaders) -> None:
    """Keep what the pixels tell beside the finding, and where two readers do not agree."""
    agrees = proof.size is None or proof.size in {picture.size, picture.stored}
    trace.evidence.image = ImageEvidence(
        proof=proof.proof,
        frames=picture.frames,
        mode=picture.mode,
        alpha=proof.alpha,
        exif_orientation=proof.orientation,
        vary=headers.vary,
        pillow_size=None if agrees else str(proof.size),
    )
