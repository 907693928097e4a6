"""`linkhealth pin`: a person's word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.program import records, run
from tests.site import serve

H = "http://site.example"
WHY = ("--why", "seen with a browser")


async def test_pin_overrides_the_state_with_a_mark(tmp_path: Path) -> None:
    """A pin changes the state in reports, says who and why, is told by explain, and can be removed."""
    async with serve() as site:
        records(tmp_path, f"{H}/a b", f"{H}/c")
        words = ("audit", "--force", "--connect-to", site.detour)
        await run(tmp_path, *words)
        pinned = await run(tmp_path, "pin", f" {H}/a b#part", "alive", *WHY)
        lines = (await run(tmp_path, "report", "--format", "jsonl")).lines()
        table = await run(tmp_path, "report")
        story = await run(tmp_path, "explain", f"{H}/a b")
        await run(tmp_path, "pin", f"{H}/c", "alive", *WHY)
        fine = await run(tmp_path, *words)
        await run(tmp_path, "pin", f"{H}/c", "--remove")
        again = await run(tmp_path, *words)
        listed = await run(tmp_path, "pin")

    assert pinned.code == 0, pinned.err
    line = lines[f"{H}/a%20b"]
    assert (line["state"], line["verdict"]) == ("alive", "not-found")
    assert "pinned alive by " in str(line["detail"])
    assert "pinned alive by " in table.out
    assert "Pinned:  alive by " in story.out
    assert "seen with a browser" in story.out
    assert (fine.code, again.code) == (0, 1)
    assert [text.split("  ")[0] for text in listed.out.splitlines()] == [f"{H}/a%20b"]


async def test_ignored_target_is_not_asked(tmp_path: Path) -> None:
    """An ignored target gets no request, is excluded, and is no problem."""
    async with serve() as site:
        records(tmp_path, f"{H}/a")
        await run(tmp_path, "pin", f"{H}/a", "ignore", *WHY)
        done = await run(tmp_path, "audit", "--format", "jsonl", "--connect-to", site.detour)
        table = await run(tmp_path, "report")

    assert site.log == []
    assert done.code == 0
    assert done.lines()[f"{H}/a"]["verdict"] == "excluded"
    assert f"{H}/a" not in table.out


@pytest.mark.parametrize(
    "words",
    [
        (f"{H}/a",),
        (f"{H}/a", "alive"),
        (f"{H}/a", "alive", "--why", " "),
        (f"{H}/a", "asleep", *WHY),
        (f"{H}/a", "alive", "--remove"),
        ("--remove",),
    ],
)
async def test_pin_without_sense(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A pin needs its word and its reason."""
    done = await run(tmp_path, "pin", *words)
    assert done.code == 2
    assert "Traceback" not in done.err


async def test_pin_that_is_not_there(tmp_path: Path) -> None:
    """Removing what is not there says so, with 1."""
    done = await run(tmp_path, "pin", f"{H}/a", "--remove")
    assert (done.code, done.err) == (1, f"{H}/a has no pin.\n")
