"""A whole run above the network, on virtual time: second pass, retry budget, local outage."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from crawler.engine.context import RunContext
from crawler.engine.plan import by_lane
from crawler.errors import (
    ConnectionRefused,
    ConnectionReset,
    DnsFailure,
    FetchError,
    FetchTimeout,
    LocalFault,
    NoSuchHost,
    Unreachable,
)
from crawler.fetch.base import Request, Response
from crawler.fetch.transport.address_slots import AddressSlots
from crawler.policies import lanes_of
from crawler.progress import QuietProgress
from crawler.urls import host_of
from crawler.wiring import Network, assemble
from storage.model import Finding, Hop, Kind, RunEnd, Target, Verdict
from tests import clock
from tests.check import QUICK, Kept, config

pytestmark = pytest.mark.libraries

Say = Callable[[str, float], int | FetchError]
MINUTES: Final = {"second_pass": 60.0, "backoff": 1.0}


class Net:
    """A network that answers as it is told: a status, or an error, by URL and time."""

    def __init__(self, say: Say, *, takes: float = 1.0) -> None:
        self._say, self._takes = say, takes
        self.asked: list[tuple[str, str, float]] = []

    async def __call__(self, request: Request) -> Response:
        """Take a second, then answer."""
        now = asyncio.get_running_loop().time()
        self.asked.append((request.method, request.url, now))
        await asyncio.sleep(self._takes)
        said = self._say(request.url, now)
        status = said if isinstance(said, int) else None
        request.trace.hops.append(Hop(request.url, request.method, status, None, self._takes, 1, None))
        if isinstance(said, FetchError):
            raise said
        return Response(request.url, said)

    def count(self, host: str) -> int:
        """How often a host was asked."""
        return sum(host_of(url) == host for _, url, _ in self.asked)


class Words(QuietProgress):
    """Remembers what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.said_words: list[str] = []
        self.seen: Counter[str] = Counter()

    def said(self, text: str) -> None:
        """Remember."""
        self.said_words.append(text)

    def found(self, finding: Finding) -> None:
        """Count."""
        self.seen[finding.url] += 1


class Result:
    """What a run left: findings by URL, how it ended, what it said, and when."""

    def __init__(self, net: Net) -> None:
        self.net, self.words, self.kept = net, Words(), Kept()
        self.ended, self.took = RunEnd.FAILED, 0.0

    def verdict(self, url: str) -> Verdict:
        """The last word on a URL."""
        return self.kept.findings[url].verdict


def run(say: Say, urls: list[str], **sections: Mapping[str, Any]) -> Result:
    """One run over these URLs, in virtual time, with a fair pace."""
    result = Result(Net(say))
    sections = {"hosts": {"interval": 0.5}, **sections, "checks": {"not_found": False, "parked": False}}
    settings = config(**{name: {**keys} for name, keys in sections.items()})

    async def main() -> None:
        context = RunContext(settings, result.kept, result.words)
        running = assemble(context, Network(result.net, AddressSlots(8)))
        targets = (Target(n, url, Kind.WEB) for n, url in enumerate(urls, 1))
        await running.check(by_lane(targets, lanes_of(settings)))
        result.ended, result.took = running.ended, asyncio.get_running_loop().time()

    clock.run(main())
    return result


def many(host: str, count: int) -> list[str]:
    """URLs of one host."""
    return [f"https://{host}/{n}" for n in range(count)]


LONG = many("long.example", 300)  # half a second each: the run lasts 150 s
BAD = "https://bad.example/"


def well_after(moment: float) -> Say:
    """One host is overloaded until a moment."""
    return lambda url, now: 503 if url == BAD and now < moment else 200


def test_second_pass_finds_what_is_well_again() -> None:
    """An outage of a minute at one host is no finding, and both visits are counted."""
    result = run(well_after(50), [BAD, *LONG], retry=MINUTES)
    finding = result.kept.findings[BAD]
    assert finding.verdict is Verdict.OK
    assert finding.attempts == result.net.count("bad.example") == finding.requests
    assert len(finding.hops) == finding.requests
    assert result.words.seen[BAD] == 1
    assert result.words.said_words == ["1 targets failed for the time being and are asked once more"]


def test_second_pass_asks_once_and_late_enough() -> None:
    """The second visit is one attempt, at least the pause after the last of the first."""
    result = run(well_after(10**6), [BAD, *LONG], retry=MINUTES)
    times = [now for _, url, now in result.net.asked if url == BAD]
    assert result.verdict(BAD) is Verdict.UNAVAILABLE
    assert len(times) == QUICK.retry.attempts + 1
    assert times[-1] - times[-2] >= 60


def test_short_run_does_not_wait_for_a_second_pass() -> None:
    """A run never gets more than a tenth longer for it."""
    result = run(well_after(50), [BAD, "https://good.example/"], retry=MINUTES)
    assert result.verdict(BAD) is Verdict.UNAVAILABLE
    assert result.took < 20


def test_no_second_pass_where_none_is_wanted() -> None:
    """0 turns it off."""
    result = run(well_after(10**6), [BAD, *LONG], retry={"second_pass": 0.0})
    assert result.net.count("bad.example") == QUICK.retry.attempts


def test_hard_verdicts_are_not_asked_again() -> None:
    """Only what may pass by itself is worth a second visit."""
    result = run(lambda url, _: 404 if url == BAD else 200, [BAD, *LONG], retry=MINUTES)
    assert result.net.count("bad.example") == 2  # HEAD, GET


def test_dying_host_is_not_asked_three_times_as_often() -> None:
    """Retries are a share of the first attempts, once a lane has used up what every lane has."""
    dying = many("dying.example", 1000)
    result = run(lambda url, _: 503 if "dying" in url else 200, dying, hosts={"adaptive": False})
    assert 1000 < result.net.count("dying.example") <= 1000 + 100 + 200 + 10


def test_few_targets_have_all_their_retries() -> None:
    """The budget is never felt by a handful."""
    seen: Counter[str] = Counter()

    def third(url: str, _: float) -> int:
        seen[url] += 1
        return 200 if seen[url] > 2 else 503

    urls = many("slow.example", 40)
    result = run(third, urls, hosts={"adaptive": False})
    assert {result.verdict(url) for url in urls} == {Verdict.OK}


FAR = [f"https://h{n}.example/{m}" for m in range(8) for n in range(40)]


def cut(start: float, end: float, error: FetchError) -> Say:
    """Nothing answers for a while."""
    return lambda _, now: error if start <= now < end else 200


@pytest.mark.parametrize(
    "error",
    [
        Unreachable(),
        DnsFailure(),
        NoSuchHost(),
        LocalFault(),
        *(FetchTimeout(phase=phase) for phase in ("dns", "connect", "tls", "read")),
    ],
    ids=lambda e: f"{type(e).__name__} {e.phase}".strip(),
)
def test_nothing_found_in_an_outage_is_believed(error: FetchError) -> None:
    """When all fails, and the hosts that answered last do as well, the run ends, and says why."""
    result = run(cut(3, 10**6, error), FAR)
    verdicts = Counter(finding.verdict for finding in result.kept.findings.values())
    assert set(verdicts) == {Verdict.OK, Verdict.LOCAL_OUTAGE}
    assert result.ended == RunEnd.OUTAGE
    assert result.words.said_words == [
        "this machine is off line: no host answers, not even those that did before"
    ]
    assert result.took < 3 + 15 + 20
    assert sum(now > 10 for _, _, now in result.net.asked) < 100


def test_short_outage_leaves_no_trace() -> None:
    """What was found while the network was away is checked anew when it is back."""
    result = run(cut(3, 10, Unreachable()), FAR)
    assert {finding.verdict for finding in result.kept.findings.values()} == {Verdict.OK}
    assert len(result.kept.findings) == len(FAR)
    assert result.ended == RunEnd.FINISHED


def test_dead_hosts_are_no_outage() -> None:
    """However many hosts fail in a row, it is their affair while others answer."""
    dead = [f"https://dead{n}.example/" for n in range(60)]
    say: Say = lambda url, _: Unreachable() if "dead" in url else 200  # noqa: E731
    result = run(say, [*dead, "https://good.example/"])
    assert {result.verdict(url) for url in dead} == {Verdict.UNREACHABLE}
    assert result.ended == RunEnd.FINISHED
    assert result.net.count("good.example") < 15  # as a canary, seldom


@pytest.mark.parametrize("error", [ConnectionRefused(), ConnectionReset()])
def test_refusals_are_contact(error: FetchError) -> None:
    """Who says no is there: no canary is asked."""
    result = run(cut(3, 10**6, error), FAR)
    assert result.ended == RunEnd.FINISHED
    assert Verdict.LOCAL_OUTAGE not in {finding.verdict for finding in result.kept.findings.values()}


def test_nobody_ever_answered() -> None:
    """With no host that ever answered, many failures of the machine's own kind are an outage."""
    result = run(cut(0, 10**6, DnsFailure()), FAR[:40])
    assert {finding.verdict for finding in result.kept.findings.values()} == {Verdict.LOCAL_OUTAGE}
    assert result.ended == RunEnd.OUTAGE


def test_a_few_silent_hosts_are_believed() -> None:
    """Two or three hosts that hang, and nothing else to ask, are no outage."""
    urls = ["https://one.example/", "https://two.example/", "https://three.example/"]
    result = run(cut(0, 10**6, FetchTimeout(phase="connect")), urls)
    assert {result.verdict(url) for url in urls} == {Verdict.TIMEOUT}
    assert result.ended == RunEnd.FINISHED


def test_names_that_do_not_exist_are_believed() -> None:
    """A list of dead names says nothing of this machine."""
    result = run(cut(0, 10**6, NoSuchHost()), FAR[:40])
    assert {finding.verdict for finding in result.kept.findings.values()} == {Verdict.NO_SUCH_HOST}
    assert result.ended == RunEnd.FINISHED


def test_canaries_of_the_configuration() -> None:
    """Configured canaries speak for the network, though no host of the run ever answered."""
    say: Say = lambda url, _: 200 if "canary" in url else DnsFailure()  # noqa: E731
    result = run(say, FAR[:40], network={"canaries": ("https://canary.example/",)})
    assert {finding.verdict for finding in result.kept.findings.values()} == {Verdict.DNS_FAILURE}
    assert result.ended == RunEnd.FINISHED
    assert 0 < result.net.count("canary.example") < 10
