"""Runs the real program against the demo's web, and says what to do next."""

from __future__ import annotations

import asyncio
import os
import sys
import sysconfig
from pathlib import Path
from typing import Final

from crawler import app
from crawler.config import Config, Database, Duration, Hosts, Images, Network, Records, Retry
from crawler.demo.web import CERTIFICATE, serve
from crawler.progress import watch
from crawler.report import REPORTS, Selection, summarise
from crawler.report.thumbnails import thumbnails
from storage.database import open_engine
from storage.errors import StorageError
from storage.model import Kind, Run, Size
from storage.records import files, read

FOLDER: Final = Path("linkhealth-demo")
CACHE: Final = FOLDER / "cache"
NEXT: Final = """
The database lies in {database}, the report for a browser in {report}.

Next, with your own records (Markdown with YAML front matter, YAML, JSON or JSON lines):
  linkhealth audit PATH            check every link; run it again later, it remembers
  linkhealth report --format html -o report.html
  linkhealth explain URL           why a link is called what it is called
"""


def find_seeds() -> Path:
    """The records of the demo: those of this checkout, else those that were installed.

    Raises:
        StorageError: there are none.
    """
    checkout = Path(__file__).parents[2] / "seeds"
    installed = Path(sysconfig.get_path("data")) / "share" / "linkhealth" / "seeds"
    for folder in (checkout, installed):
        if folder.is_dir():
            return Path(os.path.relpath(folder))
    raise StorageError(f"the demo's records are missing: they should lie in {installed}")


def run(*, quiet: bool = False) -> int:
    """Show the main job; return the exit code."""
    seeds = find_seeds()
    FOLDER.mkdir(exist_ok=True)
    database, report = FOLDER / "linkhealth.db", FOLDER / "report.html"
    for old in FOLDER.glob("linkhealth.db*"):
        old.unlink()
    url = f"sqlite:///{database}"
    _say(f"Checking the records in {seeds.name}/ against a small web on this machine ...", quiet)
    made = asyncio.run(_audit(seeds, url, quiet=quiet))
    engine = open_engine(url)
    try:
        summary = summarise(engine, Selection(asked=made))
        summary.thumbnail = thumbnails(str(CACHE))
        sys.stdout.writelines(REPORTS["table"](summary))
        with report.open("w", encoding="utf-8") as file:
            file.writelines(REPORTS["html"](summary))
    finally:
        engine.dispose()
    _say(NEXT.format(database=database, report=report), quiet)
    return 0


def _say(text: str, quiet: bool) -> None:  # noqa: FBT001 - a switch of the whole program
    if not quiet:
        print(text, flush=True)  # noqa: T201 - the demo speaks to a person


async def _audit(seeds: Path, url: str, *, quiet: bool) -> Run:
    async with serve(_pictures(seeds)) as ports:
        config = Config(
            records=Records(paths=(str(seeds),)),
            network=Network(ca_file=str(CERTIFICATE), read_timeout=Duration(5)),
            hosts=Hosts(interval=Duration(0.05)),
            retry=Retry(backoff=Duration(0.5)),
            images=Images(cache=str(CACHE)),
            database=Database(url=url),
        )
        detours = (f":443:127.0.0.1:{ports.secure}", f":80:127.0.0.1:{ports.plain}")
        with watch(progress=True, quiet=quiet) as observer:
            options = app.Options("demo", connect_to=detours)
            return (await app.audit(config, options, observer)).run


def _pictures(seeds: Path) -> dict[str, Size]:
    """The size that the records declare for each of their images."""
    links = (link for path in files([str(seeds)]) for r in read(path).records for link in r.links)
    found: dict[str, Size] = {}
    for link in links:
        said = link.declared
        if link.kind is Kind.IMAGE and said and isinstance(said.width, int):
            found[link.text] = Size(said.width, int(said.height or 0))
    return found
