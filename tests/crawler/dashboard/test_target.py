"""All that is known of one target, its image, and what a person may say of it from the page."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from storage import pins
from storage.image_cache import digest_of, name_of, open_store
from storage.model import (
    CachedImage,
    Evidence,
    FragmentEvidence,
    Hop,
    Picture,
    ProbeEvidence,
    Redirect,
    ScoreEvidence,
    ServedHeaders,
    Size,
    TlsEvidence,
    Verdict,
)
from tests.crawler.dashboard import serving
from tests.crawler.dashboard.conftest import BAD, GOOD
from tests.crawler.dashboard.serving import checked, filled, finding, ids, reader, served
from tests.crawler.dashboard.test_pages import HOSTILE, Elements
from tests.crawler.pictures import picture
from tests.storage.build import NOW, rows

TOKEN = "a token of enough letters"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ATTACK = "<script>alert(1)</script>\u202e\u200b" + "x" * 10_000
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@asynccontextmanager
async def _writing(writer: sa.Engine, engine: sa.Engine) -> AsyncIterator[serving.Served]:
    async with served(engine, token=TOKEN, write=True, writer=writer) as site:
        yield site


async def test_target_tells_its_story(writer: sa.Engine, engine: sa.Engine) -> None:
    """Verdict with its meaning, requests, redirects, TLS, evidence, links and history."""
    hops = (Hop(BAD, "HEAD", 301, None, 0.5, 1, "192.0.2.1"), Hop(GOOD, "GET", None, "timeout", 1.5, 2))
    evidence = Evidence(
        tls=TlsEvidence("a.example", None, "TLSv1.3"),
        waited=2.5,
        soft_404=ScoreEvidence(7, 6, {"title says so": 7}, None),
    )
    told = replace(
        finding(ids(writer)[BAD], Verdict.SOFT_404),
        hops=hops,
        redirects=(Redirect(BAD, 301),),
        final_url=GOOD,
        evidence=evidence,
        detail="the title says so",
    )
    checked(writer, told)
    async with served(engine) as site:
        text = (await site.get("/target", params={"url": BAD})).text
        data = json.loads((await site.get("/api/target", params={"url": BAD})).text)
    assert [hop["elapsed"] for hop in data["hops"]] == [0.5, 1.5]
    assert [one["verdict"] for one in data["history"]] == ["ok", "not-found", "soft-404"]
    assert data["entry"]["finding"]["evidence"] == msgspec.to_builtins(evidence)
    bars = [
        one
        for tag, one in Elements(text).found
        if tag == "rect" and one["class"] in {"c-unknown", "c-transient"}
    ]
    assert [one["width"] for one in bars] == ["150.00", "450.00"]
    for said in (
        "the title says so",
        "Signs of a soft 404: 7 points",
        "TLSv1.3",
        "waited",
        "192.0.2.1",
        "a.md",
    ):
        assert said in text
    assert 'method="post"' not in text


async def test_target_is_found_as_people_write_it(engine: sa.Engine) -> None:
    """As it is requested, with a part of the page, or with capitals in the host."""
    async with served(engine) as site:
        for url in (BAD, f"{BAD}#part", "https://A.example/bad"):
            assert json.loads((await site.get("/api/target", params={"url": url})).text)["url"] == BAD


@pytest.mark.parametrize(
    "url", ["https://nobody.example/", "nonsense", "", "javascript:alert(1)", HOSTILE[0]]
)
async def test_unknown_url_says_how_it_is_checked(engine: sa.Engine, url: str) -> None:
    """A URL that no record names is no error: the page says what reads records."""
    async with served(engine) as site:
        page = await site.get("/target", params={"url": url})
    assert page.status == 200
    assert "No record that was read names this URL" in page.text
    assert "linkhealth audit" in page.text
    assert [tag for tag, _ in Elements(page.text).found].count("script") == 1
    assert 'href="javascript' not in page.text


async def test_target_that_was_never_checked_says_so(tmp_path: Path) -> None:
    """It has links and no verdict."""
    filled(tmp_path, GOOD).dispose()
    engine = reader(tmp_path)
    async with served(engine) as site:
        text = (await site.get("/target", params={"url": GOOD})).text
    engine.dispose()
    assert "It was never checked. <code>linkhealth audit</code>" in text
    assert "Named by 1 link" in text


async def test_hostile_answers_do_nothing(tmp_path: Path) -> None:
    """Reasons, redirects, requests and evidence of strangers are text; long URLs are reached by number."""
    writer = filled(tmp_path, *HOSTILE)
    told = [
        replace(
            finding(key, Verdict.BAD_REDIRECT),
            detail=ATTACK,
            moved_to=f"javascript:{ATTACK}",
            redirects=(Redirect(f"https://a.example/{ATTACK}", 301),),
            hops=(Hop(f"data:text/html,{ATTACK}", "GET", 301, None, 0.1, 1, ATTACK),),
            evidence=Evidence(
                tls=TlsEvidence(ATTACK, ATTACK, ATTACK),
                https=ATTACK,
                soft_404=ScoreEvidence(1, 1, {ATTACK: 1}, ProbeEvidence(ATTACK, ATTACK, 200)),
                fragments=FragmentEvidence([ATTACK], {ATTACK: ATTACK}, ATTACK),
            ),
        )
        for key in ids(writer).values()
    ]
    checked(writer, *told)
    known = ids(writer)
    writer.dispose()
    engine = reader(tmp_path)
    async with served(engine) as site:
        listed = (await site.get("/links")).text
        texts = [(await site.get(f"/target?id={key}")).text for key in known.values()]
    engine.dispose()
    longest = max(known, key=len)
    assert f'href="/target?id={known[longest]}"' in listed
    for text in texts:
        read = Elements(text)
        assert [tag for tag, _ in read.found].count("script") == 1
        assert not {name for _, one in read.found for name in one if name.startswith("on") or name == "style"}
        hrefs = [one["href"] or "" for _, one in read.found if "href" in one]
        assert not [href for href in hrefs if not href.startswith(("/", "#", "https://a.example/"))]
        assert "\u202e" not in text
        assert "\u200b" not in text


def _kept(folder: Path, writer: sa.Engine, data: bytes, format_: str) -> str:
    """Keep bytes as the picture of GOOD; their digest, without its prefix."""
    store, digest = open_store(str(folder)), digest_of(data)
    store.prepare()
    store.keep(store.aside(data), name_of(digest, format_))
    shown = Picture(Size(100, 70), Size(100, 70), format_, bytes=len(data), digest=digest, cached="x")
    key = ids(writer)[GOOD]
    kept = CachedImage(key, shown, ServedHeaders(GOOD), "pixels", NOW, NOW)
    checked(writer, replace(finding(key), picture=shown, cached=kept))
    return digest.removeprefix("sha256:")


async def test_image_is_served_as_an_image(writer: sa.Engine, engine: sa.Engine, tmp_path: Path) -> None:
    """With its type, a sandbox, and a name that lets browsers keep it for ever."""
    data = picture(1, size=Size(100, 70))
    digest = _kept(tmp_path / "cache", writer, data, "PNG")
    async with served(engine, cache=str(tmp_path / "cache")) as site:
        page = (await site.get("/target", params={"url": GOOD})).text
        async with site.client.get(f"{site.url}/image/{digest}") as answer:
            body, headers = await answer.read(), answer.headers
        again = await site.get(f"/image/{digest}", headers={"If-None-Match": headers["ETag"]})
        other = await site.client.get(f"{site.url}/image/{digest}", headers={"If-None-Match": '"other"'})
    assert f'src="/image/{digest}"' in page
    assert body == data
    assert headers["Content-Type"] == "image/png"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert "Content-Disposition" not in headers
    assert (again.status, again.text, other.status) == (304, "", 200)


async def test_svg_is_never_shown(writer: sa.Engine, engine: sa.Engine, tmp_path: Path) -> None:
    """What may hold a script is a download, sandboxed, and no picture of the page."""
    digest = _kept(tmp_path / "cache", writer, SVG, "SVG")
    async with served(engine, cache=str(tmp_path / "cache")) as site:
        page = (await site.get("/target", params={"url": GOOD})).text
        answer = await site.get(f"/image/{digest}")
    assert "<img" not in page
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{digest}.svg"'
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize("digest", ["0" * 64, "x", "..%2f..%2fetc%2fpasswd", "A" * 64])
async def test_image_that_is_not_there(engine: sa.Engine, tmp_path: Path, digest: str) -> None:
    """Nothing but what the index names can be asked for."""
    async with served(engine, cache=str(tmp_path / "cache")) as site:
        assert (await site.get(f"/image/{digest}")).status == 404


async def test_image_whose_file_is_gone(writer: sa.Engine, engine: sa.Engine, tmp_path: Path) -> None:
    """A row without its file says what brings it back."""
    data = picture(1, size=Size(100, 70))
    digest = _kept(tmp_path / "cache", writer, data, "PNG")
    (tmp_path / "cache" / name_of(digest, "PNG")).unlink()
    async with served(engine, cache=str(tmp_path / "cache")) as site:
        answer = await site.get(f"/image/{digest}")
    assert answer.status == 404
    assert "cache verify --repair" in answer.text


async def _post(site: serving.Served, path: str, form: dict[str, str], **headers: str) -> serving.Answered:
    given = {**BEARER, "Origin": site.url, **headers}
    return await site.ask("POST", path, data=form, headers=given)


async def test_pin_from_the_page(writer: sa.Engine, engine: sa.Engine) -> None:
    """The form pins and leads back; the page shows it, and another forgets it."""
    async with _writing(writer, engine) as site:
        done = await _post(site, "/target/pin", {"url": BAD, "word": "ignore", "why": " seen "})
        text = (await site.get(done.headers["Location"], headers=BEARER)).text
        [pin] = pins.pins(writer)
        undone = await _post(site, "/target/unpin", {"url": BAD})
        again = await _post(site, "/target/unpin", {"url": BAD})
    assert done.status == undone.status == 303
    assert done.headers["Location"] == "/target?url=https%3A%2F%2Fa.example%2Fbad&done=pinned"
    assert "The pin is kept." in text
    assert (pin.url, pin.word, pin.why, pin.author) == (BAD, "ignore", "seen", "dashboard")
    assert pins.pins(writer) == []
    assert again.status == 404


async def test_check_again_makes_it_due(writer: sa.Engine, engine: sa.Engine) -> None:
    """The next run takes it; a URL that nobody knows is told."""
    due = f"SELECT next_due FROM target WHERE url = '{GOOD}'"
    [before] = rows(writer, due)
    async with _writing(writer, engine) as site:
        form = (
            'action="/target/check"' in (await site.get("/target", params={"url": GOOD}, headers=BEARER)).text
        )
        done = await _post(site, "/target/check", {"url": GOOD})
        unknown = await _post(site, "/target/check", {"url": "https://nobody.example/"})
    assert form
    assert (done.status, unknown.status) == (303, 404)
    assert rows(writer, due) != [before]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Authorization": "Bearer wrong"}, 401),
        ({}, 303),
    ],
)
async def test_only_our_own_page_changes_anything(
    writer: sa.Engine, engine: sa.Engine, headers: dict[str, str], status: int
) -> None:
    """Another site, or somebody without the token, changes nothing."""
    async with _writing(writer, engine) as site:
        answer = await _post(site, "/target/pin", {"url": BAD, "word": "dead", "why": "w"}, **headers)
    assert answer.status == status
    assert len(pins.pins(writer)) == (status == 303)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"{}",
        b'{"url": ""}',
        b'{"url": "https://a.example/bad", "word": "well", "why": "w"}',
        b'{"url": "https://a.example/bad", "word": "dead", "why": "  "}',
        b'{"url": "https://a.example/bad", "why": "w"}',
        b'{"url": "https://a.example/bad", "word": "dead", "why": "w", "who": "me"}',
    ],
)
async def test_script_that_asks_wrongly_is_told(writer: sa.Engine, engine: sa.Engine, body: bytes) -> None:
    """What is no wish is a problem in JSON, and changes nothing."""
    async with _writing(writer, engine) as site:
        answer = await site.ask("POST", "/api/target/pin", data=body, headers=BEARER)
    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert pins.pins(writer) == []


@pytest.mark.parametrize("name", ["pin", "unpin", "check"])
async def test_scripts_may_do_the_same(writer: sa.Engine, engine: sa.Engine, name: str) -> None:
    """With a bearer token and JSON; without `write`, nobody may."""
    pins_before: dict[str, Any] = {"url": BAD, "word": "dead", "why": "w"}
    async with _writing(writer, engine) as site:
        await site.ask("POST", "/api/target/pin", json=pins_before, headers=BEARER)
        done = await site.ask("POST", f"/api/target/{name}", json=pins_before, headers=BEARER)
    async with served(engine, token=TOKEN) as site:
        refused = await site.ask("POST", f"/api/target/{name}", json=pins_before, headers=BEARER)
    assert (done.status, refused.status) == (200, 403)
    assert json.loads(done.text)["url"] == BAD
