"""What each verdict and each link issue means, in one sentence: the ones of docs/verdicts.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from storage.model import Issue, Verdict

VERDICT_MEANS: Final[Mapping[Verdict, str]] = {
    Verdict.OK: "It answers as it should.",
    Verdict.MOVED: "It answers, but lives at another address for good: write the new one into the record.",
    Verdict.REDIRECTED: "It answers at another address for a while: nothing to do.",
    Verdict.GONE: "The server says that it was taken away for good: replace or remove the link.",
    Verdict.NOT_FOUND: "The server does not know it: look for its new address, or remove the link.",
    Verdict.LEGAL_BLOCK: "The server may not show it for legal reasons.",
    Verdict.NO_SUCH_HOST: "The name does not exist, or has no address: the domain is given up or misspelt.",
    Verdict.REDIRECT_LOOP: "Its redirects come back to where they were, with the same cookies.",
    Verdict.TOO_MANY_REDIRECTS: "Its redirects do not come to an end within max_redirects.",
    Verdict.BAD_REDIRECT: "It redirects without saying where, or to something that is no web page.",
    Verdict.CLIENT_ERROR: "The server says that the request is wrong, not that the page is gone.",
    Verdict.SERVER_ERROR: "The server cannot do what is asked: it may be mended.",
    Verdict.TLS_EXPIRED: "Its certificate is out of its dates.",
    Verdict.TLS_HOSTNAME: "Its certificate is for another name.",
    Verdict.TLS_UNTRUSTED: "Its certificate leads to no root that is trusted.",
    Verdict.TLS_PROTOCOL: "The TLS handshake failed in another way.",
    Verdict.BAD_RESPONSE: "What came is not HTTP, or broke off.",
    Verdict.UNAVAILABLE: "The server is overloaded or down, on the last of the attempts.",
    Verdict.TIMEOUT: "It did not answer in time; the reason names the phase: connect, tls, read.",
    Verdict.REFUSED: "Nobody listens there.",
    Verdict.RESET: "The connection ended before any answer.",
    Verdict.UNREACHABLE: "There is no way to its network.",
    Verdict.DNS_FAILURE: "The name could not be looked up: that says nothing about the name.",
    Verdict.AUTH_REQUIRED: "It wants a login, or what stands between does.",
    Verdict.BOT_BLOCKED: "A wall keeps robots out: look with a browser.",
    Verdict.FORBIDDEN: "It refuses, without saying why: look with a browser.",
    Verdict.RATE_LIMITED: "It asks us to come back later, and we will.",
    Verdict.SOFT_404: 'It answers 200, but is the site\'s "not found" page: see signs.',
    Verdict.PARKED: "The domain is for sale.",
    Verdict.WRONG_TYPE: "The image is no image: HTML, JSON or text.",
    Verdict.UNDECODABLE: "The image has a broken header, or none.",
    Verdict.TRUNCATED: "The image ends before its end.",
    Verdict.TOO_LARGE: "The image has more bytes or pixels than the configuration takes.",
    Verdict.PLACEHOLDER: "The image is a stand-in.",
    Verdict.NOT_AMP: "The AMP page is no AMP page.",
    Verdict.INVALID_URL: "The text is no URL: mend the record.",
    Verdict.UNSUPPORTED_SCHEME: "It is not http or https.",
    Verdict.BLOCKED_ADDRESS: "An address of its host is not public, so it is not asked.",
    Verdict.EXCLUDED: "The configuration, or a pin, leaves it out.",
    Verdict.ROBOTS_DENIED: "The site's robots.txt forbids it, and you asked to obey.",
    Verdict.FRESH: "It is not due yet.",
    Verdict.NOT_REACHED: "The run ended first.",
    Verdict.POSTPONED: "Its host asked to come back later than a run waits; the reason says until when.",
    Verdict.LOCAL_OUTAGE: "This machine, not the target, was at fault.",
    Verdict.CRASHED: "A defect of linkhealth: please report it.",
}
ISSUE_MEANS: Final[Mapping[Issue, str]] = {
    Issue.SIZE_MISMATCH: "The image has another size than the record declares.",
    Issue.SIZE_SCALED: "Another size, the same shape within 1 %.",
    Issue.SIZE_ROTATED: (
        "The declared size is the stored one, not the one a browser shows after EXIF rotation."
    ),
    Issue.DECLARED_INVALID: "Width or height is not a positive integer.",
    Issue.AMP_CACHE_URL: "The AMP-CDN URL is not the one that the AMP URL leads to; expected carries it.",
    Issue.AMP_UNPAIRED: (
        "The AMP page's canonical link is none of the item's web URLs, wherever they lead, "
        "or the web page names another AMP page."
    ),
    Issue.CACHE_STALE: "The record says that the image is cached, and it is not.",
    Issue.INSECURE_SCHEME: "The link is http, and https answers.",
    Issue.FRAGMENT_MISSING: "The page does not have the part that the link names behind its #.",
}
