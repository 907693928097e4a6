"""A run that many machines share, with PostgreSQL between them.

`open_sharing` is the run as its command sees it: it plans, works as one worker of many, and ends
when no shard is open. `join` is a worker on any machine: it works in the run that is open.
"""

from crawler.cluster.agreement import SharedRunSpec
from crawler.cluster.coordinator import SharedRun, SharedRunSetting, open_sharing
from crawler.cluster.join import StopHandle, join
from crawler.cluster.worker import Worker

__all__ = ["SharedRun", "SharedRunSetting", "SharedRunSpec", "StopHandle", "Worker", "join", "open_sharing"]
