"""Who checks the targets of a run: this process, many of this machine, or many machines."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from crawler.config import Config
from crawler.engine.context import RunContext
from crawler.engine.observer import Observer
from crawler.engine.options import Options
from crawler.engine.runner import Runner
from crawler.wiring import open_run
from storage.frozen import frozen
from storage.ledger import Ledger
from storage.model import Probe, Run

if TYPE_CHECKING:
    from crawler.engine.image_cache import ImageCacheWriter

# What only some runs need is imported where it is needed: a third of the modules of a run.


@frozen
class RunSetting:
    """What a run is given: its configuration, its options, who watches, and its database.

    `still_ours` raises LockHeld once another command has the lock; `started` is monotonic seconds.
    """

    config: Config
    options: Options
    observer: Observer
    engine: sa.Engine
    still_ours: Callable[[], None]
    started: float

    @property
    def remaining(self) -> float | None:
        """Seconds until the time that the options give is over; None without such a time."""
        limit = self.options.max_runtime
        return None if limit is None else max(0.0, limit - (time.monotonic() - self.started))

    def now(self) -> datetime:
        """UTC; by the clock that all workers have in common where the run is shared."""
        if not self.options.shared:
            return datetime.now(UTC)
        from storage.shards import database_time  # noqa: PLC0415 - for shared runs only

        return database_time(self.engine)


@frozen
class RunnerSpec:
    """What a runner is made of: the setting of its run, where findings go, and what is known of sites.

    `writer` keeps images; None where a run keeps none.
    """

    setting: RunSetting
    run: Run
    ledger: Ledger
    writer: ImageCacheWriter | None
    probes: tuple[Probe, ...]


def open_runner(spec: RunnerSpec) -> AbstractAsyncContextManager[Runner]:
    """The runner that the options of a run ask for."""
    setting, options = spec.setting, spec.setting.options
    if options.shared:
        return _shared_runner(spec)
    if options.workers > 1:
        return _pool(spec)
    image_check = None
    if spec.writer is not None:
        from crawler.engine.image_cache_opening import whole_image_check  # noqa: PLC0415 - Pillow and more

        image_check = whole_image_check(setting.config, spec.writer, refetch=options.refetch)
    context = RunContext(
        setting.config, spec.ledger, setting.observer, options.connect_to, spec.probes, image_check
    )
    return open_run(context)


def _shared_runner(spec: RunnerSpec) -> AbstractAsyncContextManager[Runner]:
    from crawler.cluster import SharedRunSetting, SharedRunSpec, open_sharing  # noqa: PLC0415 - for such runs

    setting, options, keeps_images = spec.setting, spec.setting.options, spec.writer is not None
    shared_spec = SharedRunSpec(
        setting.config, options.command, options.connect_to, keeps_images, spec.probes
    )
    shared_setting = SharedRunSetting(
        setting.engine, spec.run, spec.ledger, setting.observer, setting.still_ours
    )
    return open_sharing(shared_spec, shared_setting)


def _pool(spec: RunnerSpec) -> AbstractAsyncContextManager[Runner]:
    from crawler.processes import WorkerSpec, open_pool  # noqa: PLC0415 - for runs of many processes only

    setting, options = spec.setting, spec.setting.options
    pool_spec = WorkerSpec(setting.config, options.connect_to, spec.writer is not None, spec.probes)
    return open_pool(pool_spec, spec.ledger, setting.observer, options.workers)
