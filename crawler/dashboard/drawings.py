"""What the page of one target draws: its requests as bars, its history, its frames. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from markupsafe import Markup

from crawler.dashboard.charts import Mark, strip
from crawler.report.html.frames import Frames
from crawler.report.safe import shown
from storage.model import Hop
from storage.queries import Observation

WIDTH: Final = 600.0  # units across
ROW: Final = 18.0  # units from one request to the next
THIN: Final = 2.0  # units that the shortest request gets


def requests(hops: Sequence[Hop]) -> Markup:
    """A bar for each request, one after the other from left to right, as long as it took."""
    total = sum(hop.elapsed for hop in hops) or 1.0
    drawn, begun = Markup(), 0.0
    for number, hop in enumerate(hops):
        width = max(THIN, WIDTH * hop.elapsed / total)
        x = min(WIDTH * begun / total, WIDTH - width)
        begun += hop.elapsed
        drawn += _bar(hop, (x, number * ROW), width)
    return Markup(
        '<svg class="chart waterfall" role="img" aria-labelledby="requests-t requests-d" '
        'viewBox="0 0 {:g} {:g}" preserveAspectRatio="none"><title id="requests-t">How long each request took'
        '</title><desc id="requests-d">{}</desc>{}</svg>'
    ).format(WIDTH, max(len(hops), 1) * ROW, ", ".join(f"{hop.elapsed:.2f} s" for hop in hops), drawn)


def _bar(hop: Hop, at: tuple[float, float], width: float) -> Markup:
    label = f"{hop.method} {shown(hop.url)}: {hop.status or hop.error} in {hop.elapsed:.2f} s"
    return Markup(
        '<rect class="c-{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:g}"><title>{}</title></rect>'
    ).format(tone(hop), *at, width, ROW - 4, label)


def tone(hop: Hop) -> str:
    """The colour of a request: what came of it."""
    if hop.status is None:
        return "transient"
    if hop.status >= HTTPStatus.BAD_REQUEST:
        return "hard"
    return "unknown" if hop.status >= HTTPStatus.MULTIPLE_CHOICES else "alive"


def history(checks: Sequence[Observation]) -> Markup:
    """One mark a check, the oldest first."""
    marks = [
        Mark(f"run {one.run}, {one.at:%Y-%m-%d %H:%M}: {one.verdict}", one.verdict.cls) for one in checks
    ]
    return strip("history", "Every check of this target", marks)


def frames(name: str, drawn: Frames, picture: str | None = None) -> Markup:
    """The frame that a record declares (dashed), and that of the picture, from one corner to one scale.

    `picture` is the address of the picture, which fills its frame then.
    """
    width, height = drawn.actual_box
    filled = Markup('<image href="{}" x="1" y="1" width="{:g}" height="{:g}" preserveAspectRatio="none"/>')
    inside = filled.format(picture, width, height) if picture else Markup()
    frame = Markup('<rect class="{}" x="1" y="1" width="{:g}" height="{:g}"/>')
    both = frame.format("actual", width, height) + inside + frame.format("declared", *drawn.declared_box)
    return Markup(
        '<svg class="frames" role="img" aria-labelledby="{}-t" viewBox="0 0 {:g} {:g}" width="{:g}" '
        'height="{:g}"><title id="{}-t">{}</title>{}</svg>'
    ).format(name, *(_framed(drawn) * 2), name, drawn.words, both)


def _framed(drawn: Frames) -> tuple[float, float]:
    return drawn.width + 2, drawn.height + 2
