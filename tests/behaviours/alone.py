"""A run in a process of its own, so that its memory can be told from that of the site.

Prints a line of JSON for each URL: the verdict, the detail, and by how many bytes the most memory
that the process ever held has grown meanwhile.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import pytest

from storage.model import Kind
from tests.check import QUICK, check
from tests.site import Site

ROOT: Final = Path(__file__).parents[2]
STATUS: Final = Path("/proc/self/status")


class Said(msgspec.Struct, array_like=True, frozen=True):
    """What the run says of one URL, and the bytes of memory that it cost."""

    verdict: str
    detail: str | None
    grown: int


def held() -> int:
    """The most bytes that this process ever held."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


async def measure(port: int, kind: Kind, urls: list[str]) -> None:
    """Check one URL after the other; the first warms up, and is not told of."""
    site = Site()
    site.port = port
    for number, url in enumerate(urls):
        before = held()
        finding = await check(site, url, kind, QUICK)
        said = Said(finding.verdict.value, finding.detail, held() - before)
        if number:
            sys.stdout.write(msgspec.json.encode(said).decode() + "\n")


async def measured(site: Site, kind: Kind, good: str, urls: Mapping[str, str]) -> dict[str, Said]:
    """What a process of its own says of URLs by name; `good` warms it up."""
    if not STATUS.exists():
        pytest.skip("only Linux tells the most memory that a process held")
    words = ("-m", "tests.behaviours.alone", str(site.port), kind.value, good, *urls.values())
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0
    lines = [msgspec.json.decode(line, type=Said) for line in out.splitlines()]
    return dict(zip(urls, lines, strict=True))


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]), Kind(sys.argv[2]), sys.argv[3:]))
