"""Text from records and servers as HTML: it is shown, never obeyed, and leads only to the web."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from markupsafe import Markup

from crawler.report.escape import printable, printable_in_full
from storage.model import iso_utc

WEB_SCHEMES: Final = frozenset({"http", "https"})


def isolated_text(text: object) -> Markup:
    """A text, set apart from the direction of ours."""
    return Markup("<bdi>{}</bdi>").format(printable(str(text)))


def external(url: str | None) -> Markup:
    """A link to elsewhere if the URL is one of the web; anything else is text and leads nowhere."""
    text = Markup('<bdi class="url">{}</bdi>').format(printable(url or "-"))
    if url is None or not is_web(url):
        return text
    return Markup('<a href="{}" rel="noopener noreferrer nofollow">{}</a>').format(url, text)


def is_web(url: str) -> bool:
    """Whether a URL may be a link: http or https with a host, and shown letter by letter as it is.

    A letter that hides, turns others round or is obeyed would be spelled out, so that the text is no
    longer where the link leads. The length of a URL is no reason.
    """
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in WEB_SCHEMES and bool(parts.hostname) and printable_in_full(url) == url
    except ValueError:
        return False


def time_element(at: datetime | None) -> Markup:
    """A time for people and for machines; a dash for none."""
    if at is None:
        return Markup("-")
    text = at.astimezone(UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(iso_utc(text), text.strftime("%Y-%m-%d %H:%M"))


def grouped_number(value: float) -> str:
    """A count with its thousands apart."""
    return f"{value:,}"
