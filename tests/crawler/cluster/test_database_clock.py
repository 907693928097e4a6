"""Machines whose clocks are wrong by hours: all times are those of the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from tests.crawler.cluster.stage import over, staged
from tests.crawler.pictures import picture
from tests.site import Wire, answer, page
from tests.storage.postgres import Server

HOURS = 5 * 3600.0
URLS = [f"http://h{host}.example/{n}" for host in range(12) for n in range(12)]
IMAGES = [f"http://h{host}.example/{n}.png" for host in range(12) for n in range(2)]
BUSY = [f"http://h{host}.example/busy" for host in range(12)]
SECOND, WEEK = timedelta(seconds=1), timedelta(days=7)
TIMES = (
    "SELECT checked_at FROM finding UNION SELECT checked_at FROM target UNION SELECT stored_at FROM cached "
    "UNION SELECT confirmed_at FROM cached UNION SELECT started_at FROM run UNION SELECT finished_at FROM run"
)


async def busy(wire: Wire) -> None:
    """Ask to come back at a moment that is near, by a server that does not say what its clock shows."""
    moment = datetime.now(UTC) + SECOND
    await answer(503, Retry_After=format_datetime(moment, usegmt=True))(wire)


async def test_wrong_clocks_do_no_harm(server: Server, tmp_path: Path) -> None:
    """The command is hours behind, a worker hours ahead: times, leases and waits are right all the same."""
    began = datetime.now(UTC)
    async with staged(server, tmp_path, [*URLS, *BUSY]) as stage:
        (tmp_path / "seeds" / "b.md").write_text("---\nimages:\n" + _images() + "---\n")
        for url in IMAGES:
            stage.site.add(url, answer(200, picture(), Content_Type="image/png"))
        for url in BUSY:
            stage.site.add(url, busy, page())
        ahead = await stage.worker("ahead", ahead=HOURS)
        first = await stage.run(command="run", ahead=-HOURS)
        await stage.has_work("ahead")
        assert await over(first, ahead) == [0, 4]
    stage.check(again=len(BUSY), urls=[*URLS, *BUSY, *IMAGES])
    times = [moment.replace(tzinfo=UTC) for (moment,) in stage.rows(TIMES)]
    assert began - SECOND < min(times) < max(times) < datetime.now(UTC) + SECOND
    due = [moment.replace(tzinfo=UTC) for (moment,) in stage.rows("SELECT next_due FROM target")]
    assert began + WEEK - SECOND < min(due) < max(due) < datetime.now(UTC) + 2 * WEEK
    assert stage.rows("SELECT 1 FROM cached") == [(1,)] * len(IMAGES)


def _images() -> str:
    return "".join(f"  - url: {url}\n    width: 24\n    height: 16\n" for url in IMAGES)
