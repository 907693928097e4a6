"""Whole runs of linkhealth, lychee, linkinator, linkchecker and scrapy over the same quick URLs.

Every host is a loopback address of its own, served by one small process that answers at once; each tool has
as many requests under way, and none waits out of politeness: `linkchecker` and `scrapy` run as they come,
too. Rounds are interleaved; the median of the processes' seconds counts, from start to end, with what they
write; memory is the peak of the largest process.

    python -m benchmarks.throughput_peers [--targets 20000] [--hosts 400] [--rounds 3] [--peers NAME,...]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import peers, throughput

AT_ONCE: Final = 128
FREE: Final = peers.Settings(timeout=20, seats=AT_ONCE, at_once=AT_ONCE, patience=900)
SCRAPY: Final = replace(FREE, seats=16, at_once=8)  # what it comes with
Tool = Callable[[list[str], Path], peers.Ended]


def urls(port: int, targets: int, hosts: int) -> list[str]:
    """The URLs, host after host in turns."""
    names = [f"127.0.{1 + n // 250}.{1 + n % 250}" for n in range(hosts)]
    return [f"http://{names[n % hosts]}:{port}/{n}" for n in range(targets)]


def ours(given: list[str], folder: Path) -> peers.Ended:
    """The real program: records, plan, checks, database, report."""
    (folder / "seeds").mkdir()
    for first in range(0, len(given), 50):
        links = "".join(f"  - webUrl: {url}\n" for url in given[first : first + 50])
        (folder / "seeds" / f"{first:07}.md").write_text(f"---\nrelated:\n{links}---\n")
    networks = 'allow_networks = ["127.0.0.0/8"]\n[hosts]'
    text = throughput.CONFIG.replace("[hosts]", f"{networks}\nper_host = {AT_ONCE}")
    (folder / "config.toml").write_text(text)
    settings = peers.Settings(patience=600)
    return peers.run([*peers.OURS, "-o", "report.jsonl"], folder, settings, lambda _: _written(folder))


def _written(folder: Path) -> Iterator[tuple[str, str]]:
    for line in (folder / "report.jsonl").read_text().splitlines():
        found = json.loads(line)
        yield found["url"], found["class"]


def peer(one: peers.Peer, settings: peers.Settings, given: list[str], folder: Path) -> peers.Ended:
    """A peer on the same list."""
    return one.run(given, folder, settings)


def _freed(folder: Path, settings: peers.Settings) -> None:
    """Take out what holds linkchecker to ten requests a second and host."""
    peers.configure_linkchecker(folder, settings)
    with (folder / "linkcheckerrc").open("a") as file:
        file.write("maxrequestspersecond=100000\n")


def tools(names: Iterable[str]) -> dict[str, Tool]:
    """Ours, and the peers of these names that can be had here."""
    found: dict[str, Tool] = {"linkhealth": ours}
    for one in peers.installed(set(names)):
        found[one.label] = partial(peer, one, FREE)
        if one.name == "linkchecker":
            found[f"{one.label} as it comes"] = found[one.label]
            found[one.label] = partial(peer, replace(one, prepare=_freed), FREE)
        if one.name == "scrapy":
            found[f"{one.label} as it comes"] = partial(peer, one, SCRAPY)
    return found


def measured(tool: Tool, given: list[str]) -> peers.Ended:
    """One run in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        return tool(given, Path(name))


def table(rounds: dict[str, list[peers.Ended]], targets: int) -> Iterator[str]:
    """A row a tool: what its whole process took, and how many times as long as ours."""
    yield "| tool | targets/s | seconds | times ours | MB | answers |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, runs in rounds.items():
        seconds = statistics.median(one.seconds for one in runs)
        pairs = zip(runs, rounds["linkhealth"], strict=True)
        times = statistics.median(one.seconds / our.seconds for one, our in pairs)
        memory, answers = max(one.memory for one in runs), min(len(one.answers) for one in runs)
        ended = "" if all(one.finished for one in runs) else ", not ended"
        yield (
            f"| {name} | {targets / seconds:,.0f} | {seconds:.1f} | {times:.2f} "
            f"| {memory:.0f} | {answers:,}{ended} |"
        )


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", type=int, default=20_000)
    parser.add_argument("--hosts", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default="lychee,linkinator,linkchecker,scrapy")
    said = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    over = multiprocessing.Event()
    server = multiprocessing.Process(target=throughput.serve, args=(ports, over, "0.0.0.0"), daemon=True)
    server.start()
    given = urls(ports.get(), said.targets, said.hosts)
    chosen = tools(said.peers.split(","))
    rounds: dict[str, list[peers.Ended]] = {name: [] for name in chosen}
    for number in range(said.rounds):
        for name, tool in chosen.items():
            print(f"round {number + 1}: {name}", file=sys.stderr)
            rounds[name].append(measured(tool, given))
    over.set()
    server.join(5)
    print("\n".join(table(rounds, said.targets)))


if __name__ == "__main__":
    main()
