"""The report by host."""

from __future__ import annotations

import json
from pathlib import Path

from tests.program import records, run
from tests.site import answer, page, serve


async def test_report_by_host(tmp_path: Path) -> None:
    """Each host has a row with what was asked, how long it took and what came of it."""
    async with serve() as site:
        site.fallback = page()
        site.add("http://bad.example/a", answer(503), answer(503), page())
        site.add("http://bad.example/b", answer(404))
        records(tmp_path, "http://bad.example/a", "http://bad.example/b", *_good(3))
        await run(tmp_path, "audit", "--connect-to", site.detour)
    told = await run(tmp_path, "report", "--by", "host", "--format", "jsonl")
    bad, good = (json.loads(line) for line in told.out.splitlines())

    assert (bad["host"], bad["targets"], bad["errors"], bad["requests"]) == ("bad.example", 2, 1, 5)
    assert bad["verdicts"] == {"not-found": 1, "ok": 1}
    assert 0 < bad["elapsed"]["p50"] <= bad["elapsed"]["p95"] <= bad["elapsed"]["max"]
    assert bad["waited"] > 0
    assert bad["rate"] > 0
    assert (good["host"], good["targets"], good["errors"], good["waited"]) == ("good.example", 3, 0, 0)

    table = await run(tmp_path, "report", "--by", "host")
    assert "bad.example" in table.out
    assert "not-found 1" in table.out
    assert json.loads((await run(tmp_path, "report", "--by", "host", "--format", "json")).out)[0] == bad

    refused = await run(tmp_path, "report", "--by", "host", "--format", "html")
    assert refused.code == 2
    assert "--by host comes as table, json, jsonl" in refused.err


def _good(count: int) -> list[str]:
    return [f"http://good.example/{n}" for n in range(count)]
