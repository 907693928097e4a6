"""A picture that changed is noted once, by the run that found it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from storage.ledger import begin_run
from storage.model import CachedImage, Kind, Picture, ServedHeaders, Size
from storage.queries import dashboard as queries
from storage.queries.dashboard import GallerySection
from storage.rollups.images import note_changes
from storage.rollups.link_issues import judge_links
from tests.storage.build import NOW, catalogued, document, finding, ids, link, rows, write

H = "https://i.example"
NOTED = "SELECT run_id, target_id, was, digest FROM image_change ORDER BY run_id, target_id"


@pytest.fixture
def one(engine: sa.Engine) -> sa.Engine:
    """A record with two images, and a run that kept none."""
    catalogued(engine, document("a.md", [link(f"{H}/{name}.png", "image", Kind.IMAGE) for name in "ab"]))
    return engine


def _kept(engine: sa.Engine, *digests: str | None) -> int:
    """A run that finds a picture with these bytes behind each URL, or measures it and keeps none (None)."""
    run = begin_run(engine, "run", NOW)
    for key, digest in zip(sorted(ids(engine).values()), digests, strict=False):
        picture = Picture(Size(9, 9), Size(9, 9), "PNG", digest=digest)
        write(engine, run, replace(finding(key), picture=picture))
    judge_links(engine, lambda _: {})
    return run.id


def test_other_bytes_are_a_change(one: sa.Engine) -> None:
    """A first picture is none, nor is one that stays; a run that kept nothing is looked over."""
    first, second = sorted(ids(one).values())
    _kept(one, "sha256:a", "sha256:b")
    _kept(one, "sha256:a", None)
    _kept(one, None, None)
    third = _kept(one, "sha256:a", "sha256:c")
    fourth = _kept(one, "sha256:d", "sha256:b")
    assert rows(one, NOTED) == [
        (third, second, "sha256:b", "sha256:c"),
        (fourth, first, "sha256:a", "sha256:d"),
        (fourth, second, "sha256:c", "sha256:b"),
    ]


def test_noting_again_changes_nothing(one: sa.Engine) -> None:
    """A run that is settled twice has its changes once."""
    _kept(one, "sha256:a")
    run = _kept(one, "sha256:b")
    before = rows(one, NOTED)
    assert (note_changes(one, [run]), rows(one, NOTED)) == (1, before)


def test_changes_of_killed_runs_are_made_good(one: sa.Engine) -> None:
    """A run that was never settled has its changes noted by the next."""
    [key, _] = sorted(ids(one).values())
    _kept(one, "sha256:a")
    killed = begin_run(one, "run", NOW)
    picture = Picture(Size(9, 9), Size(9, 9), "PNG", digest="sha256:b")
    write(one, killed, replace(finding(key), picture=picture))
    _kept(one, "sha256:b")
    assert rows(one, NOTED) == [(killed.id, key, "sha256:a", "sha256:b")]


def test_gallery_shows_the_newest_change_of_each(one: sa.Engine) -> None:
    """The newest run first; a search is for the URL."""
    for digests in (("sha256:a", "sha256:b"), ("sha256:c", "sha256:d"), ("sha256:e",)):
        last = _kept(one, *digests)
    found = queries.gallery(one, GallerySection.CHANGED, limit=9)
    told = [(one.url, one.change and (one.change.run, one.change.was)) for one in found.images]
    assert told == [(f"{H}/a.png", (last, "sha256:c")), (f"{H}/b.png", (last - 1, "sha256:b"))]
    searched = queries.gallery(one, GallerySection.CHANGED, search="B.PNG", limit=9)
    assert [one.url for one in searched.images] == [f"{H}/b.png"]


def test_pictures_behind_several_urls_are_noted(engine: sa.Engine) -> None:
    """Three URLs are several; a picture that has fewer later is forgotten."""
    catalogued(engine, document("a.md", [link(f"{H}/{n}.png", "image", Kind.IMAGE) for n in range(4)]))
    for digests in (("a", "a", "a", "a"), ("a", "a", "a", "b"), ("a", "b", "b", "b")):
        run = begin_run(engine, "run", NOW)
        for key, digest in zip(sorted(ids(engine).values()), digests, strict=True):
            picture = Picture(Size(9, 9), Size(9, 9), "PNG", bytes=9, digest=digest)
            cached = CachedImage(key, picture, ServedHeaders(H), "pixels", NOW, NOW)
            write(engine, run, replace(finding(key), picture=picture, cached=cached))
        judge_links(engine, lambda _: {})
        shared = max(digests, key=digests.count)
        assert rows(engine, "SELECT digest, targets FROM image_shared") == [(shared, digests.count(shared))]
