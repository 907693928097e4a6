"""A run that many machines share, with PostgreSQL between them.

`open_sharing` is the run as its command sees it: it plans, works as one worker of many, and ends
when no shard is open. `join` is a worker on any machine: it works in the run that is open.
"""

from crawler.sharing.coordinate import Sharing, open_sharing
from crawler.sharing.join import Post, join
from crawler.sharing.terms import Joint
from crawler.sharing.worker import Worker

__all__ = ["Joint", "Post", "Sharing", "Worker", "join", "open_sharing"]
