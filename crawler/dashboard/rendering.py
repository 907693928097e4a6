"""Templates: everything is escaped, nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from crawler.dashboard import charts, drawings
from crawler.report.meanings import ISSUE_MEANS, VERDICT_MEANS
from crawler.report.safe import shown
from crawler.report.severity import Severity
from storage.model import Class, Issue, Kind, State, Verdict
from storage.queries import WORST_FIRST, HostOrder, Section

FOLDER: Final = Path(__file__).parent / "templates"
SCHEMES: Final = frozenset({"http", "https"})
MINUTE: Final = 60
HOUR: Final = 3600
SPEAKING: Final = 1000  # characters of a URL that stands in an address of ours


def moment(at: datetime | None) -> Markup:
    """A time for people and for machines; a dash for none."""
    if at is None:
        return Markup("-")
    text = at.astimezone(UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(
        text.strftime("%Y-%m-%dT%H:%M:%SZ"), text.strftime("%Y-%m-%d %H:%M")
    )


def number(value: float) -> str:
    """A count with its thousands apart."""
    return f"{value:,}"


def seconds(value: float) -> str:
    """A duration in seconds, as people say it."""
    if value < MINUTE:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"  # noqa: PLR2004 - two digits
    if value < HOUR:
        return f"{value // MINUTE:.0f} min {value % MINUTE:.0f} s"
    return f"{value // HOUR:.0f} h {value % HOUR // MINUTE:.0f} min"


def external(url: str | None) -> Markup:
    """A link to elsewhere if the URL is one of the web; anything else is text and leads nowhere."""
    text = Markup('<bdi class="url">{}</bdi>').format(shown(url or "-"))
    if url is None or not is_web(url):
        return text
    return Markup('<a href="{}" rel="noopener noreferrer nofollow">{}</a>').format(url, text)


def is_web(url: str) -> bool:
    """Whether a URL may be a link: http or https with a host, and no control characters."""
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in SCHEMES and bool(parts.hostname) and url.isprintable()
    except ValueError:
        return False


def address(path: str, given: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """A path of the dashboard with its parameters; those that are None or empty are left out."""
    values = {**(given or {}), **changes}
    kept = {key: value for key, value in values.items() if value not in (None, "", ())}
    return f"{path}?{urlencode(kept, doseq=True)}" if kept else path


def target_path(url: str, key: int) -> str:
    """Where a target is shown: by its URL, or by its number if that is too long for an address."""
    return address("/target", {"url": url} if len(url) <= SPEAKING else {"id": key})


def _said(text: object) -> Markup:
    """A text from a record or a server, made harmless, and set apart from the direction of ours."""
    return Markup("<bdi>{}</bdi>").format(shown(str(text)))


def bar_of(counts: Mapping[str, int]) -> list[charts.Part]:
    """The parts of a bar from counts by class or state, whose colours are named alike."""
    return [charts.Part(name, count, name) for name, count in counts.items()]


def verdicts_of(counts: Mapping[str, int]) -> list[charts.Part]:
    """The parts of a bar from counts by verdict, the worst class first."""
    rank = {cls: number for number, cls in enumerate(WORST_FIRST)}
    worst = sorted(counts.items(), key=lambda pair: (rank[Verdict(pair[0]).cls], -pair[1], pair[0]))
    return [charts.Part(word, count, class_of(word)) for word, count in worst]


def class_of(verdict: str) -> str:
    """The class of a verdict, which names its colour."""
    return Verdict(verdict).cls.value


def environment() -> Environment:
    """The one environment of all templates."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "moment": moment,
        "number": number,
        "seconds": seconds,
        "external": external,
        "said": _said,
        "plain": shown,
        "escape": escape,
    }
    made.globals |= {
        "address": address,
        "target_path": target_path,
        "charts": charts,
        "drawings": drawings,
        "bar_of": bar_of,
        "verdicts_of": verdicts_of,
        "class_of": class_of,
        "CLASSES": tuple(Class),
        "HOST_ORDERS": tuple(HostOrder),
        "ISSUES": tuple(Issue),
        "ISSUE_MEANS": ISSUE_MEANS,
        "VERDICT_MEANS": VERDICT_MEANS,
        "KINDS": tuple(Kind),
        "SECTIONS": tuple(Section),
        "SEVERITIES": tuple(one.word for one in Severity),
        "STATES": tuple(State),
        "VERDICTS": tuple(Verdict),
    }
    return made
