"""What can go wrong in motion.

CrawlerError
├── ConfigError             the configuration; every mistake at once
│   └── NoLinks             the records hold no link that a rule takes
├── UrlError                no request can be made of this text
│   ├── InvalidUrl
│   └── UnsupportedScheme
├── LaneClosed              this lane takes no more requests in this run
│   └── HostPostponed       this host asked to come back later than the run waits
└── FetchError              a request came to no answer that counts
    ├── NoSuchHost          the resolver says that the name does not exist or has no address
    ├── DnsFailure          the resolver did not say
    ├── BlockedAddress      an address of the host is not public
    ├── Denied              robots.txt, asked for by configuration, forbids it
    ├── Excluded            a hop of the chain is excluded by configuration
    ├── Timeout             a phase took longer than it may: connect, tls, read, total
    ├── Refused
    ├── Reset               closed or reset before any byte of an answer
    ├── Unreachable
    ├── LocalFault          this machine ran out of something: file descriptors, buffers, ports
    │   └── ProxyFault      the proxy cannot be reached, or refuses to lead on
    ├── TlsFault
    │   ├── TlsExpired
    │   ├── TlsHostname
    │   ├── TlsUntrusted
    │   └── TlsProtocol
    ├── BadResponse         what came is not HTTP
    │   └── IncompleteResponse  the connection ended in the middle of it
    └── RedirectFault
        ├── RedirectLoop
        ├── TooManyRedirects
        └── BadRedirect

Every leaf below FetchError has its verdict in `crawler.verdicts.tables.ERRORS`; a test holds that true.
"""

from __future__ import annotations


class CrawlerError(Exception):
    """The parent of all; its text is one sentence for a person."""


class ConfigError(CrawlerError):
    """The configuration has mistakes; the text names each with its file and key."""


class NoLinks(ConfigError):
    """The records hold no link that a rule takes; the text says what they hold, and what would take it."""


class UrlError(CrawlerError):
    """No request can be made of this text."""


class InvalidUrl(UrlError):
    """The text cannot be parsed as an absolute URL."""


class UnsupportedScheme(UrlError):
    """The URL is not http or https."""


class LaneClosed(CrawlerError):
    """The lane takes no more requests in this run; `until` is a UTC time as seconds, if known."""

    def __init__(self, reason: str, until: float | None = None) -> None:
        super().__init__(reason)
        self.until = until


class HostPostponed(LaneClosed):
    """The host asked to come back later than this run waits, at `until`."""


class FetchError(CrawlerError):
    """A request came to no answer that counts. `phase` says where it ended."""

    def __init__(self, detail: str = "", *, phase: str = "") -> None:
        super().__init__(detail)
        self.phase = phase


class NoSuchHost(FetchError):
    """The name does not exist, or has no address."""


class DnsFailure(FetchError):
    """The resolver failed or was silent: that says nothing about the name."""


class BlockedAddress(FetchError):
    """An address of the host is not public."""


class RobotsDenied(FetchError):
    """The site's robots.txt forbids it."""


class ExcludedUrl(FetchError):
    """The configuration excludes this hop."""


class FetchTimeout(FetchError):
    """The phase took longer than it may."""


class ConnectionRefused(FetchError):
    """The connection was refused."""


class ConnectionReset(FetchError):
    """The connection ended before any byte of an answer."""


class Unreachable(FetchError):
    """No route to the address."""


class LocalFault(FetchError):
    """This machine, not the target, could not do it."""


class ProxyFault(LocalFault):
    """The proxy, not the target, could not do it, or refused."""


class TlsFault(FetchError):
    """The TLS handshake failed."""


class TlsExpired(TlsFault):
    """The certificate is out of its dates."""


class TlsHostname(TlsFault):
    """The certificate is for another name."""


class TlsUntrusted(TlsFault):
    """The chain of the certificate leads to no trusted root."""


class TlsProtocol(TlsFault):
    """Any other failure of the handshake."""


class BadResponse(FetchError):
    """What came is not HTTP, or broke off."""


class IncompleteResponse(BadResponse):
    """The connection ended in the middle of a response: in its head, its body, or a chunk."""


class RedirectFault(FetchError):
    """The chain of redirects leads nowhere."""


class RedirectLoop(RedirectFault):
    """A URL repeats in the chain."""


class TooManyRedirects(RedirectFault):
    """The chain is longer than the configuration follows."""


class BadRedirect(RedirectFault):
    """A 3xx answer with no usable Location."""
