"""What the page of one target draws: its requests as bars, its history, its frames. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from markupsafe import Markup

from crawler.dashboard.charts import StripMark, strip
from crawler.report.escape import printable
from crawler.report.formats.html.frames import FrameDrawing
from storage.model import Hop
from storage.queries.report import Observation

WATERFALL_WIDTH: Final = 600.0  # units across
ROW_HEIGHT: Final = 18.0  # units from one request to the next
MIN_REQUEST_WIDTH: Final = 2.0  # units that the shortest request gets


def requests(hops: Sequence[Hop]) -> Markup:
    """A bar for each request, one after the other from left to right, as long as it took."""
    total = sum(hop.elapsed for hop in hops) or 1.0
    bars, seconds = Markup(), 0.0
    for number, hop in enumerate(hops):
        width = max(MIN_REQUEST_WIDTH, WATERFALL_WIDTH * hop.elapsed / total)
        x = min(WATERFALL_WIDTH * seconds / total, WATERFALL_WIDTH - width)
        seconds += hop.elapsed
        bars += _bar(hop, (x, number * ROW_HEIGHT), width)
    return Markup(
        '<svg class="chart waterfall" role="img" aria-labelledby="requests-t requests-d" '
        'viewBox="0 0 {:g} {:g}" preserveAspectRatio="none"><title id="requests-t">How long each request took'
        '</title><desc id="requests-d">{}</desc>{}</svg>'
    ).format(
        WATERFALL_WIDTH,
        max(len(hops), 1) * ROW_HEIGHT,
        ", ".join(f"{hop.elapsed:.2f} s" for hop in hops),
        bars,
    )


def _bar(hop: Hop, at: tuple[float, float], width: float) -> Markup:
    label = f"{hop.method} {printable(hop.url)}: {hop.status or hop.error} in {hop.elapsed:.2f} s"
    return Markup(
        '<rect class="c-{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:g}"><title>{}</title></rect>'
    ).format(tone(hop), *at, width, ROW_HEIGHT - 4, label)


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
        StripMark(f"run {check.run}, {check.at:%Y-%m-%d %H:%M}: {check.verdict}", check.verdict.cls)
        for check in checks
    ]
    return strip("history", "Every check of this target", marks)


def frames(name: str, drawing: FrameDrawing, picture: str | None = None) -> Markup:
    """The frame that a record declares (dashed), and that of the picture, from one corner to one scale.

    `picture` is the address of the picture, which fills its frame then.
    """
    width, height = drawing.actual_box
    picture_element = Markup(
        '<image href="{}" x="1" y="1" width="{:g}" height="{:g}" preserveAspectRatio="none"/>'
    )
    inside = picture_element.format(picture, width, height) if picture else Markup()
    frame = Markup('<rect class="{}" x="1" y="1" width="{:g}" height="{:g}"/>')
    shapes = frame.format("actual", width, height) + inside + frame.format("declared", *drawing.declared_box)
    return Markup(
        '<svg class="frames" role="img" aria-labelledby="{}-t" viewBox="0 0 {:g} {:g}" width="{:g}" '
        'height="{:g}"><title id="{}-t">{}</title>{}</svg>'
    ).format(name, *(_framed(drawing) * 2), name, drawing.words, shapes)


def _framed(drawing: FrameDrawing) -> tuple[float, float]:
    return drawing.width + 2, drawing.height + 2
