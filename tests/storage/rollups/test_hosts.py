"""Hosts are counted once a run, and are those of its findings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from storage.ledger import begin_run
from storage.model import Evidence, Finding, Verdict
from storage.queries import dashboard as queries
from storage.queries.dashboard import HostOrder, HostTally, HostTotals
from storage.rollups.hosts import count_hosts
from storage.rollups.link_issues import judge_links
from tests.storage.build import NOW, catalogued, document, finding, ids, link, rows, write

SLOW = [f"https://slow.example/{number:02}" for number in range(20)]
DOWN = ["https://down_100%.example/a", "https://down_100%.example/b", "https://down_100%.example/c"]
ALONE = "https://alone.example/"
NAMES = {"alone": "alone.example", "slow": "slow.example", "down": "down_100%.example"}


def _slow(key: int, number: int) -> Finding:
    """The checks of a host end two seconds after one another, and take ever longer."""
    made = finding(key, at=NOW + timedelta(seconds=2 * number))
    return replace(made, elapsed=0.1 * (number + 1), evidence=Evidence(waited=0.5 if number < 3 else 0.0))


@pytest.fixture
def counted(engine: sa.Engine) -> sa.Engine:
    """A run over a slow host, one that went down, and one with a single page."""
    run = catalogued(engine, document("a.md", [link(url) for url in (*SLOW, *DOWN, ALONE)]))
    keys = ids(engine)
    spared = replace(
        finding(0, Verdict.TIMEOUT), requests=0, elapsed=0.0, bytes=0, evidence=Evidence(spared=True)
    )
    write(
        engine,
        run,
        *(_slow(keys[url], number) for number, url in enumerate(SLOW)),
        replace(finding(keys[DOWN[0]], Verdict.TIMEOUT), requests=3, elapsed=30.0),
        *(replace(spared, target=keys[url]) for url in DOWN[1:]),
        finding(keys[ALONE]),
    )
    judge_links(engine, lambda _: {})
    return engine


def _hosts(engine: sa.Engine, order: HostOrder, run: int = 1, search: str = "") -> list[str]:
    return [one.host for one in queries.hosts(engine, run, order, search=search, limit=9)]


def test_host_is_told_with_its_figures(counted: sa.Engine) -> None:
    """Counts, the rate from the first check to the last, waits, and quantiles by the nearest rank."""
    slow, down, alone = queries.hosts(counted, 1, HostOrder.TARGETS, limit=9)
    assert slow.rate == pytest.approx(20 / 38)
    assert [slow.p50, slow.p95, slow.slowest] == pytest.approx([1.0, 1.9, 2.0])
    assert (slow.targets, slow.requests, slow.errors, slow.spared, slow.waited) == (20, 20, 0, 0, 1.5)
    assert (down.requests, down.errors, down.spared, down.verdicts) == (3, 3, 2, {"timeout": 3})
    assert (down.rate, down.p50, down.slowest) == (None, 30.0, 30.0)
    assert alone == HostTally("alone.example", 1, 1, 512, 0, 0, 0.0, None, 0.25, 0.25, 0.25, {"ok": 1})


@pytest.mark.parametrize(
    ("order", "names"),
    [
        (HostOrder.ERRORS, ["down", "alone", "slow"]),
        (HostOrder.TARGETS, ["slow", "down", "alone"]),
        (HostOrder.REQUESTS, ["slow", "down", "alone"]),
        (HostOrder.RATE, ["slow", "alone", "down"]),
        (HostOrder.WAITED, ["slow", "alone", "down"]),
        (HostOrder.SPARED, ["down", "alone", "slow"]),
        (HostOrder.MEDIAN, ["down", "slow", "alone"]),
        (HostOrder.SLOW, ["down", "slow", "alone"]),
        (HostOrder.SLOWEST, ["down", "slow", "alone"]),
        (HostOrder.BYTES, ["slow", "alone", "down"]),
        (HostOrder.HOST, ["alone", "down", "slow"]),
    ],
)
def test_orders_of_hosts(counted: sa.Engine, order: HostOrder, names: list[str]) -> None:
    """The most first, what is not known last, equals by their names; parts fit together."""
    assert _hosts(counted, order) == [NAMES[name] for name in names]
    parts = [queries.hosts(counted, 1, order, limit=1, skip=skip) for skip in range(4)]
    assert [one.host for part in parts for one in part] == [NAMES[name] for name in names]


@pytest.mark.parametrize(
    ("search", "names"), [("", 3), ("EXAMPLE", 3), ("_100%", 1), ("%", 1), ("' OR 1=1 --", 0), ("low", 1)]
)
def test_search_is_for_a_part_of_the_name(counted: sa.Engine, search: str, names: int) -> None:
    """Letter by letter, whatever the case; the totals are those of what is found."""
    assert len(_hosts(counted, HostOrder.HOST, search=search)) == names
    assert queries.host_totals(counted, 1, search=search).hosts == names


def test_totals_are_of_all_hosts(counted: sa.Engine) -> None:
    """Sums and the slowest of all; nothing for a run that counted none."""
    assert queries.host_totals(counted, 1) == HostTotals(3, 24, 24, 3, 2, 1, 1.5, 30.0)
    assert queries.host_totals(counted, 7) == HostTotals(0, 0, 0, 0, 0, 0, 0.0, 0.0)


def test_counting_again_replaces(counted: sa.Engine) -> None:
    """The figures of the newest run are counted anew, not twice; those of earlier runs are kept."""
    assert count_hosts(counted) == 3
    again = begin_run(counted, "audit", NOW)
    write(counted, again, finding(ids(counted)[ALONE], Verdict.GONE))
    assert [count_hosts(counted), count_hosts(counted)] == [1, 1]
    assert queries.counted_runs(counted, limit=9) == [2, 1]
    assert queries.counted_runs(counted, limit=1) == [2]
    assert len(_hosts(counted, HostOrder.HOST)) == 3


def test_run_that_was_killed_is_made_good_by_the_next(counted: sa.Engine) -> None:
    """A run that counted nothing is counted with the next, and one that was counted is left alone."""
    key = ids(counted)[ALONE]
    for _ in range(2):
        write(counted, begin_run(counted, "audit", NOW), finding(key, Verdict.GONE))
    with counted.begin() as connection:
        connection.execute(sa.text("DELETE FROM finding WHERE run_id = 1"))
    assert count_hosts(counted) == 2
    assert queries.counted_runs(counted, limit=9) == [3, 2, 1]
    assert len(_hosts(counted, HostOrder.HOST, run=2)) == 1


def test_old_runs_of_an_upgraded_database_are_left_alone(engine: sa.Engine) -> None:
    """Before any was counted, only the newest is: findings of others may be thinned out; none is no harm."""
    assert count_hosts(engine) == 0
    first = catalogued(engine, document("a.md", [link(ALONE)]))
    write(engine, first, finding(ids(engine)[ALONE]))
    write(engine, begin_run(engine, "audit", NOW), finding(ids(engine)[ALONE]))
    assert count_hosts(engine) == 1
    assert rows(engine, "SELECT DISTINCT run_id FROM host_tally") == [(2,)]


def test_runs_are_found_by_number(counted: sa.Engine) -> None:
    """One that is there, and one that is not."""
    found = queries.one_run(counted, 1)
    assert found is not None
    assert (found.id, found.command) == (1, "audit")
    assert queries.one_run(counted, 2) is None


def test_hosts_of_a_run_are_found_by_the_key(file_engine: sa.Engine) -> None:
    """Hosts of other runs are not read."""
    said = rows(file_engine, "EXPLAIN QUERY PLAN SELECT * FROM host_tally WHERE run_id = 1 ORDER BY errors")
    assert "SEARCH host_tally USING PRIMARY KEY (run_id=?)" in str(said)
