"""Records on disk: paths to documents, each with its links and where they stand.

Reading never fails as a whole. What cannot be parsed becomes a `Problem`, and the rest goes on.
"""

from storage.records.files import SUFFIXES, NoRecords, PathMissing, files, stamp
from storage.records.gather import DEFAULT_RULES, Rules
from storage.records.read import read, read_bytes, read_news

__all__ = [
    "DEFAULT_RULES",
    "SUFFIXES",
    "NoRecords",
    "PathMissing",
    "Rules",
    "files",
    "read",
    "read_bytes",
    "read_news",
    "stamp",
]
