"""The vocabulary: plain frozen values that name what is at rest. No input or output in here.

A record is one document; a link is one URL as one field of one record says it; a target is one
distinct URL, however many links name it; a finding is what one check of one target says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from msgspec import Struct

from storage.frozen import frozen


def iso_utc(at: datetime) -> str:
    """A time (UTC) as every output writes it: ISO 8601 to the second, with a Z."""
    return f"{at.replace(tzinfo=None).isoformat(timespec='seconds')}Z"  # a tenth of what strftime takes


class Kind(StrEnum):
    """What a link promises to lead to."""

    WEB = "web"
    AMP = "amp"
    AMP_CDN = "amp-cdn"
    IMAGE = "image"


# The most demanding first: it is the kind of a target whose links differ.
KINDS_BY_DEMAND: Final = (Kind.IMAGE, Kind.AMP, Kind.AMP_CDN, Kind.WEB)


class Class(StrEnum):
    """What a verdict means for the reader of a page."""

    ALIVE = "alive"
    HARD = "hard"
    SOFT = "soft"
    TRANSIENT = "transient"
    UNKNOWN = "unknown"
    CONTENT = "content"
    UNCHECKED = "unchecked"

    @property
    def fails(self) -> bool:
        """Whether something is wrong with a target of this class."""
        return self in {Class.HARD, Class.SOFT, Class.TRANSIENT, Class.CONTENT}


class Verdict(StrEnum):
    """What one check of one target says; `docs/verdicts.md` has a sentence for each."""

    OK = "ok"
    MOVED = "moved"
    REDIRECTED = "redirected"
    GONE = "gone"
    NOT_FOUND = "not-found"
    LEGAL_BLOCK = "legal-block"
    NO_SUCH_HOST = "no-such-host"
    REDIRECT_LOOP = "redirect-loop"
    TOO_MANY_REDIRECTS = "too-many-redirects"
    BAD_REDIRECT = "bad-redirect"
    CLIENT_ERROR = "client-error"
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
    POSTPONED = "postponed"
    LOCAL_OUTAGE = "local-outage"
    CRASHED = "crashed"

    @property
    def unasked(self) -> bool:
        """Whether it only says why a target was not asked: what is known of it holds."""
        return self in {Verdict.FRESH, Verdict.NOT_REACHED, Verdict.POSTPONED, Verdict.LOCAL_OUTAGE}

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
        Verdict.NO_SUCH_HOST,
        Verdict.REDIRECT_LOOP,
        Verdict.TOO_MANY_REDIRECTS,
        Verdict.BAD_REDIRECT,
    ),
    Class.SOFT: (
        Verdict.CLIENT_ERROR,
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
        Verdict.POSTPONED,
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


@frozen
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@frozen
class Declared:
    """What a record says of an image.

    `width` and `height` are pixels where the record gives a positive integer (plain or quoted),
    the text as written where it gives anything else (`declared-invalid`), None where it is silent.
    """

    width: int | str | None = None
    height: int | str | None = None
    cached: bool | None = None


@frozen
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


@frozen
class RecordProblem:
    """Why a file, or a part of it, could not be read; `line` is 1-based, None for a whole file."""

    path: str
    line: int | None
    reason: str


@frozen
class UnmappedValue:
    """A value that looks like a URL, and that no rule takes: its path of keys with dots, and its place."""

    keys: str
    field: str
    line: int
    column: int
    text: str


@frozen
class Record:
    """One document with all links it holds, in the order of the text.

    `path` is the file's path as the user named it; several records of one file (a list, a stream
    of documents, JSON lines) share it and differ by `index`, 0-based. `unmapped` is filled by a survey.
    """

    path: str
    index: int
    links: tuple[Link, ...]
    unmapped: tuple[UnmappedValue, ...] = ()


@frozen
class FileStamp:
    """What tells whether a file has changed: bytes, modification time in ns, SHA-256 in hex."""

    size: int
    mtime_ns: int
    digest: str


@frozen
class Document:
    """One file, read: its records and what was wrong with it. Either may be empty.

    `notice` says why a file holds no record although nothing is wrong with it.
    """

    path: str
    stamp: FileStamp | None
    records: tuple[Record, ...] = ()
    problems: tuple[RecordProblem, ...] = ()
    notice: str | None = None


@frozen
class Target:
    """One distinct request URL, due for a check, with the most demanding kind of its links.

    `url` is the request URL (for what cannot be parsed: the text); `id` its row in the database;
    `fragments` are those of its links that are to be looked for on the page; `whole_image` is what an
    earlier check of the whole image found wrong.
    """

    id: int
    url: str
    kind: Kind
    fragments: tuple[str, ...] = ()
    whole_image: WholeImageEvidence | None = None


@frozen
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


@frozen
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


@frozen
class ServedHeaders:
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


@frozen
class CachedImage:
    """One entry of the index of the image cache: what is kept of a target, and how it came.

    `picture` has the digest and the length in bytes; `proof` is "pixels" or "structure";
    `stored_at` is when these bytes came, `confirmed_at` when the server last stood by them (UTC);
    `likeness` are 64 bits that say how the picture looks, where its pixels were decoded for it.
    """

    target: int
    picture: Picture
    served: ServedHeaders
    proof: str
    stored_at: datetime
    confirmed_at: datetime
    likeness: int | None = None


@frozen
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


@frozen
class Redirect:
    """One hop of the redirect chain of the last attempt: the URL asked, and its 3xx status."""

    url: str
    status: int


class TlsEvidence(Struct, frozen=True):
    """The certificate of a chain of requests that ends first; None where it was not verified."""

    host: str
    expires: str | None
    version: str


class ImageEvidence(Struct, frozen=True, omit_defaults=True):
    """What only the whole file of an image tells; `pillow_size` only where Pillow reads another size."""

    proof: str
    frames: int | None = None
    mode: str | None = None
    alpha: bool | None = None
    exif_orientation: int | None = None
    vary: str | None = None
    pillow_size: str | None = None


class WholeImageEvidence(Struct, frozen=True, omit_defaults=True):
    """What a check of a whole image found, and by what the same file is known again.

    `length` is in bytes; `etag` and `last_modified` are those that the server sent.
    """

    verdict: str
    detail: str | None = None
    length: int | None = None
    etag: str | None = None
    last_modified: str | None = None


class AmpEvidence(Struct, frozen=True):
    """The canonical link of an AMP page, credentials masked; None if it names none."""

    canonical: str | None


class FragmentEvidence(Struct, frozen=True, omit_defaults=True):
    """The fragments that were looked for on a page.

    `missing` gives for each that is not there the id that may be meant; `unread` says why the page
    could not tell. One of the two is None.
    """

    asked: list[str]
    missing: dict[str, str | None] | None = None
    unread: str | None = None


class ProbeEvidence(Struct, frozen=True):
    """The probe that a page was compared with: what was requested, where it led, and its status."""

    url: str
    to: str
    status: int


class ScoreEvidence(Struct, frozen=True):
    """The signs of a page with the points of each; `enough` points make the verdict."""

    points: int
    enough: int
    signs: dict[str, int]
    probe: ProbeEvidence | None


class Evidence(Struct, omit_defaults=True):
    """What mattered for a finding beside its columns; a layer fills in what it knows.

    `amphtml` is the AMP page that a web page names; `uninspected` what was not looked at of a page, and
    why; `https` the URL that answers on https, too; `waited` are the seconds of back-off and Retry-After.
    `spared`: the target was not requested itself, the failures of its host spoke for it.
    """

    tls: TlsEvidence | None = None
    image: ImageEvidence | None = None
    whole_image: WholeImageEvidence | None = None
    amp: AmpEvidence | None = None
    amphtml: str | None = None
    fragments: FragmentEvidence | None = None
    soft_404: ScoreEvidence | None = None
    parked: ScoreEvidence | None = None
    https: str | None = None
    uninspected: str | None = None
    waited: float = 0.0
    spared: bool = False


@frozen
class Finding:
    """What one check of one target says. One row a target and run.

    `checked_at` and `retry_at` are UTC; `elapsed` is seconds from the first request to the
    verdict, waits included; `bytes` counts body bytes received; `requests` every request sent.
    `retry_at` is set when the server, or the lane, named a time before which not to come back.
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
    evidence: Evidence = field(default_factory=Evidence)
    cached: CachedImage | None = None
    probes: tuple[Probe, ...] = ()


class Standing(NamedTuple):
    """The memory of one target that is enough to judge its next finding, all times UTC.

    `failures` counts failing checks since `failing_since`, `hard` the hard ones among them since
    `hard_since`. `alive_streak` counts alive checks in a row. `turns` are the times of the latest
    changes of state, the oldest first; the first finding is no change. `hazard` are the deaths a year
    that it was believed to risk when its next check was planned. A tuple, since
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
    hazard: float | None = None


@frozen
class Pin:
    """A person's word on the target `url`, its credentials masked; `at` is UTC."""

    url: str
    word: PinWord
    why: str
    author: str
    at: datetime


@frozen
class LinkIssue:
    """One issue of one link, with what was expected and what is there, as text."""

    issue: Issue
    expected: str | None = None
    actual: str | None = None


class RunEnd(StrEnum):
    """How a run ended, or how the part of it that one worker had; only the first is a good end."""

    FINISHED = "finished"
    DEADLINE = "deadline"  # the time that it was given is over
    TERMINATED = "terminated"  # by SIGTERM
    INTERRUPTED = "interrupted"  # by Ctrl-C
    OUTAGE = "outage"  # this machine was off line
    FAILED = "failed"  # findings or images could not be kept
    KILLED = "killed"  # it never said how it ended; a later run noticed
    TAKEN_OVER = "taken over"  # another command goes on with it
    LOST = "lost"  # a worker: its leases ended before it could renew them
    OVER = "over"  # a worker: the whole run ended elsewhere

    @classmethod
    def _missing_(cls, value: object) -> RunEnd:
        """What a database says that a later program wrote is no good end."""
        del value
        return cls.FAILED

    @property
    def exit_code(self) -> int:
        """The exit code of a command whose run ended so, findings aside."""
        if self in {RunEnd.FINISHED, RunEnd.OVER}:
            return 0
        return 130 if self is RunEnd.INTERRUPTED else 4


@frozen
class Run:
    """One run of a command; `ended` is None while it goes on."""

    id: int
    command: str
    started_at: datetime
    finished_at: datetime | None = None
    ended: RunEnd | None = None
