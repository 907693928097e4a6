"""One target as a report shows it, with its links and their issues."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from storage.frozen import frozen
from storage.model import Class, Finding, Kind, Link, LinkIssue, Pin, PinWord, State, Verdict

WORST_FIRST: Final = (
    Class.HARD,
    Class.SOFT,
    Class.CONTENT,
    Class.TRANSIENT,
    Class.UNKNOWN,
    Class.UNCHECKED,
    Class.ALIVE,
)


@frozen
class EntryLink:
    """One link as a report shows it, with what is wrong with it.

    `record` is the path of its file, `number` which record of that file it stands in, 0-based.
    """

    record: str
    link: Link
    issues: tuple[LinkIssue, ...] = ()
    number: int = 0

    @property
    def place(self) -> str:
        """Where the link stands, as editors and terminals open it: `path:line:column`."""
        return f"{self.record}:{self.link.line}:{self.link.column}"


@frozen
class Entry:
    """One target as a report shows it.

    `finding` is the newest that says something of the target, and `verdict`, which holds, is its
    verdict. `not_asked` says why the run did not ask the target, and `unasked_reason` may say more;
    of a target that was never asked, `not_asked` is the verdict, too. `state` is what a person
    pinned, if any did; a target that is to be ignored is `excluded` and has no issues.
    `hazard` are the deaths a year that it was believed to risk when its next check was planned.
    """

    id: int
    url: str
    kind: Kind
    verdict: Verdict
    state: State
    next_due: datetime | None
    failing_since: datetime | None
    finding: Finding | None
    links: tuple[EntryLink, ...] = ()
    pin: Pin | None = None
    not_asked: Verdict | None = None
    unasked_reason: str | None = None
    hazard: float | None = None

    @property
    def asked(self) -> bool:
        """Whether the run asked it: what is ignored is never asked."""
        return self.not_asked is None and (self.pin is None or self.pin.word is not PinWord.IGNORE)

    @property
    def known_state(self) -> State | None:
        """The state; None where every answer said nothing of the target: `new` was never asked."""
        return None if self.state is State.NEW and self.finding is not None else self.state
