"""The write side of a run: findings into rows, in batches, in one thread of its own."""

from storage.ledger.intake import Ledger
from storage.ledger.runs import Left, begin_run, close_killed, end_run
from storage.ledger.writer import Advance

__all__ = ["Advance", "Ledger", "Left", "begin_run", "close_killed", "end_run"]
