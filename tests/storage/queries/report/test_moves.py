"""Since when the checks of a target have led to the same new URL."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from storage.ledger import begin_run
from storage.model import Verdict
from storage.queries import report as queries
from tests.storage.build import DAY, NOW, catalogued, document, finding, ids, link, write

OLD = "https://a.example/old"
MOVED, OK, GONE, TIMEOUT, FORBIDDEN = (
    Verdict.MOVED,
    Verdict.OK,
    Verdict.NOT_FOUND,
    Verdict.TIMEOUT,
    Verdict.FORBIDDEN,
)


@pytest.mark.parametrize(
    ("days", "first"),
    [
        ([(MOVED, "x")], 0),
        ([(MOVED, "x"), (MOVED, "x")], 0),
        ([(MOVED, "x"), (TIMEOUT, None), (FORBIDDEN, None), (MOVED, "x")], 0),
        ([(MOVED, "x"), (MOVED, "y"), (MOVED, "x")], 2),
        ([(MOVED, "x"), (OK, None), (MOVED, "x")], 2),
        ([(MOVED, "x"), (GONE, None), (MOVED, "x"), (MOVED, "x")], 2),
        ([(MOVED, "x"), (OK, None)], None),
        ([(MOVED, "x"), (TIMEOUT, None)], None),
    ],
)
def test_only_checks_in_a_row_count(
    engine: sa.Engine, days: list[tuple[Verdict, str | None]], first: int | None
) -> None:
    """Another URL, or a page that is there or gone, begins anew; what says nothing of the page does not."""
    catalogued(engine, document("r.md", [link(OLD)]))
    key = ids(engine)[OLD]
    for number, (verdict, new) in enumerate(days):
        run = begin_run(engine, "audit", NOW + number * DAY)
        write(engine, run, replace(finding(key, verdict, NOW + number * DAY), moved_to=new))

    assert queries.moved_since(engine) == ({} if first is None else {key: NOW + first * DAY})
