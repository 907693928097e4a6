"""Sitemaps, RSS and Atom."""

from __future__ import annotations

import pytest

from storage.model import Declared, Kind
from storage.records import DEFAULT_RULES, FieldRule, Rules, read_bytes

SITEMAP = """\
<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="i" xmlns:xhtml="h">
  <url>
    <loc> https://a.example/é?x=1&amp;y=2</loc>
    <image:image><image:loc>https://pic.example/a.png</image:loc></image:image>
    <xhtml:link rel="alternate"
      hreflang="de" href='https://a.example/de'/>
  </url>
  <url><loc><![CDATA[https://b.example/]]></loc></url>
</urlset>
"""
FEED = """\
<rss><channel><link>https://news.example/</link>
<item><link>https://news.example/1</link><guid>urn:x</guid>
<enclosure url="https://pic.example/1.jpg" type="image/jpeg" length="3"/>
<media:thumbnail xmlns:media="m" url="https://pic.example/2.jpg" width="30" height="x"/>
<deep>https://deep.example/</deep></item>
</channel></rss>
"""


def test_a_sitemap_is_a_record_a_page() -> None:
    """Pages, their images and their translations, each where it stands."""
    first, second = read_bytes("a.xml", SITEMAP.encode()).records
    assert [(link.text, link.line, link.column, link.kind) for link in first.links] == [
        ("https://a.example/é?x=1&y=2", 4, 11, Kind.WEB),
        ("https://pic.example/a.png", 5, 29, Kind.IMAGE),
        ("https://a.example/de", 7, 27, Kind.WEB),
    ]
    assert [link.text for link in second.links] == ["https://b.example/"]


def test_a_feed_is_a_record_an_item() -> None:
    """The size that a feed gives beside an image is what it declares."""
    item, channel = read_bytes("a.xml", FEED.encode()).records
    assert [(link.field, link.kind, link.declared) for link in item.links] == [
        ("rss.channel.item.link", Kind.WEB, None),
        ("rss.channel.item.enclosure@url", Kind.IMAGE, None),
        ("rss.channel.item.thumbnail@url", Kind.IMAGE, Declared(30, "x")),
    ]
    assert [link.text for link in channel.links] == ["https://news.example/"]


def test_rules_take_what_the_standards_do_not_know() -> None:
    """A survey tells of it, and a rule takes it."""
    document = read_bytes("a.xml", FEED.encode(), DEFAULT_RULES.surveying())
    [value] = [value for record in document.records for value in record.unmapped]
    assert (value.keys, value.line, value.column) == ("rss.channel.item.deep", 5, 7)
    rules = Rules({"item.deep": FieldRule(Kind.WEB)})
    assert "https://deep.example/" in [
        link.text for link in read_bytes("a.xml", FEED.encode(), rules).records[0].links
    ]


def test_atom_is_read() -> None:
    """Entries and the feed itself."""
    text = '<feed><link href="https://a.example/"/><entry><link href="https://a.example/1"/></entry></feed>'
    assert [r.links[0].text for r in read_bytes("a.xml", text.encode()).records] == [
        "https://a.example/1",
        "https://a.example/",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<!DOCTYPE html><html><p>x</html>", "a page of HTML"),
        ('<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>', "entities"),
        ("<x>" * 200, "deeper"),
        ("<urlset><url>", "not XML"),
    ],
)
def test_what_is_no_feed_is_a_problem(text: str, reason: str) -> None:
    """Bombs and pages are refused with their reason."""
    [problem] = read_bytes("a.xml", text.encode()).problems
    assert reason in problem.reason


def test_entries_before_a_mistake_are_kept() -> None:
    """As in every format."""
    document = read_bytes("a.xml", b"<urlset>\n<url><loc>https://a.example/</loc></url>\n<url><loc>x</url>")
    assert [record.links[0].text for record in document.records] == ["https://a.example/"]
    assert document.problems[0].line == 3


def test_names_of_namespaces_are_no_links() -> None:
    """They look like URLs, and lead nowhere: a survey passes them over."""
    text = SITEMAP.replace(
        "<urlset", '<urlset xsi:schemaLocation="http://www.example.org/x" xmlns:xsi="http://x.example/"'
    )
    document = read_bytes("a.xml", text.encode(), DEFAULT_RULES.surveying())
    assert [record.unmapped for record in document.records] == [(), ()]
