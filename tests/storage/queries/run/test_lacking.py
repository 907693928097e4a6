"""Which targets a run has no finding of."""

from __future__ import annotations

import sqlalchemy as sa

from storage.ledger import begin_run
from storage.queries import run as queries
from tests.storage.build import NOW, catalogued, document, finding, ids, link, write

URLS = [f"https://{name}.example/" for name in "abc"]


def test_findings_of_other_runs_do_not_count(engine: sa.Engine) -> None:
    """A finding of an earlier run is none of this one."""
    earlier = catalogued(engine, document("r.md", [link(url, url) for url in URLS]))
    keys = ids(engine)
    write(engine, earlier, *(finding(keys[url]) for url in URLS))
    run = begin_run(engine, "audit", NOW)
    write(engine, run, finding(keys[URLS[0]]))
    assert queries.finding_count(engine, earlier) == len(URLS)
    assert queries.finding_count(engine, run) == 1
    assert queries.targets_without_finding(engine, run, [keys[url] for url in URLS]) == [
        keys[URLS[1]],
        keys[URLS[2]],
    ]
