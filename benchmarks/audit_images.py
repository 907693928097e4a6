"""What it costs to tell the sizes of images by their leading bytes, beside downloading them whole.

JPEG, PNG and WebP of 0.05 to 8 MB, many bytes to few as on the web, one JPEG in three with 20 KB of
metadata before its size. The server obeys Range, and holds its link to `--rate` bytes a second, or
to nothing. A whole `linkhealth audit`, its start, records and database included, stands beside a bare
aiohttp loop that reads each image to its end and has Pillow open it. Rounds are interleaved, the
median of the ratios counts; every size has to be right. What both take without any image, their start,
is measured as well, and left out of a second ratio.

    python -m benchmarks.audit_images [--images 300] [--rounds 3] [--rate 20000000]
"""

from __future__ import annotations

import argparse
import asyncio
import io
import math
import multiprocessing
import random
import re
import sqlite3
import statistics
import sys
import tempfile
from contextlib import closing, suppress
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Final

from PIL import Image

from benchmarks import refresh

LEAST, MOST = 50_000, 8_000_000  # bytes of an image
CHUNK: Final = 64 * 1024
A_PIXEL: Final = {"JPEG": 1.95, "PNG": 3.0, "WEBP": 1.45}  # bytes, of noise
METADATA: Final = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + bytes(20_000)
RANGE: Final = re.compile(rb"\r\nrange: bytes=(\d+)-(\d+)", re.IGNORECASE)
BARE: Final = """
import asyncio, io, sys, aiohttp, uvloop
from PIL import Image
port, count, hosts, at_once = map(int, sys.argv[1:5])
class Here(aiohttp.abc.AbstractResolver):
    async def resolve(self, host, _port=0, family=0):
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}]
    async def close(self): pass
async def main():
    numbers = iter(range(count))
    connector = aiohttp.TCPConnector(resolver=Here(), limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as s:
        async def work():
            for n in numbers:
                async with s.get(f"http://h{n % hosts}.example/{n}") as r:
                    with Image.open(io.BytesIO(await r.read())) as image:
                        image.size
        await asyncio.gather(*[work() for _ in range(at_once)])
uvloop.run(main())
"""


def paint(number: int, luck: random.Random) -> tuple[bytes, tuple[int, int]]:
    """An image of noise, and its width and height."""
    kind = list(A_PIXEL)[number % len(A_PIXEL)]
    size = math.exp(luck.uniform(math.log(LEAST), math.log(MOST)))
    width = max(1, int(math.sqrt(size / A_PIXEL[kind] * luck.uniform(0.7, 1.6))))
    height = max(1, int(size / A_PIXEL[kind] / width))
    noise = Image.frombytes("RGB", (width, height), luck.randbytes(width * height * 3))
    out = io.BytesIO()
    if kind == "PNG":
        noise.save(out, kind, compress_level=1)
    elif kind == "WEBP":
        noise.save(out, kind, quality=80, method=0)
    else:
        noise.save(out, kind, quality=85, exif=METADATA if number % 9 == 0 else b"")
    return out.getvalue(), (width, height)


class Link:
    """A link of so many bytes a second, in all; 0: as many as come."""

    def __init__(self, rate: float) -> None:
        self._rate, self._free = rate, 0.0

    async def carry(self, size: int) -> None:
        """Wait until so many bytes are through."""
        if self._rate:
            now = asyncio.get_running_loop().time()
            self._free = max(self._free, now) + size / self._rate
            await asyncio.sleep(self._free - now)


class Server:
    """Answers /N with image N or the part of it that is asked for; counts the bytes of bodies."""

    def __init__(self, folder: Path, rate: float, sent: Synchronized[int]) -> None:
        self._folder, self._link, self._sent = folder, Link(rate), sent

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, one after the other."""
        with suppress(ConnectionError, asyncio.IncompleteReadError), closing(writer):
            while True:
                await self._answer(await reader.readuntil(b"\r\n\r\n"), writer)

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        data = (self._folder / head.split(b" ", 2)[1].rpartition(b"/")[2].decode()).read_bytes()
        part = RANGE.search(head)
        first, last = (int(part[1]), min(int(part[2]), len(data) - 1)) if part else (0, len(data) - 1)
        status = b"206 Partial Content\r\nContent-Range: bytes %d-%d/%d" % (first, last, len(data))
        length = b"\r\nContent-Length: %d\r\n\r\n" % (last + 1 - first)
        writer.write(b"HTTP/1.1 " + (status if part else b"200 OK") + length)
        for at in range(first, last + 1, CHUNK):
            some = memoryview(data)[at : min(at + CHUNK, last + 1)]
            await self._link.carry(len(some))
            self._sent.value += len(some)
            writer.write(some)
            await writer.drain()


def serve(folder: Path, rate: float, sent: Synchronized[int], port: multiprocessing.Queue[int]) -> None:
    """Serve until killed."""
    import uvloop  # noqa: PLC0415 - both sides use it

    async def main() -> None:
        server = await asyncio.start_server(Server(folder, rate, sent).serve, "127.0.0.1", 0, backlog=512)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(main())


def bare(port: int, folder: Path, images: int, hosts: int) -> float:
    """Seconds of a loop that downloads every image whole."""
    (folder / "bare.py").write_text(BARE)
    numbers = [str(one) for one in (port, images, hosts, refresh.AT_ONCE)]
    return refresh.measured([sys.executable, str(folder / "bare.py"), *numbers], folder)


def audit(port: int, folder: Path) -> float:
    """Seconds of a whole audit that remembers nothing."""
    for old in folder.glob("linkhealth.db*"):
        old.unlink()
    words = [sys.executable, "-m", "crawler", "-q", "audit", "--connect-to", f"::127.0.0.1:{port}"]
    return refresh.measured([*words, "-o", "/dev/null", "--format", "jsonl"], folder)


def right(folder: Path, sizes: list[tuple[int, int]]) -> int:
    """How many sizes the audit found as they are."""
    query = "SELECT target.url, image.width, image.height FROM image JOIN target ON target.id = target_id"
    with closing(sqlite3.connect(folder / "linkhealth.db")) as database:
        return sum(
            sizes[int(url.rpartition("/")[2])] == (width, height)
            for url, width, height in database.execute(query)
        )


def measured(folder: Path, rate: float, options: argparse.Namespace, sizes: list[tuple[int, int]]) -> None:
    """Measure at one rate, and print a line."""
    sent = multiprocessing.Value("q", 0)
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(folder / "images", rate, sent, ports), daemon=True)
    server.start()
    port, rounds, starts = ports.get(), [], []
    for _ in range(options.rounds):
        starts.append((bare(port, folder, 0, 1), audit(port, folder / "none")))
        whole = bare(port, folder, len(sizes), options.hosts)
        sent.value = 0
        rounds.append((whole, audit(port, folder)))
        fetched = sent.value
    server.terminate()
    server.join(5)
    total = sum(path.stat().st_size for path in (folder / "images").iterdir())
    print("no limit" if not rate else f"{rate / 1e6:.0f} MB/s", end=": ")
    print(compared(rounds, starts))
    print(f"  {fetched:,} of {total:,} bytes ({fetched / total:.1%}), ", end="")
    print(f"{right(folder, sizes)} of {len(sizes)} sizes right", flush=True)


def compared(rounds: list[tuple[float, float]], starts: list[tuple[float, float]]) -> str:
    """Both sides, with their starts and without."""
    whole, ours = (statistics.median(side) for side in zip(*rounds, strict=True))
    none, start = (statistics.median(side) for side in zip(*starts, strict=True))
    times = statistics.median(one / other for one, other in rounds)
    alone = statistics.median((one - none) / (other - start) for one, other in rounds)
    return (
        f"whole {whole:.2f} s, audit {ours:.2f} s: {times:.2f} times as many a second; "
        f"without their starts ({none:.2f} s, {start:.2f} s): {alone:.2f}"
    )


def main() -> None:
    """Paint the images, and measure with a link that is held and with one that is not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=20e6)
    options = parser.parse_args()
    options.proof = "pixels"  # the configuration is that of refreshing
    luck = random.Random(4)
    with tempfile.TemporaryDirectory() as name:
        folder, sizes = Path(name), []
        refresh.prepare(folder, options)
        (folder / "none" / "seeds").mkdir(parents=True)
        (folder / "none" / "seeds" / "a.md").write_text("---\nimages: []\n---\n")
        (folder / "images").mkdir()
        for number in range(options.images):
            data, size = paint(number, luck)
            (folder / "images" / str(number)).write_bytes(data)
            sizes.append(size)
        for rate in (options.rate, 0.0):
            measured(folder, rate, options, sizes)


if __name__ == "__main__":
    main()
