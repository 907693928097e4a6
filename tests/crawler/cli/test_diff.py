"""`linkhealth diff`: what cron mails."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.program import records, run
from tests.site import answer, page, redirect, serve

H = "http://site.example"


async def test_diff_tells_news_alone(tmp_path: Path) -> None:
    """What got worse is told, with 1; a run that changed nothing leaves nothing to say, with 0."""
    async with serve() as site:
        for name, then in (("bad", answer(404)), ("moves", redirect(301, "/good")), ("good", page())):
            site.add(f"{H}/{name}", page(), then)
        records(tmp_path, *(f"{H}/{name}" for name in ("bad", "moves", "good")))
        words = ("audit", "--force", "--connect-to", site.detour)
        await run(tmp_path, *words)
        first = await run(tmp_path, "diff")
        await run(tmp_path, *words)
        table = await run(tmp_path, "diff")
        lines = await run(tmp_path, "diff", "--format", "jsonl")
        await run(tmp_path, "diff", "--format", "json", "-o", "news.json")
        await run(tmp_path, *words)
        none = await run(tmp_path, "diff")
        since = await run(tmp_path, "diff", "--since", "1")

    assert (first.code, first.out, first.err) == (0, "", "")
    assert table.code == 1
    assert "Newly suspect: 1\n  http://site.example/bad\n    alive -> suspect · not-found · 404" in table.out
    assert "seeds/000.md:2:9  webUrl" in table.out
    assert f"now at {H}/good" in table.out
    found = lines.lines()
    assert {url: line["change"] for url, line in found.items()} == {
        f"{H}/bad": "suspect",
        f"{H}/moves": "moved",
    }
    whole = msgspec.json.decode((tmp_path / "news.json").read_bytes())
    assert whole == {"since": 1, "changes": list(found.values())}
    assert (none.code, none.out) == (0, "")
    assert since.out == table.out


async def test_diff_without_a_past(tmp_path: Path) -> None:
    """A database that is not there, or a run that never was, is told in a sentence, with 2."""
    records(tmp_path, "/relative")
    absent = await run(tmp_path, "diff")
    await run(tmp_path, "audit")
    stranger = await run(tmp_path, "diff", "--since", "7")

    assert (absent.code, "there is no database" in absent.err) == (2, True)
    assert (stranger.code, "no run 7; there are 1 to 1" in stranger.err) == (2, True)
