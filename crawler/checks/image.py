"""The check of an image by its leading bytes: is it one, how large, and no more bytes than that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from crawler.checks.base import Judgement
from crawler.fetch.base import Answer, Request, Trail
from crawler.fetch.codings import codings
from crawler.pixels import Broken, Measure, More, NotImage, measure
from storage.model import Picture, Size, Target, Verdict

ACCEPT: Final = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
# benchmarks/leading_bytes.py: FIRST bytes tell the size of most; SLACK bytes behind the place that
# they point to, that of nearly all others. A JPEG's segment that is full is seldom the last one:
# NEXT bytes are behind most colour profiles, FURTHEST behind the largest profiles and previews.
FIRST: Final = 2048
SLACK: Final = 32 * 1024
FULL: Final = 65_000
NEXT: Final = 256 * 1024
FURTHEST: Final = 1024 * 1024
AGAIN: Final = 1.25  # times more bytes before they are looked at again: all looks cost like five
VAGUE: Final = frozenset({"text", "XML"})  # an SVG begins like them, and any few bytes do
PARTIAL: Final = 206
UNSATISFIABLE: Final = 416
PART: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)\s*", re.IGNORECASE)  # RFC 9110, 14.4
ASKED: Final = re.compile(r"bytes=0-(\d+)")
HEADERS: Final[Mapping[str, str]] = MappingProxyType({"Accept": ACCEPT, "Accept-Encoding": "identity"})
ONE_PIXEL: Final = Size(1, 1)


@dataclass(frozen=True, slots=True)
class ImageCheck:
    """Images; `max_bytes` of a file and `max_pixels` of a picture are the most it may have."""

    max_bytes: int
    max_pixels: int

    def ask(self, target: Target, trail: Trail) -> Request:
        """Ask for the first bytes; an answer that ignores the Range is cut off when they came."""
        request = Request(target.url, limit=FURTHEST, enough=Enough(), tolerant=True, trail=trail)
        return _ranged(request, FIRST)

    def judge(self, request: Request, answer: Answer) -> Judgement | Request:
        """Judge the bytes, or ask for more of them; of a file that is too large, for none."""
        if not _of_start(answer):
            return _whole_instead(request)
        if answer.length is not None and answer.length > self.max_bytes:
            return Judgement(Verdict.TOO_LARGE, f"{answer.length} bytes, more than {self.max_bytes}")
        found = measure(answer.body, complete=_ended(answer))
        if isinstance(found, More) and answer.broken is None:
            return _wider(request, answer, found) or _unseen(answer, found)
        return self.judged(found, answer)

    def judged(self, found: Measure, answer: Answer) -> Judgement:
        """Judge what was measured of an answer."""
        if isinstance(found, NotImage) and not _untold(found, answer):
            return Judgement(Verdict.WRONG_TYPE, f"the bytes are {found.what}")
        picture = replace(found, bytes=_length(answer)) if isinstance(found, Picture) else None
        if answer.broken is not None:
            return Judgement(Verdict.TRUNCATED, answer.broken, picture)
        if picture is not None:
            return self._of_picture(picture)
        return Judgement(Verdict.UNDECODABLE, found.why if isinstance(found, Broken) else None)

    def _of_picture(self, picture: Picture) -> Judgement:
        size = picture.size
        if size is None:
            return Judgement(picture=picture)
        if size.width * size.height > self.max_pixels:
            return Judgement(Verdict.TOO_LARGE, f"{size}, more than {self.max_pixels} pixels", picture)
        if size == ONE_PIXEL:
            return Judgement(Verdict.PLACEHOLDER, "a picture of one pixel", picture)
        return Judgement(picture=picture)


class Enough:
    """Tells when the bytes so far say what is asked, or never will.

    Less than the first step is never enough: those bytes are under way anyhow, a connection whose
    answer was read to its end can be kept, and what they tell does not depend on how they came.
    """

    __slots__ = ("_next", "_seen")

    def __init__(self) -> None:
        self._seen = 0
        self._next = FIRST

    def __call__(self, body: bytes) -> bool:
        """Whether to stop reading; looks again only when a good part more has come."""
        if len(body) < self._seen:  # another attempt has begun
            self._next = FIRST
        self._seen = len(body)
        if self._seen < self._next:
            return False
        found = measure(body, complete=False)
        if not isinstance(found, More) or found.least > FURTHEST:
            return True
        self._next = max(found.least, int(self._seen * AGAIN))
        return False


def _ranged(request: Request, length: int) -> Request:
    return replace(request, headers={**HEADERS, "Range": f"bytes=0-{length - 1}"})


def _asked(request: Request) -> int | None:
    """How many leading bytes the request asks for; None for all."""
    match = ASKED.fullmatch(request.headers.get("Range", ""))
    return int(match[1]) + 1 if match else None


def _part(answer: Answer) -> tuple[int, int, int | None] | None:
    """First and last byte of a partial answer, and the length of the file if it says it."""
    match = PART.fullmatch(answer.headers.get("Content-Range", ""))
    if match is None:
        return None
    return int(match[1]), int(match[2]), None if match[3] == "*" else int(match[3])


def _of_start(answer: Answer) -> bool:
    """Whether the body begins where the file does: a partial answer has to say so."""
    if answer.status == UNSATISFIABLE:
        return False
    part = _part(answer)
    return answer.status != PARTIAL or (part is not None and part[0] == 0)


def _whole_instead(request: Request) -> Judgement | Request:
    """Ask without a Range; a server that sends some part even then cannot be understood."""
    if _asked(request) is not None:
        return replace(request, headers=HEADERS)
    return Judgement(Verdict.BAD_RESPONSE, "answers with a part of the image that nobody asked for")


def _ended(answer: Answer) -> bool:
    """Whether no more bytes of the file can come: this is all of it, or it broke off."""
    if answer.broken is not None:
        return True
    part = _part(answer) if answer.status == PARTIAL else None
    return answer.complete and (part is None or part[1] + 1 == part[2])


def _untold(found: NotImage, answer: Answer) -> bool:
    """Whether a body broke off before its bytes told more than that they may be text."""
    if answer.broken is None or found.what not in VAGUE:
        return False
    return isinstance(measure(answer.body, complete=False), More)


def _wider(request: Request, answer: Answer, found: More) -> Request | None:
    """The next request for more leading bytes, if one is left that can help."""
    asked, part = _asked(request), _part(answer)
    if asked is None or part is None or answer.status != PARTIAL or found.least > FURTHEST:
        return None
    if part[1] + 1 < asked:  # the server gives less than it is asked for
        return replace(request, headers=HEADERS)
    if asked >= FURTHEST:
        return None
    return _ranged(request, _second(found.least) if asked == FIRST else FURTHEST)


def _second(least: int) -> int:
    wanted = least + SLACK if least < FULL else max(least + SLACK, NEXT)
    return min(wanted, FURTHEST)


def _unseen(answer: Answer, found: More) -> Judgement:
    """An image, by all that can be seen, whose size lies behind what an audit reads of it."""
    if found.format is None:
        return Judgement(Verdict.UNDECODABLE, f"no image begins in its first {len(answer.body)} bytes")
    picture = Picture(None, None, found.format, bytes=_length(answer))
    return Judgement(detail=f"its size is not in its first {len(answer.body)} bytes", picture=picture)


def _length(answer: Answer) -> int | None:
    """Bytes of the whole file; of an encoded one nobody says them beforehand."""
    coded = bool(codings(answer.headers.get("Content-Encoding", "")))
    if answer.length is not None and not coded:
        return answer.length
    return len(answer.body) if _ended(answer) and answer.broken is None else None
