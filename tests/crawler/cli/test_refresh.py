"""The image cache through the program itself: what is asked, what is kept, and what is said."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from storage.image_cache import digest_of
from storage.image_cache.folder_store import OWNER_FILE
from storage.model import Size
from tests.crawler.pictures import animation, nothing, picture
from tests.program import ROOT, Ended, ended, records, run, start
from tests.site import Site, Step, Wire, answer, page, raw, redirect, serve

pytestmark = pytest.mark.libraries

H = "http://site.example"


def files(folder: Path) -> dict[str, bytes]:
    """Every file of the cache, by its name there, but the one that tells whose it is."""
    root = folder / "cache"
    paths = (path for path in root.rglob("*") if path.is_file() and path.name != OWNER_FILE)
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def place(data: bytes, suffix: str = "png") -> str:
    """Where the cache has these bytes."""
    digits = hashlib.sha256(data).hexdigest()
    return f"{digits[:2]}/{digits[2:]}.{suffix}"


def tagged(data: bytes, tag: str = '"one"', **headers: str) -> Step:
    """An image whose server knows conditional requests."""

    async def step(wire: Wire) -> None:
        if tag in wire.asked.headers.get("if-none-match", ""):
            await answer(304, b"", "Said", **{"ETag": tag, **headers})(wire)
        else:
            await answer(200, data, "Said", **{"ETag": tag, **headers})(wire)

    return step


async def refresh(folder: Path, site: Site, *words: str, command: str = "refresh") -> Ended:
    """Run a command on the records of a folder."""
    return await run(folder, command, "--format", "jsonl", "--connect-to", site.detour, *words)


def images(folder: Path, *urls: str, cached: bool = False) -> None:
    """A record with images."""
    records(folder)
    config = folder / "config.toml"
    config.write_text(config.read_text().replace("_timeout = 1\n", "_timeout = 20\n"))
    said = ", isCached: true" if cached else ""
    lines = "".join(f'  - {{url: "{url}"{said}}}\n' for url in urls)
    (folder / "seeds" / "a.md").write_text(f"---\nimages:\n{lines}---\n")


def column(folder: Path, text: str) -> list[object]:
    """The first column of a query."""
    with sqlite3.connect(folder / "linkhealth.db") as connection:
        return [row[0] for row in connection.execute(text)]


async def test_second_refresh_costs_no_body(tmp_path: Path) -> None:
    """The first keeps each picture under its digest; the second sends conditions and gets no byte."""
    bodies = {f"{H}/{n}.jpg": picture(n) for n in range(5)}
    async with serve() as site:
        images(tmp_path, *bodies, cached=True)
        for url, body in bodies.items():
            site.add(url, tagged(body))
        first = await refresh(tmp_path, site)
        kept = files(tmp_path)
        stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*")}
        asked = len(site.log)
        second = await refresh(tmp_path, site)
        later = site.log[asked:]

    assert first.code == second.code == 0, first.err + second.err
    assert kept == {place(body): body for body in bodies.values()}
    for url, line in first.lines().items():
        digest = hashlib.sha256(bodies[url]).hexdigest()
        image = line["image"]
        assert isinstance(image, dict)
        assert (image["digest"], image["cached"]) == (f"sha256:{digest}", f"cache/{place(bodies[url])}")
        assert (image["width"], image["height"], image["format"]) == (24, 16, "PNG")
    assert [one.headers.get("if-none-match") for one in later] == ['"one"'] * 5
    assert {line["bytes"] for line in second.lines().values()} == {0}
    assert {line["verdict"] for line in second.lines().values()} == {"ok"}
    assert files(tmp_path) == kept
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*")} == stamps


def of(ended: Ended, url: str) -> dict[str, object]:
    """The image of a line."""
    image = ended.lines()[url]["image"]
    assert isinstance(image, dict)
    return image


def issues(ended: Ended, url: str) -> list[str]:
    """The issues of the links of a line."""
    links = ended.lines()[url]["links"]
    assert isinstance(links, list)
    return [issue["issue"] for link in links for issue in link["issues"]]


def verdicts(ended: Ended) -> dict[str, object]:
    """The verdict of each line, or why it was not asked."""
    return {
        url.removeprefix(f"{H}/"): line["not_asked"] or line["verdict"] for url, line in ended.lines().items()
    }


async def test_what_an_image_may_turn_out_to_be(tmp_path: Path) -> None:
    """Only what is whole, and no stand-in, is kept; every other has its verdict and its reason."""
    bad_end = picture(1)[:-30]
    listed = picture(7)
    gif = picture(8, "GIF")
    at = gif.index(b",\0\0\0\0")
    huge = gif[: at + 5] + b"\xff" * 4 + gif[at + 9 :]
    cases = {
        "ok": answer(200, picture(2), Content_Type="text/html"),
        "truncated": answer(200, bad_end),
        "truncated2": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + picture(3)),
        "wrong-type": page(Content_Type="image/jpeg"),
        "undecodable": answer(200, b""),
        "placeholder": answer(200, picture(4, size=Size(1, 1))),
        "placeholder2": answer(200, nothing()),
        "placeholder3": answer(200, listed),
        "too-large": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + bytes(2000)),
        "too-large2": answer(200, huge),
        "too-large3": answer(200, bytes(200_000)),
        "not-found": answer(404),
    }
    async with serve() as site:
        images(tmp_path, *(f"{H}/{name}" for name in cases), cached=True)
        with (tmp_path / "config.toml").open("a") as file:
            file.write(f'[images]\nmax_bytes = "100KiB"\nplaceholders = ["{digest_of(listed)}"]\n')
        for name, step in cases.items():
            site.add(f"{H}/{name}", step)
        done = await refresh(tmp_path, site)

    assert verdicts(done) == {name: name.rstrip("23") for name in cases}
    assert files(tmp_path) == {place(picture(2)): picture(2)}
    assert done.code == 1
    assert {url for url in done.lines() if issues(done, url)} == {
        f"{H}/{name}" for name in cases if name != "ok"
    }
    assert issues(done, f"{H}/truncated") == ["cache-stale"]
    assert of(done, f"{H}/placeholder3")["digest"] == digest_of(listed)
    assert done.lines()[f"{H}/too-large"]["bytes"] == 0
    assert all(
        line["detail"] for name, line in done.lines().items() if not name.endswith(("/ok", "not-found"))
    )
    assert list((tmp_path / "cache" / ".aside").iterdir()) == []


async def test_changed_picture_waits_for_its_proof(tmp_path: Path) -> None:
    """The old one stays until a new one is whole; then that is kept, with its own headers."""
    url, old, new = f"{H}/p.png", picture(1), picture(2)
    async with serve() as site:
        images(tmp_path, url, cached=True)
        site.add(url, tagged(old, '"1"'), tagged(new[:-40], '"2"'), tagged(new, '"3"'))
        first = await refresh(tmp_path, site)
        broken = await refresh(tmp_path, site)
        kept = files(tmp_path)
        waiting = await refresh(tmp_path, site)
        whole = await refresh(tmp_path, site, "--force")
        asked = [one.headers.get("if-none-match") for one in site.log]

    assert [verdicts(one)["p.png"] for one in (first, broken, whole)] == ["ok", "truncated", "ok"]
    assert verdicts(waiting)["p.png"] in {"fresh", "truncated"}  # it is not asked before its next due time
    assert kept == {place(old): old}
    assert issues(broken, url) == []
    assert asked == [None, '"1"', '"1"']
    assert files(tmp_path) == {place(old): old, place(new): new}
    assert of(whole, url)["cached"] == f"cache/{place(new)}"
    assert column(tmp_path, "SELECT etag FROM cached") == ['"3"']


async def test_same_bytes_are_kept_once(tmp_path: Path) -> None:
    """Many URLs of one picture share a file; a server without validators costs bytes, and no file."""
    urls, body = [f"{H}/{n}" for n in range(4)], picture(5, "WEBP")
    async with serve() as site:
        images(tmp_path, *urls)
        for url in urls:
            site.add(url, answer(200, body))
        await refresh(tmp_path, site)
        path = tmp_path / "cache" / place(body, "webp")
        inode = path.stat().st_ino
        again = await refresh(tmp_path, site)

    assert files(tmp_path) == {place(body, "webp"): body}
    assert path.stat().st_ino == inode
    assert {line["bytes"] for line in again.lines().values()} == {len(body)}
    assert column(tmp_path, "SELECT count(*) FROM cached") == [4]


async def test_freshness_is_obeyed(tmp_path: Path) -> None:
    """What its server calls fresh is not asked, unless forced; a 304 renews what was said."""
    fresh, stale = f"{H}/fresh", f"{H}/stale"
    async with serve() as site:
        images(tmp_path, fresh, stale)
        site.add(fresh, tagged(picture(1), Cache_Control="max-age=600"))
        site.add(
            stale, tagged(picture(2), Cache_Control="max-age=0"), tagged(b"", Cache_Control="max-age=600")
        )
        await refresh(tmp_path, site)
        second = await refresh(tmp_path, site)
        third = await refresh(tmp_path, site)
        forced = await refresh(tmp_path, site, "--force")

    assert verdicts(second) == {"fresh": "fresh", "stale": "ok"}
    assert verdicts(third) == {"fresh": "fresh", "stale": "fresh"}
    assert verdicts(forced) == {"fresh": "ok", "stale": "ok"}
    assert [len(site.asked(url)) for url in (fresh, stale)] == [2, 3]
    assert second.lines()[fresh]["image"] == forced.lines()[fresh]["image"]


async def test_validator_of_another_url_counts_for_nothing(tmp_path: Path) -> None:
    """A redirect that leads elsewhere now may meet the same ETag; then all of it is asked for."""
    url, old, new = f"{H}/p", picture(1), picture(2)
    async with serve() as site:
        images(tmp_path, url)
        site.add(url, redirect(302, "/a"), redirect(302, "/b"))
        site.add(f"{H}/a", tagged(old))
        site.add(f"{H}/b", tagged(new))
        await refresh(tmp_path, site)
        done = await refresh(tmp_path, site)

    assert verdicts(done) == {"p": "redirected"}
    assert of(done, url)["digest"] == digest_of(new)


async def test_last_modified_is_a_validator(tmp_path: Path) -> None:
    """A server without ETags is asked by date."""
    url, date = f"{H}/p", "Sun, 01 Nov 2026 00:00:00 GMT"
    async with serve() as site:
        images(tmp_path, url)
        site.add(url, answer(200, picture(1), Last_Modified=date), answer(304, Content_Length=""))
        await refresh(tmp_path, site)
        done = await refresh(tmp_path, site, "--force")  # it is fresh for a tenth of its age

    assert site.log[-1].headers["if-modified-since"] == date
    assert verdicts(done) == {"p": "ok"}
    assert column(tmp_path, "SELECT last_modified FROM cached") == [date]


async def test_unasked_304_is_no_answer(tmp_path: Path) -> None:
    """Nobody asked whether anything changed, so nothing can have stayed the same."""
    async with serve() as site:
        images(tmp_path, f"{H}/p")
        site.add(f"{H}/p", answer(304))
        done = await refresh(tmp_path, site)
    assert verdicts(done) == {"p": "bad-redirect"}


async def test_audit_leaves_the_cache_alone(tmp_path: Path) -> None:
    """An audit keeps nothing; a refresh asks what it called fine, and no pages; a run does both."""
    image, web = f"{H}/p.png", f"{H}/page"
    async with serve() as site:
        images(tmp_path, image, cached=True)
        (tmp_path / "seeds" / "b.md").write_text(f"---\nwebUrl: {web}\n---\n")
        site.add(image, tagged(picture(1)))
        site.add(web, page())
        audited = await refresh(tmp_path, site, command="audit")
        assert not (tmp_path / "cache").exists()
        refreshed = await refresh(tmp_path, site)
        before = len(site.log)
        both = await refresh(tmp_path, site, "--force", command="run")
        asked = [one.url for one in site.log[before:]]

    assert verdicts(audited) == {"p.png": "ok", "page": "ok"}
    assert issues(audited, image) == []
    assert of(audited, image)["cached"] is None
    assert verdicts(refreshed) == {"p.png": "ok"}
    assert verdicts(both) == {"p.png": "ok", "page": "ok"}
    assert of(both, image)["cached"] == f"cache/{place(picture(1))}"
    assert {image, web} <= set(asked)


async def test_cache_stale_lasts_until_it_is_mended(tmp_path: Path) -> None:
    """It is told once a refresh has ended, kept by audits, and goes when the picture comes."""
    url = f"{H}/p"
    async with serve() as site:
        images(tmp_path, url, cached=True)
        site.add(url, answer(404), answer(404), tagged(picture(1)))
        first = await refresh(tmp_path, site)
        second = await refresh(tmp_path, site, "--force", command="audit")
        third = await refresh(tmp_path, site)

    assert [issues(one, url) for one in (first, second, third)] == [["cache-stale"], ["cache-stale"], []]


async def test_file_that_somebody_took_away_comes_back(tmp_path: Path) -> None:
    """No row points to nothing: what is gone is asked for anew, without conditions."""
    urls = [f"{H}/{n}" for n in range(3)]
    async with serve() as site:
        images(tmp_path, *urls)
        for number, url in enumerate(urls):
            site.add(url, tagged(picture(number), Cache_Control="max-age=600"))
        await refresh(tmp_path, site)
        kept = files(tmp_path)
        (tmp_path / "cache" / place(picture(1))).unlink()
        (tmp_path / "cache" / place(picture(2))).write_bytes(b"short")
        before = len(site.log)
        await refresh(tmp_path, site)

    assert sorted(one.url for one in site.log[before:]) == urls[1:]
    assert files(tmp_path) == kept


async def test_structure_is_a_proof_of_its_own(tmp_path: Path) -> None:
    """With `proof = "structure"` no pixel is decoded; once pixels are asked for, they are proven."""
    url, body = f"{H}/p", picture(1, "JPEG")
    async with serve() as site:
        images(tmp_path, url)
        with (tmp_path / "config.toml").open("a") as file:
            file.write('[images]\nproof = "structure"\n')
        site.add(url, tagged(body, Cache_Control="max-age=600"))
        await refresh(tmp_path, site)
        loose = column(tmp_path, "SELECT proof FROM cached")
        (tmp_path / "config.toml").write_text(
            (tmp_path / "config.toml").read_text().replace("structure", "pixels")
        )
        await refresh(tmp_path, site)

    assert (loose, column(tmp_path, "SELECT proof FROM cached")) == (["structure"], ["pixels"])
    assert files(tmp_path) == {place(body, "jpg"): body}


async def test_facts_of_the_pixels_are_kept(tmp_path: Path) -> None:
    """Frames, mode and transparency stand beside the finding."""
    async with serve() as site:
        images(tmp_path, f"{H}/gif", f"{H}/png")
        site.add(f"{H}/gif", answer(200, animation(3)))
        site.add(f"{H}/png", answer(200, picture(1, mode="RGBA"), Vary="Accept"))
        await refresh(tmp_path, site)
    found = [json.loads(str(text))["image"] for text in column(tmp_path, "SELECT evidence FROM finding")]

    assert {one["frames"] for one in found} == {3, 1}
    assert {one["alpha"] for one in found} == {False, True}
    assert {one.get("vary") for one in found} == {None, "Accept"}


@pytest.mark.parametrize("seed", range(4))
async def test_killed_at_any_moment(tmp_path: Path, seed: int) -> None:
    """After kill -9 every file is whole, every row has its file, and the next refresh does the rest."""
    bodies = {f"http://h{n % 7}.example/{n}": picture(n, size=Size(80, 80)) for n in range(60)}
    async with serve() as site:
        images(tmp_path, *bodies)
        for url, body in bodies.items():
            site.add(url, tagged(body))
        process = await start(tmp_path, "refresh", "--connect-to", site.detour)
        await site.hear(random.Random(seed).randint(1, 60))
        process.kill()
        await process.wait()
        rows = column(tmp_path, "SELECT substr(digest, 8) FROM cached")
        kept = {name: body for name, body in files(tmp_path).items() if not name.startswith(".aside")}
        done = await refresh(tmp_path, site)

    assert all(place(body) == name for name, body in kept.items())
    assert {str(row) for row in rows} <= {name.replace("/", "").removesuffix(".png") for name in kept}
    assert done.code == 0, done.err
    whole = {name: body for name, body in files(tmp_path).items() if not name.startswith(".aside")}
    assert whole == {place(body): body for body in bodies.values()}


async def test_disk_that_is_full(tmp_path: Path) -> None:
    """The run ends with a sentence; what was kept stays, and the next run goes on."""
    small, large = picture(1), picture(2, size=Size(400, 400))
    async with serve() as site:
        images(tmp_path, f"{H}/small", f"{H}/large")
        site.add(f"{H}/small", tagged(small))
        site.add(f"{H}/large", tagged(large))
        under = ("prlimit", "--fsize=400000", "--")
        words = ("refresh", "--format", "jsonl", "--connect-to", site.detour)
        full = await ended(await start(tmp_path, *words, under=under))
        kept = files(tmp_path)
        done = await refresh(tmp_path, site)

    assert full.code == 2
    assert "cache: " in full.err
    assert "Traceback" not in full.err
    assert kept == {place(small): small}
    assert done.code == 0
    assert len(files(tmp_path)) == 2


async def test_cache_that_cannot_be_made(tmp_path: Path) -> None:
    """It is told before anything is asked."""
    async with serve() as site:
        images(tmp_path, f"{H}/p")
        (tmp_path / "cache").write_text("mine")
        done = await refresh(tmp_path, site)
    assert done.code == 2
    assert "cache: something there is no folder" in done.err
    assert site.log == []


async def test_folder_that_another_process_cleans(tmp_path: Path) -> None:
    """Whatever is swept away meanwhile, the run goes on, and the next one has all of it again."""
    bodies = {f"http://h{n % 5}.example/{n}": picture(n, size=Size(60, 60)) for n in range(40)}

    def swept(body: bytes) -> Step:
        async def step(wire: Wire) -> None:
            await asyncio.to_thread(shutil.rmtree, tmp_path / "cache", ignore_errors=True)
            await tagged(body)(wire)

        return step

    async with serve() as site:
        images(tmp_path, *bodies)
        for number, (url, body) in enumerate(bodies.items()):
            site.add(url, tagged(body) if number % 4 else swept(body), tagged(body))
        first = await refresh(tmp_path, site)
        for url, body in bodies.items():
            site.add(url, tagged(body))
        second = await refresh(tmp_path, site)

    assert "Traceback" not in first.err
    assert "crashed" not in set(verdicts(first).values())
    assert second.code == 0, second.err
    assert files(tmp_path) == {place(body): body for body in bodies.values()}
    rows = column(tmp_path, "SELECT digest FROM cached")
    assert sorted(map(str, rows)) == sorted(digest_of(body) for body in bodies.values())


async def test_workers_share_one_cache(tmp_path: Path) -> None:
    """Several processes fill one folder, and the index has all of it."""
    bodies = {f"http://h{n % 5}.example/{n}": picture(n) for n in range(20)}
    bodies["http://away.example/"] = picture(21)
    async with serve() as site:
        images(tmp_path, *bodies)
        for url, body in bodies.items():
            site.add(url, tagged(body))
        site.add("http://away.example/", redirect(302, "http://h1.example/there"))
        site.add("http://h1.example/there", tagged(picture(21)))
        first = await refresh(tmp_path, site, "--workers", "3")
        again = await refresh(tmp_path, site, "--workers", "3")

    assert first.code == 0, first.err
    assert files(tmp_path) == {place(body): body for body in bodies.values()}
    assert column(tmp_path, "SELECT count(*) FROM cached") == [21]
    assert {line["bytes"] for line in again.lines().values()} == {0}


async def test_explain_tells_of_the_picture(tmp_path: Path) -> None:
    """What the pixels told, where it is kept, and who else has the same bytes."""
    body = animation(3)
    async with serve() as site:
        images(tmp_path, f"{H}/a.gif", f"{H}/b.gif", f"{H}/c.gif")
        for name, data in (("a", body), ("b", body), ("c", animation(2))):
            site.add(f"{H}/{name}.gif", tagged(data))
        await refresh(tmp_path, site)
    story = await run(tmp_path, "explain", f"{H}/a.gif")

    assert "every pixel decoded, mode P, 3 frames" in story.out
    assert digest_of(body) in story.out
    assert f"kept as cache/{place(body, 'gif')}" in story.out
    assert f"The same picture lies at:\n    {H}/b.gif\n" in story.out


async def test_nothing_can_be_decoded(tmp_path: Path) -> None:
    """It is this machine's fault: no image is blamed, the run is not finished, and all stays due."""
    urls = [f"{H}/{n}" for n in range(3)]
    async with serve() as site:
        images(tmp_path, *urls)
        for number, url in enumerate(urls):
            site.add(url, tagged(picture(number)))
        stub = tmp_path / "sitecustomize.py"
        stub.write_text("import sys\nif 'crawler.images.decode_worker' in sys.orig_argv: sys.exit(1)\n")
        words = ("refresh", "--format", "jsonl", "--connect-to", site.detour)
        broken = await ended(await start(tmp_path, *words, under=("env", f"PYTHONPATH={tmp_path}:{ROOT}")))
        whole = await refresh(tmp_path, site)

    assert broken.code == 4, broken.err
    assert set(verdicts(broken).values()) == {"local-outage"}
    assert set(verdicts(whole).values()) == {"ok"}
    assert len(files(tmp_path)) == 3
