"""A run that many machines share: its plan, shards and leases, and writing behind a fence.

A shard is a set of lanes. A worker leases it, asks its targets, and writes what it finds in
transactions that check the epoch of the lease: whoever lost a shard writes nothing more of it. All
times are those of the database's clock, so clocks of machines may be wrong. PostgreSQL only.
"""

from storage.shards.fence import FencedWriter, Pauses, Ties
from storage.shards.leases import Lease, Leases, Renewed, Scene, Told, Work
from storage.shards.plans import Plan, Share, Task, open_plan, put_plan, shard_of, tasks_left
from storage.shards.server import moment, passing, require_server
from storage.shards.slots import Slots
from storage.shards.state import ShardState, SharedState, WorkerState, shared_state

__all__ = [
    "FencedWriter",
    "Lease",
    "Leases",
    "Pauses",
    "Plan",
    "Renewed",
    "Scene",
    "ShardState",
    "Share",
    "SharedState",
    "Slots",
    "Task",
    "Ties",
    "Told",
    "Work",
    "WorkerState",
    "moment",
    "open_plan",
    "passing",
    "put_plan",
    "require_server",
    "shard_of",
    "shared_state",
    "tasks_left",
]
