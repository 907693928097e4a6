"""What is known of the image of one target, a line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from crawler.report.escape import printable
from storage.model import Evidence, ImageEvidence, Picture
from storage.queries.report import SimilarImage

MAX_TWIN_URLS: Final = 5  # other URLs of the same picture that are shown


def image_lines(
    picture: Picture, evidence: Evidence, twins: Sequence[str], alike: Sequence[SimilarImage] = ()
) -> Iterator[str]:
    """The header, then what only the whole file told, then who else has the same bytes or the same look."""
    yield f"\nImage: {_header(picture)}\n"
    if evidence.image is not None:
        yield f"  {', '.join(_pixels(evidence.image))}\n"
    if picture.digest is not None:
        yield f"  {printable(picture.digest)}\n"
    if picture.cached is not None:
        yield f"  kept as {printable(picture.cached)}\n"
    yield from _others("The same picture lies at", [printable(url) for url in twins])
    near = [f"{printable(image.url)} ({image.differs} of 64 bits differ)" for image in alike]
    yield from _others("Much the same picture lies at", near)


def _others(title: str, urls: Sequence[str]) -> Iterator[str]:
    if urls:
        yield f"  {title}:\n"
        yield from (f"    {url}\n" for url in urls[:MAX_TWIN_URLS])
    if len(urls) > MAX_TWIN_URLS:
        yield f"    and {len(urls) - MAX_TWIN_URLS} more\n"


def _header(picture: Picture) -> str:
    parts = [picture.format, str(picture.size) if picture.size else "no size"]
    if picture.stored != picture.size:
        parts.append(f"stored as {picture.stored}, turned by EXIF orientation {picture.orientation}")
    if picture.bytes is not None:
        parts.append(f"{picture.bytes} bytes")
    return ", ".join(parts)


def _pixels(facts: ImageEvidence) -> Iterator[str]:
    """What the proof told, in words."""
    yield "every pixel decoded" if facts.proof == "pixels" else "whole by its structure"
    if facts.mode:
        yield f"mode {printable(facts.mode)}"
    if facts.frames is not None and facts.frames > 1:
        yield f"{facts.frames} frames"
    if facts.alpha:
        yield "with transparency"
    if facts.pillow_size:
        yield f"Pillow calls it {printable(facts.pillow_size)}"
    if facts.vary:
        yield f"varies by {printable(facts.vary)}"
