"""A database made by real runs over a small web, hostile wherever it can be; and its dashboard."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from storage.db.database import open_engine
from storage.ledger import begin_run, end_run
from storage.model import RunEnd, Size
from tests.crawler.pictures import picture
from tests.program import ended, records, run, start
from tests.site import Site, answer, page, serve

ATTACK: Final = "\"'><script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)>"
TURNED: Final = "שלום \u202egnp.exe \u200b"
ODD: Final = TURNED + "long" * 2_500
H: Final = "http://town.example"
IMAGES: Final = 30
HOSTS: Final = 55
RUNS: Final = 30
DEAD: Final = 70  # more than one page of any list holds


async def build(folder: Path) -> None:
    """Run twice over the town: what answers differs, so that there is a history to show."""
    _write(folder)
    async with serve() as site:
        _build(site)
        words = ("--connect-to", site.detour, "--force", "--no-progress")
        for number in range(2):
            site.add(f"{H}/turns", page() if number else answer(404))
            done = await run(folder, "run", *words)
            assert done.code == 1, done.err
    _idle(folder)


def _idle(folder: Path) -> None:
    """Runs that found nothing due."""
    engine = open_engine(f"sqlite:///{folder}/linkhealth.db")
    for _ in range(RUNS):
        end_run(engine, begin_run(engine, "audit", datetime.now(UTC)), RunEnd.FINISHED, datetime.now(UTC))
    engine.dispose()


def _write(folder: Path) -> None:
    """Records whose titles, excerpts, paths and URLs are hostile, beside some that are wrong as usual."""
    records(folder, *(f"{H}/dead/{number:03}" for number in range(DEAD)))
    hostile = ATTACK.replace("'", "''")
    images = "".join(
        f"- {{url: '{H}/{n}.png', width: {40 + 60 * n}, height: 90, isCached: true, alt: '{hostile}'}}\n"
        for n in range(IMAGES)
    )
    (folder / "seeds" / "attack <b>.md").write_text(
        f"---\ntitle: '{hostile}'\nexcerpt: '{ODD}'\nwebUrl: '{H}/{hostile}'\nampUrl: '{H}/turns'\n"
        f"related:\n- {{title: x, webUrl: 'javascript:alert(4)//'}}\n- {{webUrl: '{H}/head'}}\n"
        f"images:\n{images}---\n",
        encoding="utf-8",
    )
    (folder / "seeds" / f"{TURNED}.md").write_text(f"---\nwebUrl: '{H}/{ODD}'\n---\n", encoding="utf-8")
    inns = "".join(f"- {{webUrl: 'http://inn{number:02}.example/'}}\n" for number in range(HOSTS))
    (folder / "seeds" / "inns.md").write_text(f"---\nwebUrl: '{H}/turns'\nrelated:\n{inns}---\n")


def _build(site: Site) -> None:
    site.fallback = answer(
        404, ATTACK.encode(), reason=ATTACK, Server=ATTACK, Content_Type=f"text/html;{ATTACK}"
    )
    site.add(
        f"{H}/head", answer(301, Location=f"{H}/{ATTACK}", Server=ATTACK, Retry_After=ATTACK, ETag=ATTACK)
    )
    for number in range(HOSTS):
        site.add(f"http://inn{number:02}.example/", page())
    for number in range(IMAGES):
        same = picture(number // 3, size=Size(100, 70))
        site.add(f"{H}/{number}.png", answer(200, same, Content_Type="image/png", ETag=f'"{ATTACK}"'))


@asynccontextmanager
async def dashboard(folder: Path) -> AsyncIterator[str]:
    """Serve what lies in a folder; gives the origin, and ends as Ctrl-C ends it."""
    process = await start(folder, "serve", "--port", "0")
    assert process.stderr is not None
    line = (await asyncio.wait_for(process.stderr.readline(), 30)).decode()
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found, line
    try:
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        done = await ended(process)
        assert (done.code, done.err) == (130, "")
