"""Templates: everything is escaped, nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import escape

from crawler.dashboard import charts, target_charts
from crawler.report.descriptions import ISSUE_MEANS, VERDICT_MEANS
from crawler.report.escape import printable
from crawler.report.markup import external, grouped_number, isolated_text, time_element
from crawler.report.severity import Severity
from storage.model import Class, Issue, Kind, State, Verdict
from storage.queries.dashboard import GallerySection, HostOrder
from storage.queries.report import WORST_FIRST

DASHBOARD_TEMPLATES: Final = Path(__file__).parent / "templates"
MINUTE_SECONDS: Final = 60
HOUR_SECONDS: Final = 3600
MAX_URL_PARAMETER_CHARACTERS: Final = 1000  # characters of a URL that stands in an address of ours


def duration(value: float) -> str:
    """A duration in seconds, as people say it."""
    if value < MINUTE_SECONDS:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"  # noqa: PLR2004 - two digits
    if value < HOUR_SECONDS:
        return f"{value // MINUTE_SECONDS:.0f} min {value % MINUTE_SECONDS:.0f} s"
    return f"{value // HOUR_SECONDS:.0f} h {value % HOUR_SECONDS // MINUTE_SECONDS:.0f} min"


def address(path: str, parameters: Mapping[str, object] | None = None, **changes: object) -> str:
    """A path of the dashboard with its parameters; those that are None or empty are left out."""
    values = {**(parameters or {}), **changes}
    query = {key: value for key, value in values.items() if value not in (None, "", ())}
    return f"{path}?{urlencode(query, doseq=True)}" if query else path


def target_path(url: str, key: int) -> str:
    """Where a target is shown: by its URL, or by its number if that is too long for an address."""
    return address("/target", {"url": url} if len(url) <= MAX_URL_PARAMETER_CHARACTERS else {"id": key})


def bar_of(counts: Mapping[str, int]) -> list[charts.BarPart]:
    """The parts of a bar from counts by class or state, whose colours are named alike."""
    return [charts.BarPart(name, count, name) for name, count in counts.items()]


def verdicts_of(counts: Mapping[str, int]) -> list[charts.BarPart]:
    """The parts of a bar from counts by verdict, the worst class first."""
    rank = {cls: number for number, cls in enumerate(WORST_FIRST)}
    worst = sorted(counts.items(), key=lambda pair: (rank[Verdict(pair[0]).cls], -pair[1], pair[0]))
    return [charts.BarPart(word, count, class_of(word)) for word, count in worst]


def class_of(verdict: str) -> str:
    """The class of a verdict, which names its colour."""
    return Verdict(verdict).cls.value


def environment() -> Environment:
    """The one environment of all templates."""
    environment_ = Environment(
        loader=FileSystemLoader(DASHBOARD_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment_.filters |= {
        "moment": time_element,
        "number": grouped_number,
        "seconds": duration,
        "external": external,
        "said": isolated_text,
        "plain": printable,
        "escape": escape,
    }
    environment_.globals |= {
        "address": address,
        "target_path": target_path,
        "charts": charts,
        "drawings": target_charts,
        "bar_of": bar_of,
        "verdicts_of": verdicts_of,
        "class_of": class_of,
        "CLASSES": tuple(Class),
        "HOST_ORDERS": tuple(HostOrder),
        "ISSUES": tuple(Issue),
        "ISSUE_MEANS": ISSUE_MEANS,
        "VERDICT_MEANS": VERDICT_MEANS,
        "KINDS": tuple(Kind),
        "SECTIONS": tuple(GallerySection),
        "SEVERITIES": tuple(severity.word for severity in Severity),
        "STATES": tuple(State),
        "VERDICTS": tuple(Verdict),
    }
    return environment_
