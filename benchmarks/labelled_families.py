"""The families of sites of the labelled test web, by class and half; none is in both halves."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.labelled_pages import Reply, Web, Writer, not_there

Family = Callable[[Writer], Web]
FAMILIES: dict[tuple[str, str], list[Family]] = {}


def family(label: str, *halves: str) -> Callable[[Family], Family]:
    """Enter a family under its class and its half ("seen", "unseen")."""

    def enter(make: Family) -> Family:
        for half in halves:
            FAMILIES.setdefault((label, half), []).append(make)
        return make

    return enter


# Live pages


@family("live", "seen")
def told_article(w: Writer) -> Web:
    """An article that says so for machines."""
    title = w.headline()
    head = '<meta property="og:type" content="article"><link rel="canonical" href="' + w.path(title) + '">'
    return w.site(w.path(title), Reply(w.article(title, 6, head)), w.unknown())


@family("live", "seen")
def brief(w: Writer) -> Web:
    """A few lines within a large page."""
    title = w.headline()
    body = f"<h1>{w.join(title)}</h1><p>{w.join(w.words(30))}</p>"
    return w.site(w.path(title), Reply(w.page(w.join(title), w.chrome(body, links=12))), w.unknown())


@family("live", "seen")
def old_blog(w: Writer) -> Web:
    """A post without any metadata, at the address of a script."""
    title = w.headline()
    path = f"/blog/post.php?id={w.rng.randint(100, 9999)}"
    return w.site(path, Reply(w.page(w.join(title), w.chrome(w.paragraphs(3)))), w.unknown())


@family("live", "seen")
def renamed(w: Writer) -> Web:
    """An article that moved to a new place."""
    title = w.headline()
    new = f"/archive/{w.slug(title)}"
    return w.site(w.path(title), Reply(status=301, to=new), w.unknown(), **{new: Reply(w.article(title, 3))})


@family("live", "seen")
def about_errors(w: Writer) -> Web:
    """An article about pages that are not found."""
    wrong = "Page not found: a short history of the 404 error"
    path = "/tech/page-not-found-a-short-history-of-the-404-error"
    head = '<meta property="og:type" content="article">'
    return w.site(
        path, Reply(w.page(wrong, w.chrome(f"<h1>{wrong}</h1>{w.paragraphs(5)}"), head)), w.unknown()
    )


@family("live", "seen")
def drawn(w: Writer) -> Web:
    """A page that scripts draw, the same for every path."""
    shell = Reply(w.page(w.name, "<div id=root>Loading</div><script src=/app.js></script>", bare=True))
    return w.site(w.path(w.headline()), shell, lambda _: shell)


@family("live", "unseen")
def data_article(w: Writer) -> Web:
    """An article with JSON-LD, its name nowhere in its URL."""
    title = w.headline()
    head = '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "x"}</script>'
    path = f"/{w.rng.randint(10**6, 10**7)}"
    return w.site(path, Reply(w.article(title, 4, head)), w.unknown())


@family("live", "unseen")
def forum(w: Writer) -> Web:
    """A thread of short posts."""
    title = w.headline()
    posts = "".join(
        f"<div class=post><b>{w.join(w.words(1))}</b> {w.join(w.words(12))}</div>" for _ in range(8)
    )
    text = w.page(w.join(title), w.chrome(f"<h2>{w.join(title)}</h2>{posts}"))
    return w.site(f"/viewtopic.php?t={w.rng.randint(10, 9999)}", Reply(text), w.unknown())


@family("live", "unseen")
def picture(w: Writer) -> Web:
    """A picture with a caption, in a page of few words."""
    title = w.headline()
    body = f"<h1>{w.join(title)}</h1><img src=/i.jpg><p>{w.join(w.words(10))}</p>"
    return w.site(w.path(title), Reply(w.page(w.join(title), body)), w.unknown())


@family("live", "unseen")
def release(w: Writer) -> Web:
    """A press release, long and plain, behind a redirect to www."""
    title = w.headline()
    path = w.path(title)
    web = w.site(path, Reply(status=301, to=f"http://www.{w.host}{path}"), w.unknown())
    web.pages[f"http://www.{w.host}{path}"] = Reply(w.page(w.join(title), w.chrome(w.paragraphs(12))))
    return web


@family("live", "unseen")
def lost_dog(w: Writer) -> Web:
    """A story about somebody who was not found, or about a domain that is sold."""
    line, slug = w.rng.choice(
        [("Missing sailor not found after week of search", "missing-sailor-not-found-after-week"),
         ("Voice.example: the domain is for sale again", "voice-example-the-domain-is-for-sale"),
         ("New casino opens: slots and poker at the harbour", "new-casino-opens-slots-and-poker")]
    )  # fmt: skip
    return w.site(
        f"/news/{slug}", Reply(w.page(line, w.chrome(f"<h1>{line}</h1>{w.paragraphs(4)}"))), w.unknown()
    )


@family("live", "unseen")
def documentation(w: Writer) -> Web:
    """A page of a manual, with code and a heading of one word."""
    title = w.headline()[:2]
    code = "<pre>" + w.join(w.words(40)) + "</pre>"
    body = f"<h1>{w.join(title)}</h1>{w.paragraphs(1)}{code}"
    return w.site(f"/docs/{w.slug(title)}", Reply(w.page(w.join(title), w.chrome(body))), w.unknown())


@family("live", "unseen")
def one_title(w: Writer) -> Web:
    """A short story in a large page, on a site that gives all its pages one title."""
    body = f"<h1>{w.join(w.headline())}</h1><p>{w.join(w.words(12))}</p>"
    return w.site(
        w.path(w.headline()), Reply(w.page(w.name, w.chrome(body, links=12), bare=True)), w.unknown()
    )


@family("live", "unseen")
def stock(w: Writer) -> Web:
    """A table of numbers, the same words as on all such pages."""
    rows = "".join(f"<tr><td>{n}</td><td>{w.rng.random():.4f}</td></tr>" for n in range(30))
    title = w.headline()[:2]
    text = w.page(w.join(title), w.chrome(f"<h1>{w.join(title)}</h1><table>{rows}</table>"))
    return w.site(f"/quotes/{w.slug(title)}", Reply(text), w.unknown())


# Soft 404s


@family("soft-404", "seen")
def plain_message(w: Writer) -> Web:
    """A bare message for any path."""
    said = Reply(w.missing(links=-1))
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("soft-404", "seen")
def theme(w: Writer) -> Web:
    """A message within the whole page, with other stories at its side."""
    said = Reply(w.missing(links=8))
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("soft-404", "seen")
def front_for_all(w: Writer) -> Web:
    """The front page at any path."""
    said = Reply(w.front())
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("soft-404", "seen")
def led_to_message(w: Writer) -> Web:
    """Any path leads to a page of errors that answers 200."""
    more = {"/404.html": Reply(w.missing(links=3))}
    away = Reply(status=302, to="/404.html")
    return w.site(w.path(w.headline()), away, lambda _: away, **more)


@family("withdrawn", "seen")
def withdrawn(w: Writer) -> Web:
    """One article withdrawn with a message, on a site that is honest otherwise."""
    return w.site(w.path(w.headline()), Reply(w.missing(links=5)), not_there)


@family("soft-404", "unseen")
def echoing(w: Writer) -> Web:
    """A message that repeats the path, with other stories each time."""

    def said(path: str) -> Reply:
        return Reply(w.missing(echo=path, links=4))

    path = w.path(w.headline())
    return w.site(path, said(path), said)


@family("soft-404", "unseen")
def searching(w: Writer) -> Web:
    """Any path leads to a search for its words, which finds nothing."""
    title = w.headline()
    path = w.path(title)
    end = Reply(
        w.page(
            "Search", w.chrome(f"<h1>Search</h1><form><input name=q></form><p>0 {w.join(w.words(12))}</p>")
        )
    )
    to = f"/search?q={w.slug(title)}"

    def lead(asked: str) -> Reply:
        return (
            end
            if asked.startswith("/search")
            else Reply(status=302, to=f"/search?q={asked.strip('/')[-12:]}")
        )

    return w.site(path, Reply(status=302, to=to), lead, **{to: end})


@family("soft-404", "unseen")
def empty_layout(w: Writer) -> Web:
    """The layout of an article with nothing in it, at any path of its section."""
    text = w.page(w.name, w.chrome("<h1></h1><div class=text></div>", links=12), bare=True)
    return w.site(w.path(w.headline()), Reply(text), lambda _: Reply(text))


@family("soft-404", "unseen")
def led_to_section(w: Writer) -> Web:
    """Any path of a section leads to the section."""
    section = Reply(w.page(w.name, w.chrome(w.paragraphs(1), links=12), bare=True))
    away = Reply(status=301, to="/news/")
    return w.site(f"/news/{w.slug(w.headline())}", away, lambda _: away, **{"/news/": section})


@family("withdrawn", "unseen")
def removed(w: Writer) -> Web:
    """An honest site that says in its own words that one story is gone, and shows others."""
    return w.site(w.path(w.headline()), Reply(w.missing(links=9)), not_there)


# Redirects to the front page


@family("root", "seen")
def to_root(w: Writer) -> Web:
    """An old article leads to the front page; unknown paths are 404."""
    return w.site(w.path(w.headline()), Reply(status=w.rng.choice([301, 302]), to="/"), not_there)


@family("root", "seen")
def all_to_root(w: Writer) -> Web:
    """Every unknown path leads to the front page."""
    away = Reply(status=302, to="/")
    return w.site(w.path(w.headline()), away, lambda _: away)


@family("root", "unseen")
def to_language(w: Writer) -> Web:
    """Every unknown path leads to the front page in a language, in two hops."""
    away = Reply(status=302, to="/")
    more = {"/": Reply(status=302, to="/en/index.html"), "/en/index.html": Reply(w.front())}
    return w.site(w.path(w.headline()), away, lambda _: away, **more)


@family("root", "unseen")
def to_new_root(w: Writer) -> Web:
    """Every path of the old name leads to the front page of the new one."""
    new = f"http://www.new-{w.host}/"
    web = w.site(w.path(w.headline()), Reply(status=301, to=new), lambda _: Reply(status=301, to=new))
    web.pages[new] = Reply(w.front())
    return web


# Parked domains


@family("parked", "seen")
def lander(w: Writer) -> Web:
    """A lander with advertisements for any path."""
    script = "<script src=https://www.google.com/adsense/domains/caf.js></script>"
    said = Reply(w.page(w.host, f"<h1>{w.host}</h1><p>{w.of('sale')}</p>{script}", bare=True))
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("parked", "seen")
def sold_at(w: Writer) -> Web:
    """A redirect to a market of domains."""
    host = w.rng.choice(["www.hugedomains.com", "sedo.com", "dan.com", "www.afternic.com"])
    to = f"http://{host}/domain/{w.host}"
    web = w.site(w.path(w.headline()), Reply(status=302, to=to), lambda _: Reply(status=302, to=to))
    web.pages[to] = Reply(w.page(f"{w.host} is for sale", w.paragraphs(2), bare=True))
    return web


@family("parked", "seen")
def offered(w: Writer) -> Web:
    """A page that offers the domain, without any advertisement."""
    said = Reply(
        w.page(
            w.of("sale"), f"<h1>{w.host}</h1><p>{w.of('sale')}</p><form><input name=offer></form>", bare=True
        )
    )
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("parked", "unseen")
def framed(w: Writer) -> Web:
    """A frame of a parking service, and hardly a word."""
    frame = "<iframe src=https://c.parkingcrew.net/x></iframe><script src=https://img.sedoparking.com/a.js></script>"
    said = Reply(w.page(w.host, f"{frame}<p>{w.of('sale')}</p>", bare=True))
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("parked", "unseen")
def by_script(w: Writer) -> Web:
    """A page that its script fills, with the key of a parking service."""
    head = f"<html data-adblockkey=x><head><title>{w.host}</title></head>"
    text = f"{head}<body><script>window.park = 1</script></body></html>"
    return w.site(w.path(w.headline()), Reply(text), lambda _: Reply(text))


@family("parked", "unseen")
def market(w: Writer) -> Web:
    """A page of a market under the domain itself, in the words of a seller."""
    body = (
        f"<h1>{w.host}</h1><p>{w.of('sale')}</p><a href=https://www.afternic.com/forsale/{w.host}>€ 2,995</a>"
    )
    said = Reply(w.page(f"{w.host} - {w.of('sale')}", body, bare=True))
    return w.site(w.path(w.headline()), said, lambda _: said)


# Domains registered anew for their old links


@family("hijacked", "seen")
def shop(w: Writer) -> Web:
    """The same advertisement at any path."""
    line = w.of("spam")
    said = Reply(w.page(line, f"<h1>{line}</h1><p>{line}. {line}.</p>{w.paragraphs(3)}", bare=True))
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("hijacked", "unseen")
def shop_at_root(w: Writer) -> Web:
    """Any path leads to the advertisement at the root."""
    line = w.of("spam")
    web = w.site(w.path(w.headline()), Reply(status=301, to="/"), lambda _: Reply(status=301, to="/"))
    web.pages[f"http://{w.host}/"] = Reply(
        w.page(line, f"<h1>{line}</h1><p>{line}</p>{w.paragraphs(4)}", bare=True)
    )
    return web


@family("hijacked", "seen")
def shop_with_links(w: Writer) -> Web:
    """An advertisement at any path, that tells the path and changes a little each time."""
    line = w.of("spam")

    def said(path: str) -> Reply:
        return Reply(
            w.page(line, f"<h1>{line}</h1><p>{line}. {line}, {path}</p>{w.paragraphs(1)}{line}", bare=True)
        )

    path = w.path(w.headline())
    return w.site(path, said(path), said)


@family("hijacked", "unseen")
def shop_elsewhere(w: Writer) -> Web:
    """Any path leads to the advertisement on another domain."""
    line, to = w.of("spam"), f"http://best-offers-{w.rng.randint(1, 99)}.example.net/go"
    web = w.site(w.path(w.headline()), Reply(status=302, to=to), lambda _: Reply(status=302, to=to))
    web.pages[to] = Reply(w.page(line, f"<h1>{line}</h1><p>{line}</p>{w.paragraphs(2)}", bare=True))
    return web


@family("hijacked", "unseen")
def old_name(w: Writer) -> Web:
    """A new site under the old name: articles of its own, its front page at any path it does not know."""
    line = w.of("spam")
    text = w.page(line, w.chrome(f"<h1>{line}</h1><p>{line}</p>{w.paragraphs(2)}", links=6), bare=True)
    return w.site(w.path(w.headline()), Reply(text), lambda _: Reply(text))


# Harder ones: those of the second half were written after the last rule


@family("soft-404", "seen")
def rotating(w: Writer) -> Web:
    """The front page at any path, with half of its stories others each time."""

    def said(_: str) -> Reply:
        side = "".join(f"<h2>{w.join(w.headline())}</h2>{w.paragraphs(1)}" for _ in range(6))
        return Reply(
            w.page(w.name, w.chrome(f"<h1>{w.name}</h1>{w.paragraphs(1)}{side}", links=10), bare=True)
        )

    path = w.path(w.headline())
    return w.site(path, said(path), said)


FOREIGN = {
    "nl": (
        "Pagina niet gevonden",
        "Deze pagina bestaat niet meer. Ga terug naar de voorpagina of zoek opnieuw.",
    ),
    "pl": (
        "Nie znaleziono strony",
        "Strona, kt\u00f3rej szukasz, nie istnieje. Wr\u00f3\u0107 na stron\u0119 g\u0142\u00f3wn\u0105.",
    ),
    "sv": ("Sidan hittades inte", "Sidan du letar efter finns inte. G\u00e5 tillbaka till startsidan."),
}


@family("soft-404", "unseen")
def foreign(w: Writer) -> Web:
    """A message in a language that no list of phrases has."""
    title, text = FOREIGN[w.rng.choice(sorted(FOREIGN))]
    said = Reply(w.page(title, w.chrome(f"<h1>{title}</h1><p>{text}</p>", links=4)))
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("soft-404", "seen")
def quiet(w: Writer) -> Web:
    """A message without heading or title, in a page whose advice changes with each path."""

    def said(path: str) -> Reply:
        _, _, text = w.say["missing_unseen"][0]
        advice = "".join(f"<li>{w.join(w.headline())}</li>" for _ in range(4))
        return Reply(w.page(w.name, w.chrome(f"<p>{text} {path}</p><ul>{advice}</ul>"), bare=True))

    path = w.path(w.headline())
    return w.site(path, said(path), said)


@family("live", "unseen")
def commented(w: Writer) -> Web:
    """A short story with a comment that is no longer available, on a site of one title."""
    gone = "This comment is no longer available. Page not found."
    body = f"<h1>{w.join(w.headline())}</h1><p>{w.join(w.words(25))}</p><p>{gone}</p>"
    return w.site(
        w.path(w.headline()), Reply(w.page(w.name, w.chrome(body, links=3), bare=True)), w.unknown()
    )


@family("live", "unseen")
def gallery(w: Writer) -> Web:
    """Pictures with a caption of a few words and no heading, on a site of one title."""
    body = f"<img src=/1.jpg><img src=/2.jpg><p>{w.join(w.words(9))}</p>"
    return w.site(
        w.path(w.headline()), Reply(w.page(w.name, w.chrome(body, links=8), bare=True)), w.unknown()
    )


@family("live", "seen")
def back_to_root(w: Writer) -> Web:
    """A campaign that moved to the root of a name of its own."""
    new = f"http://campaign-{w.host}/"
    title = w.headline()
    web = w.site(f"/campaign/{w.slug(title)}", Reply(status=301, to=new), not_there)
    web.pages[new] = Reply(w.article(title, 4))
    return web


@family("soft-404", "unseen")
def tagged(w: Writer) -> Web:
    """An empty archive of whatever words the path has, which are its title."""

    def said(path: str) -> Reply:
        name = path.strip("/").rpartition("/")[2].replace("-", " ")
        _, heading, text = w.say["missing_unseen"][-1]
        return Reply(w.page(name, w.chrome(f"<h1>{name}</h1><h2>{heading}</h2><p>{text}</p>", links=4)))

    path = w.path(w.headline())
    return w.site(path, said(path), said)


@family("soft-404", "unseen")
def stamped(w: Writer) -> Web:
    """A message with the time and a number of its own each time, and nothing else to tell it by."""
    hint = w.paragraphs(2)

    def said(_: str) -> Reply:
        number = w.rng.randint(10**9, 10**10)
        body = f"<h1>{w.name}</h1>{hint}<p>{number} {w.join(w.words(3))} {number % 60}</p>"
        return Reply(w.page(w.name, w.chrome(body), bare=True))

    path = w.path(w.headline())
    return w.site(path, said(path), said)


@family("live", "unseen")
def moved_to_section(w: Writer) -> Web:
    """A page of two levels that became the front page of a section; unknown paths are 404."""
    section = Reply(w.page(w.name, w.chrome(w.paragraphs(2), links=8)))
    slug = w.slug(w.headline())
    return w.site(f"/guides/{slug}", Reply(status=301, to="/guides/"), not_there, **{"/guides/": section})


@family("live", "unseen")
def logo_heading(w: Writer) -> Web:
    """A story whose first heading and title are the name of the site, as on each of its pages."""
    title = w.headline()
    body = f"<h1>{w.name}</h1><h3>{w.join(title)}</h3>{w.paragraphs(2)}"
    return w.site(w.path(title), Reply(w.page(w.name, w.chrome(body), bare=True)), w.unknown())
