"""When what is alive is checked again: hazards, budgets and bounds."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from crawler.verdicts.revisits import (
    PRIOR_DEATHS,
    RevisitFacts,
    RevisitPlan,
    age_hazard,
    change_rate,
    excess,
    expected_deaths,
    prior_deaths,
)
from storage.model import Kind

DAY = timedelta(days=1)
A = "https://a.example/"


def facts(key: int, age: float = 1.0, host: str = "a", kind: Kind = Kind.WEB, **known: Any) -> RevisitFacts:
    """A target of a year."""
    return RevisitFacts(key, host, kind, age, **known)


def days(plan: RevisitPlan, key: int, url: str = A) -> float:
    """The interval of a target."""
    interval = plan.interval(key, url)
    assert interval is not None
    return interval / DAY


@pytest.mark.parametrize(("age", "hazard"), [(7 / 365.25, 0.37), (1.0, 0.073), (10.0, 0.028)])
def test_hazard_falls_with_age(age: float, hazard: float) -> None:
    """The law that was fitted to the pages that were gone."""
    assert age_hazard(age) == pytest.approx(hazard, rel=0.05)
    assert expected_deaths(age) - expected_deaths(age - 0.001) == pytest.approx(hazard * 0.001, rel=0.1)


def test_half_of_the_pages_of_2013_were_gone() -> None:
    """38 % of the pages of 2013 were gone ten years later."""
    assert expected_deaths(10) == pytest.approx(0.478, rel=0.02)  # -ln(0.62)


def test_change_rate_is_estimated_without_bias() -> None:
    """What changed at every look changes more often than that; what never did has no rate."""
    assert change_rate(0, 50, 1.0) == 0.0
    assert change_rate(10, 10, 1.0) == pytest.approx(30.4, rel=0.01)
    source = random.Random(3)
    looks, rate = 20, 6.0
    estimates = []
    for _ in range(2000):
        changed = sum(source.expovariate(rate) < 1 / looks for _ in range(looks))
        estimates.append(change_rate(changed, looks, 1.0))
    assert sum(estimates) / len(estimates) == pytest.approx(rate, rel=0.05)


def test_few_deaths_are_worth_little() -> None:
    """A host with one dead page of one is not believed to lose all."""
    assert 1 < excess(1, 0.3) < 2
    assert excess(40, 2.0) > 10


def deaths_of_hosts(shape: float, count: int = 4000) -> list[tuple[float, float]]:
    """Deaths, seen and expected, of hosts whose hazards differ by a Gamma law of a shape."""
    source = random.Random(7)
    told = []
    for _ in range(count):
        expected = source.uniform(0.2, 3.0)
        hazard = expected * source.gammavariate(shape, 1 / shape)
        deaths, gone = 0, source.expovariate(1.0)
        while gone < hazard:
            deaths += 1
            gone += source.expovariate(1.0)
        told.append((float(deaths), expected))
    return told


@pytest.mark.parametrize("shape", [0.3, 1.0, 3.0])
def test_hosts_tell_how_much_they_differ(shape: float) -> None:
    """What a host starts with is the shape of the law by which hosts differ, once enough was lost."""
    assert prior_deaths(deaths_of_hosts(shape)) == pytest.approx(shape, rel=0.2)
    assert prior_deaths([(1.0, 0.5)] * 3) == PRIOR_DEATHS
    assert prior_deaths([(2.0, 2.0)] * 100) == prior_deaths([]) * 10 == 5.0


def test_an_archive_that_is_better_kept_than_the_law() -> None:
    """Where all hosts together lose less than the law expects, a host with deaths stands out the more."""
    well = [facts(n, host=f"h{n // 10}", deaths=int(n < 4)) for n in range(2000)]
    plan = RevisitPlan(well, 200)
    assert (plan.hazard(9) or 0) > 8 * (plan.hazard(1999) or 1)
    assert (plan.hazard(1999) or 1) < age_hazard(1.0)
    assert (RevisitPlan([facts(0)], 1).hazard(0) or 0) < 1.01 * age_hazard(1.0)


@pytest.mark.parametrize("budget", [5, 50, 400])
def test_all_intervals_together_cost_the_budget(budget: int) -> None:
    """Whatever the hazards, the checks of a day add up to what may be spent."""
    source = random.Random(budget)
    some = [
        facts(n, source.uniform(0, 10), f"h{n % 40}", deaths=int(source.random() < 0.1)) for n in range(1000)
    ]
    plan = RevisitPlan(some, budget)
    spent = sum(1 / days(plan, n, f"https://a.example/{n}") for n in range(1000))
    least = 1000 / 90
    assert spent == pytest.approx(max(budget, least), rel=0.04)


def test_what_risks_more_is_checked_sooner() -> None:
    """By age, by the host's deaths, by its own, by the changes of an image; AMP pages later."""
    some = [
        facts(0),
        facts(1, age=0.05),
        facts(2, host="rotten"),
        facts(3, deaths=2, host="b"),
        facts(4, kind=Kind.IMAGE, changes=20, checks=30, host="c"),
        facts(5, kind=Kind.AMP),
        *(facts(n, host="rotten", deaths=1) for n in range(10, 30)),
    ]
    plan = RevisitPlan(some, len(some) / 14)
    usual = days(plan, 0)
    assert all(days(plan, key) < usual for key in (1, 2, 3, 4))
    assert days(plan, 5) > usual
    assert (plan.hazard(2) or 0) > 3 * (plan.hazard(0) or 1)


def test_no_interval_leaves_its_bounds() -> None:
    """One day at the least and 90 at the most, the splay included; what is not planned has none."""
    rich = RevisitPlan([facts(n, age=n / 10, deaths=n % 3) for n in range(50)], 1e9)
    poor = RevisitPlan([facts(n, age=n / 10, deaths=n % 3) for n in range(50)], 0.0)
    urls = [f"https://a.example/{n}" for n in range(50)]
    assert all(1 <= days(rich, n, url) <= 1.1 for n, url in enumerate(urls))
    assert all(81 <= days(poor, n, url) <= 90 for n, url in enumerate(urls))
    assert rich.interval(50, A) is None
    assert rich.hazard(50) is None
    assert RevisitPlan([], 10).interval(0, A) is None


def test_intervals_are_splayed_by_the_url() -> None:
    """Targets that are alike do not come all on one day, and each keeps its place."""
    plan = RevisitPlan([facts(n) for n in range(100)], 5)
    values = [days(plan, n, f"https://a.example/{n}") for n in range(100)]
    assert len({round(value, 2) for value in values}) > 50
    assert max(values) / min(values) < 1.25
    assert days(plan, 7) == days(plan, 7)
