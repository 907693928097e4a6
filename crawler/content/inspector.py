"""Inspection of pages that answer 200: is the page what it seems, a "not found" page, or a parked domain.

Requests are saved, not evidence. Every site is probed, and its answer is remembered for later runs. A site
that answers 404 is believed by its status from then on; one that answers 200 has each of its pages read, by
GET from the start, and compared with the probe. A page that is the only one of its site is asked for by GET,
too: where its own words are what its URL names, that is the answer, and the probe can wait until they are
not. Where a probe fails, pages are read and judged by their own words.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias

from crawler.checks.base import Judgement
from crawler.checks.page import is_html
from crawler.content import parked, soft404, url_shape
from crawler.content.observation import ObservedPage, ProbeResult
from crawler.content.parked import PageSource
from crawler.content.rendering import is_shell
from crawler.content.score import Score
from crawler.content.site_probes import WHOLE_PAGE_BYTES, SiteProbes, observe
from crawler.errors import FetchError
from crawler.fetch.base import Fetch, Request, Response
from crawler.urls import host_of, registrable
from storage.frozen import frozen
from storage.model import Probe

Servers: TypeAlias = Callable[[str], Awaitable[tuple[str, ...]]]


@frozen
class InspectorSettings:
    """What to look for, how many bytes of a page to read for it, and how long probes are remembered.

    `keep` is in seconds, and stretched by 1 to 1 + `splay`.
    """

    not_found: bool = True
    parked: bool = True
    limit: int = 65_536
    keep: float = 0.0
    splay: float = 0.0


class ContentInspector:
    """Inspects web pages that answer 200-299; one a run, in the run's event loop.

    `servers_of` finds the name servers of a domain; `probes` are those of earlier runs that still hold;
    `now` is UTC.
    """

    def __init__(
        self,
        fetch: Fetch,
        settings: InspectorSettings,
        servers_of: Servers | None = None,
        probes: Iterable[Probe] = (),
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._fetch = fetch
        self._settings = settings
        self._servers_of = servers_of
        self._probes = SiteProbes(fetch, probes, keep=settings.keep, splay=settings.splay, now=now)

    def expect(self, url: str) -> None:
        """Take note of a web page that this run will ask for."""
        self._probes.expect(url)

    def first_request(self, request: Request) -> Request:
        """The first request for a web page: by GET where HEAD would not be enough."""
        if not self._settings.not_found:
            return request
        answer = self._probes.site(request.url).answer
        if answer is None:
            alone = self._probes.is_single(request.url)
            return request.by_get() if alone or self._probes.site(request.url).failure else request
        if answer.says_absent or (answer.says_present and answer.was_redirected):
            return request
        return self._whole(request) if answer.comparable else request.by_get()

    async def inspect(self, request: Request, response: Response) -> tuple[Response, Judgement]:
        """Judge a page that answered 200-299; the response is another one where it had to be read.

        Raises:
            FetchError: it could not be read after all.
        """
        if not is_html(response) or not (self._settings.not_found or self._settings.parked):
            return response, Judgement()
        observation = observe(request, response)
        if self._settings.parked and parked.leads_away(observation):
            return await self._judge(request, observation, response, None)
        probe = await self._probe(request, response, observation)
        if observation.page is None:
            if not self._must_read(observation, probe):
                return response, Judgement()
            extent = self._whole if probe is not None and probe.comparable else self._start
            response = await self._fetch(extent(request))
            if not response.ok:
                return response, Judgement()
            observation = observe(request, response)
        return await self._judge(request, observation, response, probe)

    def note_absent(self, response: Response) -> None:
        """Take note of a page that does not exist: it contradicts a site that answers 200 to any path."""
        self._probes.note_absent(response)

    def take_probes(self) -> tuple[Probe, ...]:
        """The probes since the last call, for later runs."""
        return self._probes.take_results()

    async def _judge(
        self, request: Request, observation: ObservedPage, response: Response, probe: ProbeResult | None
    ) -> tuple[Response, Judgement]:
        score = await self._score_of_domain(request, observation, response, probe)
        earlier = probe is not None and probe.asked_at is not None
        doubtful = score.doubtful or (
            earlier and self._score(observation, PageSource(response.body), None).doubtful
        )
        if self._settings.not_found and score.verdict is None and doubtful:
            probe = await self._probes.folder_probe(request, observation, probe)
            score = await self._score_of_domain(request, observation, response, probe)
        if not observation.whole and self._wants_rest(observation, probe, score):
            response, observation = await self._read_on(request, response, observation)
            score = await self._score_of_domain(request, observation, response, probe)
        score.note(request.trace, probe)
        if score.verdict is None:
            request.trace.evidence.uninspected = self._omission(observation, probe)
        return response, score.judgement()

    async def _score_of_domain(
        self, request: Request, observation: ObservedPage, response: Response, probe: ProbeResult | None
    ) -> Score:
        """The score of a page; the name servers of its domain are asked for where they could decide."""
        source = PageSource(response.body, request.trace.hops[-1].address)
        score = self._score(observation, source, probe)
        if score.verdict is None and any(points > 0 for points in score.parked_signs.values()):
            source = replace(source, servers=await self._servers(observation))
            score = self._score(observation, source, probe)
        return score

    async def _probe(
        self, request: Request, response: Response, observation: ObservedPage
    ) -> ProbeResult | None:
        """The answer of the site for a page that cannot exist.

        It is not asked for where a page, the only one of its site, was read and is what its URL names.
        """
        if not self._settings.not_found or self._speaks_for_itself(response, observation):
            return None
        return await self._probes.probe(request, observation)

    def _speaks_for_itself(self, response: Response, observation: ObservedPage) -> bool:
        if not self._probes.is_single(observation.url) or not soft404.names_itself(observation):
            return False
        return not self._score(observation, PageSource(response.body), None).parked_signs

    def _must_read(self, observation: ObservedPage, probe: ProbeResult | None) -> bool:
        """Whether status and place do not tell a page, asked for by HEAD, from one that cannot exist."""
        if not self._settings.not_found:
            return False
        if probe is None or not probe.is_telling:
            return True
        unlike = probe.says_absent or probe.was_redirected
        return not unlike or bool(soft404.soft_404_signs(observation, probe))

    def _wants_rest(self, observation: ObservedPage, probe: ProbeResult | None, score: Score) -> bool:
        """Whether the rest of a page that was cut could change its verdict."""
        if score.verdict is not None and observation.was_redirected:
            return False
        if probe is not None and probe.says_absent:
            return False
        return (probe is not None and probe.comparable) or score.doubtful or is_shell(observation)

    async def _read_on(
        self, request: Request, response: Response, observation: ObservedPage
    ) -> tuple[Response, ObservedPage]:
        """The page, read as far as pages are compared; what was read before, where that fails."""
        whole_request = self._whole(request)
        if len(response.body) >= whole_request.limit:
            return response, observation
        try:
            longer = await self._fetch(whole_request)
        except FetchError:
            return response, observation
        return (longer, observe(request, longer)) if longer.ok else (response, observation)

    def _start(self, request: Request) -> Request:
        return replace(request.by_get(), limit=self._settings.limit)

    def _whole(self, request: Request) -> Request:
        return replace(request.by_get(), limit=max(self._settings.limit, WHOLE_PAGE_BYTES))

    def _omission(self, observation: ObservedPage, probe: ProbeResult | None) -> str | None:
        """What was not looked at of a page that was read, and why; None if nothing."""
        if not self._settings.not_found or not url_shape.segments(observation.url):
            return None
        if probe is None or not probe.is_telling:
            failure = self._probes.failure(observation)
            why = f"it could not be had: {failure}" if failure else "the page is what its URL names"
            return f"what its site answers for a page that cannot exist ({why})"
        if not observation.whole and not probe.says_absent:
            return f"its end: it is longer than {WHOLE_PAGE_BYTES} bytes, so it was not compared"
        return None

    async def _servers(self, observation: ObservedPage) -> tuple[str, ...]:
        """The name servers of the domain of the link, wherever it leads."""
        if self._servers_of is None:
            return ()
        return await self._servers_of(registrable(host_of(observation.url)))

    def _score(self, observation: ObservedPage, source: PageSource, probe: ProbeResult | None) -> Score:
        soft_404 = soft404.soft_404_signs(observation, probe) if self._settings.not_found else {}
        for_sale = parked.parked_signs(observation, source, probe) if self._settings.parked else {}
        return Score(soft_404, for_sale)
