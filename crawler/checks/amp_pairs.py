"""Whether an AMP page and a web page belong together, once both chains were followed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from storage.model import Class, Issue, Kind, LinkIssue
from storage.rollups.link_issues import JudgedLink

# Parameters that tell where a reader came from, and never which page is asked for.
TRACKING_PARAMETERS: Final = ("utm_", "fbclid=", "gclid=", "mc_cid=", "mc_eid=")


def pairing_issues(amp: JudgedLink, record: Sequence[JudgedLink]) -> list[LinkIssue]:
    """Compare what an AMP page says of its item's web page with that, and the other way round.

    A page that was not reached, or that names no other, says nothing.
    """
    item = amp.link.item
    webs = [link for link in record if link.link.item == item and link.link.kind is Kind.WEB]
    if not webs:
        return []
    # An item may have other web links beside that of its page.
    web = min(webs, key=lambda link: not link.link.field.endswith("webUrl"))
    canonical_url, amphtml_url = _canonical_url(amp), _amphtml_url(web)
    if canonical_url is not None and not _leads_to(canonical_url, webs, record):
        return [LinkIssue(Issue.AMP_UNPAIRED, web.final_url or web.url, canonical_url)]
    if amphtml_url is not None and not _leads_to(amphtml_url, [amp], record):
        return [LinkIssue(Issue.AMP_UNPAIRED, amphtml_url, amp.link.text)]
    return []


def _leads_to(url: str, to: Sequence[JudgedLink], record: Sequence[JudgedLink]) -> bool:
    """Whether a URL, or where it leads, is one of some links, or where they lead."""
    ends = set(_page_keys(url, _end_url(url, record)))
    return any(ends & set(_page_keys(link.url, link.final_url)) for link in to)


def _canonical_url(amp: JudgedLink) -> str | None:
    if amp.verdict is None or amp.verdict.cls is not Class.ALIVE:
        return None
    return amp.evidence.amp.canonical if amp.evidence.amp else None


def _amphtml_url(web: JudgedLink) -> str | None:
    """The AMP page that a web page names, if that was read."""
    alive = web.verdict is not None and web.verdict.cls is Class.ALIVE
    return web.evidence.amphtml if alive else None


def _end_url(url: str, record: Sequence[JudgedLink]) -> str | None:
    """Where a URL leads to, if it is one of the record's."""
    keys = set(_page_keys(url))
    return next(
        (link.final_url for link in record if keys & set(_page_keys(link.url)) and link.final_url), None
    )


def _page_keys(*urls: str | None) -> Iterator[str]:
    """What two spellings of one page share: http or https, a fragment and tracking do not count."""
    for url in urls:
        if url is not None:
            location, mark, query = url.partition("#")[0].partition("://")[2].partition("?")
            parameters = [part for part in query.split("&") if not part.startswith(TRACKING_PARAMETERS)]
            yield f"{location}{mark}{'&'.join(parameters)}" if any(parameters) else location
