"""A host that asks to come back later: what a run, the next one, and `explain` say of what was put off."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.program import Ended, records, run
from tests.site import Site, answer, page, serve

pytestmark = pytest.mark.libraries

BUSY = "http://busy.site.example"
WELL = "http://www.site.example"
LINE = re.compile(
    r"linkhealth: (\d+) targets? of busy\.site\.example put off until \d{4}-\d\d-\d\d \d\d:\d\d UTC: "
    r"http://busy\.site\.example/\d answered 429 with Retry-After 7200"
)


def _busy(site: Site, folder: Path) -> tuple[str, str]:
    """Records of one lane with two hosts, one of which wants to be left alone; the detour to them."""
    site.fallback = page()
    for number in range(6):
        site.add(f"{BUSY}/{number}", answer(429, Retry_After="7200"))
    records(folder, *(f"{BUSY}/{n}" for n in range(6)), *(f"{WELL}/{n}" for n in range(6)))
    return "--connect-to", site.detour


def _put_off(done: Ended) -> int:
    match = LINE.search(done.err)
    assert match is not None, done.err
    return int(match[1])


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_what_is_put_off_is_told_and_stays_so(tmp_path: Path, workers: str) -> None:
    """One line a host, exit code 4, and a later run says the same without a request."""
    async with serve() as site:
        words = ("audit", "--format", "jsonl", "--workers", workers, *_busy(site, tmp_path))
        first = await run(tmp_path, *words)
        asked = len(site.log)
        second = await run(tmp_path, *words)
        assert len(site.log) == asked
        forced = await run(tmp_path, *words, "--force")

    put_off = [url for url, line in first.lines().items() if line["verdict"] == "postponed"]
    assert (first.code, second.code, forced.code) == (4, 4, 4)
    assert 4 <= len(put_off) <= 5
    assert _put_off(first) == _put_off(second) == len(put_off)
    assert {first.lines()[f"{WELL}/{n}"]["verdict"] for n in range(6)} == {"ok"}
    for url in put_off:
        line = second.lines()[url]
        assert (line["verdict"], line["class"], line["checked_at"]) == ("postponed", "unchecked", None)
        assert "answered 429 with Retry-After 7200" in str(line["detail"])
        assert line["next_due"] == first.lines()[url]["next_due"] is not None


async def test_summary_and_explain_name_the_reason(tmp_path: Path) -> None:
    """The table has one line a host, quiet runs tell it once, and `explain` knows until when."""
    async with serve() as site:
        detour = _busy(site, tmp_path)
        done = await run(tmp_path, "audit", *detour)
        quiet = await run(tmp_path, "-q", "audit", *detour)
        lines = (await run(tmp_path, "report", "--format", "jsonl")).lines()
    url = next(url for url, line in lines.items() if line["checked_at"] is None)
    told = await run(tmp_path, "explain", url)

    assert done.out.count("targets of busy.site.example put off until") == 1
    assert (quiet.code, quiet.out) == (4, "")
    assert quiet.err == ""
    assert re.search(r"^Not asked at \S+Z: put off until .* answered 429", told.out, re.MULTILINE)
    assert re.search(r"^Never checked, next due \S+Z\.", told.out, re.MULTILINE)


async def test_what_was_known_holds(tmp_path: Path) -> None:
    """A page that is put off keeps the verdict of its last check, and a problem keeps its exit code."""
    async with serve() as site:
        detour = _busy(site, tmp_path)
        site.add(f"{BUSY}/0", answer(404))
        site.add(f"{BUSY}/1", answer(404))
        await run(tmp_path, "audit", *detour)
        site.add(f"{BUSY}/0", answer(429, Retry_After="7200"))
        site.add(f"{BUSY}/1", answer(429, Retry_After="7200"))
        done = await run(tmp_path, "audit", "--force", *detour)
        report = await run(tmp_path, "report", "--only", "not-found", "--format", "jsonl")

    assert done.code == 1
    assert {line["verdict"] for line in report.lines().values()} == {"not-found"}
