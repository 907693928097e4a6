"""A run that many machines share: its plan, shards and leases, and writing behind a fence.

A shard is a set of lanes. A worker leases it, asks its targets, and writes what it finds in
transactions that check the epoch of the lease: whoever lost a shard writes nothing more of it. All
times are those of the database's clock, so clocks of machines may be wrong. PostgreSQL only.
"""

from storage.shards.fence import FencedWriter, LaneDelays, WorkerHooks
from storage.shards.lane_turns import LaneTurns
from storage.shards.leases import Lease, LeaseRenewal, Leases, RunSnapshot, ShardWork, WorkerReport
from storage.shards.plans import (
    ShardPlan,
    ShardTarget,
    SharedRunPlan,
    open_plan,
    put_plan,
    shard_of,
    tasks_left,
)
from storage.shards.server import database_time, is_transient, require_server
from storage.shards.state import ShardState, SharedState, WorkerState, shared_state

__all__ = [
    "FencedWriter",
    "LaneDelays",
    "LaneTurns",
    "Lease",
    "LeaseRenewal",
    "Leases",
    "RunSnapshot",
    "ShardPlan",
    "ShardState",
    "ShardTarget",
    "ShardWork",
    "SharedRunPlan",
    "SharedState",
    "WorkerHooks",
    "WorkerReport",
    "WorkerState",
    "database_time",
    "is_transient",
    "open_plan",
    "put_plan",
    "require_server",
    "shard_of",
    "shared_state",
    "tasks_left",
]
