"""Rules for keys."""

from __future__ import annotations

from storage.model import Declared, Kind
from storage.records import DEFAULT_RULES, FieldRule, Rules, read_bytes

WEB = FieldRule(Kind.WEB)


def _fields(text: str, rules: Rules) -> list[str]:
    return [
        link.field for record in read_bytes("a.yaml", text.encode(), rules).records for link in record.links
    ]


def test_a_star_stands_for_letters_of_one_key() -> None:
    """It crosses no dot, and a rule without it wins."""
    rules = Rules({"*_url": WEB, "logo_url": None, "a*.b": WEB})
    text = "home_url: x\nlogo_url: x\nurl: x\nax: {b: x, c: {b: x}}\n"
    assert _fields(text, rules) == ["home_url", "ax.b"]


def test_a_key_with_a_dot_is_matched_as_a_path() -> None:
    """Both ways of writing it are the same key."""
    rules = Rules({"og.image": FieldRule(Kind.IMAGE)})
    assert _fields("og.image: x\nog: {image: y}\n", rules) == ["og.image", "og.image"]


def test_sizes_stand_beside_under_other_names() -> None:
    """The rule names them."""
    rules = Rules({"image.src": FieldRule(Kind.IMAGE, "w", "h", "kept")})
    text = "image: {src: x, w: 3, h: '4', kept: yes, width: 9}\n"
    [record] = read_bytes("a.yaml", text.encode(), rules).records
    assert record.links[0].declared == Declared(3, 4, True)


def test_items_may_have_another_name() -> None:
    """The entries of these keys are items."""
    rules = Rules({"url": WEB}, ["articles"])
    [record] = read_bytes("a.json", b'{"url": "x", "articles": [{"url": "y"}]}', rules).records
    assert [link.item for link in record.links] == ["", "articles[0]"]


def test_a_survey_tells_what_no_rule_takes() -> None:
    """Values that look like URLs, with their place; a rule that ends a key does not hide it."""
    rules = DEFAULT_RULES.surveying()
    text = "homepage: https://a.example/\ntitle: words https://x\nlist: [www.b.example/, //c.example/x]\n"
    [record] = read_bytes("a.yaml", text.encode(), rules).records
    assert [(value.keys, value.line, value.column) for value in record.unmapped] == [
        ("homepage", 1, 11),
        ("list", 3, 8),
        ("list", 3, 24),
    ]
