"""What the parent and its workers send to each other."""

from __future__ import annotations

from crawler.config import Config
from crawler.fetch.base import Request
from crawler.processes.pipe import Message
from crawler.processes.remote_lanes import RemoteReply
from storage.frozen import frozen
from storage.model import Finding, Probe, RunEnd, Target


@frozen
class WorkerSpec:
    """What all workers of a run have in common; `cache`: they keep images; `probes` still hold."""

    config: Config
    detours: tuple[str, ...]
    cache: bool = False
    probes: tuple[Probe, ...] = ()


class WorkerSetup(Message, frozen=True):
    """To a worker, first: its number, how many there are, which worker has each lane, and its targets."""

    number: int
    count: int
    spec: WorkerSpec
    owners: dict[str, int]
    targets: list[tuple[str, Target]]


class StopWorker(Message, frozen=True):
    """To a worker: start nothing more."""

    run_end: RunEnd
    why: str


class AbortWorker(Message, frozen=True):
    """To a worker: end at once."""

    run_end: RunEnd
    why: str


class CloseWorker(Message, frozen=True):
    """To a worker: no lane of any worker needs it any more."""


class RemoteHop(Message, frozen=True):
    """A request in a lane of another worker, by way of the parent; `number` counts those of the asker."""

    asker: int
    owner: int
    number: int
    request: Request


class RemoteHopReply(Message, frozen=True):
    """The reply to a hop, by way of the parent."""

    asker: int
    number: int
    reply: RemoteReply


class FindingBatch(Message, frozen=True):
    """To the parent: findings, and whether the observer is to learn of each."""

    findings: list[tuple[Finding, bool]]


class ObservedFinding(Message, frozen=True):
    """To the parent: a finding for the observer alone, since it is with the parent already."""

    finding: Finding


class WorkerSentence(Message, frozen=True):
    """To the parent: a sentence for a person."""

    text: str


class WorkerFailed(Message, frozen=True):
    """To the parent: images cannot be kept; the reason."""

    reason: str


class WorkerDone(Message, frozen=True):
    """To the parent: every target of the worker is checked, or the worker was told to end."""

    run_end: RunEnd
    dropped_count: int
