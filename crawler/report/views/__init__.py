"""What `report --by` takes: the findings seen from a host, a record, a verdict or a kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, TypeVar

from crawler.report.base import Report, Summary
from crawler.report.views import groups, hosts, record_losses, records

Seen = TypeVar("Seen")


def _view(
    gather: Callable[[Summary], Seen], shows: Mapping[str, Callable[[Seen], Iterator[str]]]
) -> Mapping[str, Report]:
    """The reports of one view: what was gathered, in each form."""
    return {name: _composed(gather, show) for name, show in shows.items()}


def _composed(gather: Callable[[Summary], Seen], show: Callable[[Seen], Iterator[str]]) -> Report:
    return lambda summary: show(gather(summary))


def _grouped(by: str, gather: Callable[[Summary], list[groups.TargetGroup]]) -> Mapping[str, Report]:
    return _view(gather, {name: partial(show, by=by) for name, show in groups.GROUP_REPORTS.items()})


VIEWS: Final[Mapping[str, Mapping[str, Report]]] = {
    "record": _view(record_losses.record_losses, records.RECORD_REPORTS),
    "host": _view(hosts.host_rows, hosts.HOST_REPORTS),
    "verdict": _grouped("verdict", groups.by_verdict),
    "kind": _grouped("kind", groups.by_kind),
}
