"""Whoever answers well, however oddly, is not taken for a page that is gone, nor for a parked domain."""

from __future__ import annotations

import asyncio

import pytest

from storage.model import Kind
from tests.behaviours.table import CASES, Case
from tests.behaviours.test_behaviours import load
from tests.check import check, config
from tests.site import Step, answer, page, serve

# The only page of a site is read at once, so there is no HEAD whose reset would be one more try.
THREE_RESETS = "reset 3 times, then well"
WELL = [
    case
    for case in CASES
    if case.verdict in {"ok", "moved", "redirected"} and case.kind is Kind.WEB and case.does != THREE_RESETS
]
OTHERS: dict[str, Step] = {"404": answer(404), "200": page(), "500": answer(500)}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("case", WELL, ids=[f"{case.row} {case.does}"[:60] for case in WELL])
async def test_it_stays_well(case: Case, other: str) -> None:
    """The verdict is that of the table, whatever the site says to a path that it does not know."""
    settings = config(**{**case.config, "checks": {"not_found": True, "parked": True}})
    async with serve() as site:
        site.fallback = OTHERS[other]
        url = load(site, case)
        async with asyncio.timeout(60):
            finding = await check(site, url, case.kind, settings)

    assert finding.verdict == case.verdict, finding.evidence
    assert all(getattr(finding, name) == value for name, value in case.facts.items())
