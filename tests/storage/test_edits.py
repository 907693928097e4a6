"""What `fix` wrote is kept, found again by file and by target, and marked where it was put back."""

from __future__ import annotations

import sqlalchemy as sa

from storage import edits
from storage.edits import EditedFile, TextEdit
from tests.storage.build import DAY, NOW

OLD, NEW = "https://a.example/old", "https://a.example/new"
EDIT = TextEdit("webUrl", "moved", OLD, 12, OLD, NEW)


def _file(path: str, before: str = "b", after: str = "a") -> EditedFile:
    return EditedFile(path, before, after, (EDIT,))


def test_fixes_are_numbered_and_told_apart(engine: sa.Engine) -> None:
    """Each fix has a number of its own; the newest is the one of which something is left."""
    assert (edits.next_fix(engine), edits.last_fix(engine)) == (1, None)
    edits.keep(engine, 1, _file("a.md"), NOW)
    edits.keep(engine, 2, _file("a.md", "a", "c"), NOW + DAY)
    assert (edits.next_fix(engine), edits.last_fix(engine)) == (3, 2)
    assert edits.edited_files(engine) == [_file("a.md"), _file("a.md", "a", "c")]
    edits.mark_undone(engine, 2, "a.md", NOW + DAY)
    assert (edits.next_fix(engine), edits.last_fix(engine)) == (3, 1)
    assert edits.edited_files(engine) == edits.edited_files(engine, 1) == [_file("a.md")]
    assert edits.edited_files(engine, 2) == []


def test_target_has_its_edits(engine: sa.Engine) -> None:
    """The old and the new URL both tell of an edit; one that failed is forgotten."""
    edits.keep(engine, 1, _file("a.md"), NOW)
    edits.keep(engine, 1, _file("b.md"), NOW)
    edits.forget(engine, 1, "b.md")
    edits.mark_undone(engine, 1, "a.md", NOW + DAY)
    for url in (OLD, NEW):
        (event,) = edits.edits_of(engine, url)
        assert (event.fix, event.at, event.path, event.edit) == (1, NOW, "a.md", EDIT)
        assert event.undone_at == NOW + DAY
    assert edits.edits_of(engine, "https://a.example/") == []
