"""How many leading bytes tell an image's size, by format: the figure behind the first Range.

Usage: python benchmarks/leading_bytes.py [FOLDER]   (default: the images of ../shared/corpus)

For each image that can be measured whole: the fewest leading bytes that tell its size; then the
share of images whose size is known by so many bytes; then what the check itself asks for, fed with
the answers of a server that obeys a Range.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from crawler.checks.base import Judgement
from crawler.checks.image_header import FIRST_RANGE_BYTES, ImageCheck
from crawler.fetch.base import Request, Response, Trace
from crawler.images import NeedMoreBytes, measure
from storage.model import Kind, Picture, Target

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "images"
CANDIDATES = (512, 1024, 2048, 4096, 8192, 16_384, 65_536)


def needed(data: bytes) -> int:
    """The fewest leading bytes that tell the size, found by halving."""
    low, high = 0, len(data)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if isinstance(part(data, middle), NeedMoreBytes) else (low, middle)
    return low


def part(data: bytes, length: int) -> object:
    """What so many leading bytes say."""
    return measure(data[:length], complete=length >= len(data))


def images(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Format and bytes of every file that is an image with a size."""
    for path in sorted(folder.rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        found = measure(data, complete=True)
        if isinstance(found, Picture) and found.size is not None:
            yield found.format, data


def print_formats(by_format: Mapping[str, Sequence[int]]) -> None:
    """One line a format."""
    print(
        f"{'format':10} {'images':>6} {'fewest':>7} {'median':>7} {'most':>8}  known by {FIRST_RANGE_BYTES}"
    )
    for name, figures in sorted(by_format.items(), key=lambda item: -len(item[1])):
        known = sum(figure <= FIRST_RANGE_BYTES for figure in figures) / len(figures)
        spread = f"{min(figures):7} {median(figures):7.0f} {max(figures):8}"
        print(f"{name:10} {len(figures):6} {spread}  {known:.1%}")


def print_shares(figures: Sequence[int]) -> None:
    """The share of images whose size is known by so many bytes."""
    print(f"\n{'bytes':>10} {'known by them':>14}")
    for first in CANDIDATES:
        print(f"{first:10} {sum(least <= first for least in figures) / len(figures):14.1%}")


def audited(data: bytes) -> tuple[int, int, bool]:
    """What the check itself costs at a server that obeys a Range: requests, bytes, size known."""
    check = ImageCheck(max_bytes=2**40, max_pixels=2**60)
    step: Request | Judgement = check.ask(Target(1, "http://h.example/", Kind.IMAGE), Trace())
    requests = fetched = 0
    while isinstance(step, Request):
        requests += 1
        end = min(int(step.headers["Range"].rpartition("-")[2]) + 1, len(data))
        fetched += end
        headers = {"Content-Range": f"bytes 0-{end - 1}/{len(data)}"}
        step = check.judge(step, Response(step.url, 206, headers, data[:end], length=len(data)))
    return requests, fetched, step.picture is not None and step.picture.size is not None


def print_audit(found: Sequence[bytes]) -> None:
    """What an audit of all of them costs."""
    start = time.perf_counter()
    results = [audited(data) for data in found]
    took = time.perf_counter() - start
    fetched, whole = sum(result[1] for result in results), sum(map(len, found))
    print(f"\n{len(found)} images, {sum(result[0] for result in results)} requests, ", end="")
    print(f"{sum(result[2] for result in results)} sizes known, {len(found) / took:,.0f} judged a second")
    print(f"{fetched:,} of {whole:,} bytes fetched: {fetched / whole:.1%}")


def main() -> int:
    """Measure the folder and print the tables."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else CORPUS
    found = list(images(folder))
    if not found:
        print(f"no images below {folder}: name a folder that holds some", file=sys.stderr)
        return 2
    by_format: dict[str, list[int]] = defaultdict(list)
    for name, data in found:
        by_format[name].append(needed(data))
    print_formats(by_format)
    print_shares([figure for figures in by_format.values() for figure in figures])
    print_audit([data for _, data in found])
    return 0


if __name__ == "__main__":
    sys.exit(main())
