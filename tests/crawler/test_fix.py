"""`linkhealth fix`: what a run found, written into the records, and not a letter more."""

from __future__ import annotations

import gzip
import os
import re
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
- url: {H}/half.png
  width: 50
  height: '35'
- url: {H}/vague.png
  width: 100px # a guess
  height: 70
- url: {H}/broken.png
  width: 1
  height: 2
---
The body names {H}/old, too.\r
"""
FIXED: Final = (
    RECORD.replace(f"webUrl: {H}/old#part", f"webUrl: {H}/new#part")
    .replace("/c/s/news", "/c/news")
    .replace("width: 10\n", "width: 100\n")
    .replace("width: 50\n  height: '35'", "width: 100\n  height: '70'")
    .replace("width: 100px", "width: 100")
)
COUNT: Final = 5


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
    for name in ("i", "half", "vague"):
        site.add(f"{H}/{name}.png", answer(200, picture(size=Size(100, 70)), Content_Type="image/png"))
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
    assert f"{COUNT} corrections; --write makes them" in shown.err
    assert (written.code, written.out, after) == (1, "", FIXED)
    assert (stale.code, stale.out) == (0, "")
    assert "seeds/a.md: not corrected: it has changed since it was read" in stale.err
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


async def test_files_that_may_not_be_written(folder: Path) -> None:
    """Each file that cannot be replaced is told in one line, and the others are written."""
    seeds = folder / "seeds"
    for name in ("b.md", "d.md", "real"):
        shutil.copy(seeds / "a.md", seeds / name)
    os.link(seeds / "b.md", seeds / "c.md")
    (seeds / "d.md").chmod(0o444)
    (seeds / "e.md").symlink_to("real")
    (seeds / "f.md.gz").write_bytes(gzip.compress(RECORD.encode()))
    await _audited(folder)
    done = await run(folder, "fix", "--write")
    told = [line for line in done.err.splitlines() if re.match(r"seeds/[^:]+: ", line)]

    assert done.code == 1
    assert told == [
        "seeds/b.md: not corrected: it has several names (hard links), and one alone would change",
        "seeds/c.md: not corrected: it has several names (hard links), and one alone would change",
        "seeds/d.md: not corrected: it is read-only",
        "seeds/e.md: not corrected: it is a symbolic link: name the file itself",
        "seeds/f.md.gz: not corrected: it is compressed: unpack it to have it corrected",
    ]
    assert _text(folder) == FIXED
    assert {(seeds / name).read_bytes() for name in ("b.md", "d.md", "e.md")} == {RECORD.encode()}


async def test_mark_and_line_ends_stay(folder: Path) -> None:
    """A file with a byte order mark and CRLF is corrected to one with both, byte for byte."""
    path = folder / "seeds" / "a.md"
    windows = "\ufeff" + RECORD.replace("\r\n", "\n").replace("\n", "\r\n")
    path.write_bytes(windows.encode())
    await _audited(folder)
    done = await run(folder, "fix", "--write")

    expected = "\ufeff" + FIXED.replace("\r\n", "\n").replace("\n", "\r\n")
    assert (done.code, path.read_bytes()) == (1, expected.encode())


async def test_record_that_somebody_changed(folder: Path) -> None:
    """A record is left from its first changed letter on: the AMP-CDN URL follows from another line."""
    await _audited(folder)
    mine = RECORD.replace(f"ampUrl: {H}/amp", f"ampUrl: {H}/AMP")
    (folder / "seeds" / "a.md").write_bytes(mine.encode())
    done = await run(folder, "fix", "--write")

    assert (done.code, done.out, _text(folder)) == (0, "", mine)
    assert "seeds/a.md: not corrected: it has changed since it was read" in done.err


async def test_word_of_a_person_and_secrets(folder: Path) -> None:
    """What is pinned dead, or holds a password, is left with its reason; no password is told."""
    path = folder / "seeds" / "a.md"
    record = f"---\nwebUrl: {H}/old\nwebsite: http://me:secret@news.example/mine\n---\n"
    path.write_text(record)
    async with serve() as site:
        _build(site)
        site.add(f"{H}/mine", redirect(301, f"{H}/new"))
        await run(folder, "audit", "--connect-to", site.detour)
    await run(folder, "pin", f"{H}/old", "dead", "--why", "it sells shoes now")
    done = await run(folder, "fix", "--write")

    assert (done.code, done.out, path.read_text()) == (0, "", record)
    assert "a.md:2:9: not corrected: its target is pinned dead" in done.err
    assert "a.md:3:10: not corrected: it holds a password, which is not stored" in done.err
    assert "secret" not in done.err


async def test_nothing_known(folder: Path) -> None:
    """Without a database, or a run in it, it says what to do, and makes nothing."""
    done = await run(folder, "fix")
    assert (done.code, done.out) == (2, "")
    assert "there is no database linkhealth.db yet: 'linkhealth audit' makes it" in done.err
    assert not (folder / "linkhealth.db").exists()

    await run(folder, "pin", f"{H}/old", "alive", "--why", "it is ours")
    done = await run(folder, "fix")
    assert (done.code, done.out) == (2, "")
    assert done.err == "linkhealth: no run yet: 'linkhealth audit' makes one\n"
