"""Http links that answer on https: tried when asked for, apart from the requests of the target."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.checks.link_issues import LinkRules, link_issues
from crawler.config import Config
from storage.model import Evidence, Finding, Kind, Link, Verdict
from storage.rollups.link_issues import JudgedLink
from tests import certs
from tests.check import check, config
from tests.site import Site, answer, page, redirect, serve

PLAIN, SECURE = "http://site.example/a", "https://site.example/a"


def trying(folder: Path) -> Config:
    """The configuration that tries https and trusts the tests' root."""
    return config(checks={"https": True}, network={"ca_file": certs.roots(folder)})


async def seen(plain: Site, folder: Path, fault: str = "good", status: int = 200, to: str = "") -> Finding:
    """The finding on the http URL, where https answers so, behind a certificate with this fault."""
    async with serve(certs.server(folder, fault, "site.example")) as secure:
        secure.add(SECURE, redirect(302, to) if to else answer(status))
        ways = f"site.example:443:127.0.0.1:{secure.port}", f"site.example:80:127.0.0.1:{plain.port}"
        return await check(plain, PLAIN, Kind.WEB, trying(folder), *ways)


async def test_what_answers_on_https(tmp_path: Path) -> None:
    """The https URL is kept as evidence, and the try is not counted."""
    async with serve() as plain:
        plain.add(PLAIN, page())
        finding = await seen(plain, tmp_path)

    assert finding.verdict == "ok"
    assert finding.evidence.https == SECURE
    assert finding.requests == 1


@pytest.mark.parametrize(
    ("fault", "status", "to"),
    [
        ("self-signed", 200, ""),
        ("expired", 200, ""),
        ("good", 404, ""),
        ("good", 500, ""),
        ("good", 302, PLAIN),
    ],
)
async def test_what_does_not(fault: str, status: int, to: str, tmp_path: Path) -> None:
    """A bad certificate, a refusal and a redirect back to http are no better place."""
    async with serve() as plain:
        plain.add(PLAIN, page())
        finding = await seen(plain, tmp_path, fault, status, to)

    assert finding.verdict == "ok"
    assert finding.evidence.https is None


async def test_a_chain_that_went_there_is_asked_no_more(tmp_path: Path) -> None:
    """Where http redirects to https, that is the answer."""
    async with serve() as plain:
        plain.add(PLAIN, redirect(301, SECURE))
        finding = await seen(plain, tmp_path)

    assert finding.verdict == "moved"
    assert finding.evidence.https == SECURE
    assert finding.requests == 2


async def test_nobody_tries_unasked() -> None:
    """Without `https = true`, for a port of its own, and for what is dead, there is no try."""
    async with serve() as site:
        site.add(PLAIN, page())
        site.add("http://site.example:81/a", page())
        unasked = await check(site, PLAIN)
        settings = config(checks={"https": True})
        own = await check(site, "http://site.example:81/a", Kind.WEB, settings)
        dead = await check(site, "http://site.example/gone", Kind.WEB, settings)

    assert [unasked.verdict, own.verdict, dead.verdict] == ["ok", "ok", "not-found"]
    assert all(one.evidence.https is None for one in (unasked, own, dead))
    assert len(site.log) == 4


@pytest.mark.parametrize("kind", [Kind.WEB, Kind.AMP, Kind.IMAGE])
def test_the_issue(kind: Kind) -> None:
    """The issue belongs to the link, with the URL that is better."""
    link = Link("webUrl", 1, 1, PLAIN, kind)
    placed = JudgedLink(1, link, PLAIN, Verdict.OK, PLAIN, None, evidence=Evidence(https=SECURE))
    (issue,) = link_issues([placed], LinkRules())[1]

    assert (issue.issue.value, issue.expected, issue.actual) == ("insecure-scheme", SECURE, PLAIN)
