"""Runs the program itself, as a user would, in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.forked_process import start_forked

ROOT = Path(__file__).parents[1]
SHIFTED = ROOT / "tests" / "crawler" / "cluster" / "shifted"
QUICK = """
[network]
connect_timeout = 20
read_timeout = 20
[hosts]
interval = 0
[retry]
backoff = 0.01
max_wait = 2
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How the program ended, and what it said."""

    code: int
    out: str
    err: str

    def lines(self) -> dict[str, dict[str, object]]:
        """The lines of --format jsonl, by URL."""
        found = [msgspec.json.decode(line) for line in self.out.splitlines()]
        return {line["url"]: line for line in found}


async def start(
    folder: Path, *words: str, under: tuple[str, ...] = (), ahead: float = 0.0
) -> asyncio.subprocess.Process:
    """Start the program in a folder, `under` another one if asked, its clock so many seconds `ahead`.

    Alone it is forked from a process that has loaded it, which saves the second that its imports take.
    """
    environ = _environ()
    if not under and not ahead:
        return await start_forked(folder, environ, *words)
    path = os.pathsep.join([str(SHIFTED), str(ROOT)] if ahead else [str(ROOT)])
    return await asyncio.create_subprocess_exec(
        *under,
        sys.executable,
        "-m",
        "crawler",
        *words,
        cwd=folder,
        env={**environ, "PYTHONPATH": path, "PYTHONWARNINGS": "error", "SHIFTED": str(ahead)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def _environ() -> dict[str, str]:
    """What the program sees of ours: no configuration, and this very source."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LINKHEALTH_")}
    return {**environ, "PYTHONPATH": str(ROOT)}


async def ended(process: asyncio.subprocess.Process) -> Ended:
    """Wait until the program ends."""
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def run(folder: Path, *words: str) -> Ended:
    """Run the program to its end."""
    return await ended(await start(folder, *words))


async def on_screen(folder: Path, *words: str, columns: int = 120) -> tuple[int, list[str]]:
    """Run the program with a terminal for all that it says: its exit code, and the lines of its report."""
    ours, theirs = pty.openpty()
    environ = {**_environ(), "TERM": "xterm", "COLUMNS": str(columns), "NO_COLOR": "1"}
    process = await start_forked(folder, environ, *words, stdout=theirs)
    os.close(theirs)
    drawing = asyncio.create_task(asyncio.to_thread(_all_of, ours))
    await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, (await drawing).splitlines()


async def on_terminal(folder: Path, *words: str) -> tuple[int, bytes, str]:
    """Run the program with a terminal for standard error: its exit code, its data, what was drawn."""
    ours, theirs = pty.openpty()
    environ = {**_environ(), "TERM": "xterm", "COLUMNS": "160"}
    process = await start_forked(folder, environ, *words, stderr=theirs)
    os.close(theirs)
    drawing = asyncio.create_task(asyncio.to_thread(_all_of, ours))
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out, await drawing


def _all_of(number: int) -> str:
    with os.fdopen(number, "rb", buffering=0) as file:
        pieces = []
        try:
            while piece := file.read(65_536):
                pieces.append(piece)
        except OSError:  # the other side has gone
            pass
        return b"".join(pieces).decode()


def records(folder: Path, *urls: str, kind: str = "webUrl") -> None:
    """Write a record for each URL, and a configuration that loses no time."""
    (folder / "seeds").mkdir(exist_ok=True)
    for number, url in enumerate(urls):
        (folder / "seeds" / f"{number:03}.md").write_text(f"---\n{kind}: {url}\n---\n")
    (folder / "config.toml").write_text(QUICK)
