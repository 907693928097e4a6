"""The read side: what a run has to check, and what reports, `explain` and people want to know."""

from storage.queries.alike import Alike, alike
from storage.queries.changes import Change, News, changes
from storage.queries.due import KINDS, due
from storage.queries.entries import WORST_FIRST, Entry, EntryLink, at, entries, find
from storage.queries.faults import (
    LinkRow,
    Share,
    Weighed,
    count_weighed,
    faults,
    links_of,
    newest_problems,
    one_weighed,
    shares,
    weighed,
)
from storage.queries.fragments import fragments, looked_for
from storage.queries.gallery import Exhibit, Gallery, Section, gallery
from storage.queries.hosts import (
    HostOrder,
    HostTally,
    HostTotals,
    counted_runs,
    host_totals,
    hosts,
    one_run,
)
from storage.queries.known import known
from storage.queries.probes import probes
from storage.queries.standings import (
    Count,
    Progress,
    Turn,
    Turns,
    count_runs,
    latest_runs,
    latest_turns,
    progress,
    standings,
    turns,
)
from storage.queries.story import Observation, digests, history, hops, problems, runs
from storage.queries.suspects import Suspect, suspects, twins
from storage.queries.targets import Broken, Order, Part, Place, Wanted, broken
from storage.queries.totals import Totals

__all__ = [
    "KINDS",
    "WORST_FIRST",
    "Alike",
    "Broken",
    "Change",
    "Count",
    "Entry",
    "EntryLink",
    "Exhibit",
    "Gallery",
    "HostOrder",
    "HostTally",
    "HostTotals",
    "LinkRow",
    "News",
    "Observation",
    "Order",
    "Part",
    "Place",
    "Progress",
    "Section",
    "Share",
    "Suspect",
    "Totals",
    "Turn",
    "Turns",
    "Wanted",
    "Weighed",
    "alike",
    "at",
    "broken",
    "changes",
    "count_runs",
    "count_weighed",
    "counted_runs",
    "digests",
    "due",
    "entries",
    "faults",
    "find",
    "fragments",
    "gallery",
    "history",
    "hops",
    "host_totals",
    "hosts",
    "known",
    "latest_runs",
    "latest_turns",
    "links_of",
    "looked_for",
    "newest_problems",
    "one_run",
    "one_weighed",
    "probes",
    "problems",
    "progress",
    "runs",
    "shares",
    "standings",
    "suspects",
    "turns",
    "twins",
    "weighed",
]
