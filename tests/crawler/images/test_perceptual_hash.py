"""Pictures that look alike: found whatever their bytes, and told from those that became another one."""

from __future__ import annotations

import io
import math
from pathlib import Path

import pytest
from PIL import Image

from crawler.images import perceptual_hash as module
from crawler.images.perceptual_hash import likeness
from storage.db.rows import MAX_BITS_APART, bits_apart
from tests.crawler.cli.test_refresh import images, refresh, tagged
from tests.extras import needs
from tests.program import run
from tests.site import answer, serve

pytestmark = pytest.mark.libraries

H = "http://site.example"
QUICK = ("diff", "--format", "jsonl")


def hills(seed: float, width: int = 320, height: int = 200) -> Image.Image:
    """A landscape that no other seed has."""
    made = Image.new("L", (width, height))
    for x in range(width):
        for y in range(height):
            wave = math.sin(seed * 7 + x / width * 9) + math.cos(seed * 3 + y / height * 8 + x / width * seed)
            made.putpixel((x, y), int(127 + 60 * wave))
    return made.convert("RGB")


def packed(image: Image.Image, kind: str = "PNG", **how: int) -> bytes:
    """The bytes of an image."""
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


@needs("imagehash")
def test_looks_stand_scaling_and_compression() -> None:
    """One picture has one look, another one another, and a flat colour none."""
    look, smaller = likeness(hills(1)), likeness(hills(1).resize((160, 100)))
    pressed = likeness(Image.open(io.BytesIO(packed(hills(1), "JPEG", quality=40))))
    other = likeness(hills(2.6))
    assert None not in {look, smaller, pressed, other}
    assert max(bits_apart(look or 0, smaller or 0), bits_apart(look or 0, pressed or 0)) <= MAX_BITS_APART
    assert bits_apart(look or 0, other or 0) > 10
    assert likeness(Image.new("RGB", (50, 50), "red")) is None
    assert likeness(Image.new("LAB", (50, 50))) is None


def test_without_the_extra_there_are_no_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to install numpy for a link checker."""
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    module.prepare.cache_clear()
    assert likeness(hills(1)) is None
    module.prepare.cache_clear()


@needs("imagehash")
async def test_explain_names_pictures_that_look_alike(tmp_path: Path) -> None:
    """The same landscape, smaller and in another format, is found; another landscape is not."""
    bodies = {
        f"{H}/one.png": packed(hills(1)),
        f"{H}/small.jpg": packed(hills(1).resize((160, 100)), "JPEG", quality=60),
        f"{H}/twin.png": packed(hills(1)),
        f"{H}/other.png": packed(hills(2.6)),
    }
    async with serve() as site:
        images(tmp_path, *bodies)
        for url, body in bodies.items():
            site.add(url, answer(200, body))
        assert (await refresh(tmp_path, site)).code == 0
    said = (await run(tmp_path, "explain", f"{H}/one.png")).out

    alike = said.partition("Much the same picture lies at:\n")[2]
    assert f"{H}/small.jpg" in alike
    assert f"The same picture lies at:\n    {H}/twin.png\n" in said
    assert f"{H}/other.png" not in said


@needs("imagehash")
async def test_diff_tells_another_picture_from_other_bytes(tmp_path: Path) -> None:
    """A picture that was only compressed anew is much the same; one that was replaced is another."""
    pressed, replaced, same = f"{H}/pressed.png", f"{H}/replaced.png", f"{H}/same.png"
    async with serve() as site:
        images(tmp_path, pressed, replaced, same)
        for url in (pressed, replaced, same):
            site.add(url, tagged(packed(hills(1))))
        await refresh(tmp_path, site)
        site.add(pressed, tagged(packed(hills(1), compress_level=1), '"two"'))
        site.add(replaced, tagged(packed(hills(2.6)), '"two"'))
        await refresh(tmp_path, site, "--force")
    lines = (await run(tmp_path, *QUICK)).lines()
    table = (await run(tmp_path, "diff")).out

    assert {url: line["change"] for url, line in lines.items()} == {pressed: "image", replaced: "image"}
    assert lines[pressed]["differs"] == 0
    assert int(str(lines[replaced]["differs"])) > 10
    assert table.startswith("Another picture: 2\n")
    assert "looks much the same: 0 of 64 bits differ" in table
    assert "looks another: " in table
