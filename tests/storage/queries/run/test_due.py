"""What a run has to check, and in which order."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from storage.ledger import begin_run
from storage.ledger.writer import LedgerWriter
from storage.model import Finding, Kind, Run, Standing, State
from storage.queries import run as queries
from tests.storage.build import DAY, NOW, catalogued, document, finding, ids, link

URLS = {name: f"https://{name}.example/" for name in "abcde"}


def _catalogued(engine: sa.Engine, at: datetime = NOW) -> Run:
    return catalogued(engine, document("r.md", [link(url, url) for url in URLS.values()]), at=at)


def _schedule(engine: sa.Engine, **due: timedelta) -> None:
    """Check targets now, so that each is due after its time."""
    keys, run = ids(engine), begin_run(engine, "audit", NOW)

    def advance(standing: Standing, found: Finding) -> Standing:
        name = next(name for name, url in URLS.items() if keys[url] == found.target)
        return standing._replace(checked_at=found.checked_at, next_due=NOW + due[name])

    LedgerWriter(engine, run, advance).write([finding(keys[URLS[name]]) for name in due])


def _due(engine: sa.Engine, run: Run, *, force: bool = False) -> str:
    return "".join(target.url[8] for target in queries.due_targets(engine, run, force=force))


def test_new_ones_come_first_then_the_oldest(engine: sa.Engine) -> None:
    """What was never checked goes first, then what is due for the longest; the rest waits."""
    _catalogued(engine)
    _schedule(engine, a=3 * DAY, b=DAY, c=2 * DAY, d=40 * DAY)
    run = _catalogued(engine, NOW + 3 * DAY)
    assert _due(engine, run) == "ebca"
    assert _due(engine, run, force=True) == "ebcad"


def test_clock_that_was_wrong_harms_no_target(engine: sa.Engine) -> None:
    """A target that was checked in the future is due: the clock was set back since."""
    _catalogued(engine)
    _schedule(engine, a=7 * DAY)
    assert "a" not in _due(engine, _catalogued(engine, NOW + DAY))
    assert "a" in _due(engine, _catalogued(engine, NOW - 365 * DAY))


def test_records_of_other_runs_are_not_asked(engine: sa.Engine) -> None:
    """Only what this run's records name is its affair."""
    _catalogued(engine)
    run = catalogued(engine, document("other.md", [link("https://z.example/", kind=Kind.IMAGE)]))
    (target,) = queries.due_targets(engine, run)
    assert (target.url, target.kind) == ("https://z.example/", Kind.IMAGE)


def test_standing_comes_back_as_it_went(engine: sa.Engine) -> None:
    """Every figure of a history is there at the next judgement, the times of its turns too."""
    run = _catalogued(engine)
    (key, *_) = ids(engine).values()
    turns = (NOW - 2 * DAY, NOW - DAY + timedelta(microseconds=5), NOW)
    kept = Standing(State.DEAD, NOW, NOW - DAY, 4, NOW - 2 * DAY, 3, 1, turns, NOW, NOW + DAY)
    seen: list[Standing] = []

    def advance(standing: Standing, _: Finding) -> Standing:
        seen.append(standing)
        return kept

    for _ in range(2):
        LedgerWriter(engine, run, advance).write([finding(key)])
    assert seen == [Standing(), kept]
