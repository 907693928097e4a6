"""Parts of pages that links name: which are looked for, when one is missing, and what that costs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis.strategies import text

from crawler.checks.fragments import fragment_of, missing_fragments, note_fragments
from crawler.checks.html import parse_html
from crawler.fetch.base import Request, Response
from storage.model import FragmentEvidence
from tests.program import Ended, records, run
from tests.site import Site, Step, answer, page, redirect, serve

pytestmark = pytest.mark.libraries

U = "http://site.example/a"
WORDS = (
    "The mayor said that the old bridge is closed. Nobody knows until when, said the caf\u00e9 next to it."
)
BODY = f'<h1 id=Top-Story>News</h1><a name=named>x</a><p id="caf\u00e9">{WORDS}<p>The <b>end</b> of it.'
PAGE = f"<!doctype html><meta charset=utf-8><meta name=description><title>t</title>{BODY}"

NAMES = {
    f"{U}#part": "part",
    f"{U}#Part%201": "Part%201",
    f"{U}#part:~:text=word": "part:~:text=word",
    f"{U}#:~:text=word": ":~:text=word",
    f"{U}#top:~:text=word": "top:~:text=word",
    f"{U}#!/x:~:text=word": "!/x:~:text=word",
    f"{U}#a#b": "a#b",
}
NONE = [U, f"{U}#", f"{U}#top", f"{U}#TOP", f"{U}#/route", f"{U}#!route", f"{U}#utm_source=x"]
NONE += [f"{U}#:~:", f"{U}#:~:text=", f"{U}#:~:other=x", f"{U}#xtor=RSS-1"]


@pytest.mark.parametrize(("link", "fragment"), NAMES.items())
def test_fragments_that_name_a_part(link: str, fragment: str) -> None:
    """A fragment is what stands behind the first #, as the link says it."""
    assert fragment_of(link) == fragment


@pytest.mark.parametrize("link", NONE)
def test_fragments_that_name_none(link: str) -> None:
    """The top is always there, and scripts read what begins with ! or / or has a =."""
    assert fragment_of(link) is None


THERE = ["Top-Story", "named", "caf\u00e9", "caf%C3%A9", ":~:text=old%20bridge", ":~:text=OLD%20Bridge"]
THERE += [":~:text=the%20mayor,closed", ":~:text=cafe%20next", ":~:text=that-,the%20old,-bridge"]
THERE += [":~:text=Nobody-,knows", ":~:text=mayor,when,-%2C%20said", "named:~:text=the%20end%20of"]
THERE += [":~:text=mayor&text=bridge", ":~:text=next%20to%20it.%20The"]
ABSENT = {
    "part": None,
    "top-story": "Top-Story",
    "Top_Story": "Top-Story",
    "description": None,
    "caf%E9": None,
    ":~:text=new%20bridge": None,
    ":~:text=closed,mayor": None,
    ":~:text=nobody-,the%20old": None,
    ":~:text=the%20old,-mayor": None,
    ":~:text=mayor&text=tunnel": None,
    "named:~:text=tunnel": None,
    "part:~:text=mayor": None,
}


def test_parts_of_a_page() -> None:
    """Ids, names of links and words are found; what is missing comes with the id that may be meant."""
    assert missing_fragments(parse_html(PAGE), THERE) == {}
    assert missing_fragments(parse_html(PAGE), ABSENT) == ABSENT


def test_ids_of_what_users_write() -> None:
    """Some sites write `user-content-` before an id, and lead there by a script."""
    assert missing_fragments(parse_html("<p id=user-content-usage>"), ["usage", "use"]) == {"use": None}


@given(text(), text())
def test_any_text_is_some_fragment(fragment: str, words: str) -> None:
    """Nothing that a link or a page says fails, and the words of a page are found on it."""
    said = parse_html(f"<p>{words}")
    missing_fragments(said, [fragment, f":~:text={fragment}"])
    assert missing_fragments(said, [f":~:text={quote(said.text, safe='')}".replace("-", "%2D")]) == {}


def evidence(
    body: bytes, limit: int = 65_536, *, complete: bool = True, kind: str = "text/html"
) -> FragmentEvidence:
    """What is kept of a look for the part `far`."""
    request = Request(U, limit=limit)
    note_fragments(["far"], request, Response(U, 200, {"Content-Type": kind}, body, complete))
    assert request.trace.evidence.fragments is not None
    return request.trace.evidence.fragments


HIDDEN = {
    "PDF": evidence(b"%PDF-1.4 <x>", kind="application/pdf"),
    "JSON that says to be HTML": evidence(b'{"a": 1}'),
    "nothing": evidence(b""),
    "cut by us": evidence(b"<p>" + b"x" * 997, 1000, complete=False),
    "cut once it was decoded": evidence(b"<p>" + b"x" * 997, 1000),
    "drawn by a script": evidence(b"<div id=root></div><script src=/app.js></script>"),
    "too many ids": evidence(b"".join(b"<p id=p%d>" % n for n in range(5000)), 10**6),
    "too much text": evidence(b"<p>" + b"x " * 200_000, 10**6),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_was_not_seen_is_not_missing(name: str) -> None:
    """A page that was cut, that is none, or that scripts draw says nothing; the reason is kept."""
    assert HIDDEN[name].asked == ["far"]
    assert HIDDEN[name].unread
    assert HIDDEN[name].missing is None


def test_what_was_seen_of_a_cut_page_counts() -> None:
    """A part that stands before the cut is there."""
    seen = evidence(b"<p id=far>" + b"x" * 990, 1000, complete=False)
    assert seen == FragmentEvidence(["far"], missing={})
    assert evidence("<p id=x>far".encode("utf-16")).missing == {"far": None}


async def audit(folder: Path, site: Site, *links: str, fragments: bool = True, more: str = "") -> Ended:
    """Audit a record of these links."""
    records(folder)
    listed = [{"webUrl": link} for link in links]
    (folder / "seeds" / "all.json").write_text(json.dumps(listed))
    config = folder / "config.toml"
    config.write_text(config.read_text().replace("[network]", f"[network]\n{more}"))
    with config.open("a") as file:
        file.write(f"[checks]\nnot_found = false\nfragments = {str(fragments).lower()}\n")
    return await run(folder, "audit", "--format", "jsonl", "--connect-to", site.detour)


def issues(done: Ended) -> dict[object, list[tuple[str, object, object]]]:
    """The issues of each link of the target, by its text."""
    found: list[dict[str, Any]] = done.lines()[U]["links"]  # type: ignore[assignment]  # as the contract says
    return {
        one["text"]: [(said["issue"], said["expected"], said["actual"]) for said in one["issues"]]
        for one in found
    }


async def test_all_fragments_of_a_page_take_one_request(tmp_path: Path) -> None:
    """A page is read once, by GET, for all its links; those that name what is not there are told."""
    async with serve() as site:
        site.add(U, page(PAGE))
        done = await audit(
            tmp_path, site, U, f"{U}#named", f"{U}#name", f"{U}#top-story", f"{U}#:~:text=x%20y"
        )
        asked = [one.method for one in site.log]

    assert asked == ["GET"]
    assert issues(done) == {
        U: [],
        f"{U}#named": [],
        f"{U}#name": [("fragment-missing", "name", None)],
        f"{U}#top-story": [("fragment-missing", "top-story", "Top-Story")],
        f"{U}#:~:text=x%20y": [("fragment-missing", ":~:text=x%20y", None)],
    }
    assert (done.lines()[U]["verdict"], done.lines()[U]["requests"], done.code) == ("ok", 1, 1)


async def test_nobody_looks_unasked(tmp_path: Path) -> None:
    """By default a fragment costs nothing and says nothing."""
    async with serve() as site:
        site.add(U, page(PAGE))
        done = await audit(tmp_path, site, f"{U}#nowhere", fragments=False)
        asked = [one.method for one in site.log]

    assert asked == ["HEAD"]
    assert issues(done) == {f"{U}#nowhere": []}


QUIET: dict[str, tuple[Step, str]] = {
    "dead": (answer(404), "not-found"),
    "no page": (answer(200, b"<x>", Content_Type="application/pdf"), "ok"),
    "a wall": (answer(202, b"<p>Wait", Content_Type="text/html", cf_mitigated="challenge"), "bot-blocked"),
    "long": (page("<!doctype html>" + "<p>words" * 9000), "ok"),
    "long, and gzipped": (
        answer(200, gzip.compress(b"<p>words" * 9000), Content_Type="text/html", Content_Encoding="gzip"),
        "ok",
    ),
}


@pytest.mark.parametrize("name", QUIET)
async def test_pages_that_say_nothing_of_their_parts(tmp_path: Path, name: str) -> None:
    """What is dead, no page, or longer than max_body has no issue of this kind."""
    step, verdict = QUIET[name]
    async with serve() as site:
        site.add(U, step)
        done = await audit(tmp_path, site, f"{U}#nowhere")

    story = await run(tmp_path, "explain", U)

    assert issues(done) == {f"{U}#nowhere": []}
    assert done.lines()[U]["verdict"] == verdict
    assert ("Parts that links name were not looked for" in story.out) == (verdict == "ok")


async def test_a_redirect_is_followed_first(tmp_path: Path) -> None:
    """The page that a link ends at is the one that has to have the part."""
    async with serve() as site:
        site.add(U, redirect(301, "/b"))
        site.add("http://site.example/b", page(PAGE))
        done = await audit(tmp_path, site, f"{U}#named", f"{U}#gone")

    assert issues(done) == {f"{U}#named": [], f"{U}#gone": [("fragment-missing", "gone", None)]}


async def test_a_new_fragment_is_due_at_once(tmp_path: Path) -> None:
    """A fresh page is asked again for a part that nobody looked for yet, and for nothing else."""
    async with serve() as site:
        site.add(U, page(PAGE))
        asked = []
        for link in (f"{U}#named", f"{U}#named", f"{U}#other", U, f"{U}#other"):
            last = await audit(tmp_path, site, link)
            asked.append(len(site.log))

    assert asked == [1, 1, 2, 2, 2]
    assert issues(last) == {f"{U}#other": [("fragment-missing", "other", None)]}


async def test_a_longer_body_may_be_read(tmp_path: Path) -> None:
    """With a larger max_body, parts that are far down are found, and told of where they are not."""
    async with serve() as site:
        site.add(U, page("<!doctype html>" + "<p>words" * 20_000 + "<p id=far>"))
        done = await audit(tmp_path, site, f"{U}#far", f"{U}#farther", more='max_body = "1MiB"')

    assert issues(done) == {f"{U}#far": [], f"{U}#farther": [("fragment-missing", "farther", None)]}
