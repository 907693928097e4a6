"""Whether points that are fitted to labelled pages judge soft 404s better than those that were set by hand.

Run from the checkout: `python -m benchmarks.fit_points FOLDER [--every N]`, with a folder as captured_pages
takes it. Each live page is weighed on its own site, and so is what the site shows once the page is gone, for
each manner in which sites answer unknown paths. A logistic regression gives each sign its weight,
cross-validated by site: no site is judged by weights that it was fitted to. The threshold condemns no live
page that was fitted to; the weights are printed beside the points of the code.
"""

from __future__ import annotations

import argparse
import math
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from benchmarks.captured_pages import MESSAGES, Captured, frame, load
from crawler.checks.charset import decode_page
from crawler.checks.html import parse_html
from crawler.content.notices import notice_phrase
from crawler.content.observation import ObservedPage, ProbeResult
from crawler.content.probe_url import random_sibling
from crawler.content.soft404 import MIN_SOFT_404_POINTS, is_comparable, soft_404_signs

FOLDS = 5
STEPS = 300
RATE = 0.5
DECAY = 0.002  # of a weight a step: what few pages show counts for little


@dataclass(frozen=True)
class Sample:
    """The signs of one page, by its site, and whether it is gone."""

    site: str
    gone: bool
    signs: Mapping[str, int]


def observe(url: str, body: bytes, *hops: str) -> ObservedPage:
    """A page as the inspector sees it."""
    return ObservedPage(url, hops, parse_html(decode_page(body, "text/html")))


def probe_of(url: str, body: bytes, *, home: bool = False) -> ProbeResult:
    """What a site answers for a sibling of a URL."""
    sibling = random_sibling(url)
    seen = observe(sibling, body)
    final = urljoin(url, "/") if home else sibling
    return ProbeResult(sibling, final, 200, seen.fingerprint, is_comparable(seen), notice_phrase(seen))


def samples(pages: Mapping[str, list[Captured]]) -> Iterator[Sample]:
    """A live and a dead page of each site in each manner."""
    foreign = pages["not-found"]
    for number, page in enumerate(pages["live"]):
        bare = frame(page, None)
        answers = (foreign[number % len(foreign)].body, frame(page, MESSAGES[number % len(MESSAGES)]), bare)
        for body in answers:
            probe = probe_of(page.url, body)
            yield Sample(page.site, False, soft_404_signs(observe(page.url, page.body), probe))
            yield Sample(page.site, True, soft_404_signs(observe(page.url, body), probe))
        root = urljoin(page.url, "/")
        probe = probe_of(page.url, bare, home=True)
        yield Sample(page.site, True, soft_404_signs(observe(page.url, bare, root), probe))


def name_of(sign: str) -> str:
    """The name of a sign: that of a gate says which one."""
    return "a gate" if sign.startswith("a gate") else sign


def fit(known: Sequence[Sample]) -> dict[str, float]:
    """The weight of each sign, and that of none ("")."""
    rows = [({name_of(sign) for sign in sample.signs} | {""}, sample.gone) for sample in known]
    weights: Counter[str] = Counter()
    for _ in range(STEPS):
        slopes: Counter[str] = Counter()
        for signs, gone in rows:
            error = gone - 1 / (1 + math.exp(-max(-30.0, min(30.0, sum(weights[sign] for sign in signs)))))
            for sign in signs:
                slopes[sign] += error / len(rows)  # type: ignore[assignment]  # a Counter of floats
        for sign, slope in slopes.items():
            weights[sign] += RATE * 10 * slope - DECAY * weights[sign]  # type: ignore[assignment]
    return dict(weights)


def fitted(sample: Sample, weights: Mapping[str, float]) -> float:
    """The sum of a page by fitted weights."""
    names = {name_of(sign) for sign in sample.signs}
    return weights.get("", 0.0) + sum(weights.get(name, 0.0) for name in names)


def by_hand(sample: Sample) -> float:
    """The sum of a page by the points of the code."""
    return float(sum(sample.signs.values()))


def tell(name: str, rows: Sequence[tuple[Sample, float, float]]) -> None:
    """Print how many live pages are condemned and how many dead ones found: rows of page, sum, threshold."""
    live = [total >= least for sample, total, least in rows if not sample.gone]
    dead = [total >= least for sample, total, least in rows if sample.gone]
    print(f"  {name:34} live called dead {sum(live)}/{len(live)}, dead found {sum(dead)}/{len(dead)}")


def main() -> int:
    """Fit, judge and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    known = list(samples(load(options.folder, options.every)))
    print(f"{len(known)} pages of {len({sample.site for sample in known})} sites, {FOLDS} folds by site")
    hand, safest, model = [], [], []
    for fold in range(FOLDS):
        held = [sample for sample in known if zlib.crc32(sample.site.encode()) % FOLDS == fold]
        rest = [sample for sample in known if zlib.crc32(sample.site.encode()) % FOLDS != fold]
        weights = fit(rest)
        least = max(fitted(sample, weights) for sample in rest if not sample.gone) + 1e-9
        least_by_hand = max(by_hand(sample) for sample in rest if not sample.gone) + 1
        hand += [(sample, by_hand(sample), float(MIN_SOFT_404_POINTS)) for sample in held]
        safest += [(sample, by_hand(sample), least_by_hand) for sample in held]
        model += [(sample, fitted(sample, weights), least) for sample in held]
    tell(f"by hand, {MIN_SOFT_404_POINTS} points", hand)
    tell("by hand, fitted threshold", safest)
    tell("fitted points and threshold", model)
    weights = fit(known)
    points = {name_of(sign): value for sample in known for sign, value in sample.signs.items()}
    for sign, value in sorted(points.items(), key=lambda item: -item[1]):
        print(f"  {value:5} by hand, {weights.get(sign, 0.0):6.2f} fitted: {sign}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
