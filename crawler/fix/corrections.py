"""Which links should say something else, by what was found of their targets. Pure.

A correction is proposed only where the evidence is certain: the target is alive, the new URL is where
permanent redirects lead, the size was measured. Each link that is skipped has its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from crawler.checks.amp_cache import cache_url, parse_cache_url
from crawler.fix.correction import Correction, Corrections, FixPolicy, FixRule, SkippedCorrection
from crawler.fix.same_article import move_refusal, names_same
from crawler.urls import MASK, host_of, registrable
from storage.model import Class, Declared, Finding, Issue, Kind, Link, Picture, Size, State, Verdict
from storage.queries.report import Entry, EntryLink

SIZE_ISSUES: Final = frozenset(
    {Issue.SIZE_MISMATCH, Issue.SIZE_ROTATED, Issue.SIZE_SCALED, Issue.DECLARED_INVALID}
)
MASKED_PASSWORD: Final = f"{MASK}@"
CREDENTIALS_REASON: Final = "it holds a password, which is not stored"
CONFIRMATION_TIME: Final = timedelta(days=1)  # between two checks that lead to the same new URL


def collect_corrections(
    entries: Iterable[Entry], in_scope: Callable[[str], bool], policy: FixPolicy
) -> Corrections:
    """The corrections of all links in the files that `in_scope` accepts."""
    corrections, cdn, amp_alive = Corrections(), _AmpCacheLinks(), set[str]()
    moves_wanted, size = FixRule.MOVED in policy.rules, FixRule.SIZE in policy.rules
    for entry in entries:
        refusal = _target_refusal(entry)
        if refusal is None and entry.kind is Kind.AMP:
            amp_alive.add(entry.url.rstrip("/"))
        for entry_link in entry.links:
            if in_scope(entry_link.record):
                cdn.watch(entry_link)
                for correction in (
                    *(_moves(entry, entry_link, refusal, policy) if moves_wanted else ()),
                    *(_sizes(entry, entry_link, refusal, policy) if size else ()),
                ):
                    corrections.add(correction)
    if FixRule.AMP_CACHE_URL in policy.rules:
        for correction in cdn.corrections(corrections, amp_alive):
            corrections.add(correction)
    return corrections


def _target_refusal(entry: Entry) -> str | None:
    """Why the finding of a target is not certain enough to change a record; None if it is."""
    if entry.verdict.cls is not Class.ALIVE:
        return f"its target is {entry.verdict}"
    if entry.state is State.ALIVE:
        return None
    return f"its target is {'pinned ' if entry.pin else ''}{entry.state}"


def _moves(
    entry: Entry, entry_link: EntryLink, refusal: str | None, policy: FixPolicy
) -> Iterator[Correction | SkippedCorrection]:
    finding, link = entry.finding, entry_link.link
    # Where an AMP cache sends its reader is no URL of the cache.
    if finding is None or finding.moved_to is None or link.kind is Kind.AMP_CDN:
        return
    if entry.verdict is not Verdict.MOVED:
        return
    moved_to = finding.moved_to
    reason = refusal or _move_refusal(link.text, entry.url, moved_to, other_domains=policy.other_domains)
    reason = reason or move_refusal(entry.url, moved_to, finding.final_url)
    if reason is not None:
        yield SkippedCorrection(entry_link.record, link, reason)
        return
    correction = _correction(entry_link, text=moved_to + _fragment(link.text, moved_to))
    certain = names_same(entry.url, moved_to)
    yield replace(
        correction,
        new_url=None if certain else moved_to,
        waits=_unconfirmed(finding, policy.moved_since.get(entry.id)),
    )


def _unconfirmed(finding: Finding, since: datetime | None) -> str | None:
    """Why a move is not confirmed: two checks that are a day apart have to lead to the same URL."""
    if since is not None and finding.checked_at - since >= CONFIRMATION_TIME:
        return None
    return "it moved less than a day ago: a check from tomorrow on confirms it, --now does not wait"


def _sizes(
    entry: Entry, entry_link: EntryLink, refusal: str | None, policy: FixPolicy
) -> Iterator[Correction | SkippedCorrection]:
    wrong = {issue.issue for issue in entry_link.issues} & SIZE_ISSUES
    if not wrong:
        return
    picture = entry.finding.picture if entry.finding else None
    size = picture.size if picture else None
    reason = refusal or _size_refusal(entry_link.link, picture, scaled=Issue.SIZE_SCALED in wrong)
    if reason is None and entry.url in policy.suspects:
        reason = "the picture may be a stand-in: 'linkhealth report --suspects' shows it"
    if reason is None:
        yield _correction(entry_link, size=size)
    else:
        yield SkippedCorrection(entry_link.record, entry_link.link, reason)


def _shrinks(declared: Declared | None, size: Size) -> bool:
    """Whether less than half of a declared width or height is left."""
    sides = ((declared.width, size.width), (declared.height, size.height)) if declared else ()
    return any(isinstance(old, int) and new * 2 < old for old, new in sides)


def _size_refusal(link: Link, picture: Picture | None, *, scaled: bool) -> str | None:
    """Why a measured size is not written into the record; None if it is."""
    if MASKED_PASSWORD in link.text:
        return CREDENTIALS_REASON
    if picture is None or picture.size is None:
        return "its size is not known"
    if scaled and picture.format == "SVG":
        return "an SVG may be shown in any size"
    if _shrinks(link.declared, picture.size):
        return (
            f"it is {picture.size}, less than half of what is declared: look whether it is the same picture"
        )
    return None


def _correction(entry_link: EntryLink, text: str | None = None, size: Size | None = None) -> Correction:
    return Correction(entry_link.record, entry_link.number, entry_link.link, text, size)


def _fragment(text: str, moved_to: str) -> str:
    """RFC 9110, 10.2.2: a redirect without a fragment inherits that of the link."""
    _, mark, fragment = text.partition("#")
    return f"{mark}{fragment}" if fragment and "#" not in moved_to else ""


def _move_refusal(text: str, url: str, moved_to: str, *, other_domains: bool) -> str | None:
    """Why a redirect is not followed into the record; None if it is."""
    if MASKED_PASSWORD in text or MASKED_PASSWORD in moved_to:
        return CREDENTIALS_REASON
    if not text.lower().startswith(("http://", "https://", "//")):
        return "it is relative"
    if url.startswith("https:") and not moved_to.startswith("https:"):
        return f"it leads from https to {moved_to}"
    if not other_domains and registrable(host_of(url)) != registrable(host_of(moved_to)):
        return f"it leads to another domain, {moved_to}: --other-domains follows it"
    return None


class _AmpCacheLinks:
    """AMP-CDN URLs to correct, once it is known which AMP URLs are alive, and which of them change."""

    def __init__(self) -> None:
        self._links: list[EntryLink] = []

    def watch(self, entry_link: EntryLink) -> None:
        """Keep an AMP-CDN link."""
        if entry_link.link.kind is Kind.AMP_CDN:
            self._links.append(entry_link)

    def corrections(
        self, corrections: Corrections, amp_alive: set[str]
    ) -> Iterator[Correction | SkippedCorrection]:
        """A correction, or the reason against it, for each link."""
        moves = {
            (correction.path, correction.number, correction.link.item): correction
            for file_corrections in corrections.by_file.values()
            for correction in file_corrections
            if correction.text is not None and correction.link.kind is Kind.AMP
        }
        for entry_link in self._links:
            move = moves.get((entry_link.record, entry_link.number, entry_link.link.item))
            expected = _expected_cache_url(entry_link)
            if move is not None:
                following = _following(entry_link, move)
                if following is not None:
                    yield following
            elif expected is not None:
                reason = _cache_refusal(entry_link.link.text, expected, amp_alive)
                yield (
                    SkippedCorrection(entry_link.record, entry_link.link, reason)
                    if reason
                    else _correction(entry_link, text=expected)
                )


def _following(entry_link: EntryLink, move: Correction) -> Correction | SkippedCorrection | None:
    """The AMP-CDN URL of an AMP URL that changes in the same file; None if it is that already."""
    text = entry_link.link.text
    page = parse_cache_url(text)
    if MASKED_PASSWORD in text or move.text is None:
        return SkippedCorrection(entry_link.record, entry_link.link, CREDENTIALS_REASON)
    new_text = cache_url(move.text, page.serving, page.cache) if page else cache_url(move.text)
    if new_text == text:
        return None
    return replace(_correction(entry_link, text=new_text), follows=move.text, waits=move.waits)


def _expected_cache_url(entry_link: EntryLink) -> str | None:
    expected = (issue.expected for issue in entry_link.issues if issue.issue is Issue.AMP_CACHE_URL)
    return next(expected, None)


def _cache_refusal(text: str, expected: str, amp_alive: set[str]) -> str | None:
    page = parse_cache_url(expected)
    if MASKED_PASSWORD in text or MASKED_PASSWORD in expected:
        return CREDENTIALS_REASON
    if page is None or page.url.rstrip("/") not in amp_alive:
        return "its AMP page is not known to be alive"
    return None
