"""The same misbehaving web through linkhealth and three other checkers: who is right?

Each family of server behaviours is served anew for each tool, and each tool is a process of its
own. An answer is alive, dead or unsure; benchmarks/peers.py says how a peer's is read, and
docs/verdicts.md which one is right. The table goes to standard output, what each tool got wrong
to standard error.

    python -m benchmarks.scoreboard [--peers lychee,linkchecker,linkinator] [-o docs/scoreboard.md]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks import misbehaving, peers
from storage.model import Kind, Verdict

SETTINGS: Final = peers.Settings(timeout=2.0, patience=90.0)
ALONE: Final = 20.0  # seconds for one URL, where a tool did not end with all of them
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
Urls = Sequence[misbehaving.Asked]
Tool = Callable[[Urls, Path, peers.Settings], peers.Ended]


@dataclass(frozen=True, slots=True)
class Point:
    """What one tool said of one URL, whether that is right, and the requests it cost."""

    name: str
    said: str
    right: bool
    requests: int


@dataclass(frozen=True, slots=True)
class Score:
    """One tool on one family or on all; the points stand in the order of the cases."""

    points: tuple[Point, ...] = ()
    seconds: float = 0.0
    besides: int = 0
    forced: bool = False

    def __add__(self, other: Score) -> Score:
        points, seconds = self.points + other.points, self.seconds + other.seconds
        return Score(points, seconds, self.besides + other.besides, self.forced or other.forced)

    @property
    def right(self) -> list[Point]:
        """The cases it got right."""
        return [point for point in self.points if point.right]

    @property
    def cell(self) -> str:
        """One cell of the table: right / wrong / requests / seconds."""
        right, requests = len(self.right), sum(point.requests for point in self.points)
        mark = " (killed)" if self.forced else ""
        return f"{right} / {len(self.points) - right} / {requests} / {self.seconds:.1f}{mark}"

    @property
    def cost(self) -> str:
        """Requests for a right verdict."""
        return f"{sum(point.requests for point in self.right) / max(1, len(self.right)):.2f}"

    def fewest(self, scores: Iterable[Score]) -> str:
        """In how many of its right cases no tool that is right, too, needed fewer requests."""
        cases = zip(self.points, zip(*(score.points for score in scores), strict=True), strict=True)
        least = [
            mine.requests <= min(point.requests for point in all_ if point.right)
            for mine, all_ in cases
            if mine.right
        ]
        return f"{sum(least)} of {len(least)}"


def ours(urls: Urls, folder: Path, settings: peers.Settings) -> peers.Ended:
    """The real program; images are told apart by their field, as in any record."""
    (folder / "seeds").mkdir(exist_ok=True)
    for number, asked in enumerate(urls):
        line = f"images:\n  - url: {asked.url}" if asked.kind is Kind.IMAGE else f"webUrl: {asked.url}"
        (folder / "seeds" / f"{number:03}.md").write_text(f"---\n{line}\n---\n")
    roots = f'ca_file = "{settings.roots}"' if settings.roots else ""
    (folder / "config.toml").write_text(
        f"[network]\nread_timeout = {settings.timeout}\nconnect_timeout = {settings.timeout}\n{roots}\n"
        f'concurrency = {settings.seats}\nallow_networks = ["127.0.0.0/8"]\n'
        f'[hosts]\nper_host = {settings.at_once}\ninterval = 0\njoin = "host"\n'
    )
    return peers.run([*peers.OURS, "-o", "-"], folder, settings, _read_ours)


def _read_ours(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        found = json.loads(line)
        said = misbehaving.RIGHT.get(Verdict(found["verdict"]).cls)
        yield found["url"], said or f"none, {found['verdict']}: {found['detail']}"


def _peer(peer: peers.Peer, urls: Urls, folder: Path, settings: peers.Settings) -> peers.Ended:
    return peer.run([asked.url for asked in urls], folder, settings)


async def score(tool: Tool, family: str) -> Score:
    """Run a tool on a family; if it does not end, on each of its URLs alone."""
    async with misbehaving.open_web(family) as web:
        ended = await _run(tool, web, web.asked, SETTINGS)
        answers, seconds = dict(ended.answers), ended.seconds
        if not ended.finished:
            for asked in web.asked:
                alone = await _run(tool, web, [asked], replace(SETTINGS, patience=ALONE))
                answers.update(alone.answers)
                seconds += alone.seconds
        said = [(asked, answers.get(asked.url, "none")) for asked in web.asked]
        points = (
            Point(f"{asked.url} {asked.verdict}", answer, answer == asked.right, web.requests(asked))
            for asked, answer in said
        )
        return Score(tuple(points), seconds, web.besides, not ended.finished)


async def _run(tool: Tool, web: misbehaving.Web, urls: Urls, settings: peers.Settings) -> peers.Ended:
    with tempfile.TemporaryDirectory() as name:
        return await asyncio.to_thread(tool, urls, Path(name), replace(settings, roots=web.roots))


async def board(tools: dict[str, Tool], families: Sequence[str]) -> dict[str, dict[str, Score]]:
    """The score of each tool on each family."""
    scores: dict[str, dict[str, Score]] = {}
    for family in families:
        scores[family] = {}
        for name, tool in tools.items():
            scores[family][name] = one = await score(tool, family)
            print(f"{family:<22}{name:<20}{one.cell}", file=sys.stderr)
            for point in one.points:
                if not point.right:
                    print(f"    {point.name}: {point.said}", file=sys.stderr)
    return scores


def table(scores: dict[str, dict[str, Score]]) -> Iterator[str]:
    """The rows of the table, in Markdown."""
    names = list(next(iter(scores.values())))
    totals = {name: sum((row[name] for row in scores.values()), Score()) for name in names}
    yield _row("family", "cases", names)
    yield _row("---", "---", ["---"] * len(names))
    for family, row in {**scores, "**all**": totals}.items():
        yield _row(family, str(len(row[names[0]].points)), [row[name].cell for name in names])
    yield _row("requests for a right verdict", "", [totals[name].cost for name in names])
    yield _row("probes and robots.txt, besides", "", [str(totals[name].besides) for name in names])
    yield _row("fewest requests, where right", "", [totals[name].fewest(totals.values()) for name in names])


def _row(first: str, second: str, cells: Iterable[str]) -> str:
    return f"| {first} | {second} | " + " | ".join(cells) + " |"


def write(path: Path, lines: Iterable[str]) -> None:
    """Put the measured part between its two marks in a Markdown file.

    Raises:
        ValueError: the file has no such marks.
    """
    before, _, rest = path.read_text().partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{path}: {BEGIN} and {END} are missing")
    today = datetime.now(UTC).date()
    machine = f"Measured on {today} with {os.cpu_count()} cores, Python {platform.python_version()}."
    path.write_text("\n".join((before + BEGIN, machine, "", *lines, END + after)))


def main() -> None:
    """Run everything, print the table, and write it where asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", default="lychee,linkchecker,linkinator", help="names; empty: none")
    parser.add_argument("--family", action="append", help="only this one; repeatable")
    parser.add_argument("-o", "--output", type=Path, help="a Markdown file to write the table into")
    options = parser.parse_args()
    tools: dict[str, Tool] = {f"linkhealth {version('linkhealth')}": ours}
    for peer in peers.installed(options.peers.split(",")):
        tools[peer.label] = partial(_peer, peer)
    scores = asyncio.run(board(tools, options.family or misbehaving.FAMILIES))
    lines = list(table(scores))
    print("\n".join(lines))
    if options.output is not None:
        write(options.output, lines)


if __name__ == "__main__":
    main()
