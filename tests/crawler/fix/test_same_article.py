"""Whether a URL that moved still names the same article."""

from __future__ import annotations

from typing import Final

import pytest

from crawler.fix.same_article import move_refusal, names_same, title_fits

OLD: Final = "https://paper.example/2019/05/harbour-bridge-opens-to-cyclists"


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("/", "front page"),
        ("/de/", "front page"),
        ("/index.html", "front page"),
        ("/account/sign-in", "gate"),
        ("/users/login?next=%2F2019%2F05%2Fharbour-bridge-opens-to-cyclists", "gate"),
        ("/abo/harbour-bridge-opens-to-cyclists", "gate"),
        ("/oauth2/authorize?client_id=web", "gate"),
        ("/404/harbour-bridge-opens-to-cyclists", "error page"),
        ("/errors/harbour-bridge-opens-to-cyclists.html", "error page"),
        ("/content-not-available-for-europe", "error page"),
        ("/sorry.html", "error page"),
        ("/wartung", "error page"),
        ("/2019/05/", "section"),
        ("/2019", "section"),
        ("/tag/harbour-bridge-opens-to-cyclists", "section"),
        ("/news/topics/harbour-bridge-opens-to-cyclists", "section"),
        ("/search?q=harbour+bridge+opens+to+cyclists", "se"),
        ("/harbour-bridge-opens-to-cyclists;JSESSIONID=A1B2", "session"),
        ("/(S(lit3py55t21z5v55vlm25s55))/harbour-bridge-opens-to-cyclists", "session"),
        ("/harbour-bridge-opens-to-cyclists?PHPSESSID=k3j4", "session"),
        ("/harbour-bridge-opens-to-cyclists?X-Amz-Expires=60&X-Amz-Date=1", "may expire"),
        ("/harbour-bridge-opens-to-cyclists?sv=2020&se=2026&sig=a%2Fb", "may expire"),
        ("/harbour-bridge-opens-to-cyclists?k=0123456789abcdef0123456789ABCDEF", "may expire"),
        ("/harbour-bridge-opens-to-cyclists?utm_source=301", "tracking"),
        ("/harbour-bridge-opens-to-cyclists?fbclid=x&page=2", "tracking"),
        ("/check?returnUrl=/2019", "go back to"),
    ],
)
def test_pages_that_are_no_article(place: str, reason: str) -> None:
    """Gates, errors, sections, sessions, keys and marks are refused, whatever words they have."""
    told = move_refusal(OLD, f"https://paper.example{place}", None)

    assert told is not None
    assert reason in told


def test_host_of_a_gate_and_where_the_new_url_leads_on() -> None:
    """A host that is a login is a gate; so is a new URL that sends its reader on to one for now."""
    new = "https://paper.example/news/harbour-bridge-opens-to-cyclists"

    assert "gate" in (move_refusal(OLD, "https://accounts.paper.example/x", None) or "")
    assert "gate" in (move_refusal(OLD, new, "https://paper.example/subscribe") or "")
    assert move_refusal(OLD, new, f"{new}?seen=1") is None
    assert move_refusal("https://login.example/a", "https://login.example/b", None) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/news/missing-girl-was-found", "/2020/missing-girl-was-found"),
        ("/login-with-passkeys-explained", "/tech/login-with-passkeys-explained"),
        ("/tag/jazz", "/topics/jazz"),
        ("/a?utm_source=feed", "/b?utm_source=feed"),
        ("/404-ways-to-cook-an-egg", "/food/404-ways-to-cook-an-egg"),
        ("/", "/de/"),
    ],
)
def test_what_the_old_url_had_already(old: str, new: str) -> None:
    """A word or a mark that the old URL has, too, says nothing against the new one."""
    assert move_refusal(f"http://p.example{old}", f"http://p.example{new}", None) is None


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (OLD, OLD.replace("https", "http"), True),
        (OLD, f"{OLD}/", True),
        (OLD, "https://www.paper.example/harbour-bridge-opens-to-cyclists.html", True),
        (OLD, "https://paper.example/city/harbour-bridge-finally-opens-cyclists-1234", True),
        (OLD, "https://paper.example/2019/05/harbour-bridge-closes-for-repairs", False),
        (OLD, "https://paper.example/2019/05/opera-house-turns-fifty", False),
        ("http://p.example/article/10482231", "http://p.example/story/10482231-eggs", True),
        ("http://p.example/article/10482231", "http://p.example/story/10482232-eggs", False),
        ("http://p.example/?p=10482231", "http://p.example/eggs-10482231", True),
        ("http://p.example/a/DSC_00481.jpg", "http://cdn.p.example/2020/dsc_00481.webp", True),
        ("http://p.example/a/DSC_00481.jpg", "http://p.example/default.jpg", False),
        ("http://p.example/%D0%BC%D0%BE%D1%81%D1%82", "http://p.example/x/%D0%BC%D0%BE%D1%81%D1%82", True),
        ("http://p.example/old", "http://p.example/new", False),
    ],
)
def test_same_name(old: str, new: str, *, same: bool) -> None:
    """Path, words, number or file name tell that a URL names the same; other words that it does not."""
    assert names_same(old, new) is same


@pytest.mark.parametrize(
    ("title", "fits"),
    [
        ("Harbour bridge opens to cyclists", True),
        ("Opening day: the harbour bridge opens for all cyclists!", True),
        ("Opera house turns fifty", False),
        ("News", False),
        ("", False),
    ],
)
def test_titles(title: str, *, fits: bool) -> None:
    """The title of a record fits what the new URL names, or it does not."""
    assert title_fits(title, "https://paper.example/x/harbour-bridge-opens-cyclists") is fits
