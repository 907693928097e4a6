"""The vocabulary: plain frozen values that name what is at rest. No input or output in here.

A record is one document; a link is one URL as one field of one record says it; a target is one
distinct URL, however many links name it; a finding is what one check of one target says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

# How the detail of a finding begins where the first failures of a host spoke for the others.
SPARED: Final = "not asked itself: "


class Kind(StrEnum):
    """What a link promises to lead to."""

    WEB = "web"
    AMP = "amp"
    AMP_CDN = "amp-cdn"
    IMAGE = "image"


class Class(StrEnum):
    """What a verdict means for the reader of a page."""

    ALIVE = "alive"
    HARD = "hard"
    SOFT = "soft"
    TRANSIENT = "transient"
    UNKNOWN = "unknown"
    CONTENT = "content"
    UNCHECKED = "unchecked"


class Verdict(StrEnum):
    """What one check of one target says; `docs/verdicts.md` has a sentence for each."""

    OK = "ok"
    MOVED = "moved"
    REDIRECTED = "redirected"
    GONE = "gone"
    NOT_FOUND = "not-found"
    LEGAL_BLOCK = "legal-block"
    CLIENT_ERROR = "client-error"
    NO_SUCH_HOST = "no-such-host"
    REDIRECT_LOOP = "redirect-loop"
    TOO_MANY_REDIRECTS = "too-many-redirects"
    BAD_REDIRECT = "bad-redirect"
    SERVER_ERROR = "server-error"
    TLS_EXPIRED = "tls-expired"
    TLS_HOSTNAME = "tls-hostname"
    TLS_UNTRUSTED = "tls-untrusted"
    TLS_PROTOCOL = "tls-protocol"
    BAD_RESPONSE = "bad-response"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    RESET = "reset"
    UNREACHABLE = "unreachable"
    DNS_FAILURE = "dns-failure"
    AUTH_REQUIRED = "auth-required"
    BOT_BLOCKED = "bot-blocked"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate-limited"
    SOFT_404 = "soft-404"
    PARKED = "parked"
    WRONG_TYPE = "wrong-type"
    UNDECODABLE = "undecodable"
    TRUNCATED = "truncated"
    TOO_LARGE = "too-large"
    PLACEHOLDER = "placeholder"
    NOT_AMP = "not-amp"
    INVALID_URL = "invalid-url"
    UNSUPPORTED_SCHEME = "unsupported-scheme"
    BLOCKED_ADDRESS = "blocked-address"
    EXCLUDED = "excluded"
    ROBOTS_DENIED = "robots-denied"
    FRESH = "fresh"
    NOT_REACHED = "not-reached"
    LOCAL_OUTAGE = "local-outage"
    CRASHED = "crashed"

    @property
    def cls(self) -> Class:
        """The one class this verdict belongs to."""
        return CLASS_OF[self]


VERDICTS: Final[dict[Class, tuple[Verdict, ...]]] = {
    Class.ALIVE: (Verdict.OK, Verdict.MOVED, Verdict.REDIRECTED),
    Class.HARD: (
        Verdict.GONE,
        Verdict.NOT_FOUND,
        Verdict.LEGAL_BLOCK,
        Verdict.CLIENT_ERROR,
        Verdict.NO_SUCH_HOST,
        Verdict.REDIRECT_LOOP,
        Verdict.TOO_MANY_REDIRECTS,
        Verdict.BAD_REDIRECT,
    ),
    Class.SOFT: (
        Verdict.SERVER_ERROR,
        Verdict.TLS_EXPIRED,
        Verdict.TLS_HOSTNAME,
        Verdict.TLS_UNTRUSTED,
        Verdict.TLS_PROTOCOL,
        Verdict.BAD_RESPONSE,
    ),
    Class.TRANSIENT: (
        Verdict.UNAVAILABLE,
        Verdict.TIMEOUT,
        Verdict.REFUSED,
        Verdict.RESET,
        Verdict.UNREACHABLE,
        Verdict.DNS_FAILURE,
    ),
    Class.UNKNOWN: (
        Verdict.AUTH_REQUIRED,
        Verdict.BOT_BLOCKED,
        Verdict.FORBIDDEN,
        Verdict.RATE_LIMITED,
    ),
    Class.CONTENT: (
        Verdict.SOFT_404,
        Verdict.PARKED,
        Verdict.WRONG_TYPE,
        Verdict.UNDECODABLE,
        Verdict.TRUNCATED,
        Verdict.TOO_LARGE,
        Verdict.PLACEHOLDER,
        Verdict.NOT_AMP,
    ),
    Class.UNCHECKED: (
        Verdict.INVALID_URL,
        Verdict.UNSUPPORTED_SCHEME,
        Verdict.BLOCKED_ADDRESS,
        Verdict.EXCLUDED,
        Verdict.ROBOTS_DENIED,
        Verdict.FRESH,
        Verdict.NOT_REACHED,
        Verdict.LOCAL_OUTAGE,
        Verdict.CRASHED,
    ),
}
CLASS_OF: Final[dict[Verdict, Class]] = {
    verdict: cls for cls, verdicts in VERDICTS.items() for verdict in verdicts
}


class State(StrEnum):
    """What the history of a target says."""

    NEW = "new"
    ALIVE = "alive"
    SUSPECT = "suspect"
    DEAD = "dead"


class PinWord(StrEnum):
    """What a person may say of a target."""

    ALIVE = "alive"
    DEAD = "dead"
    IGNORE = "ignore"


class Issue(StrEnum):
    """What is wrong with one link, beside the verdict of its target."""

    SIZE_MISMATCH = "size-mismatch"
    SIZE_ROTATED = "size-rotated"
    SIZE_SCALED = "size-scaled"
    CACHE_STALE = "cache-stale"
    AMP_UNPAIRED = "amp-unpaired"
    AMP_CACHE_URL = "amp-cache-url"
    INSECURE_SCHEME = "insecure-scheme"
    DECLARED_INVALID = "declared-invalid"
    FRAGMENT_MISSING = "fragment-missing"


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Declared:
    """What a record says of an image.

    `width` and `height` are pixels where the record gives a positive integer (plain or quoted),
    the text as written where it gives anything else (`declared-invalid`), None where it is silent.
    """

    width: int | str | None = None
    height: int | str | None = None
    cached: bool | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One URL as one field of one record says it; `line` and `column` are 1-based.

    `text` is the URL as the record says it, white space around it trimmed; `item` is the path of
    the entry it belongs to: "" for the record itself, "related[2]" for an entry of `related`.
    A record that stands in a list or in a stream of documents has its own prefix in both paths.
    """

    field: str
    line: int
    column: int
    text: str
    kind: Kind
    item: str = ""
    declared: Declared | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file, or a part of it, could not be read; `line` is 1-based, None for a whole file."""

    path: str
    line: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """One document with all links it holds, in the order of the text.

    `path` is the file's path as the user named it; several records of one file (a list, a stream
    of documents, JSON lines) share it and differ by `index`, 0-based.
    """

    path: str
    index: int
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells whether a file has changed: bytes, modification time in ns, SHA-256 in hex."""

    size: int
    mtime_ns: int
    digest: str


@dataclass(frozen=True, slots=True)
class Document:
    """One file, read: its records and what was wrong with it. Either may be empty."""

    path: str
    stamp: Stamp | None
    records: tuple[Record, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """One distinct request URL, due for a check, with the most demanding kind of its links.

    `url` is the request URL (for what cannot be parsed: the text); `id` its row in the database;
    `fragments` are those of its links that are to be looked for on the page.
    """

    id: int
    url: str
    kind: Kind
    fragments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hop:
    """One request sent, and its outcome: `status`, or `error` (a verdict name) when none came.

    `elapsed` is in seconds; `attempt` and the order in a finding are 1-based; `address` is where
    the connection went.
    """

    url: str
    method: str
    status: int | None
    error: str | None = None
    elapsed: float = 0.0
    attempt: int = 1
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """What the bytes of an image say. `size` is what a browser shows, EXIF orientation applied.

    `stored` is the size before that; `bytes` is the length of the whole file where known;
    `digest` ("sha256:...") and `cached` (the path below the cache) only once it was kept.
    """

    size: Size | None
    stored: Size | None
    format: str
    orientation: int = 1
    frames: int | None = None
    mode: str | None = None
    bytes: int | None = None
    digest: str | None = None
    cached: str | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """What a server said of an image beside its bytes, as it said it; `url` is the hop that answered."""

    url: str
    etag: str | None = None
    last_modified: str | None = None
    cache_control: str | None = None
    age: str | None = None
    expires: str | None = None
    vary: str | None = None
    content_type: str | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Cached:
    """One entry of the index of the image cache: what is kept of a target, and how it came.

    `picture` has the digest and the length in bytes; `proof` is "pixels" or "structure";
    `stored_at` is when these bytes came, `confirmed_at` when the server last stood by them (UTC);
    `likeness` are 64 bits that say how the picture looks, where its pixels were decoded for it.
    """

    target: int
    picture: Picture
    served: Served
    proof: str
    stored_at: datetime
    confirmed_at: datetime
    likeness: int | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """What a site said of a page that cannot exist, in one folder (a URL that ends with a slash).

    `said` is JSON-ready and for the check that reads it; it holds from `asked_at` to `due_at` (UTC).
    """

    folder: str
    asked: str
    final: str
    status: int
    said: Mapping[str, Any]
    asked_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Redirect:
    """One hop of the redirect chain of the last attempt: the URL asked, and its 3xx status."""

    url: str
    status: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check of one target says. One row a target and run.

    `checked_at` and `retry_at` are UTC; `elapsed` is seconds from the first request to the
    verdict, waits included; `bytes` counts body bytes received; `requests` every request sent.
    `retry_at` is set when the server, or the lane, named a time before which not to come back.
    `evidence` is small, JSON-ready and for `explain`: header values that mattered, rule, TLS.
    `cached` is what the index of the image cache shall say from now on, if this check changed it;
    `probes` is what was learned of sites meanwhile.
    """

    target: int
    url: str
    verdict: Verdict
    checked_at: datetime
    status: int | None = None
    final_url: str | None = None
    moved_to: str | None = None
    redirects: tuple[Redirect, ...] = ()
    hops: tuple[Hop, ...] = ()
    attempts: int = 0
    requests: int = 0
    elapsed: float = 0.0
    bytes: int = 0
    detail: str | None = None
    picture: Picture | None = None
    retry_at: datetime | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    cached: Cached | None = None
    probes: tuple[Probe, ...] = ()


class Standing(NamedTuple):
    """The memory of one target that is enough to judge its next finding, all times UTC.

    `failures` counts failing checks since `failing_since`, `hard` the hard ones among them since
    `hard_since`. `alive_streak` counts alive checks in a row. `turns` are the times of the latest
    changes of state, the oldest first; the first word on a target is no change. A tuple, since
    every finding makes one, and a tuple is made in a fifth of the time (benchmarks/ledger.py).
    """

    state: State = State.NEW
    since: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    hard_since: datetime | None = None
    hard: int = 0
    alive_streak: int = 0
    turns: tuple[datetime, ...] = ()
    checked_at: datetime | None = None
    next_due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """A person's word on the target `url`, its credentials masked; `at` is UTC."""

    url: str
    word: PinWord
    why: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LinkIssue:
    """One issue of one link, with what was expected and what is there, as text."""

    issue: Issue
    expected: str | None = None
    actual: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command. `ended` says how: "finished", "deadline", "interrupted", "outage"."""

    id: int
    command: str
    started_at: datetime
    finished_at: datetime | None = None
    ended: str | None = None
