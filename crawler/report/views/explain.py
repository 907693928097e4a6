"""Everything known about one target, and why its verdict is what it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from crawler.report.escape import printable
from crawler.report.phrases import counted, issue_phrase
from crawler.report.scores import scores
from crawler.report.target_json import moment
from crawler.report.views.image import image_lines
from storage.edits import EditEvent, edits_of
from storage.frozen import frozen
from storage.model import Class, Finding, Hop, ScoreEvidence, State, Verdict
from storage.queries import report as queries
from storage.queries.report import Entry, Observation

# One sentence each for the reader; docs/verdicts.md says more.
CLASS_MEANINGS: Final = {
    "alive": "it answers as it should",
    "hard": "the answer is a definite no",
    "soft": "the server or its certificate is at fault, and may be mended",
    "transient": "it failed in a way that often passes by itself",
    "unknown": "the server refuses robots, or asks who we are: that says nothing about readers",
    "content": "there is an answer, but not the thing that was promised",
    "unchecked": "nothing was asked, so nothing is known",
}
# What is weighed by signs; docs/verdicts.md has their points.


@frozen
class TargetHistory:
    """What is known of one target."""

    entry: Entry
    history: Sequence[Observation]
    hops: Sequence[Hop]
    twins: Sequence[str] = ()
    alike: Sequence[queries.SimilarImage] = ()
    edits: Sequence[EditEvent] = ()


def find(engine: sa.Engine, url: str) -> TargetHistory | None:
    """The story of the target with this URL; None if no record ever named it."""
    entry = queries.find(engine, url)
    if entry is None:
        return None
    history = queries.history(engine, entry.id)
    hops = queries.hops(engine, history[-1].run, entry.id) if history else []
    picture = entry.finding.picture if entry.finding else None
    if picture is None or picture.digest is None:
        return TargetHistory(entry, history, hops, edits=edits_of(engine, entry.url))
    twins, alike = (
        queries.same_image_urls(engine, picture.digest, entry.id),
        queries.similar_images(engine, picture.digest),
    )
    return TargetHistory(entry, history, hops, twins, alike, edits_of(engine, entry.url))


def explain(target: TargetHistory) -> Iterator[str]:
    """The story, a line at a time, in the order of the evidence."""
    entry = target.entry
    yield f"{printable(entry.url)}\n"
    if entry.pin is not None:
        yield f"Pinned:  {entry.pin.word.value} by {printable(entry.pin.author)} at {moment(entry.pin.at)}"
        yield f": {printable(entry.pin.why)}\n"
    yield from _verdict(entry)
    yield from _postponement(target)
    yield from _signs(entry)
    yield from _requests(target)
    if entry.finding is not None and entry.finding.picture is not None:
        yield from image_lines(entry.finding.picture, entry.finding.evidence, target.twins, target.alike)
    yield f"\nNamed by {counted(len(entry.links), 'link')}:\n"
    for entry_link in entry.links:
        yield f"  {printable(entry_link.place)}  {printable(entry_link.link.field)}\n"
        for issue in entry_link.issues:
            yield f"    {issue_phrase(issue, printable)}\n"
    yield from _edits(target.edits)
    yield from _history(target)


def _verdict(entry: Entry) -> Iterator[str]:
    finding = entry.finding
    if finding is None:
        due = f", next due {moment(entry.next_due)}" if entry.next_due else ": 'linkhealth audit' checks it"
        yield f"Never checked{due}.\n"
        return
    verdict = finding.verdict
    status = f", status {finding.status}" if finding.status else ""
    yield f"Verdict: {verdict.value} ({verdict.cls.value}{status}): {CLASS_MEANINGS[verdict.cls.value]}.\n"
    if finding.detail:
        yield f"Reason:  {printable(finding.detail)}\n"
    if finding.moved_to:
        yield f"Moved:   for good to {printable(finding.moved_to)}\n"
    since = f", failing since {moment(entry.failing_since)}" if entry.failing_since else ""
    yield f"State:   {entry.state.value}{since}\n"
    yield f"Checked: {moment(finding.checked_at)}; next due {moment(entry.next_due) or 'at once'}\n"
    yield from _interval(entry, finding)


def _interval(entry: Entry, finding: Finding) -> Iterator[str]:
    """Why the next check is when it is."""
    if entry.next_due is not None:
        days = (entry.next_due - finding.checked_at) / timedelta(days=1)
        yield f"         that is {days:.1f} days after the last: {_interval_reason(entry, finding)}\n"


def _interval_reason(entry: Entry, finding: Finding) -> str:
    if finding.retry_at is not None and entry.next_due == finding.retry_at:
        return "its server asked for that wait"
    if finding.verdict.cls.fails or entry.state is State.SUSPECT:
        key = "dead" if entry.state is State.DEAD else "failing"
        return f"its state is {entry.state.value}, for which [schedule] {key} stands"
    if finding.verdict.cls is not Class.ALIVE:
        return "its answer does not tell, for which [schedule] unknown stands"
    if entry.hazard is None:
        return "[schedule] alive, stretched by its URL"
    return f"by its age, its own deaths and those of its host it risks {entry.hazard:.3f} deaths a year"


def _postponement(target: TargetHistory) -> Iterator[str]:
    """Why it was not asked at the last look, where its host asked to come back later."""
    newest = target.history[-1] if target.history else None
    if newest is not None and newest.verdict is Verdict.POSTPONED and newest.detail:
        yield f"Not asked at {moment(newest.at)}: {printable(newest.detail)}\n"


def _signs(entry: Entry) -> Iterator[str]:
    """The signs that were weighed: what each says, its points, and what a page that cannot exist got."""
    if entry.finding is None:
        return
    evidence = entry.finding.evidence
    if evidence.amp is not None and evidence.amp.canonical:
        yield f"\nCanonical link: {printable(evidence.amp.canonical)}\n"
    if evidence.fragments is not None and evidence.fragments.unread:
        yield f"\nParts that links name were not looked for: {printable(evidence.fragments.unread)}\n"
    if evidence.uninspected is not None:
        yield f"\nNot looked at: {printable(evidence.uninspected)}\n"
    for title, score in scores(evidence).items():
        yield from _score(title, score)


def _score(title: str, score: ScoreEvidence) -> Iterator[str]:
    yield f"\n{title}: {score.points} points, {score.enough} are enough\n"
    for sign, points in score.signs.items():
        yield f"  {points:+4}  {printable(sign)}\n"
    if score.probe is not None:
        yield f"  probe {printable(score.probe.url)} -> {score.probe.status} at {printable(score.probe.to)}\n"


def _requests(target: TargetHistory) -> Iterator[str]:
    finding = target.entry.finding
    if finding is None or not finding.requests:
        return
    tries = f"{counted(finding.requests, 'request')} in {counted(finding.attempts, 'attempt')}"
    took = f"{tries}, {finding.elapsed:.2f} s"
    yield f"\nRequests: {took}, {counted(finding.bytes, 'byte')}\n"
    for hop in target.hops:
        outcome = hop.status if hop.status is not None else hop.error
        where = f" at {hop.address}" if hop.address else ""
        request = f"{hop.attempt}. {hop.method} {printable(hop.url)}"
        yield f"  {request} -> {outcome} in {hop.elapsed:.2f} s{where}\n"
    tls = finding.evidence.tls
    if tls is not None:
        ends = f", certificate ends {tls.expires}" if tls.expires else ", certificate not verified"
        yield f"TLS: {tls.version} with {printable(tls.host)}{ends}\n"


def _edits(events: Sequence[EditEvent]) -> Iterator[str]:
    """What `fix` wrote for its sake, and whether that was put back."""
    if events:
        yield "\nCorrected:\n"
    for event in events:
        edit = event.edit
        undone = f", put back {moment(event.undone_at)}" if event.undone_at else ""
        place = f"{printable(event.path)}  {printable(edit.field)}"
        yield f"  {moment(event.at)}  fix {event.fix}  {place}{undone}\n"
        yield f"    {edit.rule}: {printable(edit.old_text)} -> {printable(edit.new_text)}\n"


def _history(target: TargetHistory) -> Iterator[str]:
    if not target.history:
        return
    yield f"\nHistory: {_strip(target.history)}\n"
    for observation in target.history[-10:]:
        status = f" {observation.status}" if observation.status else ""
        yield f"  {moment(observation.at)}  run {observation.run}  {observation.verdict.value}{status}\n"


def _strip(history: Sequence[Observation]) -> str:
    """A mark for each check: alive, failing, unknown or unchecked."""
    return "".join(_mark(observation.verdict) for observation in history[-60:])


def _mark(verdict: Verdict) -> str:
    return {"alive": "█", "unknown": "?", "unchecked": "·"}.get(verdict.cls.value, "▁")
