"""What the HTML report draws: frames to one scale, thumbnails of the cache, the worst first."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from PIL import Image

from crawler.images.thumbnail import thumbnail
from crawler.report.base import summarise
from crawler.report.formats.html.frames import DRAWING_SIDE, link_frames
from crawler.report.formats.html.sheets import sheets
from crawler.report.selection import Selection
from crawler.report.thumbnails import thumbnails
from storage.image_cache import digest_of, name_of, open_store
from storage.model import Declared, Picture, Size
from storage.queries.report import Entry, EntryLink, find
from tests.crawler.pictures import animation, picture
from tests.crawler.report.build import GONE, IMAGE

NOTHING: Final = Picture(None, None, "PNG")


@pytest.fixture
def image(engine: sa.Engine) -> Entry:
    """The target whose picture is 980x700."""
    entry = find(engine, IMAGE)
    assert entry is not None
    return entry


def _declaring(entry: Entry, width: Any, height: Any) -> EntryLink:
    one = entry.links[0]
    return replace(one, link=replace(one.link, declared=Declared(width, height, cached=None)))


@pytest.mark.parametrize(
    ("width", "height", "declared", "actual"),
    [
        (100, 100, (16.3, 16.3), (160, 114.3)),
        (1960, 350, (160, 28.6), (80, 57.1)),
        (10**7, 1, (160, 2), (2, 2)),
    ],
)
def test_frames_have_one_scale(
    image: Entry, width: int, height: int, declared: tuple[float, float], actual: tuple[float, float]
) -> None:
    """The longest of the four sides fills the drawing; what is too thin to be seen is two units."""
    drawn = link_frames(image, _declaring(image, width, height))

    assert drawn is not None
    assert (drawn.declared_box, drawn.actual_box) == (declared, actual)
    assert max(drawn.width, drawn.height) == DRAWING_SIDE


@pytest.mark.parametrize(
    "said", [(980, 700), (None, 5), ("100", 5), (0, 5), (-3, 5), (10**7 + 1, 5), (1.5, 5)]
)
def test_nothing_to_draw(image: Entry, said: tuple[Any, Any]) -> None:
    """A size that is right, or that is none, is not drawn."""
    assert link_frames(image, _declaring(image, *said)) is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_thumbnail_is_small_and_in_shape(kind: str) -> None:
    """Any format becomes a WebP whose longer side is 160 pixels."""
    small_one = thumbnail(picture(kind=kind, size=Size(640, 320)))

    assert small_one is not None
    assert len(small_one) < 20_000
    with Image.open(io.BytesIO(small_one)) as opened:
        assert (opened.format, opened.size) == ("WEBP", (160, 80))


def test_thumbnail_stands_as_in_a_browser() -> None:
    """EXIF orientation is applied; of an animation the first frame is shown."""
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.new("RGB", (200, 100)).save(out, "JPEG", exif=exif)
    for data, size in ((out.getvalue(), (80, 160)), (animation(3), None)):
        with Image.open(io.BytesIO(thumbnail(data) or b"")) as opened:
            assert getattr(opened, "n_frames", 1) == 1
            assert size is None or opened.size == size


@pytest.mark.parametrize("data", [b"", b"<svg/>", picture()[:60], b"\x89PNG\r\n\x1a\n" + b"\0" * 99])
def test_no_thumbnail(data: bytes) -> None:
    """What cannot be drawn has none, and is no error."""
    assert thumbnail(data) is None


def test_thumbnails_of_the_corpus(corpus: Path) -> None:
    """No file of the corpus, hostile ones among them, brings a report down or gives a large thumbnail."""
    files = [path for path in sorted((corpus / "images").rglob("*")) if path.is_file()][::5]
    drawn = [thumbnail(path.read_bytes()) for path in files if path.stat().st_size < 2**20]

    assert len([one for one in drawn if one]) > len(drawn) // 3
    assert max(len(one) for one in drawn if one) < 60_000


def test_thumbnails_come_from_the_cache(tmp_path: Path) -> None:
    """What lies in the cache under its digest is drawn; what is not there, or never was, is not."""
    store, data = open_store(str(tmp_path / "cache")), picture()
    store.prepare()
    digest = digest_of(data)
    store.keep(store.aside(data), name_of(digest, "PNG"))
    of = thumbnails(str(tmp_path / "cache"))

    assert of(replace(NOTHING, digest=digest)) == thumbnail(data)
    assert of(replace(NOTHING, digest=f"sha256:{'0' * 64}")) is None
    assert of(NOTHING) is None
    assert thumbnails("nosuch://x/y")(replace(NOTHING, digest=digest)) is None


def test_worst_first_and_no_more_than_a_reader_reads(engine: sa.Engine) -> None:
    """Targets stand by severity; where there are too many, the worst are kept and the others counted."""
    groups, more = sheets(summarise(engine, Selection()))
    words = [[sheet.word for sheet in group] for _, group in groups]
    (first,), rest = sheets(summarise(engine, Selection()), limit=1)

    assert (words, more) == ([["not-found", "size-mismatch"], ["timeout"]], 0)
    assert ([sheet.entry.url for sheet in first[1]], rest) == ([GONE], 2)
