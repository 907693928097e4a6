"""The write side of a run: findings into rows, in batches, in one thread of its own."""

from storage.ledger.ledger import Ledger
from storage.ledger.postponed import repeat_postponed
from storage.ledger.runs import UnfinishedRun, begin_run, close_killed, end_run
from storage.ledger.writer import Advance

__all__ = ["Advance", "Ledger", "UnfinishedRun", "begin_run", "close_killed", "end_run", "repeat_postponed"]
