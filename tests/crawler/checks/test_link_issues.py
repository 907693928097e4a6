"""What a record says of an image, against what the image is."""

from __future__ import annotations

import pytest

from crawler.checks.link_issues import size_issues
from storage.model import Declared, Issue, LinkIssue, Picture, Size

pytestmark = pytest.mark.libraries

UPRIGHT = Picture(Size(1200, 800), Size(1200, 800), "JPEG")
TURNED = Picture(Size(800, 1200), Size(1200, 800), "JPEG", orientation=6)

FOUND = [
    (Declared(1200, 800), UPRIGHT, None),
    (Declared(980, 700), UPRIGHT, ("size-mismatch", "980x700", "1200x800")),
    (Declared(800, 1200), UPRIGHT, ("size-mismatch", "800x1200", "1200x800")),
    (Declared(600, 400), UPRIGHT, ("size-scaled", "600x400", "1200x800")),
    (Declared(606, 400), UPRIGHT, ("size-scaled", "606x400", "1200x800")),
    (Declared(607, 400), UPRIGHT, ("size-mismatch", "607x400", "1200x800")),
    (Declared(2400, 1600), UPRIGHT, ("size-scaled", "2400x1600", "1200x800")),
    (Declared(800, 1200), TURNED, None),
    (Declared(1200, 800), TURNED, ("size-rotated", "1200x800", "800x1200")),
    (Declared(600, 400), TURNED, ("size-mismatch", "600x400", "800x1200")),
    (Declared(400, 600), TURNED, ("size-scaled", "400x600", "800x1200")),
    (Declared(1200, None), UPRIGHT, None),
    (Declared(None, 800), UPRIGHT, None),
    (Declared(600, None), UPRIGHT, ("size-mismatch", "600x?", "1200x800")),
    (Declared(None, 400), UPRIGHT, ("size-mismatch", "?x400", "1200x800")),
    (Declared(1200, None), TURNED, ("size-rotated", "1200x?", "800x1200")),
    (Declared(None, None, cached=True), UPRIGHT, None),
]


@pytest.mark.parametrize(("declared", "picture", "issue"), FOUND)
def test_sizes(declared: Declared, picture: Picture, issue: tuple[str, str, str] | None) -> None:
    """A declared size is right, of the same shape, that before rotation, or wrong."""
    want = [] if issue is None else [LinkIssue(Issue(issue[0]), issue[1], issue[2])]
    assert size_issues(declared, picture, tolerance=0) == want


@pytest.mark.parametrize(("width", "right"), [(1196, False), (1197, True), (1203, True), (1204, False)])
def test_tolerance(width: int, *, right: bool) -> None:
    """A size may be off by so many pixels."""
    assert (size_issues(Declared(width, 802), UPRIGHT, tolerance=3) == []) is right


INVALID = [
    (Declared("wide", 800), ["width: wide"]),
    (Declared(1200, "0"), ["height: 0"]),
    (Declared("-1", "1.5"), ["width: -1", "height: 1.5"]),
]


@pytest.mark.parametrize("picture", [UPRIGHT, None], ids=["an image", "no image"])
@pytest.mark.parametrize(("declared", "said"), INVALID, ids=str)
def test_what_is_no_size(declared: Declared, said: list[str], picture: Picture | None) -> None:
    """A width or height that is no positive integer is invalid, whatever the image is."""
    want = [LinkIssue(Issue.DECLARED_INVALID, "a positive integer", one) for one in said]
    assert size_issues(declared, picture, tolerance=0) == want


@pytest.mark.parametrize("picture", [None, Picture(None, None, "SVG")], ids=["none", "of no size"])
def test_nothing_to_compare_with(picture: Picture | None) -> None:
    """Without a picture, or with one that says no size, a size is not judged."""
    assert size_issues(Declared(980, 700), picture, tolerance=0) == []
