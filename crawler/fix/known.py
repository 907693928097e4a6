"""Which files hold just what earlier fixes wrote, though no run has read them since."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from storage.catalogue import RecordPaths
from storage.edits import EditedFile, TextEdit


def written_edits(
    paths: RecordPaths, files: Iterable[EditedFile], digests: Mapping[str, str]
) -> dict[str, list[TextEdit]]:
    """The edits that led each such file from what was read of it to what it holds, by path.

    `files` are in the order of their fixes, `digests` those of the files as a run read them last.
    """
    edits: dict[str, list[TextEdit]] = {}
    ends: dict[str, str] = {}
    for file in files:
        if file.digest_before == ends.get(file.path, digests.get(file.path)):
            edits.setdefault(file.path, []).extend(file.edits)
            ends[file.path] = file.digest_after
    return {path: edits[path] for path, digest in ends.items() if _digest(paths.location(path)) == digest}


def _digest(path: str) -> str | None:
    with suppress(OSError):
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return None
