"""The check of an image by its leading bytes: is it one, how large, and no more bytes than that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from crawler.checks.base import Judgement
from crawler.checks.image_verdicts import HeaderRequest, upheld
from crawler.fetch.base import PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE, Request, Response, Trace
from crawler.fetch.transport.content_codings import coding_names
from crawler.images import BrokenHeader, Measure, NeedMoreBytes, NotImage, measure
from crawler.images.integrity import flaw
from storage.frozen import frozen
from storage.model import Picture, Size, Target, Verdict

ACCEPT: Final = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
# benchmarks/leading_bytes.py: the first range tells the size of most images; the slack behind the
# place that it points to, that of nearly all others. A full JPEG segment is seldom the last one: the
# second range ends behind most colour profiles, the limit behind the largest profiles and previews.
FIRST_RANGE_BYTES: Final = 2048
RANGE_SLACK_BYTES: Final = 32 * 1024
FULL_SEGMENT_BYTES: Final = 65_000
SECOND_RANGE_BYTES: Final = 256 * 1024
MAX_LEADING_BYTES: Final = 1024 * 1024
LOOK_GROWTH: Final = 1.25  # times more bytes before they are looked at again: all looks cost like five
VAGUE_KINDS: Final = frozenset({"text", "XML"})  # an SVG begins like them, and any few bytes do
CONTENT_RANGE: Final = re.compile(
    r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)\s*", re.IGNORECASE
)  # RFC 9110, 14.4
LEADING_RANGE: Final = re.compile(r"bytes=0-(\d+)")
IMAGE_HEADERS: Final[Mapping[str, str]] = MappingProxyType({"Accept": ACCEPT, "Accept-Encoding": "identity"})
SVG_TYPE: Final = "image/svg+xml"
BLAMES: Final = frozenset({Verdict.WRONG_TYPE, Verdict.UNDECODABLE, Verdict.TRUNCATED})
ONE_PIXEL: Final = Size(1, 1)


@frozen
class ImageCheck:
    """Images; `max_bytes` of a file and `max_pixels` of a picture are the most it may have."""

    max_bytes: int
    max_pixels: int

    def ask(self, target: Target, trace: Trace) -> Request:
        """Ask for the first bytes; an answer that ignores the Range is cut off when they came."""
        enough, whole_image = SizeReached(), target.whole_image
        request = HeaderRequest(
            target.url,
            limit=MAX_LEADING_BYTES,
            enough=enough,
            tolerant=True,
            trace=trace,
            whole_image=whole_image,
        )
        return _ranged(request, FIRST_RANGE_BYTES)

    def judge(self, request: Request, answer: Response) -> Judgement | Request:
        """Judge the bytes, or ask for more of them; of a file that is too large, for none."""
        if not _of_start(answer):
            return _whole_instead(request)
        if answer.length is not None and answer.length > self.max_bytes:
            return Judgement(Verdict.TOO_LARGE, f"{answer.length} bytes, more than {self.max_bytes}")
        measurement = measure(answer.body, complete=_ended(answer))
        if isinstance(measurement, NeedMoreBytes) and answer.broken is None:
            return _wider(request, answer, measurement) or _unseen(answer, measurement)
        judgement = self.judgement_of(measurement, answer)
        if judgement.verdict in BLAMES and _is_partial(request, answer):
            return replace(request, headers=IMAGE_HEADERS)
        return upheld(request, answer, judgement, _length(answer))

    def judgement_of(self, measurement: Measure, answer: Response) -> Judgement:
        """Judge what was measured of an answer."""
        if isinstance(measurement, NotImage) and not _undecided(measurement, answer):
            return Judgement(Verdict.WRONG_TYPE, f"the bytes are {measurement.what}")
        picture = replace(measurement, bytes=_length(answer)) if isinstance(measurement, Picture) else None
        media_type = _media_type(answer)
        if picture is not None and picture.format == "SVG" and media_type != SVG_TYPE:
            why = f"an SVG that comes as {media_type[:60]!r}: browsers show one only as {SVG_TYPE}"
            return Judgement(Verdict.UNDECODABLE, why, picture)
        if answer.broken is not None:
            return Judgement(Verdict.TRUNCATED, answer.broken, picture)
        if picture is not None and _is_cut_by_length(picture, answer):
            return Judgement(Verdict.BAD_RESPONSE, f"its length says {answer.length} bytes, too few", picture)
        if picture is not None:
            return self._of_picture(picture)
        return Judgement(
            Verdict.UNDECODABLE, measurement.why if isinstance(measurement, BrokenHeader) else None
        )

    def _of_picture(self, picture: Picture) -> Judgement:
        size = picture.size
        if size is None:
            return Judgement(picture=picture)
        if size.width * size.height > self.max_pixels:
            return Judgement(Verdict.TOO_LARGE, f"{size}, more than {self.max_pixels} pixels", picture)
        if size == ONE_PIXEL:
            return Judgement(Verdict.PLACEHOLDER, "a picture of one pixel", picture)
        return Judgement(picture=picture)


class SizeReached:
    """Tells when the bytes so far say what is asked, or never will.

    Less than the first step is never enough: those bytes are under way anyhow, a connection whose
    answer was read to its end can be kept, and what they tell does not depend on how they came.
    """

    __slots__ = ("_next", "_seen")

    def __init__(self) -> None:
        self._seen = 0
        self._next = FIRST_RANGE_BYTES

    def __call__(self, body: bytes) -> bool:
        """Whether to stop reading; looks again only when a good part more has come."""
        if len(body) < self._seen:  # another attempt has begun
            self._next = FIRST_RANGE_BYTES
        self._seen = len(body)
        if self._seen < self._next:
            return False
        measurement = measure(body, complete=False)
        if not isinstance(measurement, NeedMoreBytes) or measurement.bytes_needed > MAX_LEADING_BYTES:
            return True
        self._next = max(measurement.bytes_needed, int(self._seen * LOOK_GROWTH))
        return False


def _is_partial(request: Request, answer: Response) -> bool:
    """Whether the Range may be why the bytes do not make an image: then they are no evidence."""
    length = _asked(request)
    if length is None:
        return False
    return answer.status == PARTIAL_CONTENT or answer.broken is not None or len(answer.body) == length


def _ranged(request: Request, length: int) -> Request:
    return replace(request, headers={**IMAGE_HEADERS, "Range": f"bytes=0-{length - 1}"})


def _asked(request: Request) -> int | None:
    """How many leading bytes the request asks for; None for all."""
    match = LEADING_RANGE.fullmatch(request.headers.get("Range", ""))
    return int(match[1]) + 1 if match else None


def _part(answer: Response) -> tuple[int, int, int | None] | None:
    """First and last byte of a partial answer, and the length of the file if it says it."""
    match = CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if match is None:
        return None
    return int(match[1]), int(match[2]), None if match[3] == "*" else int(match[3])


def _of_start(answer: Response) -> bool:
    """Whether the body begins where the file does: a partial answer has to say so."""
    if answer.status == RANGE_NOT_SATISFIABLE:
        return False
    part = _part(answer)
    return answer.status != PARTIAL_CONTENT or (part is not None and part[0] == 0)


def _whole_instead(request: Request) -> Judgement | Request:
    """Ask without a Range; a server that sends some part even then cannot be understood."""
    if _asked(request) is not None:
        return replace(request, headers=IMAGE_HEADERS)
    return Judgement(Verdict.BAD_RESPONSE, "answers with a part of the image that was not asked for")


def _ended(answer: Response) -> bool:
    """Whether no more bytes of the file can come: this is all of it, or it broke off."""
    if answer.broken is not None:
        return True
    part = _part(answer) if answer.status == PARTIAL_CONTENT else None
    return answer.complete and (part is None or part[1] + 1 == part[2])


def _undecided(measurement: NotImage, answer: Response) -> bool:
    """Whether a body broke off before its bytes showed more than that they may be text."""
    if answer.broken is None or measurement.what not in VAGUE_KINDS:
        return False
    return isinstance(measure(answer.body, complete=False), NeedMoreBytes)


def _is_cut_by_length(picture: Picture, answer: Response) -> bool:
    """Whether a file was sent beyond the length that its head says, and is not whole within it."""
    if not answer.surplus or answer.spooled is not None or not _ended(answer):
        return False
    return flaw(answer.body, picture.format) is not None


def _wider(request: Request, answer: Response, need: NeedMoreBytes) -> Request | None:
    """The next request for more leading bytes, if one is left that can help."""
    length, part = _asked(request), _part(answer)
    if (
        length is None
        or part is None
        or answer.status != PARTIAL_CONTENT
        or need.bytes_needed > MAX_LEADING_BYTES
    ):
        return None
    if part[1] + 1 < length:  # the server gives less than it is asked for
        return replace(request, headers=IMAGE_HEADERS)
    if length >= MAX_LEADING_BYTES:
        return None
    return _ranged(request, _second(need.bytes_needed) if length == FIRST_RANGE_BYTES else MAX_LEADING_BYTES)


def _second(bytes_needed: int) -> int:
    length = (
        bytes_needed + RANGE_SLACK_BYTES
        if bytes_needed < FULL_SEGMENT_BYTES
        else max(bytes_needed + RANGE_SLACK_BYTES, SECOND_RANGE_BYTES)
    )
    return min(length, MAX_LEADING_BYTES)


def _unseen(answer: Response, need: NeedMoreBytes) -> Judgement:
    """An image, by all that can be seen, whose size lies behind what an audit reads of it."""
    if need.format is None:
        return Judgement(Verdict.UNDECODABLE, f"no image begins in its first {len(answer.body)} bytes")
    picture = Picture(None, None, need.format, bytes=_length(answer))
    return Judgement(detail=f"its size is not in its first {len(answer.body)} bytes", picture=picture)


def _media_type(answer: Response) -> str:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _length(answer: Response) -> int | None:
    """Bytes of the whole file; an encoded one does not say it beforehand."""
    content_codings = bool(coding_names(answer.headers.get("Content-Encoding", "")))
    if answer.length is not None and not content_codings:
        return answer.length
    return len(answer.body) if _ended(answer) and answer.broken is None else None
