"""The probes of a run: what each site answers for a page that cannot exist, asked once and remembered.

One probe serves a site; a folder has a probe of its own only where one of its pages stays in doubt. Probes of
earlier runs that still hold are used as they are. A page that contradicts one has the site asked anew.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from crawler.checks.html import parse_page
from crawler.checks.page import HEADERS, PAGE_BODY_TIMEOUT, is_html
from crawler.content import parked, soft404, url_shape
from crawler.content.notices import notice_phrase
from crawler.content.observation import ABSENT_STATUSES, ObservedPage, ProbeResult
from crawler.content.probe_codec import decode_probe, encode_probe
from crawler.content.probe_url import folder_of, random_sibling
from crawler.content.refresh import refresh_target
from crawler.errors import FetchError, LaneClosed
from crawler.fetch.base import NO_HEADERS, Fetch, Request, Response, Trace
from crawler.urls import origin_of
from storage.model import Probe

WHOLE_PAGE_BYTES: Final = 1024 * 1024  # read of a probe, and of a page that is compared with one


@dataclass(slots=True)
class SiteMemory:
    """One origin: how many pages of it the run asks for, its probes by folder, and its latest answer.

    `failure` is why the latest probe had no answer, if so.
    """

    pages: int = 0
    probes: dict[str, asyncio.Future[ProbeResult | None]] = field(default_factory=dict)
    answer: ProbeResult | None = None
    failure: str | None = None


class SiteProbes:
    """Asks sites for pages that cannot exist, at most once a folder; one a run, in the run's event loop.

    `earlier` are the probes of earlier runs that still hold. A result is kept for `keep` seconds, stretched
    by 1 to 1 + `splay`; `now` is UTC.
    """

    def __init__(
        self,
        fetch: Fetch,
        earlier: Iterable[Probe] = (),
        *,
        keep: float = 0.0,
        splay: float = 0.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._fetch = fetch
        self._keep = keep
        self._splay = splay
        self._now = now
        self._sites: dict[str, SiteMemory] = {}
        self._earlier: dict[str, list[Probe]] = {}
        for probe in earlier:
            self._earlier.setdefault(origin_of(probe.folder), []).append(probe)
        self._results: dict[str, Probe] = {}

    def expect(self, url: str) -> None:
        """Take note of a web page that this run will ask for."""
        self.site(url).pages += 1

    def site(self, url: str) -> SiteMemory:
        """The memory of a URL's origin."""
        origin = origin_of(url)
        site = self._sites.get(origin)
        if site is None:
            site = self._sites[origin] = SiteMemory()
            for probe in self._earlier.get(origin, ()):
                result = site.probes[probe.folder] = asyncio.get_running_loop().create_future()
                result.set_result(decode_probe(probe))
                site.answer = site.answer or result.result()
        return site

    def note_absent(self, response: Response) -> None:
        """Take note of a 404 or 410, which contradicts the memory of a site that answers 200 to any path."""
        site = self.site(response.url)
        answer = site.answer
        if response.status not in ABSENT_STATUSES or not (answer and answer.asked_at and answer.says_present):
            return
        for folder in [folder for folder, result in site.probes.items() if _is_earlier(result)]:
            self._forget(site, folder)
        site.answer = None

    def take_results(self) -> tuple[Probe, ...]:
        """The results since the last call, for later runs."""
        results = tuple(self._results.values())
        self._results = {}
        return results

    def is_single(self, url: str) -> bool:
        """Whether the run asks for this page alone of its site, whose answer to a probe is not known."""
        site = self.site(url)
        return site.pages == 1 and not site.probes

    def failure(self, observation: ObservedPage) -> str | None:
        """Why the site of a page could not be probed, if so."""
        return self.site(_probe_base(observation)).failure

    async def folder_probe(
        self, request: Request, observation: ObservedPage, probe: ProbeResult | None
    ) -> ProbeResult | None:
        """The probe of the page's own folder if it has none yet; it is closer than that of another folder."""
        result = probe if probe is None else await self.probe(request, observation, own_folder=True)
        return await self.probe(request, observation) if result is None else result

    async def probe(
        self, request: Request, observation: ObservedPage, *, own_folder: bool = False
    ) -> ProbeResult | None:
        """The answer of the page's site for a page that cannot exist; None if it could not be had."""
        base = _probe_base(observation)
        site = self.site(base)
        folder = folder_of(base)
        result = site.probes.get(folder)
        if own_folder and result is not None and _is_earlier(result):
            self._forget(site, folder)
            result = None
        if result is None and site.probes and not own_folder:
            result = next(iter(site.probes.values()))
        if result is None:
            result = site.probes[folder] = asyncio.get_running_loop().create_future()
            answer = await self._settle(result, self._probe_request(request, random_sibling(base)), site)
            self._remember(folder, answer)
        return await asyncio.shield(result)

    async def _settle(
        self, result: asyncio.Future[ProbeResult | None], request: Request, site: SiteMemory
    ) -> ProbeResult | None:
        answer = None
        try:
            answer = await self._ask(request)
            site.failure = None if answer.is_telling else f"it answered with {answer.status}"
        except (FetchError, LaneClosed) as exc:
            site.failure = str(exc) or type(exc).__name__
        finally:
            if site.answer is None or site.answer.asked_at is not None:
                site.answer = answer or site.answer
            result.set_result(answer)
        return answer

    def _remember(self, folder: str, answer: ProbeResult | None) -> None:
        if answer is None or not self._keep:
            return
        at = self._now()
        share = zlib.crc32(folder.encode()) / 2**32
        due = at + timedelta(seconds=self._keep) * (1.0 + share * self._splay)
        self._results[folder] = encode_probe(answer, folder, at, due)

    def _forget(self, site: SiteMemory, folder: str) -> None:
        """Disregard a probe of an earlier run from now on."""
        del site.probes[folder]
        probes = self._earlier.get(origin_of(folder), ())
        earlier = next((probe for probe in probes if probe.folder == folder), None)
        if earlier is not None:
            self._results[folder] = replace(earlier, due_at=earlier.asked_at)

    async def _ask(self, request: Request) -> ProbeResult:
        """Ask with a trace of its own: an error of a probe is no error of the target.

        Raises:
            FetchError, LaneClosed: there is no answer.
        """
        response = await self._fetch(request)
        observation = observe(request, response)
        source = parked.PageSource(response.body)
        comparable = soft404.is_comparable(observation)
        for_sale = observation.whole and bool(parked.parked_signs(observation, source, None))
        return ProbeResult(
            request.url,
            observation.final,
            response.status,
            observation.fingerprint if observation.whole else None,
            comparable or for_sale,
            notice_phrase(observation),
        )

    def _probe_request(self, request: Request, url: str) -> Request:
        private = request.private if origin_of(url) == origin_of(request.url) else NO_HEADERS
        return Request(
            url,
            "GET",
            HEADERS,
            private=private,
            limit=WHOLE_PAGE_BYTES,
            body_timeout=PAGE_BODY_TIMEOUT,
            trace=Trace(),
        )


def observe(request: Request, response: Response) -> ObservedPage:
    """How a page was reached, and its content if it was read."""
    hops = [hop.url for hop in request.trace.redirects[1:]]
    final = [response.url] if request.trace.redirects else []
    readable = response.ok and request.trace.hops[-1].method == "GET" and is_html(response)
    page = parse_page(response) if readable else None
    is_whole = response.complete and not (page and page.cut)
    onward = refresh_target(page, response.url) if page is not None and is_whole else None
    if onward is None:
        return ObservedPage(request.url, (*hops, *final), page, is_whole)
    return ObservedPage(request.url, (*hops, *final, onward), page, is_whole, refreshed=True)


def _probe_base(observation: ObservedPage) -> str:
    """The URL whose site is asked: the final one, if it differs in host or scheme alone."""
    same_page = url_shape.same_path(observation.url, observation.final)
    return observation.final if same_page else observation.url


def _is_earlier(result: asyncio.Future[ProbeResult | None]) -> bool:
    """Whether a probe is one of an earlier run."""
    answer = result.result() if result.done() else None
    return answer is not None and answer.asked_at is not None
