"""How a run that machines share stands: its workers, their leases, and what is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Final

from crawler.engine.lower_bound import duration
from storage.model import iso_utc
from storage.shards import ShardState, SharedState, WorkerState

MAX_SHARD_ROWS: Final = 10  # shards that a table shows
NO_SHARED_RUN: Final[Mapping[str, object]] = {
    "run": None,
    "targets": None,
    "lanes": None,
    "lower_bound": None,
    "rate": None,
    "workers": [],
    "shards": [],
}


def shared_document(state: SharedState | None) -> Mapping[str, object]:
    """A shared run as JSON has it; the same keys where there is none."""
    if state is None:
        return NO_SHARED_RUN
    run, plan = state.run, state.plan
    return {
        "run": {"id": run.id, "command": run.command, "started_at": iso_utc(run.started_at)},
        "targets": {"planned": plan.targets, "left": state.left},
        "lanes": plan.lanes,
        "lower_bound": {"seconds": plan.bound, "lane": plan.bound_lane},
        "rate": round(_rate(state), 2),
        "workers": [{**asdict(worker), "started_at": iso_utc(worker.started_at)} for worker in state.workers],
        "shards": [asdict(shard) for shard in state.shards],
    }


def _rate(state: SharedState) -> float:
    """Findings a second of all workers together."""
    return sum(worker.rate for worker in state.workers)


def shared_table(state: SharedState) -> Iterator[str]:
    """A shared run as text: what is left, then a line a worker, then its heaviest shards."""
    run, plan = state.run, state.plan
    done_count = sum(shard.done for shard in state.shards)
    yield f"run {run.id} ({run.command}, begun {iso_utc(run.started_at)})\n"
    yield f"{state.left:,} of {plan.targets:,} targets are left, in {plan.lanes:,} lanes\n"
    yield f"{_rate(state):.1f} findings a second\n"
    yield f"{done_count} of {plan.shards} shards are done\n"
    yield f"cannot end before {duration(plan.bound)} after its start: {plan.bound_lane or 'no lane'}\n\n"
    yield from _workers(state.workers)
    yield from _shards([shard for shard in state.shards if not shard.done])


def _workers(workers: list[WorkerState]) -> Iterator[str]:
    yield f"{'worker':<32}{'shards':>8}{'lanes':>8}{'left':>10}{'found':>10}{'a second':>10}  heard of\n"
    for worker in workers:
        counts = f"{worker.shards:>8}{worker.lanes:>8}{worker.remaining:>10}{worker.found:>10}"
        age = f"{worker.silent:.0f} s ago{', idle' if worker.idle else ''}"
        yield f"{worker.name[:31]:<32}{counts}{worker.rate:>10.1f}  {age}\n"
    if not workers:
        yield "(none: start 'linkhealth worker', or run the same command again)\n"


def _shards(shards: list[ShardState]) -> Iterator[str]:
    yield f"\n{'shard':<8}{'at least':>12}{'lanes':>8}{'left':>10}  lease\n"
    for shard in shards[:MAX_SHARD_ROWS]:
        counts = f"{duration(shard.weight):>12}{shard.lanes:>8}{shard.remaining:>10}"
        yield f"{shard.number:<8}{counts}  {_lease(shard)}\n"
    if len(shards) > MAX_SHARD_ROWS:
        yield f"... and {len(shards) - MAX_SHARD_ROWS} lighter ones\n"


def _lease(shard: ShardState) -> str:
    if shard.owner is None or shard.lease is None:
        return "free"
    name = shard.name or "a worker that left"
    return f"{name}, {shard.lease:.0f} s" if shard.lease > 0 else f"ended, of {name}"
