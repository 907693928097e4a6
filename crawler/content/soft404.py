"""Whether a page that answers 200 is the site's "not found" page: evidence that adds up.

Each sign has points; `MIN_SOFT_404_POINTS` of them make a soft 404. docs/verdicts.md has the same table. What
the site's structure says comes first: where a deep URL was led to, and what the site says of a
sibling that cannot exist (the probe). Words come last, and a page that shows itself to be an
article, or a gate before one, weighs against all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crawler.checks.amp import canonical_link
from crawler.checks.html import ParsedPage
from crawler.checks.words import words
from crawler.content import url_shape
from crawler.content.fingerprint import (
    likeness,
    own_pair_count,
    same_title,
    word_likeness,
)
from crawler.content.interstitials import closure, interstitial, interstitial_hop, is_login
from crawler.content.notices import notice_phrase, notice_signs
from crawler.content.observation import ObservedPage, ProbeResult
from crawler.content.rendering import is_shell
from crawler.urls import host_of

MIN_SOFT_404_POINTS: Final = 60
MIN_PROBE_POINTS: Final = 15  # points that are worth a probe
SAME_LIKENESS: Final = 0.9  # of the words of two pages, 0 to 1
NEAR_LIKENESS: Final = 0.7
MAX_OWN_PAIRS: Final = 15  # pairs of words; a page with more of its own says something that its site does not
OPENING_CHARACTERS: Final = 4000  # characters in which a page says what it is about
MIN_TOPIC_WORDS: Final = 2  # words of the URL that the title of a page repeats

ARTICLE_TYPES: Final = ("article", "newsarticle", "reportagenewsarticle", "blogposting", "liveblogposting")


Signs = Iterator[tuple[str, int]]


def soft_404_signs(observation: ObservedPage, probe: ProbeResult | None) -> dict[str, int]:
    """The signs for and against a soft 404, with their points."""
    if observation.page is None and not observation.was_redirected:
        return {}  # led nowhere, and not read: nothing speaks for anything
    if url_shape.is_deep(observation.url):
        return _signs(observation, probe)
    if not url_shape.is_one_word(observation.url):
        return {}
    return _signs(observation, probe) if _agree(observation, probe) else {}


def _agree(observation: ObservedPage, probe: ProbeResult | None) -> bool:
    """Whether probe and page agree so far that even a page of one word, often a section, may be gone.

    Either both were led to the front page, or the page looks like the probe's and says that it is not there.
    """
    if probe is None or not probe.says_present:
        return False
    if observation.was_redirected:
        return _led_home_alike(observation, probe)
    has_notice = any(notice_signs(observation))
    likenesses = _likeness_signs(observation, probe, has_notice=has_notice)
    return has_notice and sum(points for _, points in likenesses) >= MIN_PROBE_POINTS


def _signs(observation: ObservedPage, probe: ProbeResult | None) -> dict[str, int]:
    signs = dict(_structure_signs(observation, probe))
    if observation.page is None:
        return signs
    notices = dict(notice_signs(observation))
    has_notice = bool(notices)
    likenesses = dict(_likeness_signs(observation, probe, has_notice=has_notice))
    if probe is not None and probe.phrase is not None and probe.phrase == notice_phrase(observation):
        likenesses["says so in the words of a page that cannot exist"] = 20
    if any(points > 0 for points in likenesses.values()) and is_stranger(observation):
        likenesses["it says nothing of what its URL names"] = 15
    return {
        **signs,
        **likenesses,
        **notices,
        **dict(_canonical_signs(observation, has_notice=has_notice)),
        **dict(_counter_signs(observation, observation.page, probe, has_notice=has_notice)),
    }


def is_comparable(observation: ObservedPage) -> bool:
    """Whether a page was read whole, and has enough words, or a notice, to compare others with it."""
    if observation.page is None or not observation.whole:
        return False
    return not is_shell(observation) or any(notice_signs(observation))


def names_itself(observation: ObservedPage) -> bool:
    """Whether a page is, by its own words, what its URL names: no probe can say more of it.

    Its title or a heading has half of the words of the path at least, and two of them.
    """
    page = observation.page
    if page is None or observation.was_redirected or is_shell(observation):
        return False
    topic = url_shape.topic_words(observation.url)
    common = topic.intersection(words(" ".join((page.title, *page.headings))))
    enough = len(common) >= max(MIN_TOPIC_WORDS, len(topic) / 2)
    return enough and not any(notice_signs(observation))


def is_stranger(observation: ObservedPage) -> bool:
    """Whether a page says nothing of what its URL names in three words or more, in letters of the same kind.

    A name in Latin letters may stand for a title in others, so the title has to have some of the name's kind.
    """
    page = observation.page
    if page is None:
        return False
    topic = url_shape.topic_words(observation.url)
    latin = {word for word in topic if word.isascii()}
    names = latin if len(latin) >= len(topic - latin) else topic - latin
    is_latin = names is latin
    if len(names) < url_shape.MIN_SLUG_WORDS or all(word.isascii() != is_latin for word in words(page.title)):
        return False
    return names.isdisjoint(words(" ".join((page.title, *page.headings, page.text[:OPENING_CHARACTERS]))))


def _structure_signs(observation: ObservedPage, probe: ProbeResult | None) -> Signs:
    led_alike = probe is not None and probe.was_redirected and same_end(probe.final, observation.final)
    if not observation.was_redirected or (observation.refreshed and not led_alike):
        return
    same_site = host_of(observation.url).removeprefix("www.") == host_of(observation.final).removeprefix(
        "www."
    )
    if url_shape.is_error_page(observation.final):
        yield "led to an error page", 50
    elif url_shape.is_search(observation.final) and not url_shape.is_search(observation.url):
        yield "led to a search page", 40
    elif url_shape.is_root(observation.final):
        yield "led to the front page", 45 if same_site else 25
        if url_shape.is_slug(observation.url):
            yield "named an article", 20
    elif url_shape.is_section(observation.final, observation.url):
        yield "led to its section", 30
    if led_alike:
        yield "led where a page that cannot exist is led", 35


def same_end(first_url: str, second_url: str) -> bool:
    """Whether two chains end at the same place, or both at a search."""
    return url_shape.same_path(first_url, second_url) or (
        url_shape.is_search(first_url) and url_shape.is_search(second_url)
    )


def _likeness_signs(observation: ObservedPage, probe: ProbeResult | None, *, has_notice: bool) -> Signs:
    page_print = observation.fingerprint
    probe_print = probe.fingerprint if probe is not None else None
    if page_print is None or probe_print is None or not observation.whole:
        return
    if (is_shell(observation) or not (probe and probe.comparable)) and not has_notice:
        return
    alike = word_likeness(page_print, probe_print)
    if alike >= SAME_LIKENESS and own_pair_count(page_print, probe_print) <= MAX_OWN_PAIRS:
        yield "the same words as a page that cannot exist", 40
    elif alike >= NEAR_LIKENESS:
        yield "nearly the words of a page that cannot exist", 20
    if same_title(page_print, probe_print):
        yield "the same title as a page that cannot exist", 20
    elif len(set(page_print.title[1]) - set(probe_print.title[1])) >= MIN_TOPIC_WORDS:
        yield "a title of its own", -30
    if likeness(page_print.shape, probe_print.shape) >= SAME_LIKENESS:
        yield "built like a page that cannot exist", 10
    if page_print.heading and page_print.heading == probe_print.heading:
        yield "the same heading as a page that cannot exist", 15
    elif len(set(page_print.heading) - set(probe_print.heading)) >= MIN_TOPIC_WORDS:
        yield "a heading of its own", -30


def _canonical_signs(observation: ObservedPage, *, has_notice: bool) -> Signs:
    page = observation.page
    if page is None or observation.was_redirected or (is_shell(observation) and not has_notice):
        return
    canonical_url = canonical_link(page, observation.final)
    if canonical_url is not None and url_shape.is_root(canonical_url):
        yield "its canonical link is the front page", 25


def _led_home_alike(observation: ObservedPage, probe: ProbeResult | None) -> bool:
    """Whether the page and the probe were both redirected to the front page."""
    if probe is None or not probe.was_redirected or not observation.was_redirected:
        return False
    return url_shape.is_root(observation.final) and same_end(probe.final, observation.final)


def _counter_signs(
    observation: ObservedPage, page: ParsedPage, probe: ProbeResult | None, *, has_notice: bool
) -> Signs:
    barrier = None
    if _led_home_alike(observation, probe) and not is_login(page):
        barrier = interstitial_hop(observation.hops)  # what stands on the front page bars no other page
    else:
        barrier = closure(page) if has_notice else interstitial(page, observation.hops)
    if barrier is not None:
        yield f"a gate: {barrier}", -200
    if is_article(page):
        yield "says that it is an article", -40
    lines = page.title if has_notice else " ".join((page.title, *page.headings))
    if len(set(words(lines)) & url_shape.topic_words(observation.url)) >= MIN_TOPIC_WORDS:
        yield "its title or heading is what the URL names", -30
    if probe is not None and probe.says_absent and not observation.was_redirected:
        yield "the site says 404 where it means it", -30


def is_article(page: ParsedPage) -> bool:
    """Whether a page says of itself, for machines, that it is an article."""
    if page.meta.get("article:published_time") or page.meta.get("og:type", "").lower() == "article":
        return True
    data = "".join(page.data.casefold().split())
    return any(f'"@type":"{name}"' in data for name in ARTICLE_TYPES)
