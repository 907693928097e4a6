"""Text from records and servers as HTML: it is shown, never obeyed, and leads only to the web."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from markupsafe import Markup

from crawler.report.safe import shown

SCHEMES: Final = frozenset({"http", "https"})


def said(text: object) -> Markup:
    """A text, set apart from the direction of ours."""
    return Markup("<bdi>{}</bdi>").format(shown(str(text)))


def external(url: str | None) -> Markup:
    """A link to elsewhere if the URL is one of the web; anything else is text and leads nowhere."""
    text = Markup('<bdi class="url">{}</bdi>').format(shown(url or "-"))
    if url is None or not is_web(url):
        return text
    return Markup('<a href="{}" rel="noopener noreferrer nofollow">{}</a>').format(url, text)


def is_web(url: str) -> bool:
    """Whether a URL may be a link: http or https with a host, and no letter that hides or turns others."""
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in SCHEMES and bool(parts.hostname) and shown(url) == url
    except ValueError:
        return False


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
