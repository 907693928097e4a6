"""Corrections in the bytes of a file: just the letters of a link change, or nothing does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crawler.fix import Correction, correct, edit
from crawler.fix.edit import (
    CHANGED_RECORD_REASON,
    OWN_PAGE_REASON,
    SIDE_EFFECT_REASON,
    SIZE_REASON,
    TEXT_REASON,
)
from storage.model import Declared, Document, Kind, Link, Size
from storage.records import DEFAULT_RULES, Rules, read_bytes

OLD: Final = "http://a.example/old"
NEW: Final = "https://a.example/new"


def _links(path: str, data: bytes) -> list[tuple[int, Link]]:
    records = read_bytes(path, data).records
    return [(record.index, link) for record in records for link in record.links]


def _fixed(
    path: str, data: bytes, text: str | None = NEW, size: Size | None = None, old: str = OLD
) -> tuple[bytes, list[str]]:
    """The bytes after each link that says `old` was wished another text or size; why not."""
    wishes = [
        Correction(path, number, link, text, size)
        for number, link in _links(path, data)
        if link.text == old and (size is None or link.kind is Kind.IMAGE)
    ]
    assert wishes
    found = correct(path, data, wishes, DEFAULT_RULES)
    return found.data, [skip.reason for skip in found.skips]


def _front(yaml: str) -> bytes:
    return f"---\n{yaml}\n---\nThe body: {OLD}\n".encode()


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("a.md", _front(f"webUrl: {OLD}")),
        ("a.md", _front(f'webUrl: "{OLD}"')),
        ("a.md", _front(f"webUrl: '{OLD}'")),
        ("a.md", _front(f"webUrl:   {OLD}   # {OLD}")),
        ("a.md", _front(f"webUrl:\n  {OLD}")),
        ("a.md", _front(f"webUrl: !!str {OLD}")),
        ("a.md", _front(f'webUrl: &u "{OLD}"')),
        ("a.md", _front(f"webUrl: |\n  {OLD}")),
        ("a.md", _front(f"title: {OLD}\nrelated:\n- title: x\n  url: {OLD}\n- {{title: y, url: {OLD}}}")),
        ("a.md", b"\xef\xbb\xbf" + _front(f"webUrl: {OLD}")),
        ("a.md", _front(f"webUrl: {OLD}").replace(b"\n", b"\r\n")),
        ("a.md", _front(f"title: \u2028\u0085\nwebUrl: {OLD}") + b"\xff\xfe no UTF-8 \x00"),
        ("a.md", _front(f"webUrl: {OLD}").removesuffix(b"\n")),
        ("a.yaml", f"webUrl: {OLD}\n---\nwebUrl: {OLD}\n".encode()),
        ("a.yml", f"- webUrl: {OLD}\n- {{webUrl: {OLD}, x: y}}\n".encode()),
        ("a.yaml", b"\xef\xbb\xbf" + f"webUrl: {OLD}\n".encode()),
        ("a.json", f'{{"webUrl": "{OLD}"}}'.encode()),
        ("a.json", f'[{{"webUrl":"{OLD}","website":"{OLD}"}}]'.encode()),
        ("a.json", f'{{\r\n\t"webUrl" : "{OLD}"\r\n}}\r\n'.encode()),
        ("a.jsonl", f'{{"webUrl": "{OLD}"}}\n\n{{"t": "\u2028", "webUrl": "{OLD}"}}\n'.encode()),
    ],
)
def test_text_alone_changes(path: str, data: bytes) -> None:
    """Quotes, comments, line ends, marks and the body stay; each link says the new text."""
    fixed, reasons = _fixed(path, data)
    before, after = _links(path, data), _links(path, fixed)

    assert reasons == []
    assert [link.text for _, link in after] == [NEW if link.text == OLD else link.text for _, link in before]
    assert fixed.replace(NEW.encode(), OLD.encode()) == data
    kept = data.count(OLD.encode()) - sum(link.text == OLD for _, link in before)
    assert fixed.count(OLD.encode()) == kept


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('"X"', '"https://a.example/%22?\\\\"', "https://a.example/%22?\\"),
        ("'X'", "'https://a.example/it''s'", "https://a.example/it's"),
        ("X", '"https://a.example/a,b"', "https://a.example/a,b"),
        ("X", '"https://a.example/:"', "https://a.example/:"),
        ("X", "https://a.example/?a=b#c", "https://a.example/?a=b#c"),
    ],
)
def test_scalars_are_quoted_as_they_must_be(old: str, new: str, text: str) -> None:
    """What would end a scalar is escaped as its quotes ask; a bare one gets quotes where it needs them."""
    fixed, reasons = _fixed("a.md", _front(f"webUrl: {old.replace('X', OLD)}"), text)

    assert (fixed, reasons) == (_front(f"webUrl: {new}"), [])


def test_escapes_are_read() -> None:
    """A text in double quotes with escapes is found, and written anew as a whole."""
    fixed, reasons = _fixed("a.json", rb'{"webUrl": "http:\/\/a.example\/old"}')

    assert (fixed, reasons) == (f'{{"webUrl": "{NEW}"}}'.encode(), [])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_front('webUrl: "http://a.example\\x2Fold"'), TEXT_REASON),
        (_front('webUrl: "http://a.exa\\\n  mple/old"'), TEXT_REASON),
        (_front(f"webUrl: &u {OLD}\nother: *u\nrelated:\n- webUrl: *u\n- url: &x {OLD}\n  title: *x"), None),
    ],
)
def test_what_stands_elsewhere_is_left(data: bytes, reason: str | None) -> None:
    """A text that does not stand there letter by letter is not touched; aliases change with their anchor."""
    fixed, reasons = _fixed("a.md", data)

    assert reasons == ([reason] if reason else [])
    assert (fixed == data) is (reason is not None)


def test_alias_of_another_field_is_not_changed_unasked() -> None:
    """A link whose text an alias repeats for another link is left, unless both are to change."""
    data = _front(f"webUrl: &u {OLD}\ncdnAmpUrl: *u")
    (wished, _) = _links("a.md", data)
    found = correct("a.md", data, [Correction("a.md", 0, wished[1], NEW)], DEFAULT_RULES)

    assert (found.data, found.made, [skip.reason for skip in found.skips]) == (data, (), [SIDE_EFFECT_REASON])


def test_one_that_fails_takes_no_other_with_it() -> None:
    """Where one wish of a file cannot be granted, the others are."""
    data = _front(f"webUrl: &u {OLD}\ncdnAmpUrl: *u\nwebsite: {OLD}")
    wishes = [Correction("a.md", 0, link, NEW) for _, link in _links("a.md", data) if link.kind is Kind.WEB]
    found = correct("a.md", data, wishes, DEFAULT_RULES)

    assert found.data == _front(f"webUrl: &u {OLD}\ncdnAmpUrl: *u\nwebsite: {NEW}")
    assert [wish.link.field for wish in found.made] == ["website"]


def test_many_that_fail_are_found_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of hundreds of wishes the few that fail are told from the others in some readings, not hundreds."""
    readings: list[str] = []

    def counted(path: str, data: bytes, rules: Rules) -> Document:
        readings.append(path)
        return read_bytes(path, data, rules)

    monkeypatch.setattr(edit, "read_bytes", counted)
    bad = f"- webUrl: &u {OLD}\n  cdnAmpUrl: *u\n"
    data = (f"- webUrl: {OLD}\n" * 200 + bad + f"- webUrl: {OLD}\n" * 200 + bad).encode()
    wishes = [
        Correction("a.yml", number, link, NEW)
        for number, link in _links("a.yml", data)
        if link.kind is Kind.WEB
    ]
    found = correct("a.yml", data, wishes, DEFAULT_RULES)

    assert (len(found.made), [skip.reason for skip in found.skips]) == (
        400,
        [SIDE_EFFECT_REASON, SIDE_EFFECT_REASON],
    )
    assert found.data == data.replace(f"- webUrl: {OLD}".encode(), f"- webUrl: {NEW}".encode())
    assert len(readings) < 50


def test_changed_record_is_left() -> None:
    """A file that no longer says what was found of it is not touched."""
    data = _front(f"webUrl: {OLD}")
    ((number, link),) = _links("a.md", data)
    for other in (_front(f"title: x\nwebUrl: {OLD}"), _front(f"webUrl: {OLD}2"), b"", b"\xff", b"---\n{\n"):
        found = correct("a.md", other, [Correction("a.md", number, link, NEW)], DEFAULT_RULES)
        assert (found.data, found.made, [skip.reason for skip in found.skips]) == (
            other,
            (),
            [CHANGED_RECORD_REASON],
        )


def test_broken_file_keeps_its_problems() -> None:
    """The records before a mistake are corrected, and the mistake stays what and where it was."""
    data = f"webUrl: {OLD}\n---\nwebUrl: [\n".encode()
    fixed, reasons = _fixed("a.yaml", data)

    assert (fixed, reasons) == (data.replace(OLD.encode(), NEW.encode()), [])
    assert read_bytes("a.yaml", fixed).problems == read_bytes("a.yaml", data).problems != ()


def test_amp_page_is_not_made_the_web_page() -> None:
    """An AMP URL that leads to the page it stands for is no AMP URL any more, and nobody's to write."""
    data = _front(f"webUrl: {NEW}\nampUrl: {OLD}")

    assert _fixed("a.md", data) == (data, [OWN_PAGE_REASON])


IMAGE: Final = f"""\
images:
  # the first
  - url: "{OLD}"   # an image
    credits:
      width: 3
    width: 100
    height: '50' # pixels
    isCached: true
  - width: 100
    height: 50
    url: http://b.example/
"""


@pytest.mark.parametrize(
    ("old", "expected"),
    [
        (OLD, IMAGE.replace("width: 100", "width: 980", 1).replace("'50' #", "'700' #")),
        (
            "http://b.example/",
            IMAGE.replace("- width: 100", "- width: 980").replace("height: 50\n", "height: 700\n"),
        ),
    ],
)
def test_numbers_beside_an_image(old: str, expected: str) -> None:
    """The width and height of that image alone change, comments and quotes stay."""
    fixed, reasons = _fixed("a.md", _front(IMAGE), None, Size(980, 700), old)

    assert (fixed, reasons) == (_front(expected), [])


def test_numbers_in_json() -> None:
    """In JSON, too, if each has a line of its own; a number that is right stays, one that is missing too."""
    data = (
        f'{{"images": [\n\t{{\n\t\t"height": 700,\n\t\t"url": "{OLD}",\n\t\t"width": 100\n\t}}\n]}}'.encode()
    )
    fixed, reasons = _fixed("a.json", data, None, Size(980, 700))
    alone = _front(f"images:\n- url: {OLD}\n  width: 100")

    assert (fixed, reasons) == (data.replace(b"100", b"980"), [])
    assert _fixed("a.md", alone, None, Size(980, 700)) == (alone.replace(b"100", b"980"), [])


@pytest.mark.parametrize(
    "yaml",
    [
        f"images: [{{url: {OLD}, width: 100, height: 50}}]",
        f"images:\n- {{url: {OLD},\n  width: 100, height: 50}}",
        f"images:\n- url: {OLD}\n  width: &w 100\n  height: 50",
        f"images:\n- url: {OLD}\n  width: 100\n  height: 50\n  width: 100",
        f"images:\n- url:\n    {OLD}\n  width: 100\n  height: 50",
        f"s: &s\n  width: 100\nimages:\n- url: {OLD}\n  <<: *s\n  width: \n   100",
        f'images:\n- url: {OLD}\n  "wid\\x74h": 100\n  height: 50',
    ],
)
def test_numbers_that_stand_elsewhere_are_left(yaml: str) -> None:
    """Width and height in a flow, behind an anchor, twice, or on no line of their own are not touched."""
    data = _front(yaml)
    assert _fixed("a.md", data, None, Size(980, 700)) == (data, [SIZE_REASON])


@pytest.mark.parametrize(
    ("said", "now"),
    [
        ("980px", "980"),
        ("'wide'", "'980'"),
        ('""', '"980"'),
        ("0", "980"),
        ("-5", "980"),
        ("100%   # of the page", "980   # of the page"),
        ("12.5\t# kept", "980\t# kept"),
        ("980,", "980"),
        ('"(a|b)+"', '"980"'),
    ],
)
def test_what_is_no_number_becomes_one(said: str, now: str) -> None:
    """A width that is no positive integer becomes the measured one, in the quotes it stood in."""
    data = _front(f"images:\n- url: {OLD}\n  width: {said}\n  height: 700")

    assert _fixed("a.md", data, None, Size(980, 700)) == (
        data.replace(f"width: {said}\n".encode(), f"width: {now}\n".encode()),
        [],
    )


@pytest.mark.parametrize("said", ['"9\\x38"', "&w 9px", ">-\n    9px", '" 9px"', "!!str 9px"])
def test_what_is_no_number_nor_plain_is_left(said: str) -> None:
    """A width that is no number is left where it is not written letter by letter."""
    data = _front(f"images:\n- url: {OLD}\n  width: {said}x\n  height: 700".replace('"x', 'x"'))

    assert _fixed("a.md", data, None, Size(980, 700)) == (data, [SIZE_REASON])


def test_url_and_numbers_at_once() -> None:
    """A link may get another text and another size."""
    fixed, reasons = _fixed(
        "a.md", _front(f"images:\n- url: {OLD}\n  width: 1\n  height: 2"), NEW, Size(3, 4)
    )

    assert (fixed, reasons) == (_front(f"images:\n- url: {NEW}\n  width: 3\n  height: 4"), [])


@given(
    st.sampled_from(['"{}"', "'{}'", "{}", "!!str {}", "&a {}", "|-\n  {}"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20),
    st.text("aB/:?#&=%'\"\\,[]{}* |>-.~+@!", max_size=12),
)
def test_any_text_is_written_or_refused(form: str, around: str, tail: str) -> None:
    """Whatever stands around a link and whatever it shall say: it says so afterwards, or nothing changed."""
    text = f"https://a.example/{tail}".strip()
    comment = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", "", around)
    data = f"---\ntitle: 1 # {comment}\nwebUrl: {form.format(OLD)}\nx: y\n---\n{around}".encode()
    found = [link for _, link in _links("a.md", data)]
    assume([link.text for link in found] == [OLD])
    fixed, reasons = _fixed("a.md", data, text)
    after = [link.text for _, link in _links("a.md", fixed)]

    assert after == ([OLD] if reasons else [text])
    assert (fixed == data) is bool(reasons) or text == OLD


def test_records_of_the_corpus(corpus: Path) -> None:
    """In real records every link and every size can be corrected, and put back to the same bytes."""
    for path in sorted((corpus / "records").rglob("*.md"))[::10]:
        data = path.read_bytes()
        wishes, back = [], {}
        for number, link in _links(path.name, data):
            size = _grown(link.declared)
            wishes.append(Correction(path.name, number, link, f"{link.text}~new", size))
            back[number, link.field] = link
        found = correct(path.name, data, wishes, DEFAULT_RULES)
        assert (found.skips, len(found.made)) == ((), len(wishes))
        undo = [
            Correction(path.name, number, link, back[number, link.field].text, _shrunk(link.declared))
            for number, link in _links(path.name, found.data)
        ]
        assert correct(path.name, found.data, undo, DEFAULT_RULES).data == data


def _grown(said: Declared | None, by: int = 1) -> Size | None:
    if said is None or not isinstance(said.width, int) or not isinstance(said.height, int):
        return None
    return Size(said.width + by, said.height + by)


def _shrunk(said: Declared | None) -> Size | None:
    return _grown(said, -1)


@pytest.mark.parametrize(
    ("title", "made"),
    [
        ("title: The bridge opens at last", 1),
        ("headline: 'The bridge opens at last'", 1),
        ("title: Eggs, the long way", 0),
        ("other: The bridge opens at last", 0),
        ("nested: {title: The bridge opens at last}", 0),
    ],
)
def test_title_of_the_record_decides(title: str, made: int) -> None:
    """Where the URLs do not tell whether the article is the same, the title beside the link does."""
    new = "https://a.example/2021/bridge-opens-at-last"
    data = _front(f"related:\n- {title}\n  webUrl: {OLD}\n- title: The bridge opens at last")
    ((number, link),) = _links("a.md", data)
    wish = Correction("a.md", number, link, new, new_url=new)
    found = correct("a.md", data, [wish], DEFAULT_RULES)

    assert len(found.made) == made
    assert [skip.reason for skip in found.skips] == (
        [] if made else [f"nothing tells that it is the same article, {new}"]
    )


def test_a_follower_stays_where_its_leader_is_left() -> None:
    """An AMP-CDN URL changes with its AMP URL, and stays where that one could not be changed."""
    for amp, made in ((OLD, 2), (f"&x {OLD}", 0)):
        data = _front(f"webUrl: {NEW}\nampUrl: {amp}\ncdnAmpUrl: https://cdn.example/c/old")
        links = _links("a.md", data)
        number = links[0][0]
        amp_link, cdn_link = (
            next(one for _, one in links if one.kind is kind) for kind in (Kind.AMP, Kind.AMP_CDN)
        )
        text = NEW if made == 0 else "https://a.example/amp/new"
        wishes = [
            Correction("a.md", number, cdn_link, "https://cdn.example/c/new", follows=text),
            Correction("a.md", number, amp_link, text),
        ]
        assert len(correct("a.md", data, wishes, DEFAULT_RULES).made) == made
