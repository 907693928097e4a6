"""Precision and recall of soft 404s, parked domains and walls on pages that were captured from real sites.

Run from the checkout: `python -m benchmarks.captured_pages FOLDER [--manner NAME] [--every N] [--wrong]`.
The folder has `manifest.jsonl` (a `file`, a `class`, and a `url` or a `site` and `path` each) and the pages,
gzipped. No page is part of the project. Each is served by a socket on this machine at its own URL, and the
site answers unknown paths in one of five manners: by 404, or with 200 by the error page of another site, by
its own frame with a message, by its bare frame, or by a redirect to its front page. A run asks all hosts at
once.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import lxml.html

from benchmarks.labelled_web import GONE
from crawler.urls import request_url
from storage.model import Class, Finding, Kind
from tests.check import check_all, config
from tests.site import Step, Wire, answer, redirect, serve

LONG = 80  # characters of a paragraph that is what a page is about
MESSAGES = (
    ("Page not found", "We are sorry, but the page you are looking for is not here."),
    ("404", "Oops! That page can't be found."),
    ("Seite nicht gefunden", "Die von Ihnen gesuchte Seite existiert nicht."),
    ("Page introuvable", "La page demandée n'existe pas ou plus."),
    ("Página no encontrada", "La página que busca no existe."),
)
STATUSES = (403, 503)  # with which walls answer
Hosts = dict[str, Callable[[], Step]]


@dataclass(frozen=True)
class Captured:
    """One page: its class, its URL, the site it belongs to, and its bytes."""

    label: str
    url: str
    site: str
    body: bytes


def load(folder: Path, every: int) -> dict[str, list[Captured]]:
    """The pages of a folder by class; of live ones each `every`-th."""
    pages: dict[str, list[Captured]] = defaultdict(list)
    for number, line in enumerate((folder / "manifest.jsonl").read_text().splitlines()):
        row = json.loads(line)
        body = gzip.decompress((folder / row["file"]).read_bytes())
        host = row.get("site") or f"site{number}.example"
        host = host if "." in host else f"{host}.example"
        url = (
            row.get("url")
            or f"http://{host}/{row.get('path', f'news/story-of-the-day-{number}').lstrip('/')}"
        )
        url = request_url(url).replace("https://", "http://", 1)
        pages[row["class"]].append(Captured(row["class"], url, urlsplit(url).netloc, body))
    pages["live"] = pages["live"][::every]
    return pages


@cache
def frame(page: Captured, message: tuple[str, str] | None) -> bytes:
    """What is left of a page without what it is about, with a message in its place."""
    try:
        tree = lxml.html.document_fromstring(page.body)
    except (ValueError, lxml.etree.LxmlError):
        tree = lxml.html.document_fromstring("<html><head></head><body></body></html>")
    for element in tree.xpath("//script[@type='application/ld+json']"):
        element.drop_tree()
    for element in list(tree.iter("article", "h1", "h2", "main", "p", "form", "link", "meta")):
        text = element.text_content()
        about = element.tag in {"article", "h1", "h2", "main", "link", "meta"} or len(text) > LONG
        if about and element.getparent() is not None and element is not tree.body:
            element.drop_tree()
    name = urlsplit(page.url).netloc
    for title in tree.iter("title"):
        pieces = re.split(r"\s[|\u2013-]\s", title.text or "")
        name = pieces[-1].strip() if len(pieces) > 1 else name
        title.text = f"{message[0]} | {name}" if message else name
    if message and tree.body is not None:
        text = lxml.html.fragment_fromstring(f"<div><h1>{message[0]}</h1><p>{message[1]}</p></div>")
        tree.body.insert(len(tree.body) // 2, text)
    return bytes(lxml.html.tostring(tree, encoding="utf-8"))


def html(body: bytes, status: int = 200) -> Step:
    """The step that serves a page."""
    return answer(status, body, Content_Type="text/html")


def manners(pages: Mapping[str, list[Captured]]) -> dict[str, Callable[[Captured, int], Hosts]]:
    """What a site says of unknown paths ("") and of its front page ("/"), by the manner's name."""
    foreign = pages["not-found"]

    def front(page: Captured) -> Callable[[], Step]:
        frame(page, None)  # made before the run, which has time limits
        return lambda: html(frame(page, None))

    return {
        "404": lambda page, _: {"": lambda: html(b"<title>404</title>Not found", 404), "/": front(page)},
        "foreign": lambda page, n: {"": lambda: html(foreign[n % len(foreign)].body), "/": front(page)},
        "message": lambda page, n: {
            "": lambda: html(frame(page, MESSAGES[n % len(MESSAGES)])), "/": front(page),
        },
        "bare": lambda page, _: {"": front(page), "/": front(page)},
        "home": lambda page, _: {"": lambda: redirect(302, "/"), "/": front(page)},
    }  # fmt: skip


async def ask(
    served: Mapping[str, Step], unknown: Mapping[str, Hosts], urls: Iterable[str]
) -> dict[str, Finding]:
    """Check some URLs of a web in one run; what is not served is answered as its host does."""
    settings = config(
        checks={"not_found": True, "parked": True},
        network={"connect_timeout": 60, "read_timeout": 60, "total_timeout": 120},
    )

    async def step(wire: Wire) -> None:
        parts = urlsplit(wire.asked.url)
        steps = unknown.get(parts.netloc, {})
        made = steps.get("/" if parts.path == "/" and "/" in steps else "")
        await (made() if made else answer(404))(wire)

    async with serve() as site:
        site.fallback = step
        for url, known in served.items():
            site.add(url, known)
        findings = await check_all(site, dict.fromkeys(urls, Kind.WEB), settings)
        print(f"    {len(site.log)} requests for {len(findings)} targets")
    return findings


def tell(name: str, findings: Iterable[Finding], good: Callable[[Finding], bool], *, wrong: bool) -> None:
    """Print how many findings are right, and the verdicts."""
    rows = list(findings)
    right = sum(map(good, rows))
    verdicts = dict(Counter(row.verdict.value for row in rows).most_common())
    print(f"  {name:24} {right}/{len(rows)} = {right / max(1, len(rows)):.4f} {verdicts}", flush=True)
    for row in rows if wrong else ():
        if not good(row):
            evidence = row.evidence
            signs = [score.signs for score in (evidence.soft_404, evidence.parked) if score]
            print(f"      {row.verdict.value} {row.url[:100]} {signs} {evidence.uninspected}")


def alive(finding: Finding) -> bool:
    """Whether a page was not called dead."""
    return finding.verdict.cls in {Class.ALIVE, Class.UNKNOWN}


def is_walled(finding: Finding) -> bool:
    """Whether a wall was known as one."""
    return finding.verdict.value == "bot-blocked"


async def live_and_dead(pages: Mapping[str, list[Captured]], name: str, *, wrong: bool) -> None:
    """Check every live page on its site, then, on the same sites, a page that is no longer there."""
    print(f"{name}:")
    manner = manners(pages)[name]
    live = pages["live"]
    unknown = {page.site: manner(page, n) for n, page in enumerate(live)}
    served = {page.url: html(page.body) for page in live}
    for steps in unknown.values():
        steps[""]()
    found = await ask(served, unknown, served)
    tell("live pages alive", found.values(), alive, wrong=wrong)
    single = {page.site: page.url for page in live if urlsplit(page.url).path.strip("/")}
    dead = await ask({}, unknown, single.values())
    gone = {"soft-404", "not-found"}
    tell("dead pages found", dead.values(), lambda row: row.verdict.value in gone, wrong=wrong)


async def own_error_pages(pages: Mapping[str, list[Captured]], *, wrong: bool) -> None:
    """Check pages of sites whose own error page answers unknown paths with 200."""
    print("own error pages:")
    errors = {page.site: page.body for page in pages["site-404"]}
    unknown: dict[str, Hosts] = {site: {"": lambda body=body: html(body)} for site, body in errors.items()}  # type: ignore[misc]
    served = {page.url: html(page.body) for page in pages["site-live"]}
    found = await ask(served, unknown, served)
    tell("live pages alive", found.values(), alive, wrong=wrong)
    dead = await ask({}, unknown, [f"http://{site}/news/council-votes-on-bridge" for site in errors])
    tell("dead pages found", dead.values(), lambda row: row.verdict.value in GONE["soft-404"], wrong=wrong)


async def domains(pages: Mapping[str, list[Captured]], *, wrong: bool) -> None:
    """Check parked domains, which say one thing to any path, and walls, with 200 and with an error."""
    print("parked domains and walls:")
    parked = {page.url: page for page in pages["parked"]}
    unknown: dict[str, Hosts] = {
        page.site: {"": lambda page=page: html(page.body)}
        for page in parked.values()  # type: ignore[misc]
    }
    found = await ask({}, unknown, parked)
    tell("parked", found.values(), lambda row: row.verdict.value == "parked", wrong=wrong)
    walls = pages["challenge"]
    for status in (200, *STATUSES):
        found = await ask(
            {page.url: html(page.body, status) for page in walls}, {}, [page.url for page in walls]
        )
        good = alive if status == 200 else is_walled
        tell(f"walls with {status}", found.values(), good, wrong=wrong)


async def measure(folder: Path, only: str | None, every: int, *, wrong: bool) -> None:
    """Print all tables."""
    pages = load(folder, every)
    print({label: len(rows) for label, rows in pages.items()})
    for name in manners(pages):
        if only in {None, name}:
            await live_and_dead(pages, name, wrong=wrong)
    if only in {None, "own"}:
        await own_error_pages(pages, wrong=wrong)
    if only in {None, "domains"}:
        await domains(pages, wrong=wrong)


def main() -> int:
    """Measure the pages of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--manner")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--wrong", action="store_true")
    options = parser.parse_args()
    asyncio.run(measure(options.folder, options.manner, options.every, wrong=options.wrong))
    return 0


if __name__ == "__main__":
    sys.exit(main())
