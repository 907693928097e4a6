"""HTML: one file, no network, no script; everything from records and servers is escaped."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crawler.report import markup
from crawler.report.base import Summary
from crawler.report.formats.html.sheets import sheets
from storage.model import Class, Verdict
from storage.queries.report import WORST_FIRST, Totals

SHEET_FOLDER: Final = Path(__file__).parent
SEVERITY_TITLES: Final = {
    "critical": "Mend today",
    "high": "Mend soon",
    "medium": "Mend",
    "low": "Mend some time, or wait and see",
    "none": "To know",
}


class _ClassShare(NamedTuple):
    """One class as the bar shows it: from `start` on, `width` of 100 wide."""

    cls: Class
    targets: int
    start: float
    width: float
    verdicts: Sequence[tuple[str, int]]


def report(summary: Summary) -> Iterator[str]:
    """The page in pieces."""
    groups, hidden_targets = sheets(summary)
    style = (SHEET_FOLDER / "report.css").read_text(encoding="utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    template = _environment().get_template("report.html")
    yield from template.generate(
        policy=f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'",
        style=style,
        summary=summary,
        shares=_shares(summary.totals),
        groups=groups,
        more=hidden_targets,
        titles=SEVERITY_TITLES,
    )
    yield "\n"


def _shares(totals: Totals) -> list[_ClassShare]:
    """The classes, the worst first, as parts of one bar; what is there is seen."""
    shares: list[_ClassShare] = []
    start = 0.0
    for cls in WORST_FIRST:
        count = totals.classes.get(cls.value, 0)
        if not count:
            continue
        width = round(100 * count / totals.targets, 3)
        verdicts = sorted((v, n) for v, n in totals.verdicts.items() if Verdict(v).cls is cls)
        shares.append(_ClassShare(cls, count, round(start, 3), width, verdicts))
        start += width
    return shares


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(SHEET_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "said": markup.isolated_text,
        "external": markup.external,
        "moment": markup.time_element,
        "number": markup.grouped_number,
    }
    return environment
