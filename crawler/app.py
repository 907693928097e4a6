"""One run from end to end: records are read, due targets checked, findings kept, links judged."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Final

from crawler.checks.link_issues import LinkRules, link_issues
from crawler.config import Config
from crawler.engine.begin import begin
from crawler.engine.lower_bound import lower_bound
from crawler.engine.observer import Observer
from crawler.engine.options import AUDIT, REFRESH, RUN, Options
from crawler.engine.plan import by_lane
from crawler.engine.read_records import open_catalogue, read_records
from crawler.engine.revisit import planned_freshness
from crawler.engine.runner import Runner
from crawler.engine.target_selection import (
    excluded_finding,
    excluded_ids,
    known_probes,
    lacking,
    select_targets,
    with_credentials,
)
from crawler.policies import evidence, lanes_of, pace_for
from crawler.runners import RunnerSpec, RunSetting, open_runner
from crawler.runtime import stop_signals
from crawler.urls import host_of
from crawler.verdicts.states import advance
from storage.db import lock
from storage.db.database import open_engine
from storage.errors import LockHeld
from storage.frozen import frozen
from storage.ledger import Ledger, end_run, repeat_postponed
from storage.model import LinkIssue, Run, RunEnd, Target
from storage.rollups.issue_sieve import may_have_issue
from storage.rollups.link_issues import JudgedLink, judge_links

if TYPE_CHECKING:
    from crawler.engine.image_cache import ImageCacheWriter

__all__ = ["AUDIT", "REFRESH", "RUN", "Options", "Outcome", "audit"]

ORDERLY_ENDS: Final = frozenset({RunEnd.FINISHED, RunEnd.DEADLINE})  # they leave time for the cache
LONG_RUN: Final = 60.0  # seconds of a lower bound that are worth a sentence


@frozen
class Outcome:
    """A run that ended, and the URLs of targets that it has no finding of though it finished: a defect."""

    run: Run
    lacking: tuple[str, ...] = ()


async def audit(config: Config, options: Options, observer: Observer) -> Outcome:
    """Check every due target of the records.

    Raises:
        StorageError: records, database or lock cannot be used; findings made before are kept.
        ConfigError: the configuration asks for what cannot be.
    """
    start = time.monotonic()
    engine = open_engine(config.database.url)
    try:
        with lock.hold(engine, options.command) as held_lock:
            run = begin(engine, options.command, observer, shared=options.shared)
            setting = RunSetting(config, options, observer, engine, held_lock.check, start)
            return await _Audit(setting, run).run_it()
    finally:
        engine.dispose()


class _Audit:
    """One run, from records to the last judged link."""

    def __init__(self, setting: RunSetting, run: Run) -> None:
        self._setting = setting
        self._config = setting.config
        self._options = setting.options
        self._observer = setting.observer
        self._engine = setting.engine
        self._run = run
        self._halt: RunEnd | None = None
        self._runner: Runner | None = None
        self._lacking: tuple[str, ...] = ()

    async def run_it(self) -> Outcome:
        run_end: RunEnd | None = RunEnd.FAILED
        try:
            with self._signals():
                run_end = await self._check()
            self._observer.judging()
            doubts = may_have_issue(self._engine.dialect.name, keeps_images=self._options.command != AUDIT)
            await asyncio.to_thread(judge_links, self._engine, self._judge, doubts)
        except asyncio.CancelledError:
            run_end = RunEnd.INTERRUPTED
            raise
        except LockHeld:
            run_end = None  # the run goes on under another command
            raise
        finally:
            if run_end is not None:
                self._run = end_run(self._engine, self._run, run_end, self._setting.now())
        return Outcome(self._run, self._lacking)

    async def _check(self) -> RunEnd:
        async with self._cache() as writer:
            run_end = await self._check_with(writer)
            if writer is not None and run_end in ORDERLY_ENDS:
                for sentence in await writer.make_room(self._engine, self._config.images.cache_size):
                    self._observer.said(sentence)
            return run_end

    def _cache(self) -> AbstractAsyncContextManager[ImageCacheWriter | None]:
        if self._options.command == AUDIT:
            return nullcontext()
        from crawler.engine.image_cache_opening import open_image_cache  # noqa: PLC0415 - Pillow and more

        return open_image_cache(self._config, self._engine)

    async def _check_with(self, writer: ImageCacheWriter | None) -> RunEnd:
        config, options = self._config, self._options
        catalogue = await asyncio.to_thread(open_catalogue, self._engine, self._run, config)
        await asyncio.to_thread(read_records, catalogue, config, options, self._observer, self._halted)
        if self._halt is not None:
            return self._halt
        targets = await asyncio.to_thread(select_targets, self._engine, self._run, config, options, writer)
        ids = await asyncio.to_thread(excluded_ids, self._engine, self._run, config.records.exclude)
        exclusions = [target for target in targets if target.id in ids]
        targets = with_credentials([target for target in targets if target.id not in ids], catalogue.secrets)
        probes = await asyncio.to_thread(known_probes, self._engine, self._run, config, options)
        intervals = await asyncio.to_thread(planned_freshness, self._engine, config, self._run.started_at)
        judge = partial(advance, evidence=evidence(config), freshness=intervals)
        async with (
            Ledger(self._engine, self._run, judge) as ledger,
            open_runner(RunnerSpec(self._setting, self._run, ledger, writer, probes)) as runner,
        ):
            self._runner = runner
            for target in exclusions:
                await ledger.put(excluded_finding(target, self._setting.now()))
            run_end = await self._visit(runner, targets)
        if run_end is RunEnd.FINISHED and not options.shared:
            count = len(targets) + len(exclusions) - runner.dropped_count
            self._lacking = await asyncio.to_thread(lacking, self._engine, self._run, targets, count)
        if not options.force:
            await asyncio.to_thread(repeat_postponed, self._engine, self._run)
        return run_end

    async def _visit(self, runner: Runner, targets: list[Target]) -> RunEnd:
        lane_of = lanes_of(self._config)
        lanes = Counter(lane_of(host_of(target.url)) for target in targets)
        self._observer.planned(len(targets), len(lanes))
        bound = lower_bound(lanes, partial(pace_for, self._config))
        if bound is not None and bound.seconds >= LONG_RUN:
            self._observer.bounded(str(bound))
        with self._deadline(runner):
            await runner.check(by_lane(targets, lane_of))
        return runner.ended

    @contextmanager
    def _deadline(self, runner: Runner) -> Iterator[None]:
        """Stop the run once its time is over; at the end, there is none to be stopped."""
        remaining = self._setting.remaining
        stop = partial(runner.stop, RunEnd.DEADLINE, "the time for this run is over")
        loop = asyncio.get_running_loop()
        timers = [] if remaining is None else [loop.call_later(remaining, stop)]
        try:
            yield
        finally:
            self._runner = None
            for timer in timers:
                timer.cancel()

    def _halted(self) -> bool:
        """Whether the run was told to end, or its time is over; called by the thread that reads."""
        if self._halt is None and self._setting.remaining == 0:
            self._halt = RunEnd.DEADLINE
        return self._halt is not None

    def _judge(self, record: Sequence[JudgedLink]) -> Mapping[int, Sequence[LinkIssue]]:
        config, cache = self._config, self._options.command != AUDIT
        rules = LinkRules(config.images.tolerance, config.checks.amp, config.records.base_url or None, cache)
        return link_issues(record, rules)

    def _signals(self) -> AbstractContextManager[None]:
        """SIGTERM lets what is under way end; SIGINT does not wait for it."""
        if not self._options.signals:
            return nullcontext()
        return stop_signals(partial(self._stop, RunEnd.TERMINATED), partial(self._abort, RunEnd.INTERRUPTED))

    def _stop(self, run_end: RunEnd) -> None:
        self._halt = self._halt or run_end
        if self._runner is not None:
            self._runner.stop(run_end, "the run was told to end")

    def _abort(self, run_end: RunEnd) -> None:
        self._halt = run_end
        if self._runner is not None:
            self._runner.abort(run_end, "the run was interrupted")
