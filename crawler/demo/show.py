"""Runs the real program against the demo's web, and says what to do next."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError
from importlib.metadata import files as installed_files
from pathlib import Path
from typing import Final

from crawler import app
from crawler.config import (
    Config,
    DatabaseSection,
    Duration,
    HostsSection,
    ImagesSection,
    NetworkSection,
    RecordsSection,
    RetrySection,
)
from crawler.demo.web import CERTIFICATE, serve
from crawler.progress import watch
from crawler.report.base import REPORTS, summarise
from crawler.report.selection import Selection
from crawler.report.thumbnails import thumbnails
from storage.db.database import open_engine
from storage.errors import StorageError
from storage.model import Kind, Link, Run, Size
from storage.records import files, read

DEMO_FOLDER: Final = Path("linkhealth-demo")
DEMO_CACHE: Final = DEMO_FOLDER / "cache"
SEED_PATTERN: Final = "share/linkhealth/seeds/*.md"
NEXT_STEPS: Final = """
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
    for folder in (checkout, *_installed()):
        if folder.is_dir():
            return Path(os.path.relpath(folder))
    raise StorageError("the demo's records are missing: install linkhealth again")


def _installed() -> Iterator[Path]:
    """Where the installer says that it put the records: `--user` and `--prefix` have places of their own."""
    try:
        names = installed_files("linkhealth") or []
    except PackageNotFoundError:
        return
    for name in names:
        if name.match(SEED_PATTERN):
            yield Path(os.path.normpath(name.locate())).parent


def run(*, quiet: bool = False) -> int:
    """Show the main job; return the exit code."""
    seeds = find_seeds()
    DEMO_FOLDER.mkdir(exist_ok=True)
    database, report = DEMO_FOLDER / "linkhealth.db", DEMO_FOLDER / "report.html"
    for old in DEMO_FOLDER.glob("linkhealth.db*"):
        old.unlink()
    url = f"sqlite:///{database}"
    _say(f"Checking the records in {seeds.name}/ against a small web on this machine ...", quiet)
    demo_run = asyncio.run(_audit(seeds, url, quiet=quiet))
    engine = open_engine(url)
    try:
        summary = summarise(engine, Selection(asked=demo_run))
        summary.thumbnail = thumbnails(str(DEMO_CACHE))
        sys.stdout.writelines(REPORTS["table"](summary))
        with report.open("w", encoding="utf-8") as file:
            file.writelines(REPORTS["html"](summary))
    finally:
        engine.dispose()
    _say(NEXT_STEPS.format(database=database, report=report), quiet)
    return 0


def _say(text: str, quiet: bool) -> None:  # noqa: FBT001 - a switch of the whole program
    if not quiet:
        print(text, flush=True)  # noqa: T201 - the demo speaks to a person


async def _audit(seeds: Path, url: str, *, quiet: bool) -> Run:
    links = [link for path in files([str(seeds)]) for r in read(path).records for link in r.links]
    pages = {link.text for link in links if link.kind is not Kind.IMAGE}
    async with serve(pages, _pictures(links)) as ports:
        config = Config(
            records=RecordsSection(paths=(str(seeds),)),
            network=NetworkSection(ca_file=str(CERTIFICATE), read_timeout=Duration(5)),
            hosts=HostsSection(interval=Duration(0.05)),
            retry=RetrySection(backoff=Duration(0.5)),
            images=ImagesSection(cache=str(DEMO_CACHE)),
            database=DatabaseSection(url=url),
        )
        detours = (f":443:127.0.0.1:{ports.secure}", f":80:127.0.0.1:{ports.plain}")
        with watch(progress=True, quiet=quiet) as observer:
            options = app.Options("demo", connect_to=detours)
            return (await app.audit(config, options, observer)).run


def _pictures(links: Iterable[Link]) -> dict[str, Size]:
    """The size that the records declare for each of their images."""
    sizes: dict[str, Size] = {}
    for link in links:
        declared = link.declared
        if link.kind is Kind.IMAGE and declared and isinstance(declared.width, int):
            sizes[link.text] = Size(declared.width, int(declared.height or 0))
    return sizes
