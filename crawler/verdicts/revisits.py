"""When to check again what is alive, by what it risks: the square-root law under a budget. Pure.

The hazard of a link falls with its age: a Weibull law fitted to the pages that were gone after one
and after ten years (Pew Research Center, "When Online Content Disappears", 2024). What a host and the
target itself have lost, beside what that law expects of them, moves the hazard up or down.

With weights w, hazards h and a budget of R checks a day, the mean time from death to its detection
is least at intervals of kappa / sqrt(w h), where the checks of all targets add up to R.
"""

from __future__ import annotations

import math
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from storage.frozen import frozen
from storage.model import Kind

WEIBULL_SHAPE: Final = 0.58
WEIBULL_SCALE: Final = 35.5  # years
# Deaths, seen and expected, that a host or a target starts with until hosts themselves tell how much they
# differ: where they differ much, few are best (python -m benchmarks.truth --priors).
PRIOR_DEATHS: Final = 0.5
MIN_DEATHS_TOLD: Final = 20.0  # deaths of all hosts before they tell how much hosts differ
MIN_PRIOR_DEATHS: Final = 0.15
MAX_PRIOR_DEATHS: Final = 5.0  # hosts that are alike
LEVEL_PRIOR: Final = 5.0  # deaths, seen and expected, before all targets together say more than the law
MAX_LEVEL: Final = 5.0
DEAD_EXPOSURE: Final = 0.5  # of the time since a record named it, that a dead target lived on average
MIN_AGE_YEARS: Final = 7 / 365.25
DAYS_A_YEAR: Final = 365.25
MIN_INTERVAL_DAYS: Final = 1.0
MAX_INTERVAL_DAYS: Final = 90.0
SPLAY_SHARE: Final = 0.1  # by how much an interval is shorter or longer, by the URL
BINS_A_DECADE: Final = 50  # of the histogram of risks, so that a million targets are budgeted at once
BISECTION_STEPS: Final = 60
# An AMP page has a web page beside it: who reads it loses less.
KIND_WEIGHTS: Final[Mapping[Kind, float]] = MappingProxyType(
    {Kind.WEB: 1.0, Kind.IMAGE: 1.0, Kind.AMP: 0.5, Kind.AMP_CDN: 0.5}
)


@frozen
class RevisitFacts:
    """What is known of one target: its age in years since a record named it, and the deaths seen.

    An image that changed `changes` times in `checks` looks has bytes that do not keep. What is `dead`
    counts for its host, and takes nothing of the budget.
    """

    id: int
    host: str
    kind: Kind
    age: float
    deaths: int = 0
    changes: int = 0
    checks: int = 0
    dead: bool = False


def expected_deaths(age: float) -> float:
    """The cumulative hazard of a link of so many years."""
    return math.pow(max(age, 0.0) / WEIBULL_SCALE, WEIBULL_SHAPE)


def age_hazard(age: float) -> float:
    """Deaths a year that a link of so many years risks."""
    years = max(age, MIN_AGE_YEARS)
    return WEIBULL_SHAPE / WEIBULL_SCALE * math.pow(years / WEIBULL_SCALE, WEIBULL_SHAPE - 1)


def change_rate(changes: int, checks: int, years: float) -> float:
    """Changes a year, of which some fell between two looks: the bias-reduced estimate.

    J. Cho and H. Garcia-Molina, "Estimating Frequency of Change", ACM TOIT 3(3), 2003.
    """
    if not changes or checks <= 0 or years <= 0:
        return 0.0
    unchanged_count = max(checks - changes, 0)
    return -math.log((unchanged_count + 0.5) / (checks + 0.5)) * checks / years


def excess(deaths: float, expected: float, prior: float = PRIOR_DEATHS) -> float:
    """How many times more is lost than the law expects, few deaths being worth little."""
    return (deaths + prior) / (expected + prior)


class RevisitPlan:
    """The hazard and the interval of every target; eight bytes each, by its id."""

    def __init__(self, facts: Sequence[RevisitFacts], checks_a_day: float) -> None:
        """Plan for some targets; `checks_a_day` is the budget, exceeded only for the longest interval."""
        size = max((fact.id for fact in facts), default=-1) + 1
        self._hazards = array("f", bytes(4 * size))
        self._intervals = array("f", bytes(4 * size))
        level = _level(facts)
        hosts = _host_excess(facts, level)
        risks: list[float] = []
        living = [fact for fact in facts if not fact.dead]
        for fact in living:
            hazard = _hazard(fact, hosts[fact.host], level)
            self._hazards[fact.id] = hazard
            rate = change_rate(fact.changes, fact.checks, max(fact.age, MIN_AGE_YEARS))
            risks.append(math.sqrt(KIND_WEIGHTS[fact.kind] * (hazard + rate)))
        scale = interval_scale(risks, checks_a_day)
        for fact, risk in zip(living, risks, strict=True):
            self._intervals[fact.id] = clamped(scale / risk)

    def hazard(self, target: int) -> float | None:
        """Deaths a year that a target risks; None for one that was not planned."""
        return self._hazards[target] or None if target < len(self._hazards) else None

    def interval(self, target: int, url: str) -> timedelta | None:
        """How long a target that is alive stays fresh, splayed by its URL; None if it was not planned."""
        days = self._intervals[target] if target < len(self._intervals) else 0.0
        if not days:
            return None
        share = zlib.crc32(url.encode("utf-8", "surrogatepass")) / 2**32
        return timedelta(days=clamped(days * (1 - SPLAY_SHARE + 2 * SPLAY_SHARE * share)))


def _exposure(fact: RevisitFacts) -> float:
    """The deaths that the law expects of a target for the time that it was there to die."""
    return expected_deaths(fact.age) * (DEAD_EXPOSURE if fact.dead else 1.0)


def _level(facts: Iterable[RevisitFacts]) -> float:
    """How many times more all targets lose than the law expects of links of their age.

    A link is older than a record's word for it, and archives are kept better or worse than those pages.
    """
    deaths = expected = 0.0
    for fact in facts:
        deaths += fact.deaths
        expected += _exposure(fact)
    return max(1 / MAX_LEVEL, min((deaths + LEVEL_PRIOR) / (expected + LEVEL_PRIOR), MAX_LEVEL))


def _host_excess(facts: Iterable[RevisitFacts], level: float) -> dict[str, float]:
    """By host, how many times more is lost than the law expects, as far as hosts differ at all."""
    sums: dict[str, list[float]] = {}
    for fact in facts:
        host = sums.setdefault(fact.host, [0.0, 0.0])
        host[0] += fact.deaths
        host[1] += level * _exposure(fact)
    prior = prior_deaths(sums.values())
    return {host: excess(deaths, expected, prior) for host, (deaths, expected) in sums.items()}


def prior_deaths(hosts: Iterable[Sequence[float]]) -> float:
    """The deaths, seen and expected, that a host starts with, by how much hosts differ.

    Of pairs of deaths and expected ones, Poisson about a Gamma law: its shape, by the method of moments.
    """
    total = spread = squares = 0.0
    for deaths, expected in hosts:
        total += deaths
        spread += (deaths - expected) ** 2 - expected
        squares += expected * expected
    if total < MIN_DEATHS_TOLD:
        return PRIOR_DEATHS
    shape = squares / spread if spread > 0 else MAX_PRIOR_DEATHS
    return max(MIN_PRIOR_DEATHS, min(shape, MAX_PRIOR_DEATHS))


def _hazard(fact: RevisitFacts, host: float, level: float) -> float:
    return level * age_hazard(fact.age) * host * excess(fact.deaths, level * expected_deaths(fact.age))


def clamped(days: float) -> float:
    """Days within the bounds of an interval."""
    return max(MIN_INTERVAL_DAYS, min(days, MAX_INTERVAL_DAYS))


def interval_scale(risks: Iterable[float], checks_a_day: float) -> float:
    """The kappa at which the checks of all targets, their intervals bounded, add up to the budget."""
    histogram: dict[int, int] = {}
    for risk in risks:
        place = round(math.log10(risk) * BINS_A_DECADE)
        histogram[place] = histogram.get(place, 0) + 1
    bins = [(10 ** (place / BINS_A_DECADE), count) for place, count in histogram.items()]
    low, high = 1e-6, 1e6
    for _ in range(BISECTION_STEPS):
        middle = math.sqrt(low * high)
        checks_spent = sum(count / clamped(middle / risk) for risk, count in bins)
        if checks_spent > checks_a_day:
            low = middle
        else:
            high = middle
    return high
