"""More processes: lanes shared out among workers, one event loop each, one writer to the database.

The parent reads, plans, writes and reports; a worker asks. A lane belongs to one worker for the
whole run, so politeness needs no talk between them, but for a redirect into another's lane: then
that hop is asked by the worker that has the lane (`foreign`).
"""

from crawler.processes.messages import WorkerSpec
from crawler.processes.pool import WorkerPool, open_pool

__all__ = ["WorkerPool", "WorkerSpec", "open_pool"]
