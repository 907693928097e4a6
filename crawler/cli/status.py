"""`linkhealth status`: who works on what in the run that machines share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import click
import msgspec

from crawler.bound import duration
from crawler.cli.output import write
from crawler.config import load
from storage.database import open_reader
from storage.shards import ShardState, SharedState, WorkerState, require_server, shared_state

HEAVY: Final = 10  # shards that a table shows


@click.command()
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table")
@click.pass_obj
def status(obj: dict[str, Any], format_: str) -> int:
    """Show the workers of the shared run that is open, their leases, and what is left."""
    engine = open_reader(load(obj["config"]).database.url)
    try:
        require_server(engine)
        state = shared_state(engine)
    finally:
        engine.dispose()
    forms: dict[str, Callable[[SharedState | None], Iterator[str]]] = {"table": _table, "json": _json}
    write(forms[format_](state), None)
    return 0


def _json(state: SharedState | None) -> Iterator[str]:
    if state is None:
        yield '{"run":null}\n'
        return
    run, plan = state.run, state.plan
    shown = {
        "run": {"id": run.id, "command": run.command, "started_at": _moment(run.started_at)},
        "targets": {"planned": plan.targets, "left": state.left},
        "lanes": plan.lanes,
        "lower_bound": {"seconds": plan.bound, "lane": plan.bound_lane},
        "rate": round(sum(one.rate for one in state.workers), 2),
        "workers": [{**asdict(one), "started_at": _moment(one.started_at)} for one in state.workers],
        "shards": [asdict(one) for one in state.shards],
    }
    yield msgspec.json.encode(shown).decode() + "\n"


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _table(state: SharedState | None) -> Iterator[str]:
    if state is None:
        yield "no shared run is open\n"
        return
    run, plan = state.run, state.plan
    rate = sum(one.rate for one in state.workers)
    done = sum(one.done for one in state.shards)
    yield f"run {run.id} ({run.command}, begun {_moment(run.started_at)})\n"
    yield f"{state.left:,} of {plan.targets:,} targets are left, in {plan.lanes:,} lanes\n"
    yield f"{rate:.1f} findings a second\n"
    yield f"{done} of {plan.shards} shards are done\n"
    yield f"cannot end before {duration(plan.bound)} after its start: {plan.bound_lane or 'no lane'}\n\n"
    yield from _workers(state.workers)
    yield from _shards([one for one in state.shards if not one.done])


def _workers(workers: list[WorkerState]) -> Iterator[str]:
    yield f"{'worker':<32}{'shards':>8}{'lanes':>8}{'left':>10}{'found':>10}{'a second':>10}  heard of\n"
    for one in workers:
        numbers = f"{one.shards:>8}{one.lanes:>8}{one.remaining:>10}{one.found:>10}{one.rate:>10.1f}"
        yield f"{one.name[:31]:<32}{numbers}  {one.silent:.0f} s ago{', idle' if one.idle else ''}\n"
    if not workers:
        yield "(none: start 'linkhealth worker', or run the same command again)\n"


def _shards(shards: list[ShardState]) -> Iterator[str]:
    yield f"\n{'shard':<8}{'at least':>12}{'lanes':>8}{'left':>10}  lease\n"
    for one in shards[:HEAVY]:
        yield f"{one.number:<8}{duration(one.weight):>12}{one.lanes:>8}{one.remaining:>10}  {_lease(one)}\n"
    if len(shards) > HEAVY:
        yield f"... and {len(shards) - HEAVY} lighter ones\n"


def _lease(shard: ShardState) -> str:
    if shard.owner is None or shard.lease is None:
        return "free"
    name = shard.name or "a worker that left"
    return f"{name}, {shard.lease:.0f} s" if shard.lease > 0 else f"ended, of {name}"
