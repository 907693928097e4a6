"""Which request may start next: the one concurrency primitive.

A lane is what must be polite together. The scheduler holds one object a lane and hands out permits:
a permit is the right to have one request under way, in one lane and in the whole run. A lane asks
for a permit only when it may start a request this very moment, so waiting (for an interval, for a
back-off, for Retry-After) holds neither a permit nor a socket, and no lane ever delays another.

Jobs are plain values in a queue a lane. A task exists only for a job that was started; a job that
waits for its second request (back-off, redirect into another lane) keeps its task but no permit.

Among the lanes that may start now, one that never started goes first, then the one with the most
work left: the longest remaining time first, which ends within a few per cent of the lower bound
where turns in order end at 1.2 to 9 times it (benchmarks/order.py).
"""

from crawler.lanes.lane import JobHandler, Lane, LaneLimits, Permit, Signal
from crawler.lanes.scheduler import Scheduler

__all__ = ["JobHandler", "Lane", "LaneLimits", "Permit", "Scheduler", "Signal"]
