"""The size that an SVG says, and what it may not make the parser do."""

from __future__ import annotations

import codecs

import pytest

from crawler.pixels import Broken, More, NotImage, measure
from crawler.pixels.svg import LONGEST
from storage.model import Picture, Size

SAID = {
    'width="40" height="30"': Size(40, 30),
    'width=" 40px " height="30PX"': Size(40, 30),
    'width="+4e1" height="30."': None,
    'width="1in" height="2.54cm"': Size(96, 96),
    'width="3pt" height="3pc"': Size(4, 48),
    'width="10mm" height="40q"': Size(38, 38),
    'width="2em" height="2ex"': Size(32, 16),
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
    "a declaration": b'<?xml version="1.0" encoding="ISO-8859-1"?>\n',
    "a comment": b"<!-- made by hand, <html> in a comment -->",
    "a document type": b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://127.0.0.1:9/svg11.dtd">',
    "name spaces as entities": b'<!DOCTYPE svg [\n<!ENTITY ns "http://e.example/">\n]>\n',
}


@pytest.mark.parametrize("name", PROLOGS)
def test_what_may_stand_before_the_root(name: str) -> None:
    """Prologs are passed over, and entities are neither refused nor followed."""
    root = (
        b'<svg xmlns:x="&ns;" viewBox="0 0 40 30"/>' if "entities" in name else b'<svg viewBox="0 0 40 30"/>'
    )
    found = measure(PROLOGS[name] + root, complete=True)
    assert found == Picture(Size(40, 30), Size(40, 30), "SVG")


def test_utf_16() -> None:
    """An SVG may be UTF-16."""
    data = codecs.BOM_UTF16_LE + '<svg width="40" height="30"/>'.encode("utf-16-le")
    assert measure(data, complete=True) == Picture(Size(40, 30), Size(40, 30), "SVG")


def test_a_prefix() -> None:
    """The root may have a prefix."""
    data = b'<s:svg xmlns:s="http://www.w3.org/2000/svg" width="40" height="30"/>'
    assert measure(data, complete=True) == Picture(Size(40, 30), Size(40, 30), "SVG")


def test_a_bomb_of_entities_is_not_opened() -> None:
    """Entities that multiply are cut out unread: the size is the root's, or none."""
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 50}">' for n in range(1, 20))
    prolog = f'<!DOCTYPE svg [<!ENTITY e0 "ha">{lines}]>'
    found = measure(f'{prolog}<svg id="&e19;" width="40" height="30">&e19;</svg>'.encode(), complete=True)
    assert found == Picture(Size(40, 30), Size(40, 30), "SVG")


def test_entities_that_hide_the_root() -> None:
    """An SVG whose declarations cannot be cut out cleanly is an image without a size."""
    data = b"<!DOCTYPE svg [<!ENTITY a ']>'><!ENTITY b 'c'>]><svg width='40' height='30'/>"
    found = measure(data, complete=True)
    assert found == Picture(None, None, "SVG")


def test_an_entity_outside_of_an_svg() -> None:
    """Another document that declares entities is no image."""
    data = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    assert measure(data, complete=True) == NotImage("XML")


def test_a_long_prolog_asks_for_more() -> None:
    """While only a comment came, more is asked for, up to a bound."""
    data = b"<!-- " + b"words " * 20_000
    found = measure(data[:2048], complete=False)
    assert found == More(8192)
    assert measure(data[: LONGEST + 1], complete=False) == NotImage("text")


@pytest.mark.parametrize("data", [b'<svg width="40" height="30', b'<svg width="40> height="30">', b"<svg <"])
def test_a_root_that_is_broken(data: bytes) -> None:
    """An SVG whose root does not end, or is no XML, is broken."""
    assert measure(data, complete=True) == Broken("an SVG whose root cannot be read")


def test_an_svg_inside_a_page() -> None:
    """A page with a drawing in it is a page."""
    data = b"<!DOCTYPE html><html><body><svg width='40' height='30'/></body></html>"
    assert measure(data, complete=True) == NotImage("an HTML page")
