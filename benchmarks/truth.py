"""False deaths, delays and costs of policies, over years of virtual time.

Links die by the hazard that was fitted to the pages of the Pew Research Center, hosts differing by a
factor from a Gamma law; hosts have outages of hours to days; some pages move, refuse or are soft 404s.
Each policy checks the same links by its own rules. `fixed` and `adaptive` are the program's own: its
states (`crawler.verdicts.states`) and its schedule (`crawler.verdicts.revisits`), planned anew each day;
the others are rules that link checkers use, at the same mean interval.

    python -m benchmarks.truth [--links 2000] [--years 2] [--seed 1]

Five years of 100,000 links: --links 100000 --years 5 (some hours).
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from crawler.verdicts.revisits import (
    DAYS_A_YEAR,
    WEIBULL_SCALE,
    WEIBULL_SHAPE,
    RevisitFacts,
    RevisitPlan,
    age_hazard,
    clamped,
    expected_deaths,
    interval_scale,
)
from crawler.verdicts.states import RevisitIntervals, StateThresholds, advance
from storage.model import Finding, Kind, Standing, State, Verdict

BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)
LINKS_A_HOST: Final = 10
HETEROGENEITY: Final = 0.3  # shape of the Gamma law of hosts
OUTAGE_GAP: Final = 60.0  # days between two outages of a host
OUTAGE_MEDIAN: Final = 1 / 24  # days
OUTAGE_SIGMA: Final = 1.8
MAX_AGE: Final = 10.0  # years of a link when a record names it first
WALL_SHARE: Final = 0.03  # hosts that refuse
FLAP_SHARE: Final = 0.01  # hosts that come and go
FLAPS: Final = (2.0, 0.4)  # days between two outages of such a host, and the median outage
FLAP_SIGMA: Final = 0.7
SOFT_SHARE: Final = 0.3  # of deaths
HOST_DEATH_SHARE: Final = 0.3  # of deaths, those whose host's name goes
RUNS_A_DAY: Final = 24
MEAN_INTERVAL: Final = 10.1  # days, as of fixed intervals of 7 to 14


@dataclass(slots=True)
class World:
    """Links with the day of their death, and hosts with their outages; day 0 is the begin."""

    hosts: list[int]
    ages: list[float]
    deaths: list[float]
    verdicts: list[Verdict]
    outages: list[list[tuple[float, float]]]
    walls: set[int]

    def verdict(self, link: int, day: float) -> Verdict:
        """What one check says."""
        host = self.hosts[link]
        if self._is_out(host, day):
            return Verdict.TIMEOUT
        if self.deaths[link] <= day:
            return self.verdicts[link]
        return Verdict.FORBIDDEN if host in self.walls else Verdict.OK

    def _is_out(self, host: int, day: float) -> bool:
        outages = self.outages[host]
        low, high = 0, len(outages)
        while low < high:
            middle = (low + high) // 2
            if outages[middle][0] <= day:
                low = middle + 1
            else:
                high = middle
        return low > 0 and day < outages[low - 1][1]


def make_world(links: int, years: float, seed: int) -> World:
    """A world of so many links."""
    source = random.Random(seed)
    count = max(1, links // LINKS_A_HOST)
    factors = [source.gammavariate(HETEROGENEITY, 1 / HETEROGENEITY) for _ in range(count)]
    hosts = [source.randrange(count) for _ in range(links)]
    ages = [source.uniform(0.0, MAX_AGE) for _ in range(links)]
    deaths = [_death(age, factors[host], source) for age, host in zip(ages, hosts, strict=True)]
    verdicts = [_last_word(source) for _ in range(links)]
    outages = [list(_outages(source, years)) for _ in range(count)]
    walls = {host for host in range(count) if source.random() < WALL_SHARE}
    return World(hosts, ages, deaths, verdicts, outages, walls)


def _death(age: float, factor: float, source: random.Random) -> float:
    """The day on which a link dies that lives now, by the law scaled by the factor of its host."""
    begun = (age / WEIBULL_SCALE) ** WEIBULL_SHAPE
    end = begun + source.expovariate(1.0) / max(factor, 1e-9)
    return (WEIBULL_SCALE * math.pow(min(end, 1e3), 1 / WEIBULL_SHAPE) - age) * DAYS_A_YEAR


def _last_word(source: random.Random) -> Verdict:
    if source.random() < SOFT_SHARE:
        return Verdict.SOFT_404
    return Verdict.NO_SUCH_HOST if source.random() < HOST_DEATH_SHARE else Verdict.NOT_FOUND


def _outages(source: random.Random, years: float) -> Iterator[tuple[float, float]]:
    flaps = source.random() < FLAP_SHARE
    gap, median = FLAPS if flaps else (OUTAGE_GAP, OUTAGE_MEDIAN)
    sigma = FLAP_SIGMA if flaps else OUTAGE_SIGMA
    day = source.expovariate(1 / gap)
    while day < years * DAYS_A_YEAR:
        end = day + median * math.exp(source.gauss(0.0, sigma))
        yield day, end
        day = end + source.expovariate(1 / gap)


@dataclass(slots=True)
class Tally:
    """What a policy said and cost."""

    false_dead: int = 0
    checks: int = 0
    alive_years: float = 0.0
    suspect_days: list[float] = field(default_factory=list)
    dead_days: list[float] = field(default_factory=list)
    hard_hours: list[float] = field(default_factory=list)

    def row(self, name: str, years: float, links: int) -> str:
        """The figures of a policy."""
        dead = self.false_dead / max(self.alive_years, 1e-9)
        hours = max(self.hard_hours, default=0.0)
        return (
            f"{name:34} {dead:10.4f} {_mean(self.suspect_days):10.1f} {_mean(self.dead_days):10.1f} "
            f"{self.checks / links / years:10.1f} {hours:10.1f}"
        )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


@dataclass(slots=True)
class Policy:
    """Rules: what the standing of a link is after a finding."""

    name: str
    judge: Callable[[Standing, Finding], Standing]
    plan: bool = False
    checks_a_visit: int = 1


class Simulation:
    """One policy in one world."""

    def __init__(self, world: World, policy: Policy, years: float) -> None:
        self._world = world
        self._policy = policy
        self._end = years * DAYS_A_YEAR
        self._standings = [Standing()] * len(world.hosts)
        self._first_failures: dict[int, float] = {}
        self._intervals = RevisitIntervals()
        self.tally = Tally()

    def run(self) -> Tally:
        """Check what is due, hour by hour, until the end."""
        links = len(self._world.hosts)
        queue = [(link / links * MEAN_INTERVAL, link) for link in range(links)]
        heapq.heapify(queue)
        planned = -1
        while queue and queue[0][0] < self._end:
            due, link = heapq.heappop(queue)
            day = math.ceil(due * RUNS_A_DAY) / RUNS_A_DAY  # a run begins each hour
            if self._policy.plan and int(day) > planned:
                planned = int(day)
                self._plan(day)
            self._check(link, day)
            next_due = self._standings[link].next_due
            assert next_due is not None
            heapq.heappush(queue, (max((next_due - BEGIN) / timedelta(days=1), day + 1 / RUNS_A_DAY), link))
        self.tally.alive_years = (
            sum(max(0.0, min(death, self._end)) for death in self._world.deaths) / DAYS_A_YEAR
        )
        return self.tally

    def _plan(self, day: float) -> None:
        if int(day) % 7:  # a plan a week is as good, and a seventh of the work
            return
        facts = [
            RevisitFacts(
                link,
                str(host),
                Kind.WEB,
                day / DAYS_A_YEAR,
                int(standing.state is State.DEAD),
                dead=standing.state is State.DEAD,
            )
            for link, (host, standing) in enumerate(zip(self._world.hosts, self._standings, strict=True))
        ]
        budget = sum(not fact.dead for fact in facts) * self._intervals.checks_per_target
        self._intervals = replace(self._intervals, plan=RevisitPlan(facts, budget))

    def _check(self, link: int, day: float) -> None:
        before = self._standings[link]
        verdict = self._world.verdict(link, day)
        self.tally.checks += 1
        at = BEGIN + timedelta(days=day)
        finding = Finding(link, f"https://{self._world.hosts[link]}.example/{link}", verdict, at)
        if self._policy.plan:
            after = advance(before, finding, StateThresholds(), self._intervals)
        else:
            after = self._policy.judge(before, finding)
        self._standings[link] = after
        self._note(link, day, before.state, after.state, verdict)

    def _note(self, link: int, day: float, before: State, after: State, verdict: Verdict) -> None:
        death = self._world.deaths[link]
        if verdict.cls.fails and verdict is not Verdict.TIMEOUT:
            self._first_failures.setdefault(link, day)
        if after is before:
            return
        if after is State.DEAD and day < death:
            self.tally.false_dead += 1
        if death <= 0 or day < death:
            return
        if after is State.SUSPECT:
            self.tally.suspect_days.append(day - death)
        elif after is State.DEAD:
            self.tally.dead_days.append(day - death)
            if verdict in {Verdict.NOT_FOUND, Verdict.NO_SUCH_HOST}:
                self.tally.hard_hours.append((day - self._first_failures[link]) * 24)


def counted(failures: int, apart: timedelta) -> Callable[[Standing, Finding], Standing]:
    """A rule of checkers: dead after so many failing checks, each so long after the one before."""

    def judge(standing: Standing, finding: Finding) -> Standing:
        usual = timedelta(days=MEAN_INTERVAL)
        if not finding.verdict.cls.fails:
            state = State.ALIVE if finding.verdict is Verdict.OK else standing.state
            return Standing(state, next_due=finding.checked_at + usual)
        count = standing.failures + 1
        state = State.DEAD if count >= failures else State.SUSPECT
        due = finding.checked_at + (usual if state is State.DEAD else apart)
        return Standing(state, failures=count, next_due=due)

    return judge


def policies() -> list[Policy]:
    """The policies, the program's own first."""

    def fixed(standing: Standing, finding: Finding) -> Standing:
        return advance(standing, finding, StateThresholds(), RevisitIntervals())

    return [
        Policy("adaptive (default)", fixed, plan=True),
        Policy("fixed", fixed),
        Policy("three tries in one run", counted(1, timedelta())),
        Policy("three checks, 24 h apart", counted(3, timedelta(hours=24))),
        Policy("IABot: three failures, 3 days apart", counted(3, timedelta(days=3))),
    ]


def mean_lag(prior: float, years: float, seed: int = 1, hosts: int = 1500) -> float:
    """The mean lag after so many years, hosts' hazards learned, beside that of one interval for all."""
    source = random.Random(seed)
    risks: list[tuple[float, float]] = []
    for _ in range(hosts):
        factor = source.gammavariate(HETEROGENEITY, 1 / HETEROGENEITY)
        ages = [source.uniform(0.0, MAX_AGE) for _ in range(LINKS_A_HOST)]
        odds = [factor * (expected_deaths(age + years) - expected_deaths(age)) for age in ages]
        living = [age for age, odd in zip(ages, odds, strict=True) if source.expovariate(1.0) >= odd]
        seen, expected = len(ages) - len(living), len(ages) * expected_deaths(years)
        risk = math.sqrt((seen + prior) / (expected + prior))
        risks += [(risk, factor * age_hazard(age + years)) for age in living]
    scale = interval_scale((risk for risk, _ in risks), len(risks) / MEAN_INTERVAL)
    lags = sum(deaths * clamped(scale / risk) for risk, deaths in risks)
    return lags / sum(deaths for _, deaths in risks) / MEAN_INTERVAL


def print_priors() -> None:
    """Print a row a prior: the mean lag after half a year to four years."""
    years = (0.5, 1.0, 2.0, 4.0)
    print(f"{'prior deaths':>12}" + "".join(f"{year:>7} y" for year in years))
    for prior in (2.0, 1.0, 0.5, 0.3, 0.15):
        print(f"{prior:>12}" + "".join(f"{mean_lag(prior, year):>9.2f}" for year in years))


def main() -> int:
    """Print a row a policy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--links", type=int, default=2000)
    parser.add_argument("--years", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--policies", type=int, default=5, help="how many of the policies, from the first")
    parser.add_argument("--priors", action="store_true", help="compare what hosts start with, and end")
    options = parser.parse_args()
    if options.priors:
        print_priors()
        return 0
    world = make_world(options.links, options.years, options.seed)
    print(f"{options.links} links, {options.years} years, seed {options.seed}; days, hard deaths in hours")
    print(f"{'':34} {'false dead':>10} {'death to':>10} {'death to':>10} {'checks':>10} {'hard, at':>10}")
    print(f"{'policy':34} {'/ link-yr':>10} {'suspect':>10} {'dead':>10} {'/ link-yr':>10} {'most':>10}")
    for policy in policies()[: options.policies]:
        tally = Simulation(world, policy, options.years).run()
        print(tally.row(policy.name, options.years, options.links), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
