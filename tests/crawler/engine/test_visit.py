"""A defect of this program costs one target its verdict, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from crawler.engine.context import RunContext
from crawler.engine.observer import NullObserver
from crawler.engine.plan import by_lane
from crawler.fetch.base import Request, Response
from crawler.fetch.transport.address_slots import AddressSlots
from crawler.policies import lanes_of
from crawler.wiring import Network, assemble
from storage.model import Finding, Hop, Kind, Target, Verdict
from tests import clock
from tests.check import QUICK, Kept

BAD = "https://site.example/bad"
URLS = (BAD, *(f"https://site.example/{n}" for n in range(5)))
Harm = Callable[[Request], None]


def unforeseen(request: Request) -> None:
    """An error that no table names."""
    raise ValueError(request.url)


def endless_wait(request: Request) -> None:
    """A time beyond every calendar, which no finding can hold."""
    request.trace.retry_at = 1e300
    raise OverflowError(request.url)


def broken_hop(request: Request) -> None:
    """A hop of which no row can be made."""
    request.trace.hops.append(Hop(None, "GET", 200, None, 0.1, 1, None))  # type: ignore[arg-type]
    raise TypeError(request.url)


class Loud(NullObserver):
    """An observer that breaks its promise, and raises."""

    def found(self, finding: Finding) -> None:
        """Raise."""
        raise RuntimeError(finding.url)


async def findings(harm: Harm | None, observer: NullObserver, *urls: str) -> dict[str, Finding]:
    """The findings of a run over a network that harms one of the visits."""

    async def http(request: Request) -> Response:
        if harm is not None and request.url == BAD:
            harm(request)
        return Response(request.url, 200)

    kept = Kept()
    run = assemble(RunContext(QUICK, kept, observer), Network(http, AddressSlots(8)))
    targets = (Target(n, url, Kind.WEB) for n, url in enumerate(urls, 1))
    await run.check(by_lane(targets, lanes_of(QUICK)))
    return kept.findings


@pytest.mark.parametrize("harm", [unforeseen, endless_wait, broken_hop])
def test_a_defect_costs_one_target(harm: Harm, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the visit left behind, its target is `crashed`, and its lane goes on."""
    caplog.set_level(logging.ERROR)
    found = clock.run(findings(harm, NullObserver(), *URLS))
    assert found.pop(BAD).verdict is Verdict.CRASHED
    assert {finding.verdict for finding in found.values()} == {Verdict.OK}
    assert len(found) == len(URLS) - 1
    assert [BAD in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.parametrize(
    "url", ["http://\ud800.example/", "http://[", "http://a.example:99999/", "x" * 100_000]
)
def test_a_url_that_is_none_has_its_finding(url: str) -> None:
    """What cannot even be read as a URL is a finding before the first request."""
    found = clock.run(findings(None, NullObserver(), url, *URLS))
    assert found.keys() == {url, *URLS}
    assert found[url].verdict is Verdict.INVALID_URL


def test_an_observer_that_raises_costs_no_finding() -> None:
    """Every finding is kept, though the observer fails at each."""
    found = clock.run(findings(None, Loud(), *URLS))
    assert found.keys() == set(URLS)
