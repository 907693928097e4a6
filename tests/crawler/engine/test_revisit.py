"""The plan of a run: what the database knows, and what a budget lets through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from crawler.config import Config
from crawler.config.sections import ScheduleSection
from crawler.engine.revisit import planned_freshness, within_budget
from crawler.verdicts.states import StateThresholds, advance
from storage.db.database import open_engine
from storage.ledger.writer import LedgerWriter
from storage.model import Run, State, Verdict
from storage.queries import report as queries
from storage.queries.run import due_targets
from storage.rollups.targets import update_targets
from tests.storage.build import DAY, NOW, catalogued, document, finding, ids, link, rows

ADAPTIVE = Config()
URLS = [f"https://a.example/{n}" for n in range(10)]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """An open database."""
    database = open_engine(f"sqlite:///{tmp_path}/linkhealth.db")
    yield database
    database.dispose()


def budget(checks: int) -> Config:
    """A configuration with a budget."""
    return Config(schedule=ScheduleSection(checks_per_day=checks))


def check(engine: sa.Engine, run: Run, verdicts: dict[str, Verdict], config: Config = ADAPTIVE) -> None:
    """A run that checks some URLs at its start."""
    intervals = planned_freshness(engine, config, run.started_at)
    judge = partial(advance, evidence=StateThresholds(), freshness=intervals)
    keys = ids(engine)
    findings = [
        replace(finding(keys[url], verdict, run.started_at), url=url) for url, verdict in verdicts.items()
    ]
    LedgerWriter(engine, run, judge).write(findings)
    update_targets(engine)


def intervals_of(engine: sa.Engine) -> dict[str, timedelta]:
    """The intervals that were planned, by URL."""
    return {
        entry.url: entry.next_due - entry.finding.checked_at
        for entry in queries.entries(engine)
        if entry.finding is not None and entry.next_due is not None
    }


def test_an_outage_is_no_death_of_a_host(engine: sa.Engine) -> None:
    """What failed for a while and came back leaves the plan as it is for hosts that never failed."""
    steady = [f"https://b.example/{n}" for n in range(10)]
    records = document("r.md", [link(url) for url in URLS + steady])
    for days, verdict in enumerate([Verdict.OK, Verdict.TIMEOUT, Verdict.OK, Verdict.TIMEOUT, Verdict.OK]):
        run = catalogued(engine, records, at=NOW + days * DAY)
        check(engine, run, dict.fromkeys(URLS, verdict) | dict.fromkeys(steady, Verdict.OK))
    run = catalogued(engine, records, at=NOW + 60 * DAY)
    check(engine, run, dict.fromkeys(URLS + steady, Verdict.OK))

    hazards = {entry.url: entry.hazard for entry in queries.entries(engine)}
    assert hazards[URLS[0]] == pytest.approx(hazards[steady[0]])


def test_a_host_that_lost_pages_is_asked_sooner(engine: sa.Engine) -> None:
    """Its pages that are alive come sooner than those of a host that lost none; hazards are kept."""
    good = [f"https://b.example/{n}" for n in range(10)]
    run = catalogued(engine, document("r.md", [link(url) for url in URLS + good]))
    check(engine, run, dict.fromkeys(URLS[:6], Verdict.GONE) | dict.fromkeys(URLS[6:] + good, Verdict.OK))
    for days in (2, 4):
        run = catalogued(engine, document("r.md", [link(url) for url in URLS + good]), at=NOW + days * DAY)
        check(engine, run, dict.fromkeys(URLS[:6], Verdict.GONE))
    run = catalogued(engine, document("r.md", [link(url) for url in URLS + good]), at=NOW + 20 * DAY)
    check(engine, run, dict.fromkeys(URLS[6:] + good, Verdict.OK))

    planned = intervals_of(engine)
    assert max(planned[url] for url in URLS[6:]) < min(planned[url] for url in good)
    hazards = {entry.url: entry.hazard or 0 for entry in queries.entries(engine)}
    assert hazards[URLS[9]] > 2 * hazards[good[0]]


def test_the_usual_budget_is_what_fixed_intervals_cost(engine: sa.Engine) -> None:
    """Targets that are all alike come after some ten days: between 7 and 14, as with `fixed`."""
    run = catalogued(engine, document("r.md", [link(url) for url in URLS]))
    check(engine, run, dict.fromkeys(URLS, Verdict.OK))
    assert all(9 * DAY < interval < 11.5 * DAY for interval in intervals_of(engine).values())


def test_fixed_is_what_was(engine: sa.Engine) -> None:
    """`policy = "fixed"` asks again after `alive`, and keeps no hazard."""
    run = catalogued(engine, document("r.md", [link(url) for url in URLS]))
    check(engine, run, dict.fromkeys(URLS, Verdict.OK), Config(schedule=ScheduleSection(policy="fixed")))
    assert all(7 * DAY <= interval <= 14 * DAY for interval in intervals_of(engine).values())
    assert rows(engine, "SELECT count(hazard) FROM target") == [(0,)]


def test_budget_smaller_than_what_is_due(engine: sa.Engine) -> None:
    """What is under suspicion or was not checked for 90 days goes; the rest by what it risked since."""
    run = catalogued(engine, document("r.md", [link(url) for url in URLS]), at=NOW - 100 * DAY)
    check(engine, run, dict.fromkeys(URLS[:2], Verdict.OK))
    run = catalogued(engine, document("r.md", [link(url) for url in URLS]), at=NOW - 60 * DAY)
    check(engine, run, dict.fromkeys(URLS[2:5], Verdict.OK))
    run = catalogued(engine, document("r.md", [link(url) for url in URLS]), at=NOW - 40 * DAY)
    check(engine, run, dict.fromkeys(URLS[5:8], Verdict.OK))
    run = catalogued(engine, document("r.md", [link(url) for url in URLS]), at=NOW - DAY)
    check(engine, run, {URLS[8]: Verdict.GONE, URLS[9]: Verdict.OK})
    run = catalogued(engine, document("r.md", [link(url) for url in URLS]))
    targets = due_targets(engine, run)

    chosen = {
        checks: {target.url for target in within_budget(engine, run, budget(checks), targets)}
        for checks in (0, 1, 6)
    }
    assert chosen[0] == set(URLS[:9])
    assert chosen[1] == {*URLS[:2], URLS[8]}
    assert chosen[6] == {*URLS[:5], URLS[8]}


def test_nothing_starves(engine: sa.Engine) -> None:
    """With a check a day for ten targets and a run a week, each is checked at least every 90 days."""
    at, last = NOW, dict.fromkeys(URLS, NOW)
    waits: list[timedelta] = []
    for _ in range(40):
        at += 7 * DAY
        run = catalogued(engine, document("r.md", [link(url) for url in URLS]), at=at)
        targets = within_budget(engine, run, budget(1), due_targets(engine, run))
        check(engine, run, {target.url: Verdict.OK for target in targets}, budget(1))
        waits += [at - last[target.url] for target in targets]
        last.update({target.url: at for target in targets})
    assert max(waits + [at - time for time in last.values()]) <= 97 * DAY


@pytest.mark.parametrize("jump", [-400 * DAY, 400 * DAY])
def test_clock_that_jumped(engine: sa.Engine, jump: timedelta) -> None:
    """A run by a clock that was a year off does no harm once the clock is right."""
    run = catalogued(engine, document("r.md", [link(url) for url in URLS]))
    check(engine, run, dict.fromkeys(URLS, Verdict.OK))
    run = catalogued(
        engine, document("r.md", [link(url) for url in [*URLS, "https://a.example/x"]]), at=NOW + jump
    )
    check(engine, run, dict.fromkeys([*URLS, "https://a.example/x"], Verdict.OK))
    run = catalogued(engine, document("r.md", [link(url) for url in URLS]), at=NOW + DAY)
    targets = due_targets(engine, run)
    assert {target.url for target in targets} == set(URLS)
    assert len(within_budget(engine, run, budget(3), targets)) >= 3
    check(engine, run, dict.fromkeys(URLS, Verdict.OK))
    planned = intervals_of(engine)
    assert all(DAY <= planned[url] <= 90 * DAY for url in URLS)


def test_long_history(engine: sa.Engine) -> None:
    """Ten thousand findings on one target are judged and planned as the first."""
    run = catalogued(engine, document("r.md", [link(URLS[0])]))
    (key,) = ids(engine).values()
    names = "run_id, target_id, verdict, class, attempts, requests, elapsed, bytes, checked_at"
    with engine.begin() as connection:
        connection.execute(
            sa.text(f"INSERT INTO finding ({names}) VALUES (:run, :key, 'ok', 'alive', 1, 1, 0, 0, :at)"),
            [{"run": 100 + n, "key": key, "at": f"{NOW:%Y-%m-%d %H:%M:%S}"} for n in range(10_000)],
        )
    check(engine, run, {URLS[0]: Verdict.OK})
    (entry,) = queries.entries(engine)
    assert entry.state is State.ALIVE
    assert len(queries.history(engine, key)) == 10_001
