"""The check of an image by its leading bytes: is it one, how large, and no more bytes than that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from crawler.checks.base import Judgement
from crawler.fetch.base import Answer, Request, Trail
from crawler.pixels import Broken, Measure, More, NotImage, measure
from storage.model import Picture, Size, Target, Verdict

ACCEPT: Final = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
FIRST: Final = 2048  # bytes; 98 % of the corpus say their size in fewer (benchmarks/leading_bytes.py)
NEXT: Final = 256 * 1024  # bytes, behind most colour profiles and previews
FURTHER: Final = 1024 * 1024  # bytes, behind the largest seen
PARTIAL: Final = 206
UNSATISFIABLE: Final = 416
HEADERS: Final[Mapping[str, str]] = MappingProxyType({"Accept": ACCEPT, "Accept-Encoding": "identity"})
ONE_PIXEL: Final = Size(1, 1)


@dataclass(frozen=True, slots=True)
class ImageCheck:
    """Images; `max_bytes` of a file and `max_pixels` of a picture are the most it may have."""

    max_bytes: int
    max_pixels: int

    def ask(self, target: Target, trail: Trail) -> Request:
        """Ask for the first bytes; an answer that ignores the Range is cut off when they came."""
        return Request(
            target.url,
            headers={**HEADERS, "Range": f"bytes=0-{FIRST - 1}"},
            limit=FURTHER,
            enough=_enough,
            tolerant=True,
            trail=trail,
        )

    def judge(self, request: Request, answer: Answer) -> Judgement | Request:
        """Judge the bytes, or ask for more of them, once; a file that is too large, for none."""
        if answer.status == UNSATISFIABLE:
            return replace(request, headers=HEADERS)
        if answer.length is not None and answer.length > self.max_bytes:
            return Judgement(Verdict.TOO_LARGE, f"{answer.length} bytes")
        whole = _whole(answer)
        found = measure(answer.body, complete=whole)
        if isinstance(found, More) and answer.status == PARTIAL and len(answer.body) < FURTHER:
            return _more(request, found)
        return self._judged(found, answer)

    def _judged(self, found: Measure, answer: Answer) -> Judgement:
        if isinstance(found, Picture):
            return self._of_picture(replace(found, bytes=answer.length))
        if isinstance(found, NotImage):
            return Judgement(Verdict.WRONG_TYPE, f"the bytes are {found.what}")
        if answer.broken is not None:
            return Judgement(Verdict.TRUNCATED, answer.broken)
        why = found.why if isinstance(found, Broken) else "no size in its first bytes"
        return Judgement(Verdict.UNDECODABLE, why)

    def _of_picture(self, picture: Picture) -> Judgement:
        size = picture.size
        if size is None:
            return Judgement(picture=picture)
        if size.width * size.height > self.max_pixels:
            return Judgement(Verdict.TOO_LARGE, f"{size} pixels", picture)
        if size == ONE_PIXEL:
            return Judgement(Verdict.PLACEHOLDER, "a picture of one pixel", picture)
        return Judgement(picture=picture)


def _enough(body: bytes) -> bool:
    """Whether the bytes so far say all that is asked."""
    return not isinstance(measure(body, complete=False), More)


def _whole(answer: Answer) -> bool:
    """Whether the body is the whole file, by the lengths that the answer names."""
    if answer.broken is not None:
        return True
    if answer.status == PARTIAL:
        return answer.length is not None and len(answer.body) >= answer.length
    return answer.complete


def _more(request: Request, found: More) -> Request:
    first = request.headers.get("Range") == f"bytes=0-{FIRST - 1}"
    wanted = NEXT if first and found.least <= NEXT else FURTHER
    return replace(request, headers={**HEADERS, "Range": f"bytes=0-{wanted - 1}"})
