"""Writes the pages of the labelled test web: words, chrome and layouts, from one seeded generator a site."""

from __future__ import annotations

import random
import tomllib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

WORDS: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("labelled_words.toml").read_text(encoding="utf-8")
)
SPACELESS = {"ja", "zh"}
PARTINGS = (" | ", " - ", " \u2013 ")


@dataclass(frozen=True)
class Reply:
    """One answer."""

    body: str = ""
    status: int = 200
    to: str = ""
    headers: dict[str, str] = field(default_factory=dict)


Fallback = Callable[[str], Reply]


def not_there(_: str) -> Reply:
    """What an honest site says of an unknown path."""
    return Reply("<title>404</title>Not found", 404)


@dataclass
class Web:
    """One site, or two: the URL to check, what is at which URL, and what all other paths say, by host."""

    url: str
    pages: dict[str, Reply]
    fallback: dict[str, Fallback]


class Writer:
    """Writes for one site in one language; `unseen` chooses the wordings of the second half."""

    def __init__(self, rng: random.Random, language: str, number: int, *, unseen: bool) -> None:
        self.rng, self.language, self.unseen = rng, language, unseen
        self.say = WORDS[language]
        self.host = f"h{number}.{rng.choice(['example', 'example.com', 'news.example.org', 'example.net'])}"
        first, last = rng.choice(["The", "Daily", "New"]), rng.choice(["Herald", "Post", "Echo", "Star"])
        self.name = f"{first} {last}"
        self.style = rng.choice(["div", "section", "main", "article"])

    def of(self, key: str) -> Any:
        """A wording of this half."""
        return self.rng.choice(self.say[f"{key}_unseen" if self.unseen else key])

    def join(self, words: list[str]) -> str:
        """Words as this language writes them."""
        return ("" if self.language in SPACELESS else " ").join(words)

    def words(self, count: int) -> list[str]:
        """Words that mean nothing together."""
        return [self.rng.choice(self.say["words"] if n % 2 else self.say["small"]) for n in range(count)]

    def headline(self) -> list[str]:
        """The words of a headline."""
        return self.rng.sample(self.say["words"], self.rng.randint(4, 7))

    def paragraphs(self, count: int) -> str:
        """Some paragraphs."""
        return "".join(f"<p>{self.join(self.words(self.rng.randint(25, 60)))}.</p>" for _ in range(count))

    def slug(self, title: list[str]) -> str:
        """The name of an article in its URL: its title in ASCII, escaped, or a number."""
        plain = [unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode() for word in title]
        if all(plain):
            return "-".join(plain)
        return quote("-".join(title)) if self.rng.random() < 0.5 else f"a{self.rng.randint(10**5, 10**7)}"

    def path(self, title: list[str]) -> str:
        """Where an article lies, in one of the ways of news sites."""
        slug, rng = self.slug(title), self.rng
        day = f"{rng.randint(2015, 2026)}/{rng.randint(1, 12):02}/{rng.randint(1, 28):02}"
        section = rng.choice(["news", "world", "sport", "local"])
        return rng.choice(
            [f"/{section}/{slug}", f"/{day}/{slug}/", f"/{section}/{slug}-{rng.randint(1000, 99999)}.html",
             f"/{section}/{day}/{slug}.html", f"/{slug}/"]
        )  # fmt: skip

    def chrome(self, body: str, links: int = 0) -> str:
        """A body within the head and foot of the site, with links to other stories."""
        nav = "".join(f"<li><a href=/{n}>{item}</a></li>" for n, item in enumerate(self.say["nav"]))
        side = "".join(f"<li><a href=/s{n}>{self.join(self.headline())}</a></li>" for n in range(links))
        foot = f"<footer><p>{self.name} {self.join(self.say['nav'][5:])} 2026</p></footer>"
        main = f"<{self.style}>{body}</{self.style}>"
        return f"<header><ul>{nav}</ul></header>{main}<aside><ul>{side}</ul></aside>{foot}"

    def page(self, title: str, body: str, head: str = "", *, bare: bool = False) -> str:
        """A whole page."""
        named = title if bare else self.rng.choice(PARTINGS).join((title, self.name))
        return (
            f'<!doctype html><html lang="{self.language}"><head><meta charset="utf-8"><title>{named}</title>'
            f"{head}</head><body>{body}</body></html>"
        )

    def front(self) -> str:
        """The front page: the same each time it is asked for."""
        state = self.rng.getstate()
        self.rng.seed(self.host)
        text = self.page(
            self.name, self.chrome(f"<h1>{self.name}</h1>{self.paragraphs(2)}", links=15), bare=True
        )
        self.rng.setstate(state)
        return text

    def missing(self, *, echo: str = "", links: int = 0) -> str:
        """The site's "not found" page, in one wording a site."""
        state = self.rng.getstate()
        self.rng.seed(f"missing {self.host}")
        title, heading, text = self.of("missing")
        again = f"<p>{echo}</p>" if echo else ""
        body = f"<h1>{heading}</h1><p>{text}</p>{again}"
        made = self.page(title, self.chrome(body, links) if links >= 0 else body)
        self.rng.setstate(state)
        return made

    def article(self, title: list[str], count: int, head: str = "") -> str:
        """An article with its paragraphs."""
        line = self.join(title)
        return self.page(line, self.chrome(f"<h1>{line}</h1>{self.paragraphs(count)}", links=5), head)

    def unknown(self) -> Fallback:
        """How the site of a live page treats unknown paths: half of them honestly."""
        kind = self.rng.choice(["404", "404", "missing", "front", "root"])
        missing, front = self.missing(links=5), self.front()
        return {
            "404": not_there,
            "missing": lambda _: Reply(missing),
            "front": lambda _: Reply(front),
            "root": lambda path: Reply(front) if path == "/" else Reply(status=302, to="/"),
        }[kind]

    def site(self, path: str, reply: Reply, fallback: Fallback, **more: Reply) -> Web:
        """A web of this one host."""
        base = f"http://{self.host}"
        pages = {base + path: reply, f"{base}/": Reply(self.front())}
        pages |= {base + where: said for where, said in more.items()}
        return Web(base + path, pages, {self.host: fallback})
