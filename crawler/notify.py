"""Notices: one message a run, to whom the configuration names, and a word to a dead man's switch.

Nothing in here raises: a notice that fails is a sentence for the log, and never fails a run.
"""

from __future__ import annotations

import logging
import threading
import urllib.request
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from urllib.error import URLError

from crawler.report.safe import shown
from crawler.urls import host_of
from storage.queries import Change, News

TARGETS: Final = 50  # targets that one message names; the rest are counted
RECORDS: Final = 3  # records that it names of each
WAIT: Final = 30.0  # seconds that all notices of a run may take
SILENT: Final = logging.CRITICAL + 1  # for apprise, which logs URLs, with the passwords in them
# The words of [notify] on, and the news that each stands for.
WORDS: Final[Mapping[str, News]] = {
    "dead": News.DEAD,
    "suspect": News.SUSPECT,
    "alive": News.RECOVERED,
    "moved": News.MOVED,
    "image": News.IMAGE,
}
TITLES: Final[Mapping[News, str]] = {
    News.DEAD: "newly dead",
    News.SUSPECT: "newly suspect",
    News.RECOVERED: "alive again",
    News.MOVED: "moved for good",
    News.IMAGE: "another picture",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What a run has to tell, as plain text."""

    title: str
    body: str


def message(changes: Iterable[Change], on: Collection[str]) -> Message | None:
    """The message about the changes of a run, by kind of news, host and record; None without news."""
    wanted = {WORDS[word] for word in on}
    news = [one for one in changes if one.news in wanted]
    if not news:
        return None
    kinds = [(kind, sum(one.news is kind for one in news)) for kind in News]
    title = ", ".join(f"{count} {TITLES[kind]}" for kind, count in kinds if count)
    return Message(f"linkhealth: {title}", "\n".join(_body(news)))


def _body(news: Sequence[Change]) -> Iterator[str]:
    ranks = list(News)
    ordered = sorted(news, key=lambda one: (ranks.index(one.news), host_of(one.entry.url), one.entry.url))
    for kind, some in groupby(ordered[:TARGETS], key=lambda one: one.news):
        yield f"{TITLES[kind].capitalize()}:"
        for host, targets in groupby(some, key=lambda one: host_of(one.entry.url)):
            yield f"  {shown(host) or 'no host'}"
            for one in targets:
                yield from _target(one)
    if len(ordered) > TARGETS:
        yield f"... and {len(ordered) - TARGETS} more: linkhealth diff shows them"


def _target(one: Change) -> Iterator[str]:
    finding = one.entry.finding
    moved = f", now at {shown(finding.moved_to)}" if finding and finding.moved_to else ""
    yield f"    {shown(one.entry.url)} ({one.entry.known.value}{moved})"
    records = sorted({link.record for link in one.entry.links})
    more = f" and {len(records) - RECORDS} more records" if len(records) > RECORDS else ""
    yield f"      in {', '.join(map(shown, records[:RECORDS]))}{more}"


def send(urls: Sequence[str], said: Message) -> str | None:
    """Send a message to every URL that apprise knows; return what went wrong, as one sentence."""
    try:
        with warnings.catch_warnings(action="ignore"):  # it uses what Python will drop one day
            import apprise  # noqa: PLC0415 - large, and optional

            logging.getLogger("apprise").setLevel(SILENT)
            found = apprise.Apprise()
            unknown = [number for number, url in enumerate(urls, 1) if not found.add(url)]
    except ImportError:
        return "[notify] urls needs apprise: pip install 'linkhealth[notify]'"
    sent = not len(found) or _in_time(lambda: found.notify(title=said.title, body=said.body))
    # A URL holds a password as often as not, so it is told by its number.
    faults = [f"number {number} is no URL that apprise knows" for number in unknown]
    faults += [] if sent else ["not every notice could be delivered"]
    return f"[notify] urls: {'; '.join(faults)}" if faults else None


def beat(url: str) -> str | None:
    """Ask a URL that waits to be asked after every run; return what went wrong, as one sentence."""
    if not url.startswith(("http://", "https://")):
        return "[notify] heartbeat: write an http or https URL"
    return None if _in_time(lambda: _asked(url)) else "[notify] heartbeat: it could not be asked"


def _asked(url: str) -> bool:
    request = urllib.request.Request(url, headers={"User-Agent": "linkhealth"})  # noqa: S310 - by http alone
    try:
        with urllib.request.urlopen(request, timeout=WAIT / 3) as answer:  # noqa: S310 - as above
            return bool(answer.status < 300)  # noqa: PLR2004 - the class of success
    except (URLError, OSError, ValueError):
        return False


def _in_time(send: Callable[[], object]) -> bool:
    """Whether a call came to a good end in time; one that hangs is left behind."""
    done: list[bool] = []

    def call() -> None:
        try:
            done.append(bool(send()))
        except Exception:  # noqa: BLE001 - a plug-in for a hundred services may fail in any way
            done.append(False)

    thread = threading.Thread(target=call, daemon=True, name="notice")
    thread.start()
    thread.join(WAIT)
    return done == [True]
