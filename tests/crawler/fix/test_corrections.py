"""Which corrections findings ask for: right beyond doubt, or left out with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from crawler.fix import Corrections, FixPolicy, FixRule, collect_corrections
from storage.model import Declared, Issue, Kind, Link, LinkIssue, Picture, Pin, PinWord, Size, State, Verdict
from storage.queries.report import Entry, EntryLink
from tests.storage.build import NOW, finding

OLD: Final = "http://news.example/old"
NEW: Final = "https://news.example/new"
AMP: Final = "https://news.example/amp"
REAL: Final = Size(980, 700)
CDN: Final = "https://news-example.cdn.ampproject.org/c/s/news.example/amp"


def _entry(url: str = OLD, moved_to: str | None = NEW, text: str = "", **facts: Any) -> Entry:
    """A target that moved for good, and the one link that names it."""
    kind = facts.pop("kind", Kind.WEB)
    verdict = facts.pop("verdict", Verdict.MOVED if moved_to else Verdict.OK)
    issues = facts.pop("issues", ())
    found = replace(finding(1, verdict), moved_to=moved_to, picture=facts.pop("picture", None))
    link = Link("webUrl", 2, 9, text or url, kind, declared=facts.pop("declared", None))
    one = EntryLink("seeds/a.md", link, issues)
    entry = Entry(1, url, kind, verdict, State.ALIVE, None, None, found, (one,))
    return replace(entry, **facts)


def _told(wishes: Corrections) -> list[object]:
    """What the links shall say, and why others shall not."""
    made = [wish.text or wish.size for some in wishes.by_file.values() for wish in some]
    return [*made, *(skip.reason for skip in wishes.skips)]


def _wishes(*entries: Entry, **options: Any) -> list[object]:
    return _told(collect_corrections(entries, lambda _: True, FixPolicy(**options)))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (_entry(), NEW),
        (_entry(text=f"{OLD}#part"), f"{NEW}#part"),
        (_entry(text=f"{OLD}#part", moved_to=f"{NEW}#other"), f"{NEW}#other"),
        (_entry(text="//news.example/old"), NEW),
        (_entry(text="/old"), "it is relative"),
        (_entry("https://news.example/old", "http://news.example/new"), "from https to http:"),
        (_entry(moved_to="https://www.news.example/new"), "https://www.news.example/new"),
        (_entry(moved_to="https://other.example/new"), "--other-domains follows it"),
        (_entry(moved_to="https://news.example/"), "it leads to a front page"),
        (_entry("http://news.example/", "https://news.example/"), "https://news.example/"),
        (_entry("http://***@news.example/old"), "a password, which is not stored"),
        (_entry(moved_to="https://***@news.example/new"), "a password, which is not stored"),
    ],
)
def test_permanent_redirects(entry: Entry, said: str) -> None:
    """They are written down where they lead to a page of the same site, as safe as before."""
    (told,) = _wishes(entry)

    assert said in str(told)


def test_other_domains_when_asked() -> None:
    """A redirect to another registrable domain is followed by those who ask for it."""
    assert _wishes(_entry(moved_to="https://other.example/x"), other_domains=True) == [
        "https://other.example/x"
    ]


@pytest.mark.parametrize(
    "entry",
    [
        _entry(verdict=Verdict.OK, moved_to=None),
        _entry(verdict=Verdict.REDIRECTED),
        _entry(verdict=Verdict.SOFT_404),
        _entry(verdict=Verdict.TIMEOUT),
        _entry(verdict=Verdict.EXCLUDED, pin=Pin(OLD, PinWord.IGNORE, "ours", "me", NOW)),
        _entry(kind=Kind.AMP_CDN),
        _entry(finding=None),
    ],
    ids=lambda entry: f"{entry.verdict.value}-{entry.state.value}-{entry.kind.value}",
)
def test_doubtful_targets_change_nothing(entry: Entry) -> None:
    """What did not move for good, does not answer well, or is to be ignored, is left in silence."""
    assert _wishes(entry) == []


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (_entry(state=State.SUSPECT), "its target is suspect"),
        (_entry(state=State.DEAD, pin=Pin(OLD, PinWord.DEAD, "x", "me", NOW)), "its target is pinned dead"),
        (_entry(pin=Pin(OLD, PinWord.ALIVE, "x", "me", NOW)), NEW),
    ],
)
def test_word_of_a_person(entry: Entry, told: str) -> None:
    """What somebody calls dead is no place to move to, whatever its server says."""
    assert _wishes(entry) == [told]


def test_files_that_were_not_named_are_left() -> None:
    """A link of another file is neither corrected nor told of."""
    assert _told(collect_corrections([_entry(), _entry(text="/old")], lambda _: False, FixPolicy())) == []


def _pictured(issue: Issue, size: Size | None = REAL, form: str = "PNG", **facts: Any) -> Entry:
    """An image of a size that is declared otherwise."""
    wrong = (LinkIssue(issue, "100x100", str(size)),)
    picture = Picture(size, size, form)
    declared = Declared(100, 100, cached=None)
    return _entry(moved_to=None, kind=Kind.IMAGE, issues=wrong, picture=picture, declared=declared, **facts)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (_pictured(Issue.SIZE_MISMATCH), [Size(980, 700)]),
        (_pictured(Issue.SIZE_ROTATED), [Size(980, 700)]),
        (_pictured(Issue.SIZE_SCALED), [Size(980, 700)]),
        (_pictured(Issue.DECLARED_INVALID), [Size(980, 700)]),
        (_pictured(Issue.CACHE_STALE), []),
        (_pictured(Issue.SIZE_MISMATCH, form="SVG"), [Size(980, 700)]),
        (_pictured(Issue.SIZE_SCALED, form="SVG"), ["an SVG may be shown in any size"]),
        (_pictured(Issue.DECLARED_INVALID, None), ["its size is not known"]),
        (_pictured(Issue.DECLARED_INVALID, finding=None), ["its size is not known"]),
        (_pictured(Issue.SIZE_MISMATCH, state=State.SUSPECT), ["its target is suspect"]),
        (_pictured(Issue.SIZE_MISMATCH, verdict=Verdict.TRUNCATED), ["its target is truncated"]),
        (
            _pictured(Issue.SIZE_MISMATCH, text="http://***@a.example/i"),
            ["it holds a password, which is not stored"],
        ),
    ],
)
def test_sizes(entry: Entry, told: list[object]) -> None:
    """A size that is wrong becomes the one that was measured of an image that is alive."""
    assert _wishes(entry) == told


def _cached(expected: str = CDN) -> Entry:
    """An AMP-CDN URL that is not the one that the AMP URL leads to."""
    return _entry(
        "https://cdn.example/amp",
        None,
        kind=Kind.AMP_CDN,
        verdict=Verdict.NOT_FOUND,
        state=State.DEAD,
        issues=(LinkIssue(Issue.AMP_CACHE_URL, expected, "https://cdn.example/amp"),),
    )


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ((_cached(), _entry(AMP, None, kind=Kind.AMP)), [CDN]),
        ((_entry(AMP, None, kind=Kind.AMP), _cached()), [CDN]),
        ((_cached(),), ["its AMP page is not known to be alive"]),
        ((_cached(), _entry(AMP, None, kind=Kind.AMP, verdict=Verdict.GONE)), ["its AMP page is not known"]),
        (
            (_cached(), _entry(AMP, NEW, kind=Kind.AMP)),
            [NEW, "https://news-example.cdn.ampproject.org/c/s/news.example/new"],
        ),
        ((_cached("https://cdn.example/c/s/***@news.example/"),), ["a password, which is not stored"]),
        ((_cached("no URL"),), ["its AMP page is not known to be alive"]),
    ],
)
def test_amp_cache_urls(entries: tuple[Entry, ...], told: list[str]) -> None:
    """The computed URL is written where the AMP page is alive and stays where it is."""
    found = _wishes(*entries)

    assert len(found) == len(told)
    assert all(one in str(two) for one, two in zip(told, found, strict=True))


@pytest.mark.parametrize(
    ("declared", "size", "told"),
    [
        (Declared(980, 700), Size(490, 350), Size(490, 350)),
        (Declared(980, 700), Size(489, 700), "less than half of what is declared"),
        (Declared(980, 700), Size(980, 120), "less than half of what is declared"),
        (Declared("980px", 700), Size(90, 700), Size(90, 700)),
        (Declared(10, 10), Size(4000, 3000), Size(4000, 3000)),
    ],
)
def test_pictures_that_shrank(declared: Declared, size: Size, told: object) -> None:
    """A picture with less than half of a declared side may be another one, and is left."""
    issues = (LinkIssue(Issue.SIZE_MISMATCH, "x", "y"),)
    picture = Picture(size, size, "PNG")
    (said,) = _wishes(
        _entry(moved_to=None, kind=Kind.IMAGE, issues=issues, picture=picture, declared=declared)
    )

    assert said == told or str(told) in str(said)


def test_suspected_stand_ins_are_left() -> None:
    """The size of a picture that may be a stand-in is not written."""
    (told,) = _wishes(_pictured(Issue.SIZE_MISMATCH), suspects={OLD})

    assert "may be a stand-in" in str(told)


def test_a_move_waits_for_its_confirmation() -> None:
    """What has led to one URL for a day is confirmed, and its AMP-CDN URL with it."""
    amp = replace(_entry(AMP, NEW, kind=Kind.AMP), id=7)
    cdn = _entry(CDN, None, kind=Kind.AMP_CDN)
    for since, waits in ((NOW - timedelta(days=1), False), (NOW - timedelta(hours=23), True), (None, True)):
        policy = FixPolicy({} if since is None else {7: since})
        found = collect_corrections([cdn, amp], lambda _: True, policy)
        made = [wish for some in found.by_file.values() for wish in some]
        assert [bool(wish.waits) for wish in made] == [waits, waits]


def test_only_some_rules() -> None:
    """What no rule asks for is left without a word."""
    entries = (_entry(), _pictured(Issue.SIZE_MISMATCH), _cached(), _entry(AMP, None, kind=Kind.AMP))

    assert _wishes(*entries, rules={FixRule.SIZE}) == [REAL]
    assert _wishes(*entries, rules={FixRule.MOVED}) == [NEW]
    assert _wishes(*entries, rules={FixRule.AMP_CACHE_URL}) == [CDN]


def test_gates_are_refused_with_their_url() -> None:
    """A redirect to a gate, or to what leads on to one, is left, and the reason names it."""
    assert _wishes(_entry(moved_to="https://news.example/login?next=/old")) == [
        "it leads to a login or another gate, https://news.example/login?next=/old"
    ]
