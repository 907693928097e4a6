"""The plan of revisits of a run: what the database knows, under the budget of the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from crawler.config import Config
from crawler.policies import freshness
from crawler.verdicts.revisits import DAYS_A_YEAR, MAX_INTERVAL_DAYS, RevisitFacts, RevisitPlan
from crawler.verdicts.states import RevisitIntervals
from storage.model import Run, State, Target
from storage.queries import run as queries
from storage.queries.run import DueFacts, RevisitHistory

LONGEST_WAIT: Final = timedelta(days=MAX_INTERVAL_DAYS)
MIN_HAZARD: Final = 1e-6  # deaths a year of a target that was never planned


def planned_freshness(engine: sa.Engine, config: Config, now: datetime) -> RevisitIntervals:
    """The figures of `[schedule]`, with an interval for each target where its policy is adaptive.

    Raises:
        LedgerError: the database cannot be read.
    """
    intervals = freshness(config)
    if config.schedule.policy != "adaptive":
        return intervals
    facts = [_facts(history, now) for history in queries.target_histories(engine)]
    living = sum(not fact.dead for fact in facts)
    budget = config.schedule.checks_per_day or living * intervals.checks_per_target
    return replace(intervals, plan=RevisitPlan(facts, budget))


def _facts(history: RevisitHistory, now: datetime) -> RevisitFacts:
    age = now - (history.added_at or now)  # negative after a clock that went wrong
    years = max(age / timedelta(days=DAYS_A_YEAR), 0.0)
    return RevisitFacts(
        history.id,
        history.host,
        history.kind,
        years,
        history.deaths,
        history.changes,
        history.checks,
        history.dead,
    )


def within_budget(engine: sa.Engine, run: Run, config: Config, targets: Sequence[Target]) -> list[Target]:
    """The due targets that `checks_per_day` allows since the last run, the oldest and riskiest first.

    What is under suspicion and what was not checked for 90 days goes first, whatever the budget.

    Raises:
        LedgerError: the database cannot be read.
    """
    a_day = config.schedule.checks_per_day
    if config.schedule.policy != "adaptive" or not a_day:
        return list(targets)
    last = queries.previous_run(engine, run)
    days = max(1.0, (run.started_at - last) / timedelta(days=1)) if last else 1.0
    allowance = round(a_day * min(days, MAX_INTERVAL_DAYS))
    if len(targets) <= allowance:
        return list(targets)
    facts = queries.due_facts(engine, targets)
    ranks = {target.id: _rank(facts[target.id], run.started_at) for target in targets}
    targets_by_rank = sorted(targets, key=lambda target: ranks[target.id], reverse=True)
    urgent = sum(is_urgent for is_urgent, _ in ranks.values())
    chosen_ids = {target.id for target in targets_by_rank[: max(allowance, urgent)]}
    return [target for target in targets if target.id in chosen_ids]


def _rank(facts: DueFacts, now: datetime) -> tuple[bool, float]:
    """Whether a target cannot wait, and the deaths to be expected since its last check."""
    if facts.state is State.SUSPECT:
        return True, 0.0
    if facts.checked_at is None:
        return False, float("inf")
    age = now - facts.checked_at
    if age < timedelta():  # checked by a clock that went wrong: nobody knows when
        return False, float("inf")
    return age >= LONGEST_WAIT, age / timedelta(days=1) * (facts.hazard or MIN_HAZARD)
