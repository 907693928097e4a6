"""Notices: one message a run, to whom the configuration names, and a word to a dead man's switch.

Nothing in here raises: a notice that fails is a sentence for the log, and never fails a run.
"""

from __future__ import annotations

import logging
import threading
import urllib.request
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final
from urllib.error import URLError

from crawler.fetch.base import is_success
from crawler.report.escape import printable
from crawler.urls import host_of
from storage.frozen import frozen
from storage.queries.report import Change, ChangeKind

MAX_TARGETS: Final = 50  # targets that one message names; the rest are counted
MAX_RECORDS: Final = 3  # records that it names of each
NOTICES_TIMEOUT: Final = 30.0  # seconds that all notices of a run may take
NO_LOGGING: Final = logging.CRITICAL + 1  # for apprise, which logs URLs, with the passwords in them
# The words of [notify] on, and the news that each stands for.
NEWS_BY_WORD: Final[Mapping[str, ChangeKind]] = {
    "dead": ChangeKind.DEAD,
    "suspect": ChangeKind.SUSPECT,
    "alive": ChangeKind.RECOVERED,
    "moved": ChangeKind.MOVED,
    "image": ChangeKind.IMAGE,
}
NEWS_TITLES: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.DEAD: "newly dead",
    ChangeKind.SUSPECT: "newly suspect",
    ChangeKind.RECOVERED: "alive again",
    ChangeKind.MOVED: "moved for good",
    ChangeKind.IMAGE: "another picture",
}


@frozen
class Notice:
    """What a run has to tell, as plain text."""

    title: str
    body: str


def message(changes: Iterable[Change], on: Collection[str]) -> Notice | None:
    """The message about the changes of a run, by kind of news, host and record; None without news."""
    kinds_of_news = {NEWS_BY_WORD[word] for word in on}
    news = [change for change in changes if change.news in kinds_of_news]
    if not news:
        return None
    kinds = [(kind, sum(change.news is kind for change in news)) for kind in ChangeKind]
    title = ", ".join(f"{count} {NEWS_TITLES[kind]}" for kind, count in kinds if count)
    return Notice(f"linkhealth: {title}", "\n".join(_body(news)))


def _body(news: Sequence[Change]) -> Iterator[str]:
    ranks = list(ChangeKind)
    changes = sorted(
        news, key=lambda change: (ranks.index(change.news), host_of(change.entry.url), change.entry.url)
    )
    for kind, kind_changes in groupby(changes[:MAX_TARGETS], key=lambda change: change.news):
        yield f"{NEWS_TITLES[kind].capitalize()}:"
        for host, targets in groupby(kind_changes, key=lambda change: host_of(change.entry.url)):
            yield f"  {printable(host) or 'no host'}"
            for change in targets:
                yield from _target(change)
    if len(changes) > MAX_TARGETS:
        yield f"... and {len(changes) - MAX_TARGETS} more: linkhealth diff shows them"


def _target(change: Change) -> Iterator[str]:
    finding = change.entry.finding
    destination = f", now at {printable(finding.moved_to)}" if finding and finding.moved_to else ""
    yield f"    {printable(change.entry.url)} ({change.entry.verdict.value}{destination})"
    records = sorted({link.record for link in change.entry.links})
    others_text = f" and {len(records) - MAX_RECORDS} more records" if len(records) > MAX_RECORDS else ""
    yield f"      in {', '.join(map(printable, records[:MAX_RECORDS]))}{others_text}"


def send(urls: Sequence[str], notice: Notice) -> str | None:
    """Send a message to every URL that apprise knows; return what went wrong, as one sentence."""
    try:
        with warnings.catch_warnings(action="ignore"):  # it uses what Python will drop one day
            import apprise  # noqa: PLC0415 - large, and optional

            logging.getLogger("apprise").setLevel(NO_LOGGING)
            notifier = apprise.Apprise()
            unknown = [number for number, url in enumerate(urls, 1) if not notifier.add(url)]
    except ImportError:
        return "[notify] urls needs apprise: pip install 'linkhealth[notify]'"
    complete = not len(notifier) or _in_time(lambda: notifier.notify(title=notice.title, body=notice.body))
    # A URL holds a password as often as not, so it is told by its number.
    faults = [f"number {number} is no URL that apprise knows" for number in unknown]
    faults += [] if complete else ["not every notice could be delivered"]
    return f"[notify] urls: {'; '.join(faults)}" if faults else None


def beat(url: str) -> str | None:
    """Ask a URL that waits to be asked after every run; return what went wrong, as one sentence."""
    if not url.startswith(("http://", "https://")):
        return "[notify] heartbeat: write an http or https URL"
    return None if _in_time(lambda: _asked(url)) else "[notify] heartbeat: it could not be asked"


def _asked(url: str) -> bool:
    request = urllib.request.Request(url, headers={"User-Agent": "linkhealth"})  # noqa: S310 - by http alone
    try:
        with urllib.request.urlopen(request, timeout=NOTICES_TIMEOUT / 3) as answer:  # noqa: S310 - as above
            return is_success(answer.status)
    except (URLError, OSError, ValueError):
        return False


def _in_time(send: Callable[[], object]) -> bool:
    """Whether a call came to a good end in time; one that hangs is left behind."""
    results: list[bool] = []

    def call() -> None:
        try:
            results.append(bool(send()))
        except Exception:  # noqa: BLE001 - a plug-in for a hundred services may fail in any way
            results.append(False)

    thread = threading.Thread(target=call, daemon=True, name="notice")
    thread.start()
    thread.join(NOTICES_TIMEOUT)
    return results == [True]
