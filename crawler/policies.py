"""Configuration as values: rules of records, states, schedule, lanes and hosts. No network in here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from crawler.config import Config, HostRules
from crawler.config.fields import FieldSetting
from crawler.data.host_quirks import HostQuirks, quirks_of
from crawler.data.version import program_version
from crawler.fetch.middleware.circuit_breaker import BreakerPolicy
from crawler.lanes import LaneLimits
from crawler.urls import lane_key
from crawler.verdicts.states import RevisitIntervals, StateThresholds
from storage.catalogue import RecordPaths
from storage.db.engine import database_file
from storage.model import Kind
from storage.records import DEFAULT_RULES, FieldRule, Rules
from storage.records.presets import NO_PRESET, PRESETS


def rules_of(config: Config) -> Rules:
    """The rules for keys: the defaults, those of the preset, and those of the configuration before both."""
    records = config.records
    preset = PRESETS.get(records.preset, NO_PRESET)
    return Rules(
        {
            **DEFAULT_RULES.fields,
            **preset.fields,
            **{name: _field_rule(setting) for name, setting in records.fields.items()},
        },
        (*records.items, *preset.items),
        body=records.body,
        relative=bool(records.base_url),
    )


def _field_rule(setting: FieldSetting) -> FieldRule | None:
    if not setting.kind:
        return None
    return FieldRule(Kind(setting.kind), setting.width, setting.height, setting.cached)


def reading_of(config: Config) -> str:
    """A digest of all that decides which links a file holds and where they lead, but the file."""
    facts = (program_version(), config.records.base_url, rules_of(config).signature())
    return sha256(repr(facts).encode()).hexdigest()


def record_paths(config: Config) -> RecordPaths:
    """How files of records are named: relative to the folder of the configuration, else of the database.

    Without either, it is the working directory.
    """
    path = database_file(config.database.url)
    folder = config.folder or (path.absolute().parent if path is not None else ".")
    return RecordPaths(Path(folder))


def evidence(config: Config) -> StateThresholds:
    """The figures of `[state]`."""
    state = config.state
    hard, soft = timedelta(seconds=state.hard_span), timedelta(seconds=state.soft_span)
    flaps = (state.flaps, timedelta(seconds=state.flap_span), state.flap_checks)
    return StateThresholds(state.hard_failures, hard, state.soft_failures, soft, *flaps)


def freshness(config: Config) -> RevisitIntervals:
    """The figures of `[schedule]`."""
    plan = config.schedule
    return RevisitIntervals(
        timedelta(seconds=plan.alive),
        tuple(timedelta(seconds=step) for step in plan.failing),
        timedelta(seconds=plan.dead),
        timedelta(seconds=plan.unknown),
        plan.splay,
        timedelta(seconds=plan.outage),
    )


def lanes_of(config: Config) -> Callable[[str], str]:
    """Which lane a host belongs to."""
    patterns = tuple(config.hosts.patterns)

    @lru_cache(maxsize=65_536)
    def lane_of(host: str) -> str:
        lane = rules_for(config, host).lane
        key = lane_key(host, patterns, config.hosts.join)
        return lane or (
            key if key in patterns or config.hosts.join == "host" else quirks_of(host).lane or key
        )

    return lane_of


def known_for(config: Config, host: str) -> HostQuirks:
    """What is known of a host: by the configuration, key by key, else by the data file."""
    host_rules, quirks = rules_for(config, host), quirks_of(host)
    return HostQuirks(
        quirks.head if host_rules.head is None else host_rules.head,
        quirks.wall if host_rules.wall is None else frozenset(host_rules.wall),
    )


def rules_for(config: Config, name: str) -> HostRules:
    """What is said of a lane, or of a host: the first pattern that names it."""
    patterns = config.hosts.patterns
    if name in patterns:
        return patterns[name]
    fits = (rules for pattern, rules in patterns.items() if fnmatchcase(name, pattern))
    return next(fits, HostRules())


def pace_for(config: Config, lane: str) -> LaneLimits:
    """How one lane may be asked."""
    hosts, lane_rules = config.hosts, rules_for(config, lane)
    return LaneLimits(
        hosts.per_host if lane_rules.per_host is None else lane_rules.per_host,
        hosts.interval if lane_rules.interval is None else lane_rules.interval,
        hosts.adaptive if lane_rules.adaptive is None else lane_rules.adaptive,
        hosts.max_interval if lane_rules.max_interval is None else lane_rules.max_interval,
        hosts.deadline if lane_rules.deadline is None else lane_rules.deadline,
    )


def breaker_for(config: Config, host: str) -> BreakerPolicy:
    """When one host is down."""
    host_rules = rules_for(config, host)
    failures = config.hosts.breaker if host_rules.breaker is None else host_rules.breaker
    return BreakerPolicy(failures, config.retry.attempts)
