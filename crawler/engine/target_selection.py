"""Which targets a run has to ask, and what earlier runs learned of their sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from crawler.config import Config
from crawler.engine.due import due_targets
from crawler.engine.options import AUDIT, REFRESH, Options
from crawler.engine.plan import excluding, with_fragments
from crawler.engine.revisit import within_budget
from crawler.urls import masked
from storage.model import Finding, Kind, Probe, Run, Target, Verdict
from storage.queries import run as queries

if TYPE_CHECKING:
    from crawler.engine.image_cache import ImageCacheWriter


def select_targets(
    engine: sa.Engine, run: Run, config: Config, options: Options, writer: ImageCacheWriter | None
) -> list[Target]:
    """The targets of a run's records that are to be asked, with the fragments to look for.

    Raises:
        LedgerError: the database cannot be read.
    """
    if options.kinds is None:
        return []
    images_only = options.command == REFRESH
    targets = due_targets(engine, run, options.kinds, writer, force=options.force, only_cache=images_only)
    if not options.force:
        targets = within_budget(engine, run, config, targets)
    if options.command == AUDIT:
        targets = _with_whole_images(engine, targets)
    if config.checks.fragments and not images_only:
        targets = _with_fragments(engine, run, targets, options.kinds)
    return [target for target in targets if target.id in options.only] if options.only else targets


def _with_whole_images(engine: sa.Engine, targets: list[Target]) -> list[Target]:
    """The targets, with what was found wrong of a whole image: its leading bytes do not overrule it."""
    verdicts = queries.whole_image_verdicts(engine)
    return [
        replace(target, whole_image=verdicts[target.id]) if target.id in verdicts else target
        for target in targets
    ]


def _with_fragments(
    engine: sa.Engine, run: Run, targets: list[Target], kinds: tuple[Kind, ...]
) -> list[Target]:
    candidates = queries.due_targets(engine, run, kinds=kinds, force=True)
    fragments = queries.fragment_texts(engine, run)
    return list(
        with_fragments(targets, candidates, fragments, queries.fragments_looked_for(engine, fragments))
    )


def excluded_ids(engine: sa.Engine, run: Run, patterns: Sequence[str]) -> frozenset[int]:
    """The targets that are excluded by how a record writes their URL, whatever is requested for it.

    Raises:
        LedgerError: the database cannot be read.
    """
    if not patterns:
        return frozenset()
    is_excluded = excluding(patterns)
    return frozenset(target for target, text in queries.spellings(engine, run) if is_excluded(text))


def excluded_finding(target: Target, now: datetime) -> Finding:
    """The finding on a target that is excluded by how a record writes it."""
    return Finding(target.id, target.url, Verdict.EXCLUDED, now, detail="by configuration")


def lacking(engine: sa.Engine, run: Run, targets: Sequence[Target], count: int) -> tuple[str, ...]:
    """The URLs, fit to be shown, of targets that have no finding though `count` findings were to be.

    Raises:
        LedgerError: the database cannot be read.
    """
    if queries.finding_count(engine, run) >= count:
        return ()
    ids = set(queries.targets_without_finding(engine, run, [target.id for target in targets]))
    return tuple(masked(target.url) for target in targets if target.id in ids)


def known_probes(engine: sa.Engine, run: Run, config: Config, options: Options) -> tuple[Probe, ...]:
    """What earlier runs learned of sites, if this run may use it.

    Raises:
        LedgerError: the database cannot be read.
    """
    looks = config.checks.not_found and options.command != REFRESH
    usable = looks and config.schedule.probe and not options.force
    return tuple(queries.valid_probes(engine, run.started_at)) if usable else ()


def with_credentials(targets: list[Target], secrets: Mapping[int, str]) -> list[Target]:
    """The targets, those with credentials by the URL that has them, which is never stored."""
    return [replace(target, url=secrets[target.id]) if target.id in secrets else target for target in targets]
