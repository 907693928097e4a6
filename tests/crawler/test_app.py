"""A run counts: as many findings as targets, or the names of those that lack one."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.cli.outcome import tell_defect
from crawler.engine.target_selection import lacking
from storage.db.database import open_engine
from storage.model import Kind, Target
from tests.storage.build import catalogued, document, finding, ids, link, write

WELL, LOST = "https://well.example/", "https://lost.example/"


def test_a_target_without_a_finding_is_named(tmp_path: Path) -> None:
    """The run was to write two findings and has one: the other target is named, credentials masked."""
    engine = open_engine(f"sqlite:///{tmp_path / 'test.db'}")
    run = catalogued(engine, document("r.md", [link(url, url) for url in (WELL, LOST)]))
    keys = ids(engine)
    write(engine, run, finding(keys[WELL]))
    secret = LOST.replace("//", "//me:secret@")
    targets = [Target(keys[WELL], WELL, Kind.WEB), Target(keys[LOST], secret, Kind.WEB)]
    assert lacking(engine, run, targets, 2) == (LOST.replace("//", "//***@"),)
    assert lacking(engine, run, targets, 1) == ()  # the lane of one had no time left for it
    engine.dispose()


def test_a_lost_target_ends_with_a_defect(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 3, the first names, and how many there are beside."""
    assert tell_defect(()) == 0
    assert tell_defect([LOST]) == 3
    assert (
        capsys.readouterr().err == f"linkhealth: a defect of this program: 1 target has no finding: {LOST}\n"
    )
    assert tell_defect([f"https://{n}.example/" for n in range(12)]) == 3
    assert capsys.readouterr().err.endswith("https://9.example/ and 2 others\n")
