"""The families of gates of the labelled test web: pages that are there, behind something."""

from __future__ import annotations

from benchmarks.labelled_families import family
from benchmarks.labelled_pages import Reply, Web, Writer, not_there

FORM = "<form action=/login><input name=user><input type=password><button>OK</button></form>"


@family("login", "seen")
def login_page(w: Writer) -> Web:
    """Every path leads to the login."""
    end = Reply(w.page(w.of("login"), w.chrome(f"<h1>{w.of('login')}</h1>{FORM}")))
    away = Reply(status=302, to="/login?next=x")
    return w.site(w.path(w.headline()), away, lambda _: away, **{"/login?next=x": end})


@family("login", "seen")
def login_in_place(w: Writer) -> Web:
    """Every path shows the login, and keeps its URL."""
    said = Reply(w.page(w.of("login"), w.chrome(f"<h1>{w.of('login')}</h1>{FORM}")))
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("login", "unseen")
def login_elsewhere(w: Writer) -> Web:
    """Every path leads to a login on a host of its own."""
    to = f"http://accounts.{w.host}/start?back=x"
    web = w.site(w.path(w.headline()), Reply(status=302, to=to), lambda _: Reply(status=302, to=to))
    web.pages[to] = Reply(w.page(w.of("login"), f"<h1>{w.of('login')}</h1><form><input name=mail></form>"))
    return web


@family("login", "unseen")
def login_at_root(w: Writer) -> Web:
    """Every path leads to the root, which is the login."""
    away = Reply(status=302, to="/")
    end = Reply(w.page(w.of("login"), f"<h1>{w.of('login')}</h1>{FORM}<p>{w.join(w.words(20))}</p>"))
    return w.site(w.path(w.headline()), away, lambda _: away, **{"/": end})


@family("paywall", "seen")
def teaser(w: Writer) -> Web:
    """The beginning of an article, and the offer to read on."""
    title = w.headline()
    body = f"<h1>{w.join(title)}</h1>{w.paragraphs(1)}<div>{w.of('paywall')}</div>"
    return w.site(w.path(title), Reply(w.page(w.join(title), w.chrome(body))), w.unknown())


@family("paywall", "unseen")
def not_free(w: Writer) -> Web:
    """An article that says for machines that it is not free."""
    title = w.headline()
    head = '<script type="application/ld+json">{"isAccessibleForFree": "False"}</script>'
    return w.site(w.path(title), Reply(w.page(w.join(title), w.chrome(w.paragraphs(1)), head)), w.unknown())


@family("paywall", "unseen")
def wall_for_all(w: Writer) -> Web:
    """The same offer at any path."""
    said = Reply(
        w.page(w.name, w.chrome(f"<h2>{w.of('paywall')}</h2><p>{w.join(w.words(20))}</p>"), bare=True)
    )
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("consent", "seen")
def consent_elsewhere(w: Writer) -> Web:
    """Every path leads to a page of consent on another host."""
    to = f"http://consent.{w.host}/collectConsent?sessionId=1"
    web = w.site(w.path(w.headline()), Reply(status=302, to=to), lambda _: Reply(status=302, to=to))
    web.pages[to] = Reply(w.page(w.name, f"<p>{w.of('consent')}</p>{w.paragraphs(2)}"))
    return web


@family("consent", "seen")
def consent_in_place(w: Writer) -> Web:
    """Every path shows the page of consent of a known platform."""
    script = "<script src=https://cdn.cookielaw.org/consent/x.js></script>"
    said = Reply(w.page(w.name, f"<p>{w.of('consent')}</p>{w.paragraphs(1)}{script}", bare=True))
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("consent", "unseen")
def consent_of_its_own(w: Writer) -> Web:
    """Every path shows a page of consent that the site made itself."""
    said = Reply(w.page(w.name, f"<h1>{w.name}</h1><p>{w.of('consent')}</p>{w.paragraphs(1)}", bare=True))
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("consent", "unseen")
def consent_and_back(w: Writer) -> Web:
    """Every path leads through a page of consent to the front page."""
    gate = f"http://{w.host}/privacywall/cookie-consent"
    web = w.site(w.path(w.headline()), Reply(status=302, to=gate), lambda _: Reply(status=302, to=gate))
    web.pages[gate] = Reply(status=302, to="/")
    return web


@family("challenge", "seen")
def challenge_refused(w: Writer) -> Web:
    """A wall that refuses with its mark."""
    said = Reply(
        "<title>Just a moment...</title>", w.rng.choice([403, 503]), headers={"cf-mitigated": "challenge"}
    )
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("challenge", "seen")
def challenge_in_place(w: Writer) -> Web:
    """A wall that answers 200 at any path."""
    script = "<script src=/_Incapsula_Resource?x=1></script>"
    said = Reply(
        w.page(
            "Pardon Our Interruption", f"<h1>Pardon Our Interruption</h1>{w.paragraphs(2)}{script}", bare=True
        )
    )
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("challenge", "unseen")
def challenge_script(w: Writer) -> Web:
    """A wall of hardly any word, that answers 200 at any path."""
    said = Reply(
        w.page(
            w.host,
            "<p>Please enable JS</p><script src=https://geo.captcha-delivery.com/c.js></script>",
            bare=True,
        )
    )
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("challenge", "unseen")
def challenge_for_strangers(w: Writer) -> Web:
    """A wall before one article; unknown paths are 404."""
    said = Reply("<script src=/.within.website/x/cmd/anubis/static.js></script>", 403)
    return w.site(w.path(w.headline()), said, not_there)


@family("consent", "unseen")
def consent_foreign(w: Writer) -> Web:
    """A page of consent in a language that no list of phrases has, by a known platform."""
    text = "Vi v\u00e4rdes\u00e4tter din integritet. Godk\u00e4nn alla kakor eller v\u00e4lj sj\u00e4lv."
    script = "<script src=https://cdn.privacy-mgmt.com/wrapper.js></script>"
    said = Reply(w.page(w.name, f"<h1>{w.name}</h1><p>{text} {w.join(w.words(20))}</p>{script}", bare=True))
    return w.site(w.path(w.headline()), said, lambda _: said)


@family("login", "unseen")
def login_foreign(w: Writer) -> Web:
    """A login in a language that no list of phrases has, at any path."""
    said = Reply(w.page(w.name, f"<h1>Logga in</h1><p>{w.join(w.words(40))}</p>{FORM}", bare=True))
    return w.site(w.path(w.headline()), said, lambda _: said)
