"""Whether an AMP page and a web page belong together, once both chains were followed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from storage.model import Class, Issue, Kind, LinkIssue
from storage.settling import Placed

# Parameters that tell where a reader came from, and never which page is asked for.
TRACKING: Final = ("utm_", "fbclid=", "gclid=", "mc_cid=", "mc_eid=")


def pairing(amp: Placed, record: Sequence[Placed]) -> list[LinkIssue]:
    """Compare what an AMP page says of its item's web page with that, and the other way round.

    A page that was not reached, or that names no other, says nothing.
    """
    item = amp.link.item
    webs = [one for one in record if one.link.item == item and one.link.kind is Kind.WEB]
    if not webs:
        return []
    # An item may have other web links beside that of its page.
    web = min(webs, key=lambda one: not one.link.field.endswith("webUrl"))
    said, named = _canonical(amp), _amphtml(web)
    if said is not None and not _leads(said, webs, record):
        return [LinkIssue(Issue.AMP_UNPAIRED, web.final_url or web.url, said)]
    if named is not None and not _leads(named, [amp], record):
        return [LinkIssue(Issue.AMP_UNPAIRED, named, amp.link.text)]
    return []


def _leads(url: str, to: Sequence[Placed], record: Sequence[Placed]) -> bool:
    """Whether a URL, or where it leads, is one of some links, or where they lead."""
    ends = {key for one in (url, _end(url, record)) for key in _keys(one)}
    return any(ends & set(_keys(one.url, one.final_url)) for one in to)


def _canonical(amp: Placed) -> str | None:
    if amp.verdict is None or amp.verdict.cls is not Class.ALIVE:
        return None
    evidence = amp.evidence.get("amp") or {}
    said = evidence.get("canonical")
    return said if isinstance(said, str) else None


def _amphtml(web: Placed) -> str | None:
    """The AMP page that a web page names, if that was read."""
    alive = web.verdict is not None and web.verdict.cls is Class.ALIVE
    said = web.evidence.get("amphtml") if alive else None
    return said if isinstance(said, str) else None


def _end(url: str, record: Sequence[Placed]) -> str | None:
    """Where a URL leads to, if it is one of the record's."""
    keys = set(_keys(url))
    return next((one.final_url for one in record if keys & set(_keys(one.url)) and one.final_url), None)


def _keys(*urls: str | None) -> Iterator[str]:
    """What two spellings of one page share: http or https, a fragment and tracking do not count."""
    for url in urls:
        if url is not None:
            rest, mark, query = url.partition("#")[0].partition("://")[2].partition("?")
            kept = [part for part in query.split("&") if not part.startswith(TRACKING)]
            yield f"{rest}{mark}{'&'.join(kept)}" if any(kept) else rest
