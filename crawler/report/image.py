"""What is known of the image of one target, a line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from crawler.report.safe import shown
from storage.model import Picture

EXAMPLES: Final = 5  # other URLs of the same picture that are shown


def about(picture: Picture, evidence: Mapping[str, Any], twins: Sequence[str]) -> Iterator[str]:
    """The header, then what only the whole file told, then who else has the same bytes."""
    yield f"\nImage: {_header(picture)}\n"
    facts = evidence.get("image")
    if isinstance(facts, dict):
        yield f"  {', '.join(_pixels(facts))}\n"
    if picture.digest is not None:
        yield f"  {shown(picture.digest)}\n"
    if picture.cached is not None:
        yield f"  kept as {shown(picture.cached)}\n"
    if twins:
        yield "  The same picture lies at:\n"
        yield from (f"    {shown(url)}\n" for url in twins[:EXAMPLES])
        if len(twins) > EXAMPLES:
            yield f"    and {len(twins) - EXAMPLES} more\n"


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
