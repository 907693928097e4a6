"""Images a second of a whole refresh, beside other tools that fetch and keep images.

All get the same list from the same small server (a process of its own, at one address), 128 requests
at once, nobody waits out of politeness, and their start counts. scrapy's ImagesPipeline opens each
picture and writes it as JPEG; img2dataset decodes each and keeps its bytes; ours proves every pixel
(`pixels`) or the structure, writes, syncs and indexes. Rounds are interleaved, the median counts.

Peers are installed below the user's cache folder, never into this project.

    python -m benchmarks.image_peers [--images 3000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from benchmarks import refresh
from benchmarks.peers import HOME

AT_ONCE: Final = 128
PACKAGES: Final = {"scrapy": ["scrapy==2.19.0", "pillow"], "img2dataset": ["img2dataset==1.47.0"]}
SPIDER: Final = """
import scrapy
class Images(scrapy.Spider):
    name = "images"
    custom_settings = {
        "ITEM_PIPELINES": {"scrapy.pipelines.images.ImagesPipeline": 1}, "IMAGES_STORE": "kept",
        "CONCURRENT_REQUESTS": 128, "CONCURRENT_REQUESTS_PER_DOMAIN": 128, "DOWNLOAD_DELAY": 0,
        "AUTOTHROTTLE_ENABLED": False, "ROBOTSTXT_OBEY": False, "LOG_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False, "RETRY_ENABLED": False,
    }
    async def start(self):
        for line in open("urls.txt"):
            yield {"image_urls": [line.strip()]}
"""
Tool: TypeAlias = Callable[[Path], None]


def install(name: str) -> None:
    """Give a peer a virtual environment of its own, unless it has one."""
    home = HOME / f"{name}-images"
    if not (home / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(home / "bin" / "pip"), "install", "--quiet", *PACKAGES[name]], check=True)
        (home / "done").touch()


def ours(proof: str, folder: Path) -> None:
    """A whole refresh."""
    urls = (folder / "urls.txt").read_text().split()
    lines = "".join(f"  - url: {url}\n" for url in urls)
    (folder / "seeds").mkdir()
    (folder / "seeds" / "a.md").write_text(f"---\nimages:\n{lines}---\n")
    (folder / "config.toml").write_text(
        f'[network]\nconcurrency = {AT_ONCE}\nallow_networks = ["127.0.0.0/8"]\n'
        f"[hosts]\ninterval = 0\nper_host = {AT_ONCE}\nper_address = {AT_ONCE}\n"
        f'[images]\nproof = "{proof}"\n'
    )
    _run([sys.executable, "-m", "crawler", "-q", "refresh", "--format", "jsonl", "-o", "/dev/null"], folder)


def scrapy(folder: Path) -> None:
    """The pipeline that scrapy brings for images."""
    (folder / "spider.py").write_text(SPIDER)
    _run([str(HOME / "scrapy-images" / "bin" / "scrapy"), "runspider", "spider.py"], folder)


def img2dataset(folder: Path) -> None:
    """img2dataset on all cores, told to keep bytes as they are."""
    words = [str(HOME / "img2dataset-images" / "bin" / "img2dataset"), "--url_list=urls.txt"]
    words += ["--output_folder=kept", "--output_format=files", "--resize_mode=no", "--skip_reencode=True"]
    words += [f"--processes_count={os.cpu_count()}", f"--thread_count={AT_ONCE}"]
    words += ["--number_sample_per_shard=1500", "--enable_wandb=False"]
    _run(words, folder)


def _run(words: list[str], folder: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(refresh.ROOT), "NO_ALBUMENTATIONS_UPDATE": "1"}
    quiet = subprocess.DEVNULL
    done = subprocess.run(words, cwd=folder, env=environ, stdout=quiet, stderr=quiet, check=False)
    if done.returncode:
        sys.exit(f"{words[0]} ended with {done.returncode}")


def measured(tool: Tool, urls: str) -> tuple[float, int]:
    """Seconds of a tool in a folder of its own, and how many images it kept."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "urls.txt").write_text(urls)
        os.sync()
        start = time.perf_counter()
        tool(folder)
        took = time.perf_counter() - start
        kept = folder / ("cache" if (folder / "cache").exists() else "kept")
        count = sum(path.suffix in {".jpg", ".png", ".webp"} for path in kept.rglob("*"))
        shutil.rmtree(kept)
    return took, count


TOOLS: Final[dict[str, Tool]] = {
    "linkhealth, structure": partial(ours, "structure"),
    "linkhealth, pixels": partial(ours, "pixels"),
    "scrapy 2.19.0": scrapy,
    "img2dataset 1.47.0": img2dataset,
}


def table(rounds: dict[str, list[tuple[float, int]]], images: int) -> Iterator[str]:
    """A row a tool: what its whole process took, and how many times as long as ours."""
    yield "| tool | images/s | seconds | times structure | times pixels | kept |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, runs in rounds.items():
        seconds = statistics.median(took for took, _ in runs)
        against = [
            statistics.median(took / our for (took, _), (our, _) in zip(runs, rounds[mine], strict=True))
            for mine in ("linkhealth, structure", "linkhealth, pixels")
        ]
        kept = min(count for _, count in runs)
        times = " | ".join(f"{one:.2f}" for one in against)
        yield f"| {name} | {images / seconds:,.0f} | {seconds:.1f} | {times} | {kept:,} |"


def main() -> None:
    """Measure, and print a row a tool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    said = parser.parse_args()
    for name in PACKAGES:
        install(name)
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    over = multiprocessing.Event()
    counts = (multiprocessing.Value("q", 0), multiprocessing.Value("q", 0))
    server = multiprocessing.Process(
        target=refresh.serve, args=(ports, over, counts, said.images), daemon=True
    )
    server.start()
    port = ports.get()
    urls = "".join(f"http://127.0.0.1:{port}/{number}\n" for number in range(said.images))
    rounds: dict[str, list[tuple[float, int]]] = {name: [] for name in TOOLS}
    for _ in range(said.rounds):
        for name, tool in TOOLS.items():
            rounds[name].append(measured(tool, urls))
            print(name, rounds[name][-1], file=sys.stderr, flush=True)
    over.set()
    server.join(5)
    print("\n".join(table(rounds, said.images)))


if __name__ == "__main__":
    main()
