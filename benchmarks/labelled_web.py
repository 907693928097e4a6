"""Precision and recall of soft 404s and parked domains on a web of generated sites with known labels.

Run from the checkout: `python -m benchmarks.labelled_web [--sites 300] [--half unseen] [--wrong]`. Every site
is served by a socket on this machine and checked by the engine as `audit` does. The sites are in two halves
that share no family and no wording; the rules were written with the first one at hand. What is measured is
how rules carry over to sites of other making; how they do on the web at large, no generated site can tell.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator

from benchmarks import labelled_gates
from benchmarks.labelled_families import FAMILIES
from benchmarks.labelled_pages import WORDS, Fallback, Reply, Web, Writer, not_there
from storage.model import Class, Finding, Kind
from tests.check import check_all, config
from tests.site import Site, Step, Wire, answer, serve

LIVE = ("live", "login", "paywall", "consent", "challenge")
GONE = {
    "soft-404": {"soft-404"},
    "root": {"soft-404"},
    "parked": {"parked"},
    "hijacked": {"parked", "soft-404"},
}
# One message on a site that is honest otherwise: seen where it is the only page of its site, which is read.
RIGHT = {**GONE, "withdrawn": {"soft-404", "ok"}}
LABELS = (*LIVE, *GONE, "withdrawn")
BATCH = 100  # sites a run
SEED = 20_261_123
_ = labelled_gates  # its families enter themselves


def webs(half: str, sites: int) -> Iterator[tuple[str, str, Web]]:
    """Label, family and web of so many sites of each class; live ones are four times as many."""
    for label in LABELS:
        families = FAMILIES[label, half]
        for n in range(sites * (4 if label == "live" else 1)):
            rng = random.Random(f"{SEED} {half} {label} {n}")
            make = families[n % len(families)]
            number = LABELS.index(label) * 100_000 + n
            writer = Writer(rng, rng.choice(sorted(WORDS)), number, unseen=half == "unseen")
            yield label, make.__name__, make(writer)


async def check(half: str, sites: int) -> list[tuple[str, str, Finding]]:
    """Serve all sites of a half, and check the target of each."""
    made = list(webs(half, sites))
    doubting = config(checks={"not_found": True, "parked": True}, network={"read_timeout": 20})
    findings: dict[str, Finding] = {}
    async with serve() as site:
        for some in (made[n : n + BATCH] for n in range(0, len(made), BATCH)):
            _put(site, [web for _, _, web in some])
            findings |= await check_all(site, {web.url: Kind.WEB for _, _, web in some}, doubting)
        print(f"{half}: {len(made)} sites, {len(site.log)} requests")
    return [(label, name, findings[web.url]) for label, name, web in made]


def _put(site: Site, webs: list[Web]) -> None:
    fallbacks: dict[str, Fallback] = {}
    for web in webs:
        fallbacks |= web.fallback
        for url, reply in web.pages.items():
            site.add(url, step_of(reply))
    site.fallback = _fall(fallbacks)


def step_of(reply: Reply) -> Step:
    """The step that gives an answer."""
    named = {"Content_Type": "text/html; charset=utf-8", **reply.headers}
    if reply.to:
        named["Location"] = reply.to
    return answer(reply.status, reply.body.encode(), **named)


def _fall(fallbacks: dict[str, Fallback]) -> Step:
    async def step(wire: Wire) -> None:
        host, _, path = wire.asked.url.removeprefix("http://").partition("/")
        await step_of(fallbacks.get(host, not_there)(f"/{path}"))(wire)

    return step


def report(found: list[tuple[str, str, Finding]], *, wrong: bool) -> None:
    """Print the table of classes and verdicts, precision and recall, and what went wrong."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for label, _, finding in found:
        table[label][finding.verdict.value] += 1
    for label in LABELS:
        print(f"  {label:10} {dict(table[label].most_common())}")
    for verdict in ("soft-404", "parked"):
        said = [label for label, _, one in found if one.verdict == verdict]
        right = sum(
            verdict in GONE.get(label, {"soft-404"} if label == "withdrawn" else ()) for label in said
        )
        owed = [one for label, _, one in found if GONE.get(label) == {verdict}]
        got = sum(one.verdict == verdict for one in owed)
        print(
            f"  {verdict:10} precision {right / max(1, len(said)):.4f}, recall {got / max(1, len(owed)):.4f}"
        )
    hijacked = sum(count for verdict, count in table["hijacked"].items() if verdict in GONE["hijacked"])
    print(f"  hijacked   recall {hijacked / max(1, table['hijacked'].total()):.4f}")
    dead = [one for label, _, one in found if label == "live" and one.verdict.cls is not Class.ALIVE]
    print(f"  live pages called dead: {len(dead)} of {sum(table['live'].values())}")
    if wrong:
        _tell_wrong(found)


def _tell_wrong(found: list[tuple[str, str, Finding]]) -> None:
    families: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for label, name, finding in found:
        fine = GONE.get(label) or {
            "soft-404" if label == "withdrawn" else "ok",
            "ok",
            "moved",
            "redirected",
            "bot-blocked",
        }
        if finding.verdict.value not in fine:
            families[label, name, finding.verdict.value].append(finding)
    for key, some in sorted(families.items()):
        print(f"  wrong: {key} {len(some)} times, such as {some[0].url} {some[0].evidence}")


def main() -> int:
    """Run both halves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=300)
    parser.add_argument("--half", choices=["seen", "unseen"])
    parser.add_argument("--wrong", action="store_true")
    asked = parser.parse_args()
    for half in [asked.half] if asked.half else ["seen", "unseen"]:
        report(asyncio.run(check(half, asked.sites)), wrong=asked.wrong)
    return 0


if __name__ == "__main__":
    sys.exit(main())
