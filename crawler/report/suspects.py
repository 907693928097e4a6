"""Pictures that may be stand-ins, for a person to look at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from crawler.report.safe import shown
from storage.queries import Suspect

EXAMPLES: Final = 3  # URLs that are shown of each picture


def as_json(one: Suspect) -> dict[str, Any]:
    """The object of one picture; `pages` is 0 where they are not many."""
    return {"digest": one.digest, "file": one.file, "pages": one.pages, "urls": list(one.urls)}


def table(found: Sequence[Suspect]) -> Iterator[str]:
    """A paragraph a picture, and what to do about them."""
    for one in found:
        yield f"{one.digest or 'not in the cache'}\n"
        if one.file is not None:
            yield f"  file:  {one.file}\n"
        if one.pages:
            yield f"  beside {one.pages} different pages\n"
        yield f"  behind {len(one.urls)} URLs:\n"
        yield from (f"    {shown(url)}\n" for url in one.urls[:EXAMPLES])
        if len(one.urls) > EXAMPLES:
            yield f"    and {len(one.urls) - EXAMPLES} more\n"
    if found:
        yield "If one stands for nothing, put its digest into [images] placeholders.\n"
    else:
        yield "No picture looks like a stand-in.\n"


def json_(found: Sequence[Suspect]) -> Iterator[str]:
    """One array."""
    yield json.dumps([as_json(one) for one in found], indent=1) + "\n"


def jsonl(found: Sequence[Suspect]) -> Iterator[str]:
    """A line a picture."""
    for one in found:
        yield json.dumps(as_json(one)) + "\n"


SuspectReport: TypeAlias = Callable[[Sequence[Suspect]], Iterator[str]]
SUSPECT_REPORTS: Final[Mapping[str, SuspectReport]] = {"table": table, "json": json_, "jsonl": jsonl}
