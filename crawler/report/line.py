"""One target as the contract's JSON object: keys never vanish, null where there is nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from storage.model import Declared, Finding, LinkIssue, Picture, Pin
from storage.queries import Entry, EntryLink

Json = dict[str, Any]


def moment(at: datetime | None) -> str | None:
    """A time as the contract writes it."""
    return None if at is None else f"{at.isoformat()[:19]}Z"


def line(entry: Entry) -> Json:
    """The object of one target."""
    finding = entry.finding
    return {
        "url": entry.url,
        "verdict": entry.verdict,
        "class": entry.verdict.cls,
        "state": entry.state,
        **_facts(finding),
        "detail": detail(entry),
        "next_due": moment(entry.next_due),
        "failing_since": moment(entry.failing_since),
        "image": _image(finding.picture if finding else None),
        "links": [_link(one) for one in entry.links],
    }


def _facts(finding: Finding | None) -> Json:
    """What the newest check found, whichever run made it."""
    return {
        "status": finding.status if finding else None,
        "final_url": finding.final_url if finding else None,
        "moved_to": finding.moved_to if finding else None,
        "redirects": [{"url": one.url, "status": one.status} for one in finding.redirects] if finding else [],
        "attempts": finding.attempts if finding else 0,
        "requests": finding.requests if finding else 0,
        "elapsed": round(finding.elapsed, 3) if finding else 0.0,
        "bytes": finding.bytes if finding else 0,
        "checked_at": moment(finding.checked_at) if finding else None,
    }


def detail(entry: Entry) -> str | None:
    """Why the verdict is what it is, behind the word of a person who knows better."""
    said = entry.finding.detail if entry.finding else None
    return "; ".join(filter(None, (pinned(entry.pin), said))) or None


def pinned(pin: Pin | None) -> str:
    """The mark of a pin in one phrase; "" where there is none."""
    return f"pinned {pin.word.value} by {pin.author}: {pin.why}" if pin else ""


def _image(picture: Picture | None) -> Json | None:
    if picture is None:
        return None
    return {
        "width": picture.size.width if picture.size else None,
        "height": picture.size.height if picture.size else None,
        "orientation": picture.orientation,
        "format": picture.format,
        "bytes": picture.bytes,
        "digest": picture.digest,
        "cached": picture.cached,
    }


def _link(one: EntryLink) -> Json:
    link = one.link
    return {
        "record": one.record,
        "field": link.field,
        "line": link.line,
        "column": link.column,
        "text": link.text,
        "kind": link.kind,
        "declared": _declared(link.declared),
        "issues": [_issue(issue) for issue in one.issues],
    }


def _declared(declared: Declared | None) -> Json | None:
    if declared is None:
        return None
    return {"width": declared.width, "height": declared.height, "cached": declared.cached}


def _issue(issue: LinkIssue) -> Json:
    return {"issue": issue.issue.value, "expected": issue.expected, "actual": issue.actual}
