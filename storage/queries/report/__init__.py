"""What reports, `explain`, `fix` and `diff` read: entries, histories and changes."""

from storage.queries.report.changes import Change, ChangeKind, changes
from storage.queries.report.entries import at, entries, find
from storage.queries.report.entry import WORST_FIRST, Entry, EntryLink
from storage.queries.report.history import Observation, count_runs, digests, history, hops, problems, runs
from storage.queries.report.moves import moved_since
from storage.queries.report.placeholders import SuspectedPlaceholder, same_image_urls, suspected_placeholders
from storage.queries.report.similar_images import SimilarImage, similar_images
from storage.queries.report.totals import Totals

__all__ = [
    "WORST_FIRST",
    "Change",
    "ChangeKind",
    "Entry",
    "EntryLink",
    "Observation",
    "SimilarImage",
    "SuspectedPlaceholder",
    "Totals",
    "at",
    "changes",
    "count_runs",
    "digests",
    "entries",
    "find",
    "history",
    "hops",
    "moved_since",
    "problems",
    "runs",
    "same_image_urls",
    "similar_images",
    "suspected_placeholders",
]
