"""The gallery: pictures by what is wrong with them, drawn to scale, searched and paged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import sqlalchemy as sa

from crawler.checks.link_issues import size_issues
from storage.ledger import begin_run, end_run
from storage.model import (
    CachedImage,
    Declared,
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
from tests.crawler.dashboard.serving import filled, ids, reader, served
from tests.crawler.dashboard.test_pages import HOSTILE, Elements
from tests.storage.build import NOW, catalogued, document, finding, write

H = "https://i.example"
STORED = Size(200, 100)
SAID = {
    f"{H}/other.png": Declared(100, 100),
    f"{H}/turned.png": Declared(200, 100),
    f"{H}/half.png": Declared(50, 100),
    f"{H}/words.png": Declared("wide", 100),
    f"{H}/right.png": Declared(100, 200),
    f"{H}/stand-in.png": None,
}
TWINS = [f"{H}/{name}/logo.png" for name in "abc"]
SIZES = [f"{H}/one.png?w={width}" for width in range(4)]


def _digest(name: str) -> str:
    return "sha256:" + name.encode().hex().ljust(64, "0")[:64]


def _shown(key: int, url: str, *, name: str, kept: bool = True, format_: str = "PNG") -> Finding:
    """A picture that a browser shows upright, 100 wide and 200 high, and that the cache may keep."""
    shown = Picture(Size(100, 200), STORED, format_, 6, bytes=9, digest=_digest(name) if kept else None)
    cached = CachedImage(key, shown, ServedHeaders(url), "pixels", NOW, NOW) if kept else None
    verdict = Verdict.PLACEHOLDER if "stand-in" in url else Verdict.OK
    return replace(finding(key, verdict), picture=shown, cached=cached)


def _links(said: dict[str, Declared | None]) -> list[Link]:
    return [
        Link(f"images[{n}].url", n + 3, 9, url, Kind.IMAGE, f"images[{n}]", declared)
        for n, (url, declared) in enumerate(said.items())
    ]


def _checked(
    engine: sa.Engine, said: dict[str, Declared | None], *, same: frozenset[str] = frozenset()
) -> None:
    """A record twice, so that each size is declared by two links, and a run that keeps its pictures."""
    run = catalogued(engine, document("seeds/a.md", _links(said)), document("seeds/b.md", _links(said)))
    for url, key in ids(engine).items():
        name, format_ = ("logo" if url in same else url[-30:]), "SVG" if "right" in url else "PNG"
        write(engine, run, _shown(key, url, name=name, kept="other" not in url, format_=format_))
    judge_links(
        engine,
        lambda some: {
            one.id: size_issues(one.link.declared, one.picture, 0) for one in some if one.link.declared
        },
    )
    end_run(engine, run, RunEnd.FINISHED, NOW)


@pytest.fixture
def pictures(tmp_path: Path) -> Iterator[sa.Engine]:
    """One picture of each kind of wrong, one that is right, and some that are one picture."""
    writer = filled(tmp_path)
    said = {**SAID, **dict.fromkeys((*TWINS, *SIZES))}
    _checked(writer, said, same=frozenset((*TWINS, *SIZES[:2])))
    writer.dispose()
    engine = reader(tmp_path)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("", ["words", "other", "turned", "half"]),
        ("show=size-mismatch", ["other"]),
        ("show=size-rotated", ["turned"]),
        ("show=size-scaled", ["half"]),
        ("show=declared-invalid", ["words"]),
        ("show=placeholder", ["stand-in"]),
        ("search=WORD", ["words"]),
        ("show=placeholder&search=%25", []),
        ("show=size-mismatch&search=nowhere", []),
        ("show=&search=", ["words", "other", "turned", "half"]),
    ],
)
async def test_sections_show_what_they_say(pictures: sa.Engine, asked: str, names: list[str]) -> None:
    """Each section has its pictures, once for each size that is declared, however many links say it."""
    async with served(pictures) as site:
        data = json.loads((await site.get(f"/api/images?{asked}")).text)
        page = await site.get(f"/images?{asked}")
    assert [one["exhibit"]["url"] for one in data["images"]] == [f"{H}/{name}.png" for name in names]
    assert data["paging"]["total"] == len(names)
    assert {one["exhibit"]["links"] for one in data["images"]} <= {2}
    assert page.status == 200
    assert ("No image fits." in page.text) == (not names)


async def test_frames_are_drawn_to_scale_with_the_picture(pictures: sa.Engine) -> None:
    """The picture fills its own frame; what the cache does not have is not asked for."""
    async with served(pictures) as site:
        turned = (await site.get("/images?show=size-rotated")).text
        other = (await site.get("/images?show=size-mismatch")).text
    found = Elements(turned).found
    boxes = {one.get("class") or tag: one for tag, one in found if tag in {"rect", "image"}}
    sizes = {name: (one["width"], one["height"]) for name, one in boxes.items()}
    assert sizes == {"actual": ("80", "160"), "image": ("80", "160"), "declared": ("160", "80")}
    assert boxes["image"]["href"] == f"/image/{_digest('https://i.example/turned.png'[-30:])[7:]}"
    assert "declared 200x100, really 100x200</title>" in turned
    assert "a.md" in turned
    assert "and 1 other link<" in turned
    assert '"actual"' in other
    assert "/image/" not in other


async def test_one_picture_behind_many_urls_is_a_suspect(pictures: sa.Engine) -> None:
    """URLs that differ by their query alone are one picture in several sizes."""
    async with served(pictures) as site:
        data = json.loads((await site.get("/api/images?show=suspect")).text)
        nothing = json.loads((await site.get("/api/images?show=suspect&search=nowhere")).text)
        text = (await site.get("/images?show=suspect&search=B/LOGO")).text
    [one] = data["images"]
    assert (one["exhibit"]["behind"], one["exhibit"]["urls"]) == (5, [*TWINS, *SIZES[:2]])
    assert nothing["images"] == []
    assert "5 URLs have this picture" in text
    assert f'<img class="kept" src="/image/{one["kept"]}"' in text


async def test_changed_picture_is_told_with_both_digests(pictures: sa.Engine, tmp_path: Path) -> None:
    """A run that finds other bytes than the one before has its change in a section of its own."""
    writer = filled(tmp_path)
    run, key = begin_run(writer, "run", NOW), ids(writer)[f"{H}/half.png"]
    write(writer, run, _shown(key, f"{H}/half.png", name="new"))
    judge_links(writer, lambda _: {})
    writer.dispose()
    async with served(pictures) as site:
        data = json.loads((await site.get("/api/images?show=changed")).text)
        text = (await site.get("/images?show=changed&search=HALF")).text
        other = (await site.get("/images?show=changed&search=other")).text
    [one] = data["images"]
    was = _digest(f"{H}/half.png"[-30:])
    assert one["exhibit"]["change"] == {"run": run.id, "was": was, "now": _digest("new")}
    assert f"Run {run.id} found other bytes" in text
    assert was in text
    assert f'src="/image/{_digest("new")[7:]}"' in text
    assert "No image fits." in other


async def test_gallery_is_paged(tmp_path: Path) -> None:
    """Twenty-four a page, with the filter; what comes after the last says so."""
    said: dict[str, Declared | None] = {f"{H}/{n:03}.png": Declared(1, 1) for n in range(30)}
    writer = filled(tmp_path)
    _checked(writer, said)
    writer.dispose()
    engine = reader(tmp_path)
    async with served(engine) as site:
        parts = [json.loads((await site.get(f"/api/images?search=png&page={n}")).text) for n in (1, 2)]
        first, beyond = await site.get("/images?search=png"), await site.get("/images?search=png&page=3")
    engine.dispose()
    assert [one["exhibit"]["url"] for part in parts for one in part["images"]] == list(said)
    assert 'rel="next" href="/images?search=png&amp;page=2"' in first.text
    assert beyond.status == 404
    assert '<a href="/images?search=png&amp;page=2">Go to the last page</a>' in beyond.text


async def test_links_that_are_gone_are_not_shown(tmp_path: Path) -> None:
    """What no record says any more is no mismatch."""
    writer = filled(tmp_path)
    _checked(writer, {f"{H}/a.png": Declared(1, 1)})
    catalogued(writer, document("seeds/a.md", []))
    writer.dispose()
    engine = reader(tmp_path)
    async with served(engine) as site:
        data = json.loads((await site.get("/api/images")).text)
    engine.dispose()
    assert [one["exhibit"]["links"] for one in data["images"]] == [1]
    assert data["images"][0]["exhibit"]["place"]["record"] == "seeds/b.md"


@pytest.mark.parametrize("asked", ["show=sizes", "search=" + "x" * 2001, "kind=image", "page=0"])
async def test_bad_filter_is_refused(pictures: sa.Engine, asked: str) -> None:
    """A word that is none is refused with those that are."""
    async with served(pictures) as site:
        assert (await site.get(f"/images?{asked}")).status == 400


async def test_database_without_a_run_helps(tmp_path: Path) -> None:
    """There is nothing to show, and the page says when there is."""
    filled(tmp_path).dispose()
    engine = reader(tmp_path)
    async with served(engine) as site:
        pages = [await site.get(f"/images?show={show}") for show in ("", "placeholder", "suspect")]
    engine.dispose()
    assert [page.status for page in pages] == [200] * 3
    assert "linkhealth audit" in pages[0].text


async def test_hostile_text_does_nothing(tmp_path: Path) -> None:
    """Whatever a URL or a size holds, it adds no element and leads nowhere."""
    writer = filled(tmp_path)
    _checked(writer, dict.fromkeys(HOSTILE, Declared(HOSTILE[0], HOSTILE[1])))
    writer.dispose()
    engine = reader(tmp_path)
    async with served(engine) as site:
        text = (await site.get("/images")).text
    engine.dispose()
    read = Elements(text)
    assert "16 images" in text  # a width and a height of each
    assert [tag for tag, _ in read.found].count("script") == 1
    leads = [one["href"] or "" for _, one in read.found if "href" in one]
    assert not [href for href in leads if not href.startswith(("/", "#"))]
    assert not {name for _, one in read.found for name in one if name.startswith("on") or name == "style"}
    assert "\u202e" not in text


async def test_long_list_says_that_it_is_not_whole(
    pictures: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where more links have an issue than are looked at, the page says so, and what shows the others."""
    monkeypatch.setattr(import_module("storage.queries.dashboard.gallery_sections"), "MAX_WRONG_LINKS", 2)
    async with served(pictures) as site:
        data = json.loads((await site.get("/api/images")).text)
        whole, part = (await site.get("/images")).text, (await site.get("/images?show=size-mismatch")).text
    assert data["more"]
    assert data["paging"]["total"] < 4
    assert "Only so many are looked at: choose one kind to see others." in whole
    assert "Only so many" not in part
