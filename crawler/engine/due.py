"""The targets that a run asks: those that are due, and the images that its cache lacks."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import sqlalchemy as sa

from storage.model import Kind, Run, Target
from storage.queries import run as queries

if TYPE_CHECKING:
    from crawler.engine.image_cache import ImageCacheWriter


def due_targets(
    engine: sa.Engine,
    run: Run,
    kinds: Collection[Kind],
    image_cache: ImageCacheWriter | None,
    *,
    force: bool,
    only_cache: bool,
) -> list[Target]:
    """The targets of a run's records that it has to ask; `force`: all of them.

    With an image cache, images that are not in it, or stale there, are due as well, unless a failure
    or their server set a time before which they are not asked; `only_cache`: nothing else is due.

    Raises:
        LedgerError: the database cannot be read.
    """
    if force:
        return queries.due_targets(engine, run, kinds=kinds, force=True)
    targets = [] if only_cache else queries.due_targets(engine, run, kinds=kinds)
    if image_cache is None:
        return targets
    ids = {target.id for target in targets} | queries.targets_to_wait_for(engine, run)
    candidates = queries.due_targets(engine, run, kinds=kinds, force=True)
    return targets + [image for image in image_cache.due(candidates, run.started_at) if image.id not in ids]
