"""What cron needs: units, and silence."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from tests.program import Ended, ended, records, run
from tests.site import answer, page, serve

H = "http://site.example"


async def test_quiet_run_tells_news_alone(tmp_path: Path) -> None:
    """With -q a run writes what changed, and nothing where nothing did; a report that was asked for comes."""
    async with serve() as site:
        site.add(f"{H}/a", page(), answer(404))
        records(tmp_path, f"{H}/a", f"{H}/dead")
        words = ("audit", "--force", "--connect-to", site.detour)
        first = await run(tmp_path, "-q", *words)
        second = await run(tmp_path, "-q", *words)
        third = await run(tmp_path, "-q", *words)
        asked = await run(tmp_path, "-q", *words, "--format", "jsonl")

    assert (first.out.splitlines()[:2], first.err) == (["Newly suspect: 1", f"  {H}/dead"], "")
    assert second.out.splitlines()[:2] == ["Newly suspect: 1", f"  {H}/a"]
    assert (third.code, third.out, third.err) == (1, "", "")
    assert set(asked.lines()) == {f"{H}/a", f"{H}/dead"}


MINUTE = r"[1-5]?\d"
EVERY = [("hour", rf"{MINUTE} \* \* \* \*"), ("day", rf"{MINUTE} [2-5] \* \* \*")]


async def _called(*words: str) -> Ended:
    """Call another program."""
    pipe = asyncio.subprocess.PIPE
    return await ended(await asyncio.create_subprocess_exec(*words, stdout=pipe, stderr=pipe))


@pytest.mark.parametrize(("every", "when"), EVERY)
async def test_line_of_crontab(tmp_path: Path, every: str, when: str) -> None:
    """The line runs in this folder, whatever its name, as the shell that cron calls understands it."""
    folder = tmp_path / "50% of 'it'"
    folder.mkdir()
    records(folder, "/relative")
    done = await run(folder, "-c", "config.toml", "schedule", "--cron", "--every", every, "seeds")
    again = await run(folder, "-c", "config.toml", "schedule", "--cron", "--every", every, "seeds")

    line = done.out.splitlines()[-1]
    match = re.fullmatch(rf"{when} (.*)", line)
    assert match, line
    assert re.search(r"(?<!\\)%", line) is None
    # Cron takes the backslash before a per cent sign away; all else goes to the shell.
    shell = await _called("/bin/sh", "-c", match[1].replace("\\%", "%"))
    assert (shell.code, shell.out) == (0, ""), shell.err
    assert (folder / "linkhealth.db").is_file()
    assert again.out == done.out


async def test_units_of_systemd(tmp_path: Path) -> None:
    """The units are what systemd takes, with their starts spread."""
    done = await run(tmp_path, "schedule", "--systemd")
    service, timer = re.split(r"(?m)^# ~/.config/systemd/user/linkhealth.timer$", done.out)
    (tmp_path / "linkhealth.service").write_text(service)
    (tmp_path / "linkhealth.timer").write_text(timer)

    assert f"WorkingDirectory={tmp_path}\n" in service
    assert re.search(r"^ExecStart=\S+.* -q run --max-runtime 50m", service, re.MULTILINE)
    assert "RandomizedDelaySec=50m\n" in timer
    if shutil.which("systemd-analyze"):
        units = [str(tmp_path / name) for name in ("linkhealth.service", "linkhealth.timer")]
        checked = await _called("systemd-analyze", "verify", *units)
        assert checked.code == 0, checked.err


async def test_schedule_wants_a_form(tmp_path: Path) -> None:
    """Without a form, the sentence says which there are."""
    done = await run(tmp_path, "schedule")
    assert (done.code, "--cron or --systemd" in done.err) == (2, True)
