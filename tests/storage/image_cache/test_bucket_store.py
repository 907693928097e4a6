"""The image cache in a bucket of a real S3 server on loopback, through the program itself."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from storage.image_cache import digest_of, open_store
from tests.bucket import names
from tests.crawler.cli.test_cache import configure
from tests.crawler.cli.test_refresh import H, images, issues, of, place, refresh, tagged, verdicts
from tests.crawler.pictures import picture
from tests.program import run
from tests.site import serve

CACHE = "s3://pictures/site"


async def test_cache_in_a_bucket(tmp_path: Path, bucket: Any) -> None:
    """It keeps, confirms, verifies, exports and makes room as a folder does."""
    bodies = {f"{H}/{n}": picture(n) for n in range(3)}
    broken = f"{H}/broken"
    async with serve() as site:
        images(tmp_path, *bodies, broken, cached=True)
        configure(tmp_path, "images", f'cache = "{CACHE}"')
        configure(tmp_path, "network", f'connect_to = ["{site.detour}"]')
        site.add(broken, tagged(picture(9)[:-30]))
        for url, body in bodies.items():
            site.add(url, tagged(body))
        first = await refresh(tmp_path, site)
        kept = names(bucket)
        second = await refresh(tmp_path, site)
        bucket.put_object(Bucket="pictures", Key=f"site/{place(picture(1))}", Body=b"other")
        wrong = await run(tmp_path, "cache", "verify")
        mended = await run(tmp_path, "cache", "verify", "--repair")
    path = await run(tmp_path, "cache", "path", f"{H}/0")
    await run(tmp_path, "cache", "export", "out", "--layout", "digest")

    assert kept.pop("site/.database")  # which database the folder belongs to
    assert kept == {f"site/{place(body)}": len(body) for body in bodies.values()}
    assert of(first, f"{H}/0")["cached"] == f"{CACHE}/{place(picture(0))}"
    assert verdicts(first)["broken"] == "truncated"
    assert issues(first, broken) == ["cache-stale"]
    assert {line["bytes"] for url, line in second.lines().items() if url in bodies} == {0}
    assert wrong.code == 1
    assert place(picture(1)) in wrong.out
    assert mended.code == 0, mended.err
    assert names(bucket).keys() - {"site/.database"} == kept.keys()
    assert path.out == f"{CACHE}/{place(picture(0))}\n"
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert {said["digest"] for said in manifest.values()} == {digest_of(body) for body in bodies.values()}


async def test_what_another_puts_before_the_first_question_is_seen(bucket: Any) -> None:
    """A worker that starts beside others takes no row of theirs for one whose file is lost."""
    mine, theirs = open_store(CACHE), open_store(CACHE)
    mine.prepare()
    assert mine.owner() is None
    body = picture(1)
    await asyncio.to_thread(theirs.keep, theirs.aside(body), place(body))
    assert names(bucket) == {f"site/{place(body)}": len(body)}
    assert mine.has(place(body), len(body))


async def test_bucket_that_is_not_there(tmp_path: Path, bucket: Any) -> None:
    """It is told before anything is asked; nothing is made in its place."""
    async with serve() as site:
        images(tmp_path, f"{H}/p")
        configure(tmp_path, "images", 'cache = "s3://nobody/x"')
        done = await refresh(tmp_path, site)
    assert done.code == 2
    assert "there is no 'nobody'" in done.err
    assert site.log == []
    assert names(bucket) == {}
