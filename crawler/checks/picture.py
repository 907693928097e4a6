"""The check of an image by all of its bytes: is it whole, has it changed, and shall it be kept.

No network and no disk in here: a `Gallery` writes, proves and keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from crawler.checks.base import Judgement
from crawler.checks.image import ACCEPT, ImageCheck
from crawler.fetch.base import Answer, Request, Trail
from crawler.fetch.revalidate import conditions, confirmed, confirms, served
from crawler.pixels import More, measure
from crawler.pixels.proof import Faulty, Proven
from crawler.verdict import WALLED
from storage.model import Cached, Picture, Served, Target, Verdict

HEADERS: Final[Mapping[str, str]] = {"Accept": ACCEPT, "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Draft:
    """Bytes on their way into the cache: their digest, how many, and where they lie meanwhile.

    `aside` is None where they are there already, or shall not be; `proof` tells which.
    """

    digest: str
    size: int
    aside: str | None
    proof: Proven | Faulty | None = None


class Gallery(Protocol):
    """What keeps images."""

    def entry(self, target: Target) -> Cached | None:
        """What is kept of a target, if its file is there."""

    async def draft(self, data: bytes, picture: Picture) -> Draft:
        """Write bytes aside."""

    async def hang(self, draft: Draft, picture: Picture) -> tuple[Picture, Proven | Faulty]:
        """Prove what was written aside, and keep it under its name if it is whole and no stand-in.

        The picture has its digest then, and where it lies if it is kept.
        """

    def shown(self, entry: Cached) -> tuple[Picture, str | None]:
        """The picture of an entry with the place of its file; why it is a stand-in, if it is one."""


@dataclass(frozen=True, slots=True)
class Question(Request):
    """A request for an image, with what is kept of it."""

    target: int = 0
    entry: Cached | None = None


@dataclass(frozen=True, slots=True)
class Handed(Answer):
    """An answer whose body was written aside while its request still held its seat."""

    judged: Judgement = field(default_factory=Judgement)
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class PictureCheck:
    """Images, whole; `image` judges what their header says, `now` is UTC."""

    image: ImageCheck
    gallery: Gallery
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def ask(self, target: Target, trail: Trail) -> Request:
        """Ask for all of it, but not if it is what is kept already."""
        entry = self.gallery.entry(target)
        known = conditions(entry.served) if entry else {}
        return Question(
            target.url,
            headers={**HEADERS, **known},
            limit=self.image.max_bytes + 1,
            tolerant=True,
            whole=True,
            hand=self._hand,
            trail=trail,
            target=target.id,
            entry=entry,
        )

    async def _hand(self, answer: Answer) -> Answer:
        """Write the body of an image aside at once: what waits for its proof takes no memory.

        The request has not given back its seat yet, so a slow disk slows the network down.
        """
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - the class of success
            return answer
        judged = self._by_header(answer)
        if not _kept(judged, answer) or judged.picture is None:
            return answer
        draft = await self.gallery.draft(answer.body, judged.picture)
        facts = {one.name: getattr(answer, one.name) for one in fields(answer)}
        return Handed(**{**facts, "body": b""}, judged=judged, draft=draft)

    def judge(self, request: Request, answer: Answer) -> Judgement | Request:
        """Judge the header at once, and the pixels later."""
        if not isinstance(request, Question):
            raise TypeError("the request is not one of this check")
        if confirms(request, answer):
            return self._unchanged(request, answer)
        judged = answer.judged if isinstance(answer, Handed) else self._by_header(answer)
        if not _kept(judged, answer) or judged.picture is None:
            return judged
        return replace(judged, later=self._later(request, answer, judged.picture))

    def _by_header(self, answer: Answer) -> Judgement:
        """Judge what a header says; only one that never comes to its end is looked at as a whole."""
        most, length = self.image.max_bytes, max(answer.length or 0, len(answer.body))
        if length > most:
            return Judgement(Verdict.TOO_LARGE, f"{length} bytes or more, over {most}")
        found = measure(answer.body, complete=False)
        if isinstance(found, More):
            found = measure(answer.body, complete=True)
        return self.image.judged(found, answer)

    def _unchanged(self, request: Question, answer: Answer) -> Judgement | Request:
        """Judge an image that its server calls unchanged.

        A validator belongs to one URL: what another one says of it counts for nothing.
        """
        entry = request.entry
        if entry is None or answer.url != entry.served.url:
            return replace(request, headers=HEADERS, entry=None)
        fresh = replace(entry, served=confirmed(entry.served, answer), confirmed_at=self.now())
        picture, stand_in = self.gallery.shown(fresh)
        _note(request.trail, picture, Proven(entry.proof), fresh.served)
        if stand_in is not None:
            return Judgement(Verdict.PLACEHOLDER, stand_in, picture)
        return Judgement(picture=picture, cached=fresh)

    async def _later(self, request: Question, answer: Answer, picture: Picture) -> Judgement:
        draft = answer.draft if isinstance(answer, Handed) else None
        if draft is None:  # another process asked, and handed on what came
            draft = await self.gallery.draft(answer.body, picture)
        picture = replace(picture, bytes=draft.size)
        picture, proof = await self.gallery.hang(draft, picture)
        if isinstance(proof, Faulty):
            return Judgement(proof.verdict, proof.why, picture)
        _note(request.trail, picture, proof, served(answer))
        return Judgement(picture=picture, cached=self._entry(request, answer, picture, proof))

    def _entry(self, request: Question, answer: Answer, picture: Picture, proof: Proven) -> Cached:
        now, before = self.now(), request.entry
        same = before is not None and before.picture.digest == picture.digest
        stored_at = before.stored_at if before is not None and same else now
        return Cached(request.target, picture, served(answer), proof.proof, stored_at, now, proof.likeness)


def _kept(judged: Judgement, answer: Answer) -> bool:
    """Whether an image may be kept, by its header; a page behind a wall comes with 202, too."""
    return judged.verdict is Verdict.OK and judged.picture is not None and answer.status not in WALLED


def _note(trail: Trail, picture: Picture, proof: Proven, said: Served) -> None:
    """Keep what the pixels tell beside the finding, and where two readers do not agree."""
    facts: dict[str, object] = {
        "proof": proof.proof,
        "frames": picture.frames,
        "mode": picture.mode,
        "alpha": proof.alpha,
        "exif_orientation": proof.orientation,
        "vary": said.vary,
    }
    if proof.size is not None and proof.size not in {picture.size, picture.stored}:
        facts["pillow_size"] = str(proof.size)
    trail.evidence["image"] = {name: fact for name, fact in facts.items() if fact is not None}
