"""Records on disk: paths to documents, each with its links and where they stand.

Reading never fails as a whole. What cannot be parsed becomes a `Problem`, and the rest goes on.
"""

from storage.records.files import FILE_SUFFIXES, NoRecords, PathMissing, files, stamp
from storage.records.read import read, read_bytes, read_news
from storage.records.rules import DEFAULT_RULES, FieldRule, Rules

__all__ = [
    "DEFAULT_RULES",
    "FILE_SUFFIXES",
    "FieldRule",
    "NoRecords",
    "PathMissing",
    "Rules",
    "files",
    "read",
    "read_bytes",
    "read_news",
    "stamp",
]
