"""Makes records in the shape of a real population: 12,332 records with 432,236 links.

In the real one each URL is named thirty times over, by records that list each other; nine links a
record is the median, several hundred the most; the busiest host has a seventh of the targets. The
same seed makes the same records.

    python benchmarks/population.py FOLDER [--records 12332] [--links 432236]
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

SEED = 20261123
REPEATED = 30  # links a target
HOSTS = 1142
MOST = 423  # links of one record


def sizes(records: int, links: int, chance: random.Random) -> list[int]:
    """How many links each record holds: most few, some hundreds; together so many."""
    drawn = [min(MOST, chance.paretovariate(0.9)) for _ in range(records)]
    found = [max(1, min(MOST, round(size * links / sum(drawn)))) for size in drawn]
    while sum(found) != links:
        place = chance.randrange(records)
        step = 1 if sum(found) < links else -1
        found[place] = max(1, min(MOST, found[place] + step * min(abs(links - sum(found)), 50)))
    return found


def record(size: int, targets: int, chance: random.Random) -> Iterator[str]:
    """The lines of a record: pages and pictures as they come."""
    yield "---\ntitle: Made for measuring\nrelated:\n"
    for _ in range(size):
        target = chance.randrange(targets)
        host = 0 if target % 7 == 0 else target % HOSTS
        url = f"https://www.host{host}.example/articles/2026/11/{target}-some-story-of-the-day"
        if target % 2 == 0:
            yield f"  - webUrl: {url}\n"
        else:
            yield f"  - images:\n      - url: {url}.jpg\n        width: 1200\n        height: 675\n"
    yield "---\n"


def make(folder: Path, records: int = 12_332, links: int = 432_236) -> None:
    """Write the records, a thousand to a folder."""
    chance = random.Random(SEED)
    targets = links // REPEATED
    for number, size in enumerate(sizes(records, links, chance)):
        path = folder / f"{number // 1000:02}" / f"{number:06}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(record(size, targets, chance)))


def main() -> None:
    """Make the records that the words ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--records", type=int, default=12_332)
    parser.add_argument("--links", type=int, default=432_236)
    said = parser.parse_args()
    make(said.folder, said.records, said.links)


if __name__ == "__main__":
    main()
