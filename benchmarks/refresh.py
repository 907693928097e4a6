"""Images a second of a whole refresh, beside a bare loop that fetches, proves and keeps the same.

The bare loop is aiohttp with processes on all cores that decode each picture wholly, hash it, write
it and rename it (`--proof structure`: threads, and nothing is decoded). It syncs nothing, keeps no
index and obeys nobody. Both ask the same small server, a process of its own; rounds are interleaved,
the median of the ratios counts. Then ours refreshes once more: only conditional requests, no body
byte, no file.

    python benchmarks/refresh.py [--images 3000] [--hosts 300] [--rounds 3] [--proof pixels]
"""

from __future__ import annotations

import argparse
import asyncio
import io
import multiprocessing
import os
import random
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path

from PIL import Image, ImageFilter

ROOT = Path(__file__).parents[1]
AT_ONCE = 128
KINDS = ("JPEG", "JPEG", "PNG", "WEBP")
BASES = 4  # different pictures of each kind; a comment makes each of the others its own


def base(kind: str, seed: int) -> bytes:
    """A picture of 1280x720 that takes about as many bytes as one from a camera."""
    noise = Image.frombytes("RGB", (160, 90), random.Random(seed).randbytes(160 * 90 * 3))
    soft = noise.resize((1280, 720), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2))
    out = io.BytesIO()
    if kind == "PNG":
        soft.quantize(48).save(out, kind)
    else:
        soft.save(out, kind, quality=85)
    return out.getvalue()


def with_comment(data: bytes, kind: str, text: bytes) -> bytes:
    """The same picture in other bytes."""
    if kind == "JPEG":
        return data[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + data[2:]
    if kind == "PNG":
        chunk = b"tEXtn\0" + text
        framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return data[:33] + framed + data[33:]
    text += b" " * (len(text) % 2)
    data += b"note" + struct.pack("<I", len(text)) + text
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


class Server(asyncio.Protocol):
    """Answers /N with the picture N, or with 304 to whoever has it; counts both."""

    pictures: list[bytes]
    unchanged: Synchronized[int]
    sent: Synchronized[int]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = transport
        self.rest = b""

    def data_received(self, data: bytes) -> None:
        """Answer as many requests as came."""
        *heads, self.rest = (self.rest + data).split(b"\r\n\r\n")
        for head in heads:
            number = int(head.split(b" ", 2)[1].rpartition(b"/")[2])
            self.answer(number, conditional=b"if-none-match" in head.lower())

    def answer(self, number: int, *, conditional: bool) -> None:
        """Answer one request."""
        tag = f'ETag: "{number}"\r\n'.encode()
        if conditional:
            self.unchanged.value += 1
            self.transport.write(b"HTTP/1.1 304 Not Modified\r\n" + tag + b"\r\n")  # type: ignore[attr-defined]
            return
        body = self.pictures[number]
        self.sent.value += len(body)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n".encode()
        self.transport.writelines([head, tag, b"\r\n", body])  # type: ignore[attr-defined]


def serve(
    port: multiprocessing.Queue[int], over: Event, counts: tuple[Synchronized[int], ...], images: int
) -> None:
    """Serve until told that it is over."""
    import uvloop  # noqa: PLC0415 - both sides use it

    bases = [(kind, base(kind, seed)) for seed in range(BASES) for kind in KINDS]
    Server.pictures = [
        with_comment(bases[n % len(bases)][1], bases[n % len(bases)][0], b"number %d" % n)
        for n in range(images)
    ]
    Server.unchanged, Server.sent = counts

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        port.put(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(over.wait)
        server.close()

    uvloop.run(main())


BARE = """
import asyncio, hashlib, io, os, sys, time, aiohttp, uvloop
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from PIL import Image
port, count, hosts, at_once = map(int, sys.argv[1:5])
pixels, root = sys.argv[5] == "pixels", sys.argv[6]
def keep(data, number):
    if pixels:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    digest = hashlib.sha256(data).hexdigest()
    os.makedirs(f"{root}/{digest[:2]}", exist_ok=True)
    with open(f"{root}/{number}.part", "wb") as file:
        file.write(data)
    os.rename(f"{root}/{number}.part", f"{root}/{digest[:2]}/{digest[2:]}")
class Here(aiohttp.abc.AbstractResolver):
    async def resolve(self, host, _port=0, family=0):
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}]
    async def close(self): pass
async def main():
    numbers = iter(range(count))
    connector = aiohttp.TCPConnector(resolver=Here(), limit=0, keepalive_timeout=10)
    loop = asyncio.get_running_loop()
    pool = ProcessPoolExecutor(os.cpu_count()) if pixels else ThreadPoolExecutor(os.cpu_count())
    with pool:
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as s:
            async def work():
                for n in numbers:
                    async with s.get(f"http://h{n % hosts}.example/{n}") as r:
                        data = await r.read()
                    await loop.run_in_executor(pool, keep, data, n)
            await asyncio.gather(*[work() for _ in range(at_once)])
if __name__ == "__main__":
    uvloop.run(main())
"""


def bare(port: int, options: argparse.Namespace, folder: Path) -> float:
    """Seconds of the bare loop, its start included."""
    root = folder / "bare"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    (folder / "bare.py").write_text(BARE)
    numbers = [str(one) for one in (port, options.images, options.hosts, AT_ONCE)]
    return measured([sys.executable, str(folder / "bare.py"), *numbers, options.proof, str(root)], folder)


def ours(port: int, folder: Path, *, anew: bool = True) -> float:
    """Seconds of a whole refresh, the start of the program included."""
    if anew:
        shutil.rmtree(folder / "cache", ignore_errors=True)
        for old in folder.glob("linkhealth.db*"):
            old.unlink()
    detour = ["--connect-to", f"::127.0.0.1:{port}"]
    words = [
        sys.executable,
        "-m",
        "crawler",
        "-q",
        "refresh",
        *detour,
        "-o",
        "/dev/null",
        "--format",
        "jsonl",
    ]
    return measured(words, folder)


def measured(words: list[str], folder: Path) -> float:
    """Seconds of a command; the disk has caught up before it begins."""
    os.sync()
    start = time.perf_counter()
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=folder, env=environ, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        sys.exit(f"{words[0:5]} ended with {done.returncode}")
    return time.perf_counter() - start


def prepare(folder: Path, options: argparse.Namespace) -> None:
    """Write records of fifty images each, and a configuration that makes nobody wait."""
    (folder / "seeds").mkdir()
    for first in range(0, options.images, 50):
        urls = [
            f"http://h{n % options.hosts}.example/{n}" for n in range(first, min(first + 50, options.images))
        ]
        lines = "".join(f"  - url: {url}\n    isCached: true\n" for url in urls)
        (folder / "seeds" / f"{first:07}.md").write_text(f"---\nimages:\n{lines}---\n")
    (folder / "config.toml").write_text(
        f"[network]\nconcurrency = {AT_ONCE}\n[hosts]\ninterval = 0\nper_address = {AT_ONCE}\n"
        f'[images]\nproof = "{options.proof}"\n'
    )


def second(port: int, folder: Path, counts: tuple[Synchronized[int], ...]) -> str:
    """What a second refresh asks, gets and writes."""
    unchanged, sent = counts
    stamp = max(path.stat().st_mtime_ns for path in (folder / "cache").rglob("*"))
    unchanged.value = sent.value = 0
    took = ours(port, folder, anew=False)
    written = sum(path.stat().st_mtime_ns > stamp for path in (folder / "cache").rglob("*"))
    return (
        f"second refresh: {unchanged.value} conditional requests, {sent.value} body bytes, "
        f"{written} files written, {took:.2f} s"
    )


def main() -> None:
    """Measure, and print the ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--hosts", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--proof", choices=["pixels", "structure"], default="pixels")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    over = multiprocessing.Event()
    counts = (multiprocessing.Value("q", 0), multiprocessing.Value("q", 0))
    server = multiprocessing.Process(target=serve, args=(ports, over, counts, options.images), daemon=True)
    server.start()
    port = ports.get()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, options)
        rounds = [(bare(port, options, folder), ours(port, folder)) for _ in range(options.rounds)]
        again = second(port, folder, counts)
    over.set()
    server.join(5)
    for label, side in (("bare loop", 0), ("linkhealth refresh", 1)):
        seconds = statistics.median(one[side] for one in rounds)
        print(f"{label:<18} {options.images / seconds:7.0f} images/s  {seconds:6.2f} s")
    print(
        f"ratio {statistics.median(one[0] / one[1] for one in rounds):.2f} of the bare loop ({options.proof})"
    )
    print(again)


if __name__ == "__main__":
    main()
