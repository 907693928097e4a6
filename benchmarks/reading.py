"""Records read a second, beside a bare `yaml.load` of the same front matter.

Ours reads the file, digests it, finds every URL with its line and column, and builds the values of a
record; the bare load builds what YAML says, and knows no position. Both use libyaml; rounds are
interleaved, the median counts.

    python -m benchmarks.reading [FOLDER] [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from storage.records import files, read

ROOT = Path(__file__).parents[1]
RECORDS = 1_000  # made where no folder is given
TARGET = 1.5
IMAGE = '  - url: "https://cdn.example/{n}/{k}.jpg"\n    width: 1200\n    height: 800\n'
RELATED = "  - webUrl: https://other{k}.example/{n}\n    title: Other {k}\n"
MADE = """---
title: "A record of the benchmark, number {n}"
webUrl: https://news{n}.example/story/{n}
images:
{images}related:
{related}---
Text.
"""


def default_folder() -> Path | None:
    """The corpus beside the project, if it is there."""
    folder = Path(os.environ.get("LINKHEALTH_CORPUS", ROOT.parent / "shared" / "corpus")) / "records"
    return folder if folder.is_dir() else None


def make(folder: Path) -> Path:
    """Write records of the usual shape: thirty links each."""
    for n in range(RECORDS):
        images = "".join(IMAGE.format(n=n, k=k) for k in range(10))
        related = "".join(RELATED.format(n=n, k=k) for k in range(20))
        (folder / f"{n:05}.md").write_text(MADE.format(n=n, images=images, related=related))
    return folder


def front_matters(paths: list[Path]) -> list[bytes]:
    """The YAML of each file, cut out beforehand: the bare side does nothing but parse."""
    return [path.read_bytes().removeprefix(b"---\n").partition(b"\n---")[0] for path in paths]


def loaded(texts: list[bytes]) -> None:
    """Parse each text into Python values; a broken one costs its time, too."""
    for text in texts:
        try:
            yaml.load(text, yaml.CSafeLoader)
        except (yaml.YAMLError, ValueError):
            continue


def parsed(texts: list[bytes]) -> None:
    """Parse each text into events with marks, and drop them: the limit of any reader by events."""
    for text in texts:
        try:
            for event in yaml.parse(text, yaml.CSafeLoader):
                _ = event.start_mark.line
        except yaml.YAMLError:
            continue


def ours(folder: Path) -> None:
    """Read each record as a run does."""
    for path in files([str(folder)]):
        read(path)


def timed(work: Callable[[], None]) -> float:
    """Seconds of the processor that a piece of work takes: what others do on the machine counts not."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(folder: Path, rounds: int) -> None:
    """Print records a second and ratios."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix == ".md"]
    texts = front_matters(paths)
    sides: dict[str, Callable[[], None]] = {
        "yaml.load, CSafeLoader": lambda: loaded(texts),
        "parse events alone": lambda: parsed(texts),
        "linkhealth": lambda: ours(folder),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, work in sides.items():
            times[name].append(timed(work))
    bare = times["yaml.load, CSafeLoader"]
    print(f"{len(paths):,} records, median of {rounds} rounds")
    for name, seconds in times.items():
        ratio = statistics.median(one / two for one, two in zip(bare, seconds, strict=True))
        print(f"{name:<24} {len(paths) / statistics.median(seconds):7.0f} records/s   ratio {ratio:.2f}")
    print(f"limit: linkhealth at {TARGET} or more")


def main() -> None:
    """Measure a folder: the one named, the corpus, or one that is made."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not yaml.__with_libyaml__:
        sys.exit("PyYAML was built without libyaml here; nothing to compare")
    folder = options.folder or default_folder()
    if folder is not None:
        measure(folder, options.rounds)
        return
    with tempfile.TemporaryDirectory() as name:
        measure(make(Path(name)), options.rounds)


if __name__ == "__main__":
    main()
