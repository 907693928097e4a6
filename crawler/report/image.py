"""What is known of the image of one target, a line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from crawler.report.safe import shown
from storage.model import Picture
from storage.queries import Alike

EXAMPLES: Final = 5  # other URLs of the same picture that are shown


def about(
    picture: Picture, evidence: Mapping[str, Any], twins: Sequence[str], alike: Sequence[Alike] = ()
) -> Iterator[str]:
    """The header, then what only the whole file told, then who else has the same bytes or the same look."""
    yield f"\nImage: {_header(picture)}\n"
    facts = evidence.get("image")
    if isinstance(facts, dict):
        yield f"  {', '.join(_pixels(facts))}\n"
    if picture.digest is not None:
        yield f"  {shown(picture.digest)}\n"
    if picture.cached is not None:
        yield f"  kept as {shown(picture.cached)}\n"
    yield from _others("The same picture lies at", [shown(url) for url in twins])
    near = [f"{shown(one.url)} ({one.differs} of 64 bits differ)" for one in alike]
    yield from _others("Much the same picture lies at", near)


def _others(title: str, urls: Sequence[str]) -> Iterator[str]:
    if urls:
        yield f"  {title}:\n"
        yield from (f"    {url}\n" for url in urls[:EXAMPLES])
    if len(urls) > EXAMPLES:
        yield f"    and {len(urls) - EXAMPLES} more\n"


def _header(picture: Picture) -> str:
    parts = [picture.format, str(picture.size) if picture.size else "no size"]
    if picture.stored != picture.size:
        parts.append(f"stored as {picture.stored}, turned by EXIF orientation {picture.orientation}")
    if picture.bytes is not None:
        parts.append(f"{picture.bytes} bytes")
    return ", ".join(parts)


def _pixels(facts: Mapping[str, Any]) -> Iterator[str]:
    """What the proof told, in words."""
    yield "every pixel decoded" if facts.get("proof") == "pixels" else "whole by its structure"
    if facts.get("mode"):
        yield f"mode {shown(str(facts['mode']))}"
    if isinstance(facts.get("frames"), int) and facts["frames"] > 1:
        yield f"{facts['frames']} frames"
    if facts.get("alpha"):
        yield "with transparency"
    if facts.get("pillow_size"):
        yield f"Pillow calls it {shown(str(facts['pillow_size']))}"
    if facts.get("vary"):
        yield f"varies by {shown(str(facts['vary']))}"
