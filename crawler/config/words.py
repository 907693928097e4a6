"""Keys whose words mean more than their type says, and the nearest word to one that is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from crawler.config.ignore import leaves_all_out
from storage.model import Class, Issue, State, Verdict

FAIL_ON_WORDS: Final = frozenset(
    {"issues", "none", *(word.value for words in (Class, Verdict, Issue, State) for word in words)}
)
HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2


def nearest(word: str, vocabulary: Iterable[str]) -> str:
    """What somebody may have meant, to stand behind a message about a wrong word."""
    words = sorted(vocabulary)
    near = get_close_matches(word, words, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(words)}"


def nearest_only(word: object, vocabulary: Iterable[object]) -> str:
    """As `nearest`, where all words stand in the message already: nothing if none is near."""
    near = get_close_matches(str(word), [str(item) for item in vocabulary], 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _fail_on(value: object) -> Iterator[tuple[str, str]]:
    for word in value if isinstance(value, tuple) else ():
        if word not in FAIL_ON_WORDS:
            why = f"{word!r} is no class, verdict, issue or state{nearest(word, FAIL_ON_WORDS)}"
            yield "[report] fail_on", why


def _exclude(value: object) -> Iterator[tuple[str, str]]:
    for pattern in value if isinstance(value, tuple) else ():
        if leaves_all_out(pattern):
            yield "[records] exclude", f"{pattern!r} leaves everything out"


# A key of [network.headers] whose headers go to every host, so none of them may be a secret.
EVERY_HOST: Final = "*"
SECRET_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})


def _header_names(value: object) -> Iterator[tuple[str, str]]:
    for host, fields in value.items() if isinstance(value, dict) else ():
        for name in fields:
            if not HEADER_NAME.fullmatch(name):
                yield f'[network.headers."{host}"]', f"{name!r} is no name of a header"
            elif host == EVERY_HOST and name.lower() in SECRET_HEADERS:
                yield (
                    f'[network.headers."{host}"]',
                    f"{name} is a secret: write it for one host",
                )


# By section and key: each mistake with the key it is told of.
KEY_CHECKS: Final[Mapping[tuple[str, str], Callable[[object], Iterator[tuple[str, str]]]]] = {
    ("report", "fail_on"): _fail_on,
    ("network", "headers"): _header_names,
    ("records", "exclude"): _exclude,
}
