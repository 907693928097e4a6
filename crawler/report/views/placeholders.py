"""Pictures that may be stand-ins, for a person to look at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from crawler.report.escape import printable
from storage.queries.report import SuspectedPlaceholder

MAX_EXAMPLE_URLS: Final = 3  # URLs that are shown of each picture


def as_json(placeholder: SuspectedPlaceholder) -> dict[str, object]:
    """The object of one picture; `pages` is 0 where they are not many."""
    return {
        "digest": placeholder.digest,
        "file": placeholder.file,
        "pages": placeholder.pages,
        "urls": list(placeholder.urls),
    }


def table(placeholders: Sequence[SuspectedPlaceholder]) -> Iterator[str]:
    """A paragraph a picture, and what to do about them."""
    for placeholder in placeholders:
        yield f"{placeholder.digest or 'not in the cache'}\n"
        if placeholder.file is not None:
            yield f"  file:  {placeholder.file}\n"
        if placeholder.pages:
            yield f"  beside {placeholder.pages} different pages\n"
        yield f"  behind {len(placeholder.urls)} URLs:\n"
        yield from (f"    {printable(url)}\n" for url in placeholder.urls[:MAX_EXAMPLE_URLS])
        if len(placeholder.urls) > MAX_EXAMPLE_URLS:
            yield f"    and {len(placeholder.urls) - MAX_EXAMPLE_URLS} more\n"
    if placeholders:
        yield "If one stands for nothing, put its digest into [images] placeholders.\n"
    else:
        yield "No picture looks like a stand-in.\n"


def json_(placeholders: Sequence[SuspectedPlaceholder]) -> Iterator[str]:
    """One array."""
    yield json.dumps([as_json(placeholder) for placeholder in placeholders], indent=1) + "\n"


def jsonl(placeholders: Sequence[SuspectedPlaceholder]) -> Iterator[str]:
    """A line a picture."""
    for placeholder in placeholders:
        yield json.dumps(as_json(placeholder)) + "\n"


SuspectReport: TypeAlias = Callable[[Sequence[SuspectedPlaceholder]], Iterator[str]]
SUSPECT_REPORTS: Final[Mapping[str, SuspectReport]] = {"table": table, "json": json_, "jsonl": jsonl}
