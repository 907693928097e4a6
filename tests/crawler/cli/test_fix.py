"""`linkhealth fix`: what a run found, written into the records, and not a letter more."""

from __future__ import annotations

import gzip
import io
import os
import re
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from typing import Final

import pytest

from crawler import api
from crawler.cli.main import main
from storage.db.lock import hold_file
from storage.model import Size
from tests.crawler.pictures import picture
from tests.program import QUICK, Ended, ended, run, start
from tests.site import Site, answer, page, redirect, serve

H: Final = "http://news.example"
RECORD: Final = f"""---
title: "An item"   # kept
webUrl: {H}/an-old-story#part
related:
- {{title: other, webUrl: '{H}/far-away-story'}}
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
The body names {H}/an-old-story, too.\r
"""
FIXED: Final = (
    RECORD.replace(f"webUrl: {H}/an-old-story#part", f"webUrl: {H}/2021/an-old-story#part")
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
    site.add(f"{H}/an-old-story", redirect(301, f"{H}/2021/an-old-story"))
    site.add(f"{H}/far-away-story", redirect(301, "http://else.example/far-away-story"))
    for name in ("i", "half", "vague"):
        site.add(f"{H}/{name}.png", answer(200, picture(size=Size(100, 70)), Content_Type="image/png"))
    site.add(f"{H}/amp", page(amp))
    for url in (f"{H}/2021/an-old-story", f"{H}/page", "http://else.example/far-away-story"):
        site.add(url, page())


async def _audited(folder: Path) -> None:
    async with serve() as site:
        _build(site)
        await _audit(folder, site)


async def _audit(folder: Path, site: Site) -> None:
    """Check everything in this process, which spares the start of another."""
    detour = QUICK.replace("[network]", f'[network]\nconnect_to = ["{site.detour}"]')
    (folder / "audit.toml").write_text(detour)
    with chdir(folder):
        await api.audit(config="audit.toml", force=True)


def _here(folder: Path, *words: str) -> Ended:
    """Run the program in this process, as one of its own would run."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with pytest.MonkeyPatch.context() as patch, chdir(folder):
        patch.setattr(sys, "argv", ["linkhealth", *words])
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as ending:
            main()
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    return Ended(int(ending.value.code or 0), *texts)


def _text(folder: Path) -> str:
    return (folder / "seeds" / "a.md").read_bytes().decode()


async def test_shows_then_writes_then_has_nothing_left(folder: Path) -> None:
    """It shows a diff and changes nothing; --write makes just that; after another run nothing is left."""
    await _audited(folder)
    shown = await run(folder, "fix")
    untouched = _text(folder)
    written = _here(folder, "fix", "--write", "--now")
    after = _text(folder)
    stale = _here(folder, "fix")
    await _audited(folder)
    again = _here(folder, "fix")

    assert (shown.code, untouched) == (1, RECORD)
    assert f"-webUrl: {H}/an-old-story#part\n+webUrl: {H}/2021/an-old-story#part\n" in shown.out
    assert "another domain, http://else.example/far-away-story: --other-domains follows it" in shown.err
    assert f"{COUNT} corrections; --write makes them" in shown.err
    assert (written.code, written.out, after) == (1, "", FIXED)
    assert (stale.code, stale.out, stale.err) == (0, "", "")
    assert (again.code, again.out) == (0, ""), again.err


async def test_diff_is_one_that_patch_takes(folder: Path) -> None:
    """What it shows, given to `patch`, makes the file that --write makes."""
    await _audited(folder)
    shown = _here(folder, "-q", "fix")
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
    done = _here(folder, "fix", "--write", "--now", "--other-domains", "seeds/a.md")

    assert done.code == 1
    assert _text(folder) == FIXED.replace(f"{H}/far-away-story", "http://else.example/far-away-story")
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
    done = _here(folder, "fix", "--write", "--now")
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
    done = _here(folder, "fix", "--write", "--now")

    expected = "\ufeff" + FIXED.replace("\r\n", "\n").replace("\n", "\r\n")
    assert (done.code, path.read_bytes()) == (1, expected.encode())


async def test_record_that_somebody_changed(folder: Path) -> None:
    """A record is left from its first changed letter on: the AMP-CDN URL follows from another line."""
    await _audited(folder)
    mine = RECORD.replace(f"ampUrl: {H}/amp", f"ampUrl: {H}/AMP")
    (folder / "seeds" / "a.md").write_bytes(mine.encode())
    done = _here(folder, "fix", "--write", "--now")

    assert (done.code, done.out, _text(folder)) == (0, "", mine)
    assert "seeds/a.md: not corrected: it has changed since it was read" in done.err


async def test_word_of_a_person_and_secrets(folder: Path) -> None:
    """What is pinned dead, or holds a password, is left with its reason; no password is told."""
    path = folder / "seeds" / "a.md"
    record = f"---\nwebUrl: {H}/an-old-story\nwebsite: http://me:secret@news.example/mine\n---\n"
    path.write_text(record)
    async with serve() as site:
        _build(site)
        site.add(f"{H}/mine", redirect(301, f"{H}/2021/an-old-story"))
        await _audit(folder, site)
    _here(folder, "pin", f"{H}/an-old-story", "dead", "--why", "it sells shoes now")
    done = _here(folder, "fix", "--write", "--now")

    assert (done.code, done.out, path.read_text()) == (0, "", record)
    assert "a.md:2:9: not corrected: its target is pinned dead" in done.err
    assert "a.md:3:10: not corrected: it holds a password, which is not stored" in done.err
    assert "secret" not in done.err


async def test_nothing_known(folder: Path) -> None:
    """Without a database, or a run in it, it says what to do, and makes nothing."""
    done = _here(folder, "fix")
    assert (done.code, done.out) == (2, "")
    assert "there is no database linkhealth.db yet: 'linkhealth audit' makes it" in done.err
    assert not (folder / "linkhealth.db").exists()

    _here(folder, "pin", f"{H}/an-old-story", "alive", "--why", "it is ours")
    done = _here(folder, "fix")
    assert (done.code, done.out) == (2, "")
    assert done.err == "linkhealth: no run yet: 'linkhealth audit' makes one\n"


async def test_a_folder_that_lies_elsewhere_is_left(folder: Path) -> None:
    """What a symbolic link below the paths leads to is read, and written only where it is named itself."""
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    record = f"---\nimages:\n- url: {H}/i.png\n  width: 10\n  height: 70\n---\n"
    (elsewhere / "b.md").write_text(record)
    (folder / "seeds" / "a.md").unlink()
    (folder / "seeds" / "link").symlink_to("../elsewhere")
    await _audited(folder)

    left = _here(folder, "fix", "--write", "--rule", "size")
    assert (left.code, (elsewhere / "b.md").read_text()) == (0, record)
    assert "elsewhere/b.md: not corrected: a symbolic link leads to it, out of the paths" in left.err
    named = _here(folder, "fix", "--write", "--rule", "size", "seeds/link")
    assert (named.code, (elsewhere / "b.md").read_text()) == (1, record.replace("10", "100"))


async def test_a_new_url_waits_for_a_second_check(folder: Path) -> None:
    """A move of today is shown and not written; --now, or a check a day later, writes it. One is singular."""
    path = folder / "seeds" / "a.md"
    record = f"---\nwebUrl: {H}/an-old-story\n---\n"
    path.write_text(record)
    await _audited(folder)
    shown = _here(folder, "fix")
    written = _here(folder, "fix", "--write")

    assert (shown.code, written.code, path.read_text()) == (1, 0, record)
    assert f"+webUrl: {H}/2021/an-old-story\n" in shown.out
    assert "a.md:2:9: not to be written yet: it moved less than a day ago" in shown.err
    assert shown.err.endswith("1 correction; --write makes it\n")
    assert "a.md:2:9: not corrected: it moved less than a day ago" in written.err

    async with serve() as site:
        _build(site)
        await ended(await start(folder, "audit", "--force", "--connect-to", site.detour, ahead=90_000))
    done = _here(folder, "fix", "--write")
    assert (done.code, path.read_text()) == (1, record.replace("/an-old", "/2021/an-old"))
    assert done.err == "1 correction made; --undo 1 takes it back\n"


async def test_rules_and_a_work_tree(folder: Path) -> None:
    """--rule chooses; a file with changes that git does not have asks for --force."""
    git = shutil.which("git")
    if git is None:
        pytest.skip("the program `git` is not on this machine")
    await _audited(folder)
    subprocess.run([git, "init", "-q"], cwd=folder, check=True)  # noqa: ASYNC221
    left = _here(folder, "fix", "--write", "--now")
    assert (left.code, _text(folder)) == (0, RECORD)
    assert "seeds/a.md: not corrected: it has changes that are not committed to git" in left.err

    done = _here(folder, "fix", "--write", "--rule", "amp-cache-url", "--force")
    assert (done.code, _text(folder)) == (1, RECORD.replace("/c/s/news", "/c/news"))
    wrong = _here(folder, "fix", "--rule", "moved,everything")
    assert (wrong.code, wrong.out) == (2, "")
    assert "everything: the rules are moved, size, amp-cache-url" in wrong.err


async def test_undo_gives_the_first_bytes_back(folder: Path) -> None:
    """--undo puts back what was written, once; `explain` tells of both; a file changed since is left."""
    other = folder / "seeds" / "b.md"
    windows = "\ufeff" + RECORD.replace("\r\n", "\n").replace("\n", "\r\n")
    other.write_bytes(windows.encode() + b"\xff")
    await _audited(folder)
    _here(folder, "fix", "--write", "--now", "--rule", "size")
    rest = _here(folder, "fix", "--write", "--now")
    other_after = other.read_bytes()
    other.write_bytes(other_after + b"mine")
    left = _here(folder, "fix", "--undo", "2")
    half = _text(folder)
    other.write_bytes(other_after)
    outcomes = [_here(folder, "fix", *words) for words in (("--undo",), ("--undo", "seeds"), ("--undo",))]
    told = _here(folder, "explain", f"{H}/an-old-story")

    assert (rest.code, left.code) == (1, 1)
    assert left.err.startswith("seeds/b.md: not put back: it has changed since it was corrected\n")
    assert half == RECORD.replace("width: 10\n", "width: 100\n").replace(
        "width: 50\n  height: '35'", "width: 100\n  height: '70'"
    ).replace("width: 100px", "width: 100")
    assert [ending.code for ending in outcomes] == [0, 0, 2], [ending.err for ending in outcomes]
    assert (_text(folder), other.read_bytes()) == (RECORD, windows.encode() + b"\xff")
    assert f"moved: {H}/an-old-story#part -> {H}/2021/an-old-story#part" in told.out
    assert "put back" in told.out


async def test_two_at_once(folder: Path) -> None:
    """Nothing is written while another process uses the database."""
    await _audited(folder)
    with hold_file(folder / "linkhealth.db", "run"):
        done = _here(folder, "fix", "--write", "--now")
    assert (done.code, _text(folder)) == (75, RECORD)
