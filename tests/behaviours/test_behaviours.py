"""Every behaviour of the table, over real sockets, through the real engine."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from pathlib import Path

import pytest

from storage.model import Kind
from tests import certs
from tests.behaviours.table import CASES, ELSEWHERE, IMAGE, NOT_OURS, Case, H
from tests.check import check, check_all, config
from tests.site import Site, answer, page, redirect, serve

CLOSED = "closed.example::127.0.0.1:1"
NOBODY = "nobody.invalid:::"


def load(site: Site, case: Case) -> str:
    """Script the site as a case says; return the URL to ask."""
    for path, steps in case.pages.items():
        url = path if "://" in path else H + path
        by_method = steps if isinstance(steps, dict) else {"": steps}
        for method, script in by_method.items():
            site.add(url, *script, method=method)
    if case.url is not None:
        return case.url
    return f"https://site.example{case.path}" if case.tls else H + case.path


@pytest.mark.parametrize("case", CASES, ids=[f"{c.row} {c.does}"[:60] for c in CASES])
async def test_behaviour(case: Case, tmp_path: Path) -> None:
    """The site does what the case says, and gets the verdict of the contract."""
    tls = certs.server(tmp_path, case.tls, "site.example") if case.tls else None
    settings = config(network={"ca_file": certs.roots(tmp_path)} if case.tls else {})
    settings = config(**case.config) if case.config else settings
    async with serve(tls) as site:
        url = load(site, case)
        async with asyncio.timeout(60):
            finding = await check(site, url, case.kind, settings, CLOSED, NOBODY)
        asked = len([one for one in site.log if not one.url.endswith("/robots.txt")])

    assert finding.verdict == case.verdict, finding.detail
    assert case.asked is None or asked == case.asked
    for name, value in case.facts.items():
        assert getattr(finding, name) == value


def test_the_table_answers_to_every_row(corpus: Path) -> None:
    """No behaviour of the gathered list is without a case or a reason."""
    rows = json.loads((corpus / "vectors" / "server_behaviours.json").read_text())
    keys = [hashlib.sha256(f"{r['project']}|{r['behaviour']}".encode()).hexdigest()[:8] for r in rows]

    assert len(keys) == 93
    assert set(keys) == {case.row for case in CASES} | set(ELSEWHERE) | set(NOT_OURS)


async def test_retry_after_holds_the_host() -> None:
    """A page that is told to wait makes every page of its host wait, and no other host of its lane."""
    async with serve() as site:
        for name in "abc":
            site.add(f"{H}/{name}", page())
        site.add(f"{H}/a", answer(429, Retry_After="1"), page())
        site.add("http://www.site.example/d", page())
        targets = {f"{H}/{name}": Kind.WEB for name in "abc"} | {"http://www.site.example/d": Kind.WEB}
        findings = await check_all(site, targets, config(hosts={"per_host": 1}))
        told = site.log[0].at

    assert {finding.verdict for finding in findings.values()} == {"ok"}
    waits = {asked.url: asked.at - told for asked in site.log[1:]}
    assert waits.pop("http://www.site.example/d") < 0.9
    assert min(waits.values()) >= 0.99


async def test_a_longer_wait_than_the_runs_puts_the_host_off() -> None:
    """A host that says to come back later is put off with the reason; the rest of its lane goes on."""
    other = "http://www.site.example/d"
    async with serve() as site:
        site.fallback = page()
        site.add(f"{H}/a", answer(429, Retry_After="7200"))
        targets = {f"{H}/a": Kind.AMP, f"{H}/b": Kind.WEB, f"{H}/c": Kind.WEB, other: Kind.WEB}
        findings = await check_all(site, targets, config(hosts={"per_host": 1}))

    assert {url.rpartition("/")[2]: finding.verdict for url, finding in findings.items()} == {
        "a": "rate-limited",
        "b": "postponed",
        "c": "postponed",
        "d": "ok",
    }
    assert all((finding.retry_at is not None) == (url != other) for url, finding in findings.items())
    detail = findings[f"{H}/b"].detail or ""
    assert re.fullmatch(
        rf"put off until \d{{4}}-\d\d-\d\d \d\d:\d\d UTC: {H}/a answered 429 with Retry-After 7200", detail
    )
    assert {asked.url for asked in site.log} == {f"{H}/a", other}


@pytest.mark.parametrize("status", [503, 403, 500])
async def test_a_page_speaks_for_itself_until_a_second_one_agrees(status: int) -> None:
    """A wait that is no rate limit is the page's own; two pages that say it speak for their host."""
    async with serve() as site:
        site.fallback = page()
        site.add(f"{H}/a", answer(status, Retry_After="7200"))
        targets = {f"{H}/{name}": Kind.WEB for name in "abcd"}
        alone = await check_all(site, targets, config(hosts={"per_host": 1}))
        site.add(f"{H}/b", answer(status, Retry_After="7200"))
        both = await check_all(site, targets, config(hosts={"per_host": 1}))

    assert [alone[f"{H}/{name}"].verdict for name in "bcd"] == ["ok"] * 3
    assert alone[f"{H}/a"].verdict == ("forbidden" if status == 403 else "rate-limited")
    assert [both[f"{H}/{name}"].verdict for name in "cd"] == ["postponed"] * 2


async def test_a_redirect_into_a_host_that_rests_is_put_off() -> None:
    """Every hop of a chain is as polite as its first; what cannot be followed is put off, too."""
    busy = "http://busy.example"
    async with serve() as site:
        site.add(f"{busy}/a", answer(420, Retry_After="7200"))
        site.add(f"{H}/b", redirect(302, f"{busy}/c"))
        targets = {f"{busy}/a": Kind.WEB, f"{H}/b": Kind.WEB}
        findings = await check_all(site, targets, config(network={"concurrency": 1}))

    assert findings[f"{H}/b"].verdict == "postponed"
    assert f"{busy}/a answered 420" in (findings[f"{H}/b"].detail or "")


@pytest.mark.parametrize(("to", "kept"), [(f"{H}/b", True), ("http://other.example/b", False)])
async def test_what_is_private_stays_with_its_origin(to: str, *, kept: bool) -> None:
    """Configured headers and credentials are sent to their origin, and dropped on leaving it."""
    async with serve() as site:
        site.add(f"{H}/a", redirect(302, to))
        site.add(to, page())
        settings = config(network={"headers": {"site.example": {"X-Token": "secret"}}})
        finding = await check(site, "http://me:pass@site.example/a", Kind.WEB, settings)
        first, last = site.log[0].headers, site.log[-1].headers

    assert first["x-token"] == "secret"
    assert first["authorization"] == "Basic bWU6cGFzcw=="
    assert ("x-token" in last, "authorization" in last) == (kept, kept)
    assert "pass" not in repr(finding.hops) + repr(finding.final_url) + repr(finding.redirects)


async def test_a_configured_header_takes_the_place_of_ours() -> None:
    """However it is written, it is sent once, and our own of that name is not."""
    async with serve() as site:
        site.add(f"{H}/a", page())
        settings = config(network={"headers": {"site.example": {"accept": "text/plain", "USER-AGENT": "me"}}})
        await check(site, f"{H}/a", Kind.WEB, settings)

    assert site.log[0].headers["accept"] == "text/plain"
    assert site.log[0].headers["user-agent"] == "me"


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("good", "ok"),
        ("expired", "tls-expired"),
        ("not yet valid", "tls-expired"),
        ("other name", "tls-hostname"),
        ("self-signed", "tls-untrusted"),
        ("unknown root", "tls-untrusted"),
        ("missing intermediate", "tls-untrusted"),
    ],
)
async def test_certificates(fault: str, verdict: str, tmp_path: Path) -> None:
    """Each fault of a certificate has its own verdict, and is not tried again."""
    async with serve(certs.server(tmp_path, fault, "site.example")) as site:
        site.add("https://site.example/a", page())
        settings = config(network={"ca_file": certs.roots(tmp_path)})
        finding = await check(site, "https://site.example/a", Kind.WEB, settings)

    assert finding.verdict == verdict
    assert finding.attempts == 1


PRIVATE = ["http://127.0.0.1/", "http://10.0.0.1/", "http://[::1]/", "http://[::ffff:192.168.0.1]/"]


@pytest.mark.parametrize("url", [*PRIVATE, "http://2130706433/", "http://0x7f.1/"])
@pytest.mark.parametrize("hop", [False, True])
async def test_addresses_that_are_not_public_are_blocked(url: str, *, hop: bool) -> None:
    """A private address is never asked, neither as a link nor as a hop, in any spelling."""
    async with serve() as site:
        site.add(f"{H}/a", redirect(302, url))
        detour = f"site.example::127.0.0.1:{site.port}"
        asked = f"{H}/a" if hop else url
        finding = await check(site, asked, Kind.WEB, config(), detour, ":::")

    assert finding.verdict == "blocked-address"
    assert len(site.log) == (1 if hop else 0)


async def test_an_image_that_hides_its_size_is_asked_for_more() -> None:
    """Profiles of 200 KB before the size cost a request or two more, not the whole picture."""
    profile = b"".join(b"\xff\xe2\xff\xff" + b"\0" * 65_533 for _ in range(3))
    frame = b"\xff\xc0\x00\x11\x08\x00\x1e\x00\x28\x03" + b"\0" * 9
    data = b"\xff\xd8" + profile + frame + b"\0" * 3_000_000
    async with serve() as site:

        async def ranged(wire: object) -> None:
            asked = site.log[-1].headers["range"]
            first, last = (int(n) for n in asked.removeprefix("bytes=").split("-"))
            part = data[first : last + 1]
            span = f"bytes {first}-{first + len(part) - 1}/{len(data)}"
            await answer(206, part, Content_Range=span)(wire)  # type: ignore[arg-type]  # a Wire

        site.add(f"{H}/i", ranged)
        finding = await check(site, f"{H}/i", Kind.IMAGE)

    assert finding.verdict == "ok"
    assert finding.picture is not None
    assert str(finding.picture.size) == "40x30"
    assert finding.picture.bytes == len(data)
    assert finding.requests <= 3
    assert finding.bytes < 600_000


async def test_too_large_files_are_not_read() -> None:
    """A file over the limit is known by its length, and nothing of it is read."""
    async with serve() as site:
        site.add(f"{H}/i", answer(206, IMAGE, Content_Range="bytes 0-90/99999999999"))
        finding = await check(site, f"{H}/i", Kind.IMAGE)

    assert finding.verdict == "too-large"


async def test_raw_responses_get_a_verdict_each(corpus: Path) -> None:
    """Whatever bytes a server sends, there is a verdict in time, and it is never a crash."""
    rows = json.loads((corpus / "vectors" / "raw_responses.json").read_text())
    async with serve() as site:
        targets = {}
        for number, row in enumerate(rows):
            url = f"http://h{number}.example/"
            data = row["raw"].encode("latin-1", "replace")

            async def step(wire: object, data: bytes = data) -> None:
                wire.keep = False  # type: ignore[attr-defined]  # a Wire
                await wire.send(data)  # type: ignore[attr-defined]  # as above

            site.add(url, step)
            targets[url] = Kind.WEB if number % 2 else Kind.IMAGE
        async with asyncio.timeout(60):
            findings = await check_all(site, targets)

    assert len(findings) == len(rows)
    assert "crashed" not in {finding.verdict.value for finding in findings.values()}
