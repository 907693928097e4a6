"""The size that an SVG says, and what it may not make the parser do."""

from __future__ import annotations

import codecs

import pytest

from crawler.images import BrokenHeader, NeedMoreBytes, NotImage, measure
from crawler.images.formats.svg import MAX_PROLOG_BYTES
from crawler.images.formats.svg import NAMESPACE as NS
from storage.model import Picture, Size

pytestmark = pytest.mark.libraries

SAID = {
    'width="40" height="30"': Size(40, 30),
    'width=" 40px " height="30PX"': Size(40, 30),
    'width="+4e1" height="30."': None,
    'width="1in" height="2.54cm"': Size(96, 96),
    'width="3pt" height="3pc"': Size(4, 48),
    'width="10mm" height="40q"': Size(38, 38),
    'width="2em" height="2ex"': Size(32, 16),
    'width="2rem" height="1rem"': Size(32, 16),
    'width="40 px" height="30 px"': None,
    'width="\uff14\uff10" height="30"': None,
    'viewBox="0 0 40 30"': Size(40, 30),
    'viewBox="0,0, 40.4 , 29.6"': Size(40, 30),
    'viewBox="0 0 80 60" width="40"': Size(40, 30),
    'viewBox="0 0 80 60" height="30"': Size(40, 30),
    'viewBox="0 0 80 60" width="100%" height="100%"': Size(80, 60),
    'viewBox="0 0 80 60" width="40" height="10"': Size(40, 10),
    'width="100%" height="30"': None,
    'width="40"': None,
    'width="0" height="30"': None,
    'width="-4" height="30"': None,
    'width="forty" height="30"': None,
    'width="1e308" height="1e308"': None,
    'viewBox="0 0 nan inf"': None,
    'viewBox="0 0 40"': None,
    "": None,
}


@pytest.mark.parametrize(("said", "size"), SAID.items())
def test_the_size_it_says(said: str, size: Size | None) -> None:
    """Width and height in CSS lengths, else the view box; none where it says none."""
    data = f'<svg xmlns="http://www.w3.org/2000/svg" {said}>'.encode()
    assert measure(data + b" " * 64, complete=False) == Picture(size, size, "SVG")


PROLOGS = {
    "nothing": b"",
    "a byte order mark": codecs.BOM_UTF8,
    "space": b"\r\n  ",
    "a byte order mark, and space": codecs.BOM_UTF8 + b"\n ",
    "two byte order marks": codecs.BOM_UTF8 * 2,
    "a later version": b'<?xml version="1.1"?>\n',
    "a declaration": b'<?xml version="1.0" encoding="ISO-8859-1"?>\n',
    "a comment": b"<!-- made by hand, <html> in a comment -->",
    "a document type": b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://127.0.0.1:9/svg11.dtd">',
    "name spaces as entities": b'<!DOCTYPE svg [\n<!ENTITY ns "http://e.example/">\n]>\n',
}


@pytest.mark.parametrize("name", PROLOGS)
def test_what_may_stand_before_the_root(name: str) -> None:
    """Prologs are passed over, and entities are neither refused nor followed."""
    root = (
        b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="&ns;" viewBox="0 0 40 30"/>'
        if "entities" in name
        else b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 30"/>'
    )
    found = measure(PROLOGS[name] + root, complete=True)
    assert found == Picture(Size(40, 30), Size(40, 30), "SVG")


def test_utf_16() -> None:
    """An SVG may be UTF-16."""
    data = codecs.BOM_UTF16_LE + '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"/>'.encode(
        "utf-16-le"
    )
    assert measure(data, complete=True) == Picture(Size(40, 30), Size(40, 30), "SVG")


def test_a_prefix() -> None:
    """The root may have a prefix."""
    data = b'<s:svg xmlns:s="http://www.w3.org/2000/svg" width="40" height="30"/>'
    assert measure(data, complete=True) == Picture(Size(40, 30), Size(40, 30), "SVG")


def test_a_bomb_of_entities_is_not_opened() -> None:
    """Entities that multiply are given up early: browsers show none of it either."""
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 50}">' for n in range(1, 20))
    prolog = f'<!DOCTYPE svg [<!ENTITY e0 "ha">{lines}]>'
    root = f'<svg xmlns="{NS}" id="&e19;" width="40" height="30">&e19;</svg>'
    assert measure(f"{prolog}{root}".encode(), complete=True) == BrokenHeader(
        "an SVG whose root cannot be read"
    )


def test_entities_with_odd_texts() -> None:
    """What an entity stands for may look like the end of its declaration."""
    prolog = "<!DOCTYPE svg [<!ENTITY a ']>'><!ENTITY b '&a;c'>]>"
    data = f"{prolog}<svg xmlns='{NS}' width='40' height='30'>&b;</svg>".encode()
    assert measure(data, complete=True) == Picture(Size(40, 30), Size(40, 30), "SVG")


def test_an_entity_outside_of_an_svg() -> None:
    """Another document that declares entities is no image."""
    data = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    assert measure(data, complete=True) == NotImage("XML")


def test_a_long_prolog_asks_for_more() -> None:
    """While only a comment came, more is asked for, up to a bound."""
    data = b"<!-- " + b"words " * 200_000
    found = measure(data[:2048], complete=False)
    assert found == NeedMoreBytes(8192)
    assert measure(data[: MAX_PROLOG_BYTES + 1], complete=False) == NotImage("text")


@pytest.mark.parametrize("data", [b'<svg width="40" height="30', b'<svg width="40> height="30">', b"<svg <"])
def test_a_root_that_is_broken(data: bytes) -> None:
    """An SVG whose root does not end, or is no XML, is broken."""
    assert measure(data, complete=True) == BrokenHeader("an SVG whose root cannot be read")


def test_an_svg_inside_a_page() -> None:
    """A page with a drawing in it is a page."""
    data = b"<!DOCTYPE html><html><body><svg width='40' height='30'/></body></html>"
    assert measure(data, complete=True) == NotImage("an HTML page")


NOT_SHOWN = {
    "no namespace": '<svg width="40" height="30"/>',
    "another namespace": '<svg xmlns="http://e.example/" width="40" height="30"/>',
    "a prefix without its namespace": f'<svg xmlns="{NS}" width="40" height="30"><a b:c=""/></svg>',
    "an entity that is not declared": f'<svg xmlns="{NS}" width="40" height="30"><text>a&nbsp;b</text></svg>',
    "that entity, and a document type of SVG": (
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://127.0.0.1:9/svg11.dtd">'
        f'<svg xmlns="{NS}" width="40" height="30"><text>a&nbsp;b</text></svg>'
    ),
    "an attribute twice": f'<svg xmlns="{NS}" width="40" height="30" width="1"/>',
    "an ampersand": f'<svg xmlns="{NS}" width="40" height="30"><text>a & b</text></svg>',
    "text behind the root": f'<svg xmlns="{NS}" width="40" height="30"/>and more',
    "another XML": f'<?xml version="2.0"?><svg xmlns="{NS}" width="40" height="30"/>',
    "space before the declaration": f'\n<?xml version="1.0"?><svg xmlns="{NS}" width="40" height="30"/>',
}


@pytest.mark.parametrize("name", NOT_SHOWN)
def test_what_browsers_do_not_show(name: str) -> None:
    """An SVG in an `img` element is shown only if it is XML to its end, with all of its namespaces."""
    found = measure(NOT_SHOWN[name].encode(), complete=True)
    assert isinstance(found, BrokenHeader)
    assert not found.cut


def test_utf_16_that_does_not_say_so() -> None:
    """Without a byte order mark nothing tells it from UTF-8, in which NUL is no character."""
    data = f'<svg xmlns="{NS}" width="40" height="30"/>'.encode("utf-16-le")
    assert isinstance(measure(data, complete=True), BrokenHeader)


def test_an_svg_that_is_cut() -> None:
    """An SVG that lacks its end is told from one that is wrong."""
    found = measure(f'<svg xmlns="{NS}" width="40" height="30"><g>'.encode(), complete=True)
    assert isinstance(found, BrokenHeader)
    assert found.cut


@pytest.mark.parametrize("encoding", ["utf-16", "gbk", "shift_jis", "x-no-such-thing", "ISO-8859-1"])
def test_utf_8_under_another_name(encoding: str) -> None:
    """What is UTF-8 is read as UTF-8, whatever it says that it is."""
    prolog = f'<?xml version="1.0" encoding="{encoding}"?>'
    root = f'<svg xmlns="{NS}" width="40" height="30"><text>\u00e9\u4e2d</text></svg>'
    data = f"{prolog}{root}".encode()
    assert measure(data, complete=True) == Picture(Size(40, 30), Size(40, 30), "SVG")


@pytest.mark.parametrize(("encoding", "text"), [("gbk", "\u4e2d"), ("windows-1252", "\u20ac")])
def test_an_encoding_that_is_true(encoding: str, text: str) -> None:
    """What is no UTF-8 is read as the document says."""
    prolog = f'<?xml version="1.0" encoding="{encoding}"?>'
    document = f'{prolog}<svg xmlns="{NS}" width="4" height="3">{text}</svg>'
    assert measure(document.encode(encoding), complete=True) == Picture(Size(4, 3), Size(4, 3), "SVG")


@pytest.mark.parametrize(
    ("said", "side"), [("0.5", 1), ("1.5", 2), ("2.5", 3), ("100.49", 100), ("100.5", 101)]
)
def test_halves_round_up(said: str, side: int) -> None:
    """As browsers round, and not to the nearest even number."""
    data = f'<svg xmlns="{NS}" width="{said}" height="{said}"/>'.encode()
    assert measure(data, complete=True) == Picture(Size(side, side), Size(side, side), "SVG")
