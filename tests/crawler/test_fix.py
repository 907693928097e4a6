"""`linkhealth fix`: what a run found, written into the records, and not a letter more."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from storage.model import Size
from tests.crawler.pictures import picture
from tests.program import QUICK, Ended, run
from tests.site import Site, answer, page, redirect, serve

H: Final = "http://news.example"
RECORD: Final = f"""---
title: "An item"   # kept
webUrl: {H}/old#part
related:
- {{title: other, webUrl: '{H}/away'}}
- title: amp
  webUrl: {H}/page
  ampUrl: {H}/amp
  cdnAmpUrl: https://news-example.cdn.ampproject.org/c/s/news.example/amp
images:
- url: "{H}/i.png"
  width: 10
  height: 70   # declared
---
The body names {H}/old, too.\r
"""
FIXED: Final = (
    RECORD.replace(f"webUrl: {H}/old#part", f"webUrl: {H}/new#part")
    .replace("/c/s/news", "/c/news")
    .replace("width: 10", "width: 100")
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one record."""
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "a.md").write_text(RECORD, newline="")
    (tmp_path / "config.toml").write_text(QUICK)
    return tmp_path


def _build(site: Site) -> None:
    amp = f'<!doctype html><html amp><link rel="canonical" href="{H}/page">'
    site.add(f"{H}/old", redirect(301, f"{H}/new"))
    site.add(f"{H}/away", redirect(301, "http://else.example/x"))
    site.add(f"{H}/i.png", answer(200, picture(size=Size(100, 70)), Content_Type="image/png"))
    site.add(f"{H}/amp", page(amp))
    for url in (f"{H}/new", f"{H}/page", "http://else.example/x"):
        site.add(url, page())


async def _audited(folder: Path) -> Ended:
    async with serve() as site:
        _build(site)
        return await run(folder, "audit", "--force", "--connect-to", site.detour, "--format", "jsonl")


def _text(folder: Path) -> str:
    return (folder / "seeds" / "a.md").read_bytes().decode()


async def test_shows_then_writes_then_has_nothing_left(folder: Path) -> None:
    """It shows a diff and changes nothing; --write makes just that; after another run nothing is left."""
    await _audited(folder)
    shown = await run(folder, "fix")
    untouched = _text(folder)
    written = await run(folder, "fix", "--write")
    after = _text(folder)
    stale = await run(folder, "fix")
    await _audited(folder)
    again = await run(folder, "fix")

    assert (shown.code, untouched) == (1, RECORD)
    assert f"-webUrl: {H}/old#part\n+webUrl: {H}/new#part\n" in shown.out
    assert "another domain, http://else.example/x: --other-domains follows it" in shown.err
    assert "3 corrections; --write makes them" in shown.err
    assert (written.code, written.out, after) == (1, "", FIXED)
    assert (stale.code, stale.out) == (0, "")
    assert "the record has changed since it was read" in stale.err
    assert (again.code, again.out) == (0, ""), again.err


async def test_diff_is_one_that_patch_takes(folder: Path) -> None:
    """What it shows, given to `patch`, makes the file that --write makes."""
    await _audited(folder)
    shown = await run(folder, "-q", "fix")
    if shutil.which("patch") is None:
        pytest.skip("the program `patch` is not on this machine")
    subprocess.run(["patch", "-p0", "--binary"], cwd=folder, input=shown.out.encode(), check=True)  # noqa: ASYNC221

    assert (shown.code, shown.err) == (1, "")
    assert _text(folder) == FIXED


async def test_other_domains_and_named_paths(folder: Path) -> None:
    """--other-domains follows every redirect; files that were not named are left."""
    other = folder / "seeds" / "b.md"
    shutil.copy(folder / "seeds" / "a.md", other)
    await _audited(folder)
    done = await run(folder, "fix", "--write", "--other-domains", "seeds/a.md")

    assert done.code == 1
    assert _text(folder) == FIXED.replace(f"{H}/away", "http://else.example/x")
    assert other.read_bytes().decode() == RECORD


async def test_file_that_may_not_be_written(folder: Path) -> None:
    """A file that cannot be replaced is told with its reason, and the others are written."""
    seeds = folder / "seeds"
    shutil.copy(seeds / "a.md", seeds / "b.md")
    os.link(seeds / "b.md", seeds / "c.md")
    await _audited(folder)
    done = await run(folder, "fix", "--write")

    assert done.code == 1
    assert "b.md:3:9: not corrected: it has several names" in done.err
    assert _text(folder) == FIXED
    assert (seeds / "b.md").read_bytes().decode() == RECORD


async def test_nothing_known(folder: Path) -> None:
    """Without a run there is nothing to correct, and no database is made."""
    done = await run(folder, "fix")

    assert (done.code, done.out) in {(0, ""), (2, "")}
    assert "Traceback" not in done.err
    assert not (folder / "linkhealth.db").exists()
