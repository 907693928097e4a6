"""Everything known about one target, and why its verdict is what it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from crawler.report.certificates import tls
from crawler.report.image import about
from crawler.report.line import moment
from crawler.report.safe import shown
from storage import queries
from storage.model import Hop, Verdict
from storage.queries import Entry, Observation

# One sentence each for the reader; docs/verdicts.md says more.
MEANINGS: Final = {
    "alive": "it answers as it should",
    "hard": "the answer is a definite no",
    "soft": "the server or its certificate is at fault, and may be mended",
    "transient": "it failed in a way that often passes by itself",
    "unknown": "the server refuses robots, or asks who we are: that says nothing about readers",
    "content": "there is an answer, but not the thing that was promised",
    "unchecked": "nothing was asked, so nothing is known",
}
# What is weighed by signs; docs/verdicts.md has their points.
SIGNS: Final = {"soft_404": "Signs of a soft 404", "parked": "Signs of a parked domain"}


@dataclass(frozen=True, slots=True)
class Story:
    """What is known of one target."""

    entry: Entry
    history: Sequence[Observation]
    hops: Sequence[Hop]
    twins: Sequence[str] = ()
    alike: Sequence[queries.Alike] = ()


def find(engine: sa.Engine, url: str) -> Story | None:
    """The story of the target with this URL; None if no record ever named it."""
    entry = queries.find(engine, url)
    if entry is None:
        return None
    history = queries.history(engine, entry.id)
    hops = queries.hops(engine, history[-1].run, entry.id) if history else []
    picture = entry.finding.picture if entry.finding else None
    if picture is None or picture.digest is None:
        return Story(entry, history, hops)
    twins, alike = queries.twins(engine, picture.digest, entry.id), queries.alike(engine, picture.digest)
    return Story(entry, history, hops, twins, alike)


def explain(story: Story) -> Iterator[str]:
    """The story, a line at a time, in the order of the evidence."""
    entry = story.entry
    yield f"{shown(entry.url)}\n"
    if entry.pin is not None:
        yield f"Pinned:  {entry.pin.word.value} by {shown(entry.pin.author)} at {moment(entry.pin.at)}"
        yield f": {shown(entry.pin.why)}\n"
    yield from _verdict(entry)
    yield from _signs(entry)
    yield from _requests(story)
    if entry.finding is not None and entry.finding.picture is not None:
        yield from about(entry.finding.picture, entry.finding.evidence, story.twins, story.alike)
    yield f"\nNamed by {len(entry.links)} links:\n"
    for one in entry.links:
        yield f"  {shown(one.record)}:{one.link.line}:{one.link.column}  {shown(one.link.field)}\n"
        for issue in one.issues:
            said = f"{shown(issue.expected or '')} -> {shown(issue.actual or '')}"
            yield f"    {issue.issue.value}: {said}\n"
    yield from _history(story)


def _verdict(entry: Entry) -> Iterator[str]:
    finding = entry.finding
    if finding is None:
        yield "Never checked: 'linkhealth audit' checks it.\n"
        return
    verdict = finding.verdict
    status = f", status {finding.status}" if finding.status else ""
    yield f"Verdict: {verdict.value} ({verdict.cls.value}{status}): {MEANINGS[verdict.cls.value]}.\n"
    if finding.detail:
        yield f"Reason:  {shown(finding.detail)}\n"
    if finding.moved_to:
        yield f"Moved:   for good to {shown(finding.moved_to)}\n"
    since = f", failing since {moment(entry.failing_since)}" if entry.failing_since else ""
    yield f"State:   {entry.state.value}{since}\n"
    yield f"Checked: {moment(finding.checked_at)}; next due {moment(entry.next_due) or 'at once'}\n"


def _signs(entry: Entry) -> Iterator[str]:
    """The signs that were weighed: what each says, its points, and what a page that cannot exist got."""
    evidence = entry.finding.evidence if entry.finding is not None else {}
    amp = evidence.get("amp")
    if isinstance(amp, dict) and amp.get("canonical"):
        yield f"\nCanonical link: {shown(amp['canonical'])}\n"
    parts = evidence.get("fragments")
    if isinstance(parts, dict) and parts.get("unread"):
        yield f"\nParts that links name were not looked for: {shown(parts['unread'])}\n"
    for name, title in SIGNS.items():
        weighed = evidence.get(name)
        if not isinstance(weighed, dict):
            continue
        yield f"\n{title}: {weighed['points']} points, {weighed['enough']} are enough\n"
        for sign, points in weighed["signs"].items():
            yield f"  {points:+4}  {shown(sign)}\n"
        probe = weighed["probe"]
        if probe:
            yield f"  probe {shown(probe['url'])} -> {probe['status']} at {shown(probe['to'])}\n"


def _requests(story: Story) -> Iterator[str]:
    finding = story.entry.finding
    if finding is None or not finding.requests:
        return
    took = f"{finding.requests} requests in {finding.attempts} attempts, {finding.elapsed:.2f} s"
    yield f"\nRequests: {took}, {finding.bytes} bytes\n"
    for hop in story.hops:
        outcome = hop.status if hop.status is not None else hop.error
        where = f" at {hop.address}" if hop.address else ""
        yield f"  {hop.attempt}. {hop.method} {shown(hop.url)} -> {outcome} in {hop.elapsed:.2f} s{where}\n"
    known = tls(finding)
    if known is not None:
        ends = f", certificate ends {known['expires']}" if known["expires"] else ", certificate not verified"
        yield f"TLS: {known['version']} with {shown(known['host'])}{ends}\n"


def _history(story: Story) -> Iterator[str]:
    if not story.history:
        return
    yield f"\nHistory: {_strip(story.history)}\n"
    for one in story.history[-10:]:
        status = f" {one.status}" if one.status else ""
        yield f"  {moment(one.at)}  run {one.run}  {one.verdict.value}{status}\n"


def _strip(history: Sequence[Observation]) -> str:
    """A mark for each check: alive, failing, unknown or unchecked."""
    return "".join(_mark(one.verdict) for one in history[-60:])


def _mark(verdict: Verdict) -> str:
    return {"alive": "█", "unknown": "?", "unchecked": "·"}.get(verdict.cls.value, "▁")
