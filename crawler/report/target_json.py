"""One target as the contract's JSON object: keys never vanish, null where there is nothing."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from storage.model import (
    Class,
    Declared,
    Finding,
    Issue,
    Kind,
    LinkIssue,
    Picture,
    Pin,
    State,
    Verdict,
    iso_utc,
)
from storage.queries.report import Entry, EntryLink


class RedirectJson(Struct, frozen=True):
    """One hop of the redirect chain: the URL requested, and its status."""

    url: str
    status: int


class ImageJson(Struct, frozen=True):
    """What the bytes of an image say; the size is what a browser shows."""

    width: int | None
    height: int | None
    orientation: int
    format: str
    bytes: int | None
    digest: str | None
    cached: str | None


class DeclaredJson(Struct, frozen=True):
    """What a record declares of an image: pixels, or the text of what is no number."""

    width: int | str | None
    height: int | str | None
    cached: bool | None


class IssueJson(Struct, frozen=True):
    """One issue of a link, with what was expected and what is there."""

    issue: Issue
    expected: str | None
    actual: str | None


class LinkJson(Struct, frozen=True):
    """One link: where it stands, and what is wrong with it; line and column are 1-based."""

    record: str
    field: str
    line: int
    column: int
    text: str
    kind: Kind
    declared: DeclaredJson | None
    issues: list[IssueJson]


class TargetJson(Struct, frozen=True, rename={"cls": "class"}):
    """One target: the verdict that holds, its state, what the newest check found, and its links.

    `not_asked` says why the run did not ask it; times are UTC, `elapsed` is in seconds.
    """

    url: str
    asked: bool
    not_asked: Verdict | None
    verdict: Verdict
    cls: Class
    state: State | None
    status: int | None
    final_url: str | None
    moved_to: str | None
    redirects: list[RedirectJson]
    attempts: int
    requests: int
    elapsed: float
    bytes: int
    checked_at: str | None
    detail: str | None
    next_due: str | None
    failing_since: str | None
    image: ImageJson | None
    links: list[LinkJson]


def moment(at: datetime | None) -> str | None:
    """A time as the contract writes it."""
    return None if at is None else iso_utc(at)


def line(entry: Entry) -> TargetJson:
    """The object of one target."""
    finding = entry.finding or Finding(entry.id, entry.url, entry.verdict, datetime.min)  # noqa: DTZ901 - not shown
    return TargetJson(
        entry.url,
        entry.asked,
        entry.not_asked,
        entry.verdict,
        entry.verdict.cls,
        entry.known_state,
        finding.status,
        finding.final_url,
        finding.moved_to,
        [RedirectJson(redirect.url, redirect.status) for redirect in finding.redirects],
        finding.attempts,
        finding.requests,
        round(finding.elapsed, 3),
        finding.bytes,
        moment(entry.finding.checked_at) if entry.finding else None,
        detail(entry),
        moment(entry.next_due),
        moment(entry.failing_since),
        _image(finding.picture),
        [_link(entry_link) for entry_link in entry.links],
    )


def detail(entry: Entry) -> str | None:
    """Why the verdict is what it is, behind the word of a person who knows better."""
    reason = entry.finding.detail if entry.finding else entry.unasked_reason
    return "; ".join(filter(None, (pin_phrase(entry.pin), reason))) or None


def pin_phrase(pin: Pin | None) -> str:
    """The mark of a pin in one phrase; "" where there is none."""
    return f"pinned {pin.word.value} by {pin.author}: {pin.why}" if pin else ""


def _image(picture: Picture | None) -> ImageJson | None:
    if picture is None:
        return None
    width, height = (picture.size.width, picture.size.height) if picture.size else (None, None)
    facts = (picture.orientation, picture.format, picture.bytes, picture.digest, picture.cached)
    return ImageJson(width, height, *facts)


def _link(entry_link: EntryLink) -> LinkJson:
    link = entry_link.link
    return LinkJson(
        entry_link.record,
        link.field,
        link.line,
        link.column,
        link.text,
        link.kind,
        _declared(link.declared),
        [_issue(issue) for issue in entry_link.issues],
    )


def _declared(declared: Declared | None) -> DeclaredJson | None:
    return DeclaredJson(declared.width, declared.height, declared.cached) if declared else None


def _issue(issue: LinkIssue) -> IssueJson:
    return IssueJson(issue.issue, issue.expected, issue.actual)
