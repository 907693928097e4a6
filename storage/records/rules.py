"""Which key holds which kind of URL: rules that the paths of keys end with, the longest first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Final

from storage.frozen import frozen
from storage.model import Kind

MAX_CACHED_PATHS: Final = 65_536  # paths of keys whose rule is remembered
# A value that somebody may have meant as a link.
URL_LIKE: Final = re.compile(r"https?://[^\s\"<>]+|//[^\s/?#]+\.\S+|www\.[^\s.]+\.\S+", re.IGNORECASE)


@frozen
class FieldRule:
    """What a key holds; `width`, `height` and `cached` are the keys beside it that describe an image."""

    kind: Kind
    width: str = "width"
    height: str = "height"
    cached: str = "isCached"


class KeyUse(IntEnum):
    """What the value of a key is for: nothing, the size beside an image, or a link."""

    NONE = 0
    SIZE = 1
    LINK = 2


class _KeyUses(dict[str, KeyUse]):
    """What the value of a key is for, remembered by key."""

    def __init__(self, rules: Rules) -> None:
        super().__init__()
        self._rules = rules

    def __missing__(self, key: str) -> KeyUse:
        use = self._rules.use_of(key)
        if len(self) < MAX_CACHED_PATHS:
            self[key] = use
        return use


class Rules:
    """The rules for the keys of records.

    A rule is the end of a path of keys, with dots between them and `*` for any letters of one key;
    the longest that fits wins, and one without a `FieldRule` makes no link. `items` are the keys
    whose entries are items of their own. `body`: links of the text behind a front matter count too,
    relative ones only if `relative`. `survey`: values that look like URLs, and that no rule takes,
    are gathered beside the links.
    """

    def __init__(
        self,
        fields: Mapping[str, FieldRule | None],
        items: Iterable[str] = ("related",),
        *,
        body: bool = False,
        relative: bool = False,
        survey: bool = False,
    ) -> None:
        self.fields = dict(fields)
        self.items = frozenset(items)
        self.body = body
        self.relative = relative
        self.survey = survey
        self.key_uses: Mapping[str, KeyUse] = _KeyUses(self)
        rules = [rule for rule in self.fields.values() if rule is not None]
        images = [rule for rule in rules if rule.kind is Kind.IMAGE]
        self.sibling_keys = frozenset(
            name for rule in images for name in (rule.width, rule.height, rule.cached)
        )
        self._patterns = [(_pattern(name), rule) for name, rule in sorted(self.fields.items(), key=_rank)]
        self._last_keys = re.compile("|".join(_glob(name.rpartition(".")[2]) for name in self.fields) or "$^")
        self._matches: dict[str, FieldRule | None] = {}

    def signature(self) -> str:
        """All that decides which links a record has, as text."""
        return repr((sorted(self.fields.items()), sorted(self.items), self.body, self.relative))

    def surveying(self) -> Rules:
        """The same rules, with the values that none of them takes."""
        return Rules(self.fields, self.items, body=self.body, relative=self.relative, survey=True)

    def use_of(self, key: str) -> KeyUse:
        """What the value of a key is for."""
        if self.survey or self._last_keys.fullmatch(key.rpartition(".")[2]):
            return KeyUse.LINK
        return KeyUse.SIZE if key in self.sibling_keys else KeyUse.NONE

    def match(self, names: tuple[str, ...]) -> FieldRule | None:
        """The rule for the value at a path of keys; None if it is no link."""
        path = ".".join(names)
        if path not in self._matches:
            if len(self._matches) >= MAX_CACHED_PATHS:
                self._matches.clear()
            fits = (rule for pattern, rule in self._patterns if pattern.search(path))
            self._matches[path] = next(fits, None)
        return self._matches[path]


def _rank(field: tuple[str, FieldRule | None]) -> tuple[int, bool, int, str]:
    """The order in which rules are tried: more keys, no `*`, more letters first."""
    name = field[0]
    return -name.count("."), "*" in name, -len(name), name


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?:^|\.){_glob(name)}$")


def _glob(text: str) -> str:
    return "[^.]*".join(map(re.escape, text.split("*")))


def web_fields(*names: str) -> dict[str, FieldRule]:
    """Rules for keys that hold the URLs of pages."""
    return dict.fromkeys(names, FieldRule(Kind.WEB))


def image_fields(*names: str) -> dict[str, FieldRule]:
    """Rules for keys that hold the URLs of images, their sizes beside them."""
    return dict.fromkeys(names, FieldRule(Kind.IMAGE))


DEFAULT_RULES: Final = Rules(
    {
        **web_fields("webUrl", "originalUrl", "sourceUrl", "related.url", "website", "actions.url"),
        **web_fields("twitter.url", "linkedin.url", "youtube.url", "twitch.url"),
        **dict.fromkeys(("ampWebUrl", "ampUrl"), FieldRule(Kind.AMP)),
        **dict.fromkeys(("cdnAmpWebUrl", "cdnAmpUrl"), FieldRule(Kind.AMP_CDN)),
        **image_fields("images.url"),
    }
)
