"""The broken links: targets that fail, worst first, or any others that are asked for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import msgspec
import sqlalchemy as sa
from msgspec import Meta

from crawler.dashboard.page import DashboardPage, PagedQuery, Paging, paged
from crawler.report.severity import Severity
from storage.frozen import frozen
from storage.model import Class, Issue, Kind, State, Verdict
from storage.queries import dashboard as queries
from storage.queries.dashboard import TargetFilter, TargetOrder, TargetRow

TARGETS_PER_PAGE: Final = 50
Text = Annotated[str, Meta(max_length=2000)]


class ClassFilter(StrEnum):
    """What is shown: a class, all that fail now, or anything."""

    FAILING = "failing"
    ANY = "any"
    ALIVE = "alive"
    HARD = "hard"
    SOFT = "soft"
    CONTENT = "content"
    TRANSIENT = "transient"
    UNKNOWN = "unknown"
    UNCHECKED = "unchecked"


class SeverityFilter(StrEnum):
    """How bad a target that fails is."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class LinksQuery(PagedQuery, frozen=True, kw_only=True):
    """Which targets are shown, and in which order; what is not given leaves nothing out."""

    shown: Annotated[
        ClassFilter | None,
        Meta(description="Default: failing; any, where a state, a verdict or an issue is asked for."),
    ] = msgspec.field(name="class", default=None)
    state: tuple[State, ...] = ()
    kind: tuple[Kind, ...] = ()
    verdict: tuple[Verdict, ...] = ()
    severity: tuple[SeverityFilter, ...] = ()
    issue: Issue | None = None
    host: Annotated[Text, Meta(description="The whole name of a host.")] = ""
    record: Annotated[Text, Meta(description="How the path of a record begins.")] = ""
    search: Annotated[Text, Meta(description="A part of the URL; case does not count.")] = ""
    sort: TargetOrder = TargetOrder.WORST

    @property
    def what(self) -> ClassFilter:
        """What is shown by default."""
        criteria = self.state or self.verdict or self.issue
        return self.shown or (ClassFilter.ANY if criteria else ClassFilter.FAILING)

    @property
    def wanted(self) -> TargetFilter:
        """The same as the database is asked."""
        is_class = self.what not in {ClassFilter.FAILING, ClassFilter.ANY}
        return TargetFilter(
            failing=self.what is ClassFilter.FAILING or bool(self.severity),
            classes=(Class(self.what),) if is_class else (),
            states=self.state,
            kinds=self.kind,
            verdicts=self.verdict,
            severities=tuple(int(Severity[word.name]) for word in self.severity),
            issue=self.issue,
            host=self.host.strip().lower() or None,
            record=self.record or None,
            search=self.search.strip() or None,
        )


@frozen
class TargetList:
    """One page of targets. `more`: there may be more than `paging.total`, which were not looked at.

    `severity` of a target is from 0 (it does not fail) to 4 (critical).
    """

    paging: Paging
    more: bool
    links: tuple[TargetRow, ...]


def links(engine: sa.Engine, query: LinksQuery) -> TargetList:
    """One page of the targets that fit.

    Raises:
        Beyond: there is no such page.
        LedgerError: the database cannot be read.
    """
    part = queries.broken(engine, query.wanted, query.sort, size=TARGETS_PER_PAGE, page=query.page)
    return TargetList(paged(query.page, part.total, TARGETS_PER_PAGE), part.more, tuple(part.rows))


LINKS_PAGE = DashboardPage(
    name="links",
    title="Broken links",
    summary="Targets that fail now, the worst first, or any others; filtered, sorted and searched.",
    template="links.html",
    query=LinksQuery,
    result=TargetList,
    data=links,
)
