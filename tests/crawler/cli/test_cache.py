"""Looking after the image cache: verify, gc, export and path, through the program itself."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from storage.image_cache import digest_of
from storage.image_cache.export import encoded, place_of
from tests.crawler.cli.test_refresh import H, files, images, place, refresh, tagged
from tests.crawler.pictures import picture
from tests.program import run
from tests.site import Site, serve

HOUR = 3600


@asynccontextmanager
async def filled(folder: Path, count: int = 3) -> AsyncIterator[Site]:
    """A cache with some pictures, and the site that they come from."""
    async with serve() as site:
        images(folder, *(f"{H}/{n}.png" for n in range(count)))
        for number in range(count):
            site.add(f"{H}/{number}.png", tagged(picture(number)))
        await refresh(folder, site)
        yield site


def configure(folder: Path, section: str, line: str) -> None:
    """Add a line to a section of the configuration."""
    path = folder / "config.toml"
    text = path.read_text()
    mark = f"[{section}]\n"
    key = line.partition("=")[0]
    text = "".join(one for one in text.splitlines(keepends=True) if one.partition("=")[0] != key)
    path.write_text(text.replace(mark, mark + line + "\n") if mark in text else f"{text}{mark}{line}\n")


async def test_verify_finds_and_mends(tmp_path: Path) -> None:
    """A wrong byte, a missing file and a stray one are told; a repair fetches what is ours again."""
    async with filled(tmp_path) as site:
        configure(tmp_path, "network", f'connect_to = ["{site.detour}"]')
        whole, root = files(tmp_path), tmp_path / "cache"
        clean = await run(tmp_path, "cache", "verify")
        (root / place(picture(0))).write_bytes(b"x" * len(picture(0)))
        (root / place(picture(1))).unlink()
        (root / "notes.txt").write_text("mine")
        found = await run(tmp_path, "cache", "verify")
        mended = await run(tmp_path, "cache", "verify", "--repair")
        again = await run(tmp_path, "cache", "verify")

    assert (clean.code, clean.out) == (0, "")
    assert found.code == 1
    assert {line.partition(":")[0] for line in found.out.splitlines()} == {
        place(picture(0)),
        place(picture(1)),
        "notes.txt",
    }
    assert mended.code == 0, mended.err
    assert "2 of 2 images are back" in mended.err
    assert (again.code, again.out) == (0, "notes.txt: no file of the cache: it is left alone\n")
    assert files(tmp_path) == {**whole, "notes.txt": b"mine"}


async def test_repair_that_cannot_fetch(tmp_path: Path) -> None:
    """What does not come again is missing in the index as well, and the exit code tells."""
    async with filled(tmp_path) as site:
        configure(tmp_path, "network", f'connect_to = ["{site.detour}"]')
        site.add(f"{H}/0.png")
        (tmp_path / "cache" / place(picture(0))).write_bytes(b"x")
        done = await run(tmp_path, "cache", "verify", "--repair")
    assert done.code == 1
    assert "0 of 1 images are back" in done.err
    assert place(picture(0)) not in files(tmp_path)


def age(folder: Path, *names: str, hours: float = 2) -> None:
    """Make files as old as those of a run long ago; with 0 hours, by the clock of the tests."""
    then = time.time() - hours * HOUR
    for name in names:
        os.utime(folder / "cache" / name, (then, then))


async def test_gc_takes_what_nothing_names(tmp_path: Path) -> None:
    """Orphans and leavings of killed runs go, but not young ones; what records name stays."""
    async with filled(tmp_path) as site:
        root, kept = tmp_path / "cache", files(tmp_path)
        orphan, young = place(picture(8)), place(picture(9))
        for name in (orphan, young, ".aside/1-1", ".aside/2-2"):
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_bytes(b"x")
        age(tmp_path, orphan, ".aside/1-1")
        age(tmp_path, young, ".aside/2-2", hours=0)
        done = await run(tmp_path, "cache", "gc")
        assert site.log

    assert done.code == 0, done.err
    assert "1 files of 1 B removed" in done.out
    assert set(files(tmp_path)) == {*kept, young, ".aside/2-2"}


def confirmed(folder: Path, hours: tuple[int, ...]) -> None:
    """Say at which hour of a day long ago each picture was confirmed."""
    with sqlite3.connect(folder / "linkhealth.db") as database:
        for number, hour in enumerate(hours):
            moment = f"2026-01-01 0{hour}:00:00.000000"
            words = "UPDATE cached SET confirmed_at = ? WHERE digest = ?"
            database.execute(words, (moment, digest_of(picture(number))))
    database.close()


async def test_gc_makes_room(tmp_path: Path) -> None:
    """Over `cache_size`, what no record names goes first, the least recently confirmed before others."""
    async with filled(tmp_path, 4) as site:
        images(tmp_path, f"{H}/3.png")
        confirmed(tmp_path, (5, 3, 4, 1))
        await refresh(tmp_path, site, "--only-kind", "web")
        configure(tmp_path, "images", f"cache_size = {2 * len(picture(1)) + 10}")
        done = await run(tmp_path, "cache", "gc")
        some = set(files(tmp_path))
        configure(tmp_path, "images", "cache_size = 1")
        named = await run(tmp_path, "cache", "gc")
        every = await run(tmp_path, "cache", "gc", "--all")

    assert done.code == 0, done.err
    assert some == {place(picture(0)), place(picture(3))}
    assert named.code == 1
    assert "--all" in named.err
    assert every.code == 0
    assert files(tmp_path) == {}
    with sqlite3.connect(tmp_path / "linkhealth.db") as database:
        assert database.execute("SELECT count(*) FROM cached").fetchone() == (0,)
    database.close()


async def test_refresh_keeps_within_the_size(tmp_path: Path) -> None:
    """A run makes room when it ends, takes nothing that a record names, and says so if that is too much."""
    async with filled(tmp_path, 4) as site:
        images(tmp_path, f"{H}/3.png")
        confirmed(tmp_path, (5, 3, 4, 1))
        within = await refresh(tmp_path, site, "--only-kind", "web")
        every = set(files(tmp_path))
        configure(tmp_path, "images", f"cache_size = {2 * len(picture(1)) + 10}")
        over = await refresh(tmp_path, site)
        some = set(files(tmp_path))
        configure(tmp_path, "images", "cache_size = 1")
        full = await refresh(tmp_path, site)
        checked = await run(tmp_path, "cache", "verify")

    assert "cache" not in within.err
    assert every == {place(picture(number)) for number in range(4)}
    assert over.code == full.code == 0, over.err
    assert some == {place(picture(0)), place(picture(3))}
    assert "files that left the cache, since no record names them: 2" in over.err
    assert "since no record names them: 1" in full.err
    assert f"the cache has {len(picture(3))} bytes, more than [images] cache_size" in full.err
    assert set(files(tmp_path)) == {place(picture(3))}
    assert (checked.code, checked.out) == (0, "")


@pytest.mark.parametrize("layout", ["url", "digest"])
async def test_export_for_a_static_site(tmp_path: Path, layout: str) -> None:
    """Every image is copied, and the manifest leads to it; a second export writes nothing."""
    async with filled(tmp_path):
        first = await run(tmp_path, "cache", "export", "out", "--layout", layout)
        second = await run(tmp_path, "cache", "export", "out", "--layout", layout)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())

    assert first.out == "3 images in out, 3 files written\n"
    assert second.out == "3 images in out, 0 files written\n"
    assert set(manifest) == {f"{H}/{n}.png" for n in range(3)}
    for number in range(3):
        said, body = manifest[f"{H}/{number}.png"], picture(number)
        assert (tmp_path / "out" / said["file"]).read_bytes() == body
        assert (said["size"], said["format"], said["digest"]) == (len(body), "PNG", digest_of(body))
        expected = f"site.example/{number}.png" if layout == "url" else place(body)
        assert said["file"] == expected


async def test_export_of_strange_urls(tmp_path: Path) -> None:
    """No URL leads out of the folder, and none takes the place of another."""
    urls = [
        f"{H}/a",
        f"{H}/a.png",
        f"{H}/A.png",
        f"{H}/a.png/b",
        "https://site.example/a.png",
        f"{H}/a?x=../../../etc/passwd",
        f"{H}/..%2f..%2fetc/passwd",
        f"{H}/%00/con/.htaccess",
        f"{H}/" + "y" * 3000,
        f"{H}//x//",
        "http://manifest.json/x",
    ]
    async with serve() as site:
        images(tmp_path, *(url for url in urls if not url.startswith("https")))
        for number, url in enumerate(urls):
            site.add(url, tagged(picture(number)))
        await refresh(tmp_path, site)
        done = await run(tmp_path, "cache", "export", "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    root = (tmp_path / "out").resolve()

    assert done.code == 0, done.err
    assert set(urls) - set(manifest) == {urls[4]}
    assert len({said["file"].lower() for said in manifest.values()}) == len(manifest)
    for url, said in manifest.items():
        path = root / said["file"]
        assert path.resolve().is_relative_to(root)
        assert path.read_bytes() == picture(urls.index(url))


async def test_export_follows_no_link(tmp_path: Path) -> None:
    """A link below the folder that leads out of it is an error, and nothing is written there."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "site.example").symlink_to(tmp_path / "elsewhere")
    async with filled(tmp_path):
        done = await run(tmp_path, "cache", "export", "out")
    assert done.code == 2
    assert "symbolic link" in done.err
    assert list((tmp_path / "elsewhere").iterdir()) == []


async def test_path_of_an_image(tmp_path: Path) -> None:
    """The file of a URL, to be used by scripts; 1 for what is not there."""
    async with filled(tmp_path):
        done = await run(tmp_path, "cache", "path", f"{H}/1.png")
        none = await run(tmp_path, "cache", "path", f"{H}/none.png")
        (tmp_path / "cache" / place(picture(2))).unlink()
        gone = await run(tmp_path, "cache", "path", f"{H}/2.png")
    assert (gone.code, gone.out) == (1, "")
    assert (done.code, done.out) == (0, f"cache/{place(picture(1))}\n")
    assert (none.code, none.out) == (1, "")


def test_names_are_encoded() -> None:
    """Whatever a URL holds, a name has plain characters only, is no dot, and is short enough."""
    assert encoded("..") == "%2E%2E"
    assert encoded("a b/ä~") == "a%20b%2F%C3%A4%7E"
    assert len(encoded("x" * 999)) <= 180
    assert place_of("http://u:p@h:80/a/../b?c", "png") == "h%3A80/a/%2E%2E/b%3Fc.png"
    assert place_of("http://h", "gif") == "h/index.gif"


async def test_suspects_are_proposed(tmp_path: Path) -> None:
    """One picture behind many paths, and one URL beside many pages; sizes of one picture are not."""
    stand_in, drawing = [f"{H}/{n}/none.png" for n in range(4)], f"{H}/drawing.png"
    sizes = [f"{H}/photo.png?w={n}" for n in range(4)]
    async with serve() as site:
        images(tmp_path, *stand_in, *sizes)
        for number in range(20):
            text = f"---\nrelated:\n- webUrl: /page/{number}\n  images:\n  - url: {drawing}\n---\n"
            (tmp_path / "seeds" / f"r{number}.md").write_text(text)
        for urls, seed in ((stand_in, 1), (sizes, 2), ([drawing], 3)):
            for url in urls:
                site.add(url, tagged(picture(seed)))
        await refresh(tmp_path, site)
        found = await run(tmp_path, "report", "--suspects", "--format", "json")
        table = await run(tmp_path, "report", "--suspects")
        configure(tmp_path, "images", f'placeholders = ["{digest_of(picture(1))}"]')
        done = await refresh(tmp_path, site)

    assert found.code == 0, found.err
    assert json.loads(found.out) == [
        {"digest": digest_of(picture(3)), "file": place(picture(3)), "pages": 20, "urls": [drawing]},
        {"digest": digest_of(picture(1)), "file": place(picture(1)), "pages": 0, "urls": stand_in},
    ]
    assert digest_of(picture(1)) in table.out
    assert {url for url, line in done.lines().items() if line["verdict"] == "placeholder"} == set(stand_in)


async def test_export_without_what_no_record_names(tmp_path: Path) -> None:
    """`--delete` removes what an earlier export wrote; what lies beside it stays."""
    async with filled(tmp_path) as site:
        await run(tmp_path, "cache", "export", "out")
        (tmp_path / "out" / "site.example" / "mine.txt").write_text("mine")
        images(tmp_path, f"{H}/0.png")
        await refresh(tmp_path, site)
        left = await run(tmp_path, "cache", "export", "out")
        swept = await run(tmp_path, "cache", "export", "out", "--delete")
        again = await run(tmp_path, "cache", "export", "out", "--delete")

    assert left.out == "1 images in out, 0 files written\n"
    assert swept.out == "1 images in out, 0 files written, 2 removed\n"
    assert again.out == "1 images in out, 0 files written, 0 removed\n"
    present = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert present == {"manifest.json", ".exported", "0.png", "mine.txt"}


async def test_refetch_and_statistics(tmp_path: Path) -> None:
    """`--refetch` sends no condition and asks what is not due; `stats` tells what a cache saves."""
    async with filled(tmp_path) as site:
        await refresh(tmp_path, site, "--force")
        conditional = [one.headers.get("if-none-match") for one in site.log[3:]]
        before = len(site.log)
        done = await refresh(tmp_path, site, "--refetch")
        plain = [one.headers.get("if-none-match") for one in site.log[before:]]
        stats = await run(tmp_path, "cache", "stats")

    assert conditional == ['"one"'] * 3
    assert plain == [None] * 3
    assert done.code == 0, done.err
    assert "images       3 in 3 files" in stats.out
    assert "hosts        site.example 3" in stats.out
    assert "unchanged    3 of 9 answers (33 %) cost no body" in stats.out


async def test_two_databases_and_one_cache(tmp_path: Path) -> None:
    """A cache knows its database: another one is refused, and takes nothing away."""
    async with filled(tmp_path) as site:
        kept = files(tmp_path)
        configure(tmp_path, "database", 'url = "sqlite:///other.db"')
        other = await refresh(tmp_path, site)
        swept = await run(tmp_path, "cache", "gc")
    assert (other.code, swept.code) == (2, 2)
    for done in (other, swept):
        assert "this cache belongs to the database ../linkhealth.db, not to ../other.db" in done.err
    assert files(tmp_path) == kept
