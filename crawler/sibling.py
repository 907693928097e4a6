"""A URL that cannot exist, made after one that may: same folder, same shape of name, random letters. Pure."""

from __future__ import annotations

import secrets
import string
from typing import Final
from urllib.parse import urlsplit, urlunsplit

LETTERS: Final = 10  # random letters at least: no site has such a page by chance
LONGEST: Final = 80  # characters of a name that are kept


def folder_of(url: str) -> str:
    """The URL up to the last slash of its path: what siblings share."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.rpartition('/')[0]}/", "", ""))


def sibling(url: str) -> str:
    """A random sibling of a URL; what follows its path is left out.

    Letters become other letters and digits become 9, since a site may choose by the shape of a name who
    answers; a number of nines is seldom one that was given to an article.
    """
    path = urlsplit(url).path
    slash = "/" if path.endswith("/") and path != "/" else ""
    folder = folder_of(url.partition("?")[0].rstrip("/") if slash else url)
    name = path.rstrip("/").rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    if not dot or not suffix.isalnum() or not stem:
        stem, dot, suffix = name, "", ""
    return f"{folder}{_random(stem[:LONGEST])}{dot}{suffix}{slash}"


def _random(name: str) -> str:
    plain = name if name.isascii() and "%" not in name else ""
    made = "".join(_other(letter) for letter in plain)
    missing = LETTERS - sum(letter.isalpha() for letter in made)
    return _letters(missing) + ("-" if made and missing > 0 else "") + made if missing > 0 else made


def _other(letter: str) -> str:
    if letter.isalpha():
        return secrets.choice(string.ascii_lowercase)
    return "9" if letter.isdigit() else letter


def _letters(count: int) -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(count))
