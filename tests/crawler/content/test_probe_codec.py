"""What sites say of pages that cannot exist, remembered from run to run."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.checks.html import parse_html
from crawler.content.fingerprint import fingerprint
from crawler.content.observation import ProbeResult
from crawler.content.probe_codec import decode_probe, encode_probe
from tests.program import Ended, records, run
from tests.site import Asked, Site, answer, page, serve

H = "http://site.example/news/2020"
LIVE_URLS = [f"{H}/council-votes-on-new-bridge", f"{H}/council-opens-new-bridge"]
STORY = "<p>" + " ".join(f"The council met for hour {n} and spoke of the new bridge." for n in "abcdefgh")
LIVE = f"<!doctype html><title>Council and new bridge</title><h1>Council and new bridge</h1>{STORY}"
MISSING = (
    "<!doctype html><title>Page not found</title><h1>Page not found</h1>" + "<p>Read other stories." * 12
)
OTHER = (
    "<!doctype html><title>Oops</title><h1>Sorry</h1><p>Nothing found here"
    + "<p>Look at what others read." * 12
)
AGES = "[schedule]\npolicy = 'fixed'\nalive = 0\nfailing = [0]\nsplay = 0\n"


async def audit(folder: Path, site: Site, *words: str, more: str = "") -> tuple[Ended, list[Asked]]:
    """Audit the same records again; what was asked that they do not name, too."""
    config = folder / "config.toml"
    if AGES not in config.read_text():
        config.write_text(f"{config.read_text()}{AGES}{more}")
    before = len(site.log)
    done = await run(folder, "audit", "--format", "jsonl", "--connect-to", site.detour, *words)
    return done, [one for one in site.log[before:] if one.url not in LIVE_URLS]


def stored(folder: Path) -> dict[str, int]:
    """The probes that hold: the status of each by its folder."""
    with closing(sqlite3.connect(folder / "linkhealth.db")) as db:
        return dict(db.execute("SELECT folder, status FROM probe WHERE due_at > asked_at"))


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_an_honest_site_is_probed_once(tmp_path: Path, workers: str) -> None:
    """The next runs ask the pages alone; --force asks the site anew, too."""
    records(tmp_path, *LIVE_URLS)
    async with serve() as site:
        for url in LIVE_URLS:
            site.add(url, page(LIVE))
        probes = [
            len((await audit(tmp_path, site, "--workers", workers, *words))[1])
            for words in ((), (), (), ("--force",))
        ]

    assert probes == [1, 0, 0, 1]
    assert stored(tmp_path) == {f"{H}/": 404}


async def test_a_probe_has_its_time(tmp_path: Path) -> None:
    """Once it is due, the site is asked again; `probe = 0` remembers nothing."""
    records(tmp_path, *LIVE_URLS)
    async with serve() as site:
        for url in LIVE_URLS:
            site.add(url, page(LIVE))
        await audit(tmp_path, site)
        with closing(sqlite3.connect(tmp_path / "linkhealth.db")) as db, db:
            asked, due = db.execute("SELECT asked_at, due_at FROM probe").fetchone()
            db.execute("UPDATE probe SET due_at = '2020-01-01 00:00:00.000000'")
        late = len((await audit(tmp_path, site))[1])
        (tmp_path / "linkhealth.db").unlink()
        config = tmp_path / "config.toml"
        config.write_text(f"{config.read_text()}probe = 0\n")
        never = [len((await audit(tmp_path, site))[1]) for _ in range(2)]

    assert datetime.fromisoformat(due) - datetime.fromisoformat(asked) == timedelta(days=30)
    assert late == 1
    assert never == [1, 1]
    assert stored(tmp_path) == {}


async def test_soft_404s_are_found_by_what_is_remembered(tmp_path: Path) -> None:
    """A site that says 200 to anything is known from the start: its pages are read, and it is not probed."""
    records(tmp_path, *LIVE_URLS)
    async with serve() as site:
        site.fallback = page(MISSING)
        for url in LIVE_URLS:
            site.add(url, page(LIVE))
        first, probes = await audit(tmp_path, site)
        site.add(LIVE_URLS[1], page(MISSING))
        before = len(site.log)
        second, none = await audit(tmp_path, site)
        methods = {one.method for one in site.log[before:]}

    assert {line["verdict"] for line in first.lines().values()} == {"ok"}
    assert [second.lines()[url]["verdict"] for url in LIVE_URLS] == ["ok", "soft-404"]
    assert (len(probes), len(none), methods) == (1, 0, {"GET"})


async def test_a_page_in_doubt_has_its_site_asked_anew(tmp_path: Path) -> None:
    """Where the remembered page looks otherwise than the page that says to be missing, it is not believed."""
    records(tmp_path, *LIVE_URLS)
    async with serve() as site:
        site.fallback = page(MISSING)
        for url in LIVE_URLS:
            site.add(url, page(LIVE))
        await audit(tmp_path, site)
        site.fallback = page(OTHER)
        site.add(LIVE_URLS[1], page(OTHER))
        done, probes = await audit(tmp_path, site)

    assert done.lines()[LIVE_URLS[1]]["verdict"] == "soft-404"
    assert len(probes) == 1


async def test_a_site_that_became_honest(tmp_path: Path) -> None:
    """A page that is not found where the site had said 200 to anything ends what is remembered of it."""
    records(tmp_path, *LIVE_URLS)
    async with serve() as site:
        site.fallback = page(MISSING)
        for url in LIVE_URLS:
            site.add(url, page(LIVE))
        await audit(tmp_path, site)
        lied = stored(tmp_path)
        site.fallback = answer(404)
        site.add(LIVE_URLS[0], answer(404))
        site.add(LIVE_URLS[1], answer(404))
        done, _ = await audit(tmp_path, site)
        forgotten = stored(tmp_path)
        site.add(LIVE_URLS[1], page(LIVE))
        _, probes = await audit(tmp_path, site)

    assert lied == {f"{H}/": 200}
    assert {line["verdict"] for line in done.lines().values()} == {"not-found"}
    assert forgotten == {}
    assert len(probes) == 1
    assert stored(tmp_path) == {f"{H}/": 404}


async def test_every_site_of_a_large_run_is_probed(tmp_path: Path) -> None:
    """Also one of which the records name a single page."""
    urls = [
        f"http://h{n}.example/news/b4711" for n in range(100)
    ]  # it names nothing that the page could have
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "all.json").write_text(str([{"webUrl": url} for url in urls]).replace("'", '"'))
    records(tmp_path)
    async with serve() as site:
        for url in urls:
            site.add(url, page(LIVE))
        await audit(tmp_path, site)

    assert len(stored(tmp_path)) == 100
    assert len(site.log) == 200


def test_what_is_kept_says_the_same() -> None:
    """A probe that is stored and read again is compared as it was."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for text in (MISSING, LIVE, "", "<p>\u4e0d\u5b58\u5728\u7684\u9875\u9762 \u00e9t\u00e9"):
        said = ProbeResult(
            f"{H}/x",
            f"{H}/y",
            200,
            fingerprint(parse_html(text), f"{H}/x"),
            comparable=True,
            phrase="not found",
        )
        found = decode_probe(encode_probe(said, f"{H}/", at, at))

        assert found.asked_at == at
        assert (found.fingerprint, found.comparable, found.phrase) == (said.fingerprint, True, "not found")
    bare = decode_probe(encode_probe(ProbeResult(f"{H}/x", f"{H}/x", 404), f"{H}/", at, at))
    assert (bare.fingerprint, bare.comparable, bare.phrase, bare.says_absent) == (None, False, None, True)
