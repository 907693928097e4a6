"""Verdicts on whole images, and how the leading bytes of the same file stand to them."""

from __future__ import annotations

from dataclasses import replace

from crawler.checks.base import Judgement
from crawler.fetch.base import Request, Response
from storage.frozen import frozen
from storage.model import Verdict, WholeImageEvidence


@frozen
class HeaderRequest(Request):
    """A request for leading bytes, with what an earlier check of the whole image found wrong."""

    whole_image: WholeImageEvidence | None = None


def whole_image_evidence(judgement: Judgement, answer: Response, length: int | None) -> WholeImageEvidence:
    """A judgement on a whole image of so many bytes, with what the same file is known again by."""
    etag, last_modified = answer.headers.get("ETag"), answer.headers.get("Last-Modified")
    return WholeImageEvidence(judgement.verdict.value, judgement.detail, length, etag, last_modified)


def upheld(request: Request, answer: Response, judgement: Judgement, length: int | None) -> Judgement:
    """The verdict of an earlier look at the whole of the same file: these bytes do not overrule it."""
    earlier = request.whole_image if isinstance(request, HeaderRequest) else None
    if earlier is None or judgement.verdict is not Verdict.OK:
        return judgement
    verdict = Verdict(earlier.verdict)
    judgement = replace(judgement, verdict=verdict, detail=earlier.detail)
    present = whole_image_evidence(judgement, answer, length)
    tells = (present.length, present.etag, present.last_modified)
    if present != earlier or not any(tells):
        return replace(judgement, verdict=Verdict.OK, detail=None)
    request.trace.evidence.whole_image = earlier
    return judgement
