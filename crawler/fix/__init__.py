"""Safe corrections to the records themselves: what findings say that they should say.

`corrections` decides what to change (pure), `edit` changes it in the bytes of a file and proves that
nothing else has changed (pure), `atomic_write` replaces a file so that a reader sees the old or the new one.
"""

from crawler.fix.atomic_write import FileLeftAlone, OriginalFile, read_original, replace_file
from crawler.fix.correction import Correction, Corrections, FixPolicy, FixRule, SkippedCorrection
from crawler.fix.corrections import collect_corrections
from crawler.fix.diff import unified_diff
from crawler.fix.edit import CorrectedFile, correct
from crawler.fix.known import written_edits
from crawler.fix.undo import CHANGED_SINCE_REASON, put_back
from crawler.fix.work_tree import uncommitted

__all__ = [
    "CHANGED_SINCE_REASON",
    "CorrectedFile",
    "Correction",
    "Corrections",
    "FileLeftAlone",
    "FixPolicy",
    "FixRule",
    "OriginalFile",
    "SkippedCorrection",
    "collect_corrections",
    "correct",
    "put_back",
    "read_original",
    "replace_file",
    "uncommitted",
    "unified_diff",
    "written_edits",
]
