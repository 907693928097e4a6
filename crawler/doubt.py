"""Whether a page that answers 200 is what it seems: reads it where there is reason, and asks the site
what it says of a page that cannot exist.

Requests are saved, not evidence. The first page of a site that answers asks for the probe. A site that
says 404 to it is believed by its status from then on; one that says 200 has each of its pages read, by GET
from the start. A folder has a probe of its own only where its page stays in doubt. In a large run, sites of
which but one page is asked are probed only while all probes stay below a twelfth of the pages.

Later runs remember what was said. A page that contradicts it has the site asked anew: one that stays in doubt
(or would without it), and one that is not found where the site had said 200 to anything.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from crawler.checks import parked, places, soft404
from crawler.checks.base import Judgement
from crawler.checks.html import read
from crawler.checks.page import HEADERS, is_html
from crawler.checks.remembered import kept, recalled
from crawler.checks.soft404 import Probed, Seen
from crawler.checks.weighed import Weighed
from crawler.errors import FetchError, LaneClosed
from crawler.fetch.base import NO_HEADERS, Answer, Fetch, Request, Trail
from crawler.sibling import folder_of, sibling
from crawler.urls import host_of, origin_of, registrable
from storage.model import Probe

Servers: TypeAlias = Callable[[str], Awaitable[tuple[str, ...]]]
SHARE: Final = 0.085  # probes a page, at most, where there are many pages (benchmarks/probe_cost.py)
FEW: Final = 100  # probes that a run may make, however few its pages


@dataclass(frozen=True, slots=True)
class Doubts:
    """What to doubt, how many bytes of a page to read for it, and how long probes are remembered.

    `keep` is in seconds, and stretched by 1 to 1 + `splay`.
    """

    not_found: bool = True
    parked: bool = True
    limit: int = 65_536
    keep: float = 0.0
    splay: float = 0.0


@dataclass(slots=True)
class Site:
    """What is known of one origin: pages to ask, and what it says of pages that cannot exist, by folder."""

    pages: int = 0
    probes: dict[str, asyncio.Future[Probed | None]] = field(default_factory=dict)
    said: Probed | None = None


class Doubt:
    """Looks at web pages a second time; one a run, in the run's event loop.

    `known` are the probes of earlier runs that still hold; `now` is UTC.
    """

    def __init__(
        self,
        fetch: Fetch,
        doubts: Doubts,
        servers_of: Servers | None = None,
        known: Iterable[Probe] = (),
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._fetch, self._doubts, self._servers_of, self._now = fetch, doubts, servers_of, now
        self._sites: dict[str, Site] = {}
        self._pages = 0
        self._share: float | None = None
        self._known: dict[str, list[Probe]] = {}
        for probe in known:
            self._known.setdefault(origin_of(probe.folder), []).append(probe)
        self._salt = len(self._known)
        self._learned: dict[str, Probe] = {}

    def expect(self, url: str) -> None:
        """Take note of a web page that this run will ask for."""
        self._site(url).pages += 1
        self._pages += 1
        self._share = None

    def first(self, request: Request) -> Request:
        """The first request for a web page: by GET where the site is known to say 200 to anything."""
        said = self._site(request.url).said
        return request.by_get() if said is not None and said.telling and not said.led else request

    async def look(self, request: Request, answer: Answer) -> tuple[Answer, Judgement]:
        """Judge a page that answered 200-299; the answer is another one where it had to be read.

        Raises:
            FetchError: it could not be read after all.
        """
        if not is_html(answer) or not (self._doubts.not_found or self._doubts.parked):
            return answer, Judgement()
        seen = _seen(request, answer)
        if self._doubts.parked and parked.leads_away(seen):
            return answer, await self._judge(request, seen, answer, None)
        suspect = seen.page is None and self._doubts.not_found and bool(soft404.weigh(seen, None))
        probe = await self._probe(request, seen) if suspect or self._affords(seen) else None
        if seen.page is None:
            if not suspect and not _alike(seen, probe):
                return answer, Judgement()
            answer = await self._fetch(replace(request.by_get(), limit=self._doubts.limit))
            if not 200 <= answer.status < 300:  # noqa: PLR2004 - the class of success
                return answer, Judgement()
            seen = _seen(request, answer)
        return answer, await self._judge(request, seen, answer, probe)

    def heard(self, answer: Answer) -> None:
        """Take note of a page that is not found: who remembers that its site never says so is wrong."""
        site = self._site(answer.url)
        if answer.status not in soft404.ABSENT or not (site.said and site.said.asked_at and site.said.fine):
            return
        for folder in [folder for folder, asked in site.probes.items() if _is_old(asked)]:
            self._forget(site, folder)
        site.said = None

    def learned(self) -> tuple[Probe, ...]:
        """What was learned of sites since this was asked last."""
        found, self._learned = tuple(self._learned.values()), {}
        return found

    def _affords(self, seen: Seen) -> bool:
        """Whether a page without any sign is worth a probe of its site: what is known costs nothing.

        Which of the other sites with one page are, their names decide, and how many are known: others in a
        run that knows more.
        """
        if self._share is None:
            unknown = [site.pages for site in self._sites.values() if not site.probes]
            left = max(FEW, self._pages * SHARE) - sum(pages > 1 for pages in unknown)
            self._share = left / max(1, unknown.count(1))
        if self._site(seen.asked).pages != 1 or self._site(_base(seen)).probes:
            return True
        return zlib.crc32(f"{origin_of(seen.asked)}{self._salt or ''}".encode()) / 2**32 < self._share

    async def _judge(self, request: Request, seen: Seen, answer: Answer, probe: Probed | None) -> Judgement:
        source = parked.Source(answer.body, request.trail.hops[-1].address)
        weighed = self._weigh(seen, source, probe)
        if weighed.verdict is None and any(points > 0 for points in weighed.sold.values()):
            source = replace(source, servers=await self._servers(seen))
            weighed = self._weigh(seen, source, probe)
        old = probe is not None and probe.asked_at is not None
        doubtful = weighed.doubtful or (old and self._weigh(seen, source, None).doubtful)
        if weighed.verdict is None and (doubtful or (probe is None and soft404.is_stranger(seen))):
            probe = await self._own_probe(request, seen, probe)
            weighed = self._weigh(seen, source, probe)
        weighed.note(request.trail, probe)
        return weighed.judgement()

    async def _servers(self, seen: Seen) -> tuple[str, ...]:
        """The name servers of the domain that a link names, wherever it led."""
        if self._servers_of is None:
            return ()
        return await self._servers_of(registrable(host_of(seen.asked)))

    def _weigh(self, seen: Seen, source: parked.Source, probe: Probed | None) -> Weighed:
        gone = soft404.weigh(seen, probe) if self._doubts.not_found else {}
        sold = parked.weigh(seen, source, probe) if self._doubts.parked else {}
        return Weighed(gone, sold)

    async def _own_probe(self, request: Request, seen: Seen, probe: Probed | None) -> Probed | None:
        """The probe of the page's own folder, if none was asked; it says more than another folder's."""
        own = probe if probe is None else await self._probe(request, seen, own=True)
        return await self._probe(request, seen) if own is None else own

    async def _probe(self, request: Request, seen: Seen, *, own: bool = False) -> Probed | None:
        """What the site says of a page that cannot exist; asked once a folder, and once for most sites."""
        if not self._doubts.not_found:
            return None
        base = _base(seen)
        site, folder = self._site(base), folder_of(base)
        asked = site.probes.get(folder)
        if own and asked is not None and _is_old(asked):
            self._forget(site, folder)
            asked = None
        if asked is None and site.probes and not own:
            asked = next(iter(site.probes.values()))
        if asked is None:
            asked = site.probes[folder] = asyncio.get_running_loop().create_future()
            said = await self._settle(asked, self._probing(request, sibling(base)), site)
            self._remember(folder, said)
        return await asyncio.shield(asked)

    async def _settle(
        self, asked: asyncio.Future[Probed | None], request: Request, site: Site
    ) -> Probed | None:
        said = None
        try:
            said = await self._ask(request)
        finally:
            if site.said is None or site.said.asked_at is not None:
                site.said = said or site.said
            asked.set_result(said)
        return said

    def _remember(self, folder: str, said: Probed | None) -> None:
        if said is None or not self._doubts.keep:
            return
        at = self._now()
        share = zlib.crc32(folder.encode()) / 2**32
        due = at + timedelta(seconds=self._doubts.keep) * (1.0 + share * self._doubts.splay)
        self._learned[folder] = kept(said, folder, at, due)

    def _forget(self, site: Site, folder: str) -> None:
        """Hold a probe of an earlier run for nothing from now on."""
        del site.probes[folder]
        old = next((one for one in self._known.get(origin_of(folder), ()) if one.folder == folder), None)
        if old is not None:
            self._learned[folder] = replace(old, due_at=old.asked_at)

    async def _ask(self, request: Request) -> Probed | None:
        """Ask with a trail of its own, since what a probe meets is nothing that the target did."""
        try:
            answer = await self._fetch(request)
        except (FetchError, LaneClosed):
            return None
        seen = _seen(request, answer)
        telling = soft404.tells(seen) or bool(parked.weigh(seen, parked.Source(answer.body), None))
        made, phrase = soft404.print_of(seen), soft404.phrase_of(seen)
        return Probed(request.url, answer.url, answer.status, made, telling, phrase)

    def _probing(self, request: Request, url: str) -> Request:
        private = request.private if origin_of(url) == origin_of(request.url) else NO_HEADERS
        return Request(url, "GET", HEADERS, private=private, limit=self._doubts.limit, trail=Trail())

    def _site(self, url: str) -> Site:
        origin = origin_of(url)
        site = self._sites.get(origin)
        if site is None:
            site = self._sites[origin] = Site()
            for probe in self._known.get(origin, ()):
                asked = site.probes[probe.folder] = asyncio.get_running_loop().create_future()
                asked.set_result(recalled(probe))
                site.said = site.said or asked.result()
        return site


def _base(seen: Seen) -> str:
    """The URL whose site is asked: where the page lies now, if it only went to another host or scheme."""
    return seen.final if places.same_path(seen.asked, seen.final) else seen.asked


def _is_old(asked: asyncio.Future[Probed | None]) -> bool:
    """Whether a probe is one of an earlier run."""
    said = asked.result() if asked.done() else None
    return said is not None and said.asked_at is not None


def _seen(request: Request, answer: Answer) -> Seen:
    hops = [hop.url for hop in request.trail.redirects[1:]]
    final = [answer.url] if request.trail.redirects else []
    fine = 200 <= answer.status < 300  # noqa: PLR2004 - the class of success
    readable = fine and request.trail.hops[-1].method == "GET" and is_html(answer)
    return Seen(request.url, (*hops, *final), read(answer) if readable else None)


def _alike(seen: Seen, probe: Probed | None) -> bool:
    """Whether a page cannot be told by its status and its place from one that cannot exist."""
    if probe is None or not probe.fine:
        return False
    return soft404.same_end(probe.final, seen.final) if probe.led else probe.telling
