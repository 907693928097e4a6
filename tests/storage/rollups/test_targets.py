"""Figures are counted once a run, and are those of the targets that records name."""

from __future__ import annotations

import sqlalchemy as sa

from storage.ledger import begin_run
from storage.model import Kind, State, Verdict
from storage.queries import dashboard as queries
from storage.queries.dashboard import StandingCount, StateChangeCounts
from storage.rollups.link_issues import judge_links
from storage.rollups.targets import update_targets
from tests.storage.build import NOW, catalogued, document, finding, ids, link, rows, write

PAGE = "https://a.example/page"
PICTURE = "https://a.example/picture"
GONE = "https://a.example/gone"


def test_tally_counts_by_kind_state_and_verdict(engine: sa.Engine) -> None:
    """The most demanding kind of the links counts, and the newest verdict."""
    both = [link(PICTURE), link(PICTURE, "images[0].url", Kind.IMAGE), link(PAGE)]
    run = catalogued(engine, document("a.md", both))
    keys = ids(engine)
    write(engine, run, finding(keys[PICTURE], Verdict.TRUNCATED))
    assert update_targets(engine) == 2
    assert queries.standings(engine) == [
        StandingCount(run.id, Kind.IMAGE, State.SUSPECT, Verdict.TRUNCATED, 1),
        StandingCount(run.id, Kind.WEB, State.NEW, Verdict.NOT_REACHED, 1),
    ]


def test_targets_that_nobody_names_do_not_count(engine: sa.Engine) -> None:
    """A link that is gone takes its target out of the figures, and a later run keeps the earlier ones."""
    first = catalogued(engine, document("a.md", [link(PAGE), link(GONE)]))
    judge_links(engine, lambda _: {})
    second = catalogued(engine, document("a.md", [link(PAGE)]))
    judge_links(engine, lambda _: {})
    counts = queries.standings(engine, runs=5)
    assert [(one.run, one.targets) for one in counts] == [(first.id, 2), (second.id, 1)]
    assert rows(engine, f"SELECT kind FROM target WHERE url = '{GONE}'") == [(None,)]
    assert [one.run for one in queries.standings(engine)] == [second.id]


def test_counting_again_changes_nothing(engine: sa.Engine) -> None:
    """The figures of a run are replaced, not added to; before any run there are none."""
    assert update_targets(engine) == 0
    catalogued(engine, document("a.md", [link(PAGE)]))
    assert [update_targets(engine), update_targets(engine)] == [1, 1]
    assert sum(one.targets for one in queries.standings(engine)) == 1


def test_news_are_turns_but_for_new_ones_that_are_alive(engine: sa.Engine) -> None:
    """What a run changed is counted, and named at most so often, the dead first."""
    first = catalogued(engine, document("a.md", [link(PAGE), link(GONE)]))
    keys = ids(engine)
    write(engine, first, finding(keys[PAGE]), finding(keys[GONE], Verdict.GONE))
    assert queries.turns(engine, first.id) == [StateChangeCounts(State.NEW, State.SUSPECT, 1)]
    second = begin_run(engine, "audit", NOW)
    write(engine, second, finding(keys[PAGE], Verdict.GONE), finding(keys[GONE]))
    news = queries.latest_turns(engine, second.id, limit=1)
    assert [(one.url, one.was, one.now) for one in news] == [
        (GONE, State.SUSPECT, State.ALIVE),
        (PAGE, State.ALIVE, State.SUSPECT),
    ]


def test_news_are_found_by_their_index(file_engine: sa.Engine) -> None:
    """A run with a million new targets that are alive is not searched for the few others."""
    plan = "EXPLAIN QUERY PLAN SELECT from_state, to_state, count(*) FROM event WHERE run_id = 1 AND "
    said = rows(
        file_engine, f"{plan}(from_state <> 'new' OR to_state <> 'alive') GROUP BY to_state, from_state"
    )
    assert "COVERING INDEX ix_event_news" in str(said)
