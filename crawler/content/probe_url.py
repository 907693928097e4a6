"""A URL that cannot exist, made after one that may: same folder, same shape of name, random letters. Pure."""

from __future__ import annotations

import secrets
import string
from typing import Final
from urllib.parse import urlsplit

MIN_RANDOM_LETTERS: Final = 10  # random letters at least: no site has such a page by chance
MAX_PROBE_NAME_CHARACTERS: Final = 80  # characters of a name that are kept


def folder_of(url: str) -> str:
    """The URL up to the last slash of its path: what siblings share."""
    bare = url.partition("?")[0].partition("#")[0]
    has_path = bare.find("/", bare.find("://") + len("://")) >= 0
    return bare[: bare.rfind("/") + 1] if has_path else f"{bare}/"


def random_sibling(url: str) -> str:
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
    return f"{folder}{_random_name(stem[:MAX_PROBE_NAME_CHARACTERS])}{dot}{suffix}{slash}"


def _random_name(name: str) -> str:
    plain = name if name.isascii() and "%" not in name else ""
    letters = "".join(_random_letter(letter) for letter in plain)
    missing = MIN_RANDOM_LETTERS - sum(letter.isalpha() for letter in letters)
    return (
        _random_letters(missing) + ("-" if letters and missing > 0 else "") + letters
        if missing > 0
        else letters
    )


def _random_letter(letter: str) -> str:
    if letter.isalpha():
        return secrets.choice(string.ascii_lowercase)
    return "9" if letter.isdigit() else letter


def _random_letters(count: int) -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(count))
