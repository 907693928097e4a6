"""A database with a history of two weeks, made up: what the screenshots show."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from crawler.checks.link_issues import size_issues
from storage.db.database import open_engine
from storage.image_cache import digest_of, name_of, open_store
from storage.ledger import begin_run, end_run
from storage.model import (
    CachedImage,
    Declared,
    Document,
    Finding,
    Kind,
    Link,
    Picture,
    RunEnd,
    ServedHeaders,
    Size,
    Verdict,
)
from storage.rollups.link_issues import judge_links
from tests.storage.build import NOW, catalogued, document, finding, ids, write

DAYS: Final = 14
RECORDS: Final = 48
ITEMS: Final = 4  # of a record: each a page and a picture
TOPICS: Final = ("harbour", "market", "orchard", "library", "bridge", "mill", "ferry", "garden")
SITES: Final = ("news", "radio", "museum", "weather", "council", "photos")
TROUBLES: Final = {
    Verdict.NOT_FOUND: 404,
    Verdict.GONE: 410,
    Verdict.TIMEOUT: None,
    Verdict.SERVER_ERROR: 500,
    Verdict.SOFT_404: 200,
    Verdict.FORBIDDEN: 403,
    Verdict.MOVED: 200,
    Verdict.NO_SUCH_HOST: None,
}
SHAPES: Final = (Size(960, 640), Size(640, 960), Size(800, 800), Size(1200, 500), Size(900, 600))
WRONG: Final = (Size(960, 540), Size(960, 640), Size(640, 360), Size(1200, 900), Size(450, 300))
SKIES: Final = ("#f6c177", "#9ccfd8", "#c4a7e7", "#ebbcba", "#a3be8c")
HILLS: Final = ("#2a5d67", "#386641", "#6a4c93", "#8a5a44", "#34506b")


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one target: it fails, as `verdict` says, from one day to another."""

    verdict: Verdict
    begins: int
    ends: int

    def on(self, day: int) -> Verdict:
        """What a check says on a day."""
        return self.verdict if self.begins <= day < self.ends else Verdict.OK


def build(folder: Path) -> None:
    """Write the database and the cache of two weeks into a folder."""
    engine = open_engine(f"sqlite:///{folder}/linkhealth.db")
    first = catalogued(engine, *_documents(), at=NOW - (DAYS - 1) * timedelta(days=1))
    keys, paint = ids(engine), random.Random(7)
    fates = {url: _fate(paint, url) for url in sorted(keys)}
    kept = _kept(folder / "cache", keys)
    for day in range(DAYS):
        at = NOW - (DAYS - 1 - day) * timedelta(days=1)
        run = begin_run(engine, "run", at) if day else first
        write(
            engine, run, *(_found(keys[url], fates[url].on(day), at, kept.get(url)) for url in sorted(keys))
        )
        judge_links(
            engine,
            lambda some: {
                one.id: size_issues(one.link.declared, one.picture, 0) for one in some if one.link.declared
            },
        )
        end_run(engine, run, RunEnd.FINISHED, at + timedelta(minutes=7))
    engine.dispose()


def _documents() -> Iterator[Document]:
    for number in range(RECORDS):
        topic = TOPICS[number % len(TOPICS)]
        yield document(f"content/2026/{number + 1:02}-the-{topic}.md", list(_links(number, topic)))


def _links(number: int, topic: str) -> Iterator[Link]:
    for item in range(ITEMS):
        host = f"https://{SITES[(number + item) % len(SITES)]}.example"
        line, name = 6 + 9 * item, f"related[{item}]"
        yield Link(f"{name}.webUrl", line, 13, f"{host}/2026/{number + 1:02}/{topic}-{item}", Kind.WEB, name)
        shape = SHAPES[(number + item) % len(SHAPES)]
        said = WRONG[(number + item) % len(WRONG)] if (number + item) % 5 < 3 and item < 2 else shape
        picture = f"{host}/pictures/{topic}-{number + 1:02}-{item}.png"
        declared = Declared(said.width, said.height, cached=True)
        yield Link(f"{name}.images[0].url", line + 4, 16, picture, Kind.IMAGE, f"{name}", declared)


def _fate(paint: random.Random, url: str) -> Fate:
    """A third of the pages have trouble one day; half of these come back."""
    begins = paint.randrange(1, DAYS)
    trouble, back = paint.random() < 1 / 3 and "/pictures/" not in url, paint.random() < 0.5
    verdict = paint.choice(list(TROUBLES))
    return Fate(verdict, begins if trouble else DAYS, begins + 3 if back else DAYS)


def _kept(folder: Path, keys: dict[str, int]) -> dict[str, CachedImage]:
    """The pictures, drawn and kept."""
    store = open_store(str(folder))
    store.prepare()
    kept: dict[str, CachedImage] = {}
    for number, url in enumerate(sorted(url for url in keys if "/pictures/" in url)):
        shape = SHAPES[_place(url) % len(SHAPES)]
        data = landscape(number, shape)
        digest = digest_of(data)
        store.keep(store.aside(data), name_of(digest, "PNG"))
        picture = Picture(shape, shape, "PNG", bytes=len(data), digest=digest)
        kept[url] = CachedImage(keys[url], picture, ServedHeaders(url), "pixels", NOW, NOW)
    return kept


def _place(url: str) -> int:
    """The number of the record and of the item that name a picture, summed."""
    number, item = url.removesuffix(".png").split("-")[-2:]
    return int(number) - 1 + int(item)


def landscape(seed: int, size: Size) -> bytes:
    """The bytes of a picture of hills below a sun."""
    paint = random.Random(seed)
    image = Image.new("RGB", (size.width, size.height), paint.choice(SKIES))
    draw = ImageDraw.Draw(image)
    x, r = paint.randrange(size.width), size.height // 8
    draw.ellipse((x - r, r, x + r, 3 * r), fill="#fff3d6")
    for row, colour in enumerate(paint.sample(HILLS, 3)):
        top = size.height * (4 + 2 * row) // 10
        edge = [(size.width * n // 6, top + paint.randrange(size.height // 6)) for n in range(7)]
        draw.polygon([(0, size.height), *edge, (size.width, size.height)], fill=colour)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _found(key: int, verdict: Verdict, at: datetime, kept: CachedImage | None) -> Finding:
    made = replace(finding(key, verdict, at), status=TROUBLES.get(verdict, 200))
    return made if kept is None else replace(made, picture=kept.picture, cached=kept)
