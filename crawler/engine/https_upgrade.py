"""Whether what answers on http answers on https, too: one try a target, when asked for."""

from __future__ import annotations

from crawler.checks.page import HEADERS
from crawler.errors import FetchError, LaneClosed, UrlError
from crawler.fetch.base import Fetch, Request, Trace
from crawler.urls import masked, request_url, without_credentials
from storage.model import Class, Finding

PLAIN, SECURE = "http://", "https://"


class HttpsUpgrade:
    """Tries https; the try has a trace of its own, since it is no request for the target."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def look(self, finding: Finding) -> None:
        """Add the https URL to the evidence of a finding on an http one that is alive."""
        url = _upgraded(finding)
        if url is None:
            return
        # A chain that went there by itself has answered the question.
        went = any(hop.url == url for hop in finding.redirects) or finding.final_url == url
        if went or await self._answers(url):
            finding.evidence.https = masked(url)

    async def _answers(self, url: str) -> bool:
        try:
            answer = await self._fetch(Request(url, "HEAD", HEADERS, trace=Trace()))
        except (FetchError, LaneClosed):
            return False
        well = answer.ok
        return well and answer.url.startswith(SECURE)


def _upgraded(finding: Finding) -> str | None:
    """The https URL of a target that is alive on http; None where there is none, or on a port of its own."""
    if finding.verdict.cls is not Class.ALIVE or not finding.url.startswith(PLAIN):
        return None
    try:
        url = request_url(SECURE + without_credentials(finding.url)[0].removeprefix(PLAIN))
    except (UrlError, ValueError):
        return None
    authority = url.removeprefix(SECURE).partition("/")[0]
    return None if authority.rpartition(":")[2].isdigit() else url
