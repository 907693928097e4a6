"""What changed between two runs."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from storage.ledger import begin_run
from storage.model import Finding, Verdict
from storage.queries import report as queries
from tests.storage.build import DAY, NOW, catalogued, document, finding, ids, link, write

URLS = {name: f"https://{name}.example/" for name in ("a", "b", "c", "d", "e")}
OK, GONE, MOVED = Verdict.OK, Verdict.GONE, Verdict.MOVED


def _days(engine: sa.Engine, *days: dict[str, Verdict]) -> None:
    """Runs, a day apart, with what each found on the targets a to e; run 1 reads the records."""
    catalogued(engine, document("r.md", [link(url, f"l[{n}]") for n, url in enumerate(URLS.values())]))
    keys = ids(engine)
    for number, found in enumerate(days):
        at = NOW + number * DAY
        run = begin_run(engine, "audit", at)
        write(engine, run, *(_finding(keys[URLS[name]], verdict, number) for name, verdict in found.items()))


def _finding(key: int, verdict: Verdict, number: int) -> Finding:
    made = finding(key, verdict, NOW + number * DAY)
    return replace(made, moved_to="https://new.example/") if verdict is MOVED else made


def _news(engine: sa.Engine, since: int) -> list[tuple[str, str, str, str]]:
    return [
        (one.news.value, one.entry.url[8], one.was.value, one.now.value)
        for one in queries.changes(engine, since)
    ]


def test_each_kind_of_news(engine: sa.Engine) -> None:
    """What died, fell under suspicion, came back or moved is told, worst first."""
    _days(
        engine,
        {"a": GONE, "b": OK, "c": GONE, "d": OK, "e": OK},
        {"a": GONE},
        {"a": GONE, "b": GONE, "c": OK, "d": MOVED, "e": OK},
    )
    assert _news(engine, 3) == [
        ("dead", "a", "suspect", "dead"),
        ("suspect", "b", "alive", "suspect"),
        ("recovered", "c", "suspect", "alive"),
        ("moved", "d", "alive", "alive"),
    ]


def test_change_has_its_time_its_run_and_its_links(engine: sa.Engine) -> None:
    """A change tells when it came, by which run, and where the target stands."""
    _days(engine, {"a": OK}, {"a": GONE})
    (one,) = queries.changes(engine, 2)
    assert (one.at, one.run) == (NOW + DAY, 3)
    assert [(at.record, at.link.field) for at in one.entry.links] == [("r.md", "l[0]")]


def test_what_changed_back_is_no_news(engine: sa.Engine) -> None:
    """Only the ends count: down and up again between two runs is silence, and so is a new alive one."""
    _days(engine, {"a": OK}, {"a": GONE}, {"a": OK, "b": OK})
    assert _news(engine, 2) == []
    assert _news(engine, 3) == [("recovered", "a", "suspect", "alive")]


def test_move_is_news_once(engine: sa.Engine) -> None:
    """A target that moved is news when it is found, and not again while it leads to the same place."""
    _days(engine, {"d": OK}, {"d": MOVED}, {"d": Verdict.NOT_REACHED}, {"d": MOVED})
    assert [row[:2] for row in _news(engine, 2)] == [("moved", "d")]
    assert _news(engine, 3) == []


def test_target_that_no_record_names_is_no_news(engine: sa.Engine) -> None:
    """Once its last link is closed, nobody asks what became of a target."""
    _days(engine, {"a": OK}, {"a": GONE})
    catalogued(engine, document("r.md", []))
    assert _news(engine, 2) == []
