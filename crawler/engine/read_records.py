"""Reading the records of a run into its catalogue."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Final

import sqlalchemy as sa

from crawler.config import Config
from crawler.engine.observer import Observer
from crawler.engine.options import Options
from crawler.engine.plan import address_of
from crawler.errors import NoLinks
from crawler.policies import reading_of, record_paths, rules_of
from crawler.urls import masked
from storage.catalogue import Catalogue, LinkTarget, join_doubled_records
from storage.model import Document, Link, RecordProblem, Run
from storage.records import files, read, read_news
from storage.records.files import STANDARD_INPUT

DOCUMENTS_PER_REPORT: Final = 50  # documents between two calls of the observer


def link_target(link: Link, base_url: str | None) -> LinkTarget:
    """The target of a link, with what may be shown of its text and URL."""
    url = address_of(link, base_url)
    return LinkTarget(masked(link.text), masked(url), url)


def open_catalogue(engine: sa.Engine, run: Run, config: Config) -> Catalogue:
    """The catalogue of a run; records that stand under two names of one file are joined before.

    Raises:
        LedgerError: the database cannot take it.
    """
    paths = record_paths(config)
    join_doubled_records(engine, paths)
    place = partial(link_target, base_url=config.records.base_url or None)
    return Catalogue(engine, run, place, reading=reading_of(config), paths=paths)


def read_records(
    catalogue: Catalogue,
    config: Config,
    options: Options,
    observer: Observer,
    halted: Callable[[], bool],
) -> None:
    """Read every record that is new or changed; made for a thread, so it looks for a halt between files.

    A reading that was halted closes no link of the records that it did not come to.

    Raises:
        StorageError: a path cannot be read at all, or the database cannot be used.
        NoLinks: there is nothing to check.
    """
    rules = rules_of(config)
    paths: Collection[str] = options.paths or config.records.paths
    problems: list[RecordProblem] = []
    record_paths = files(paths, exclude=config.records.exclude, report=problems.append)
    for number, path in enumerate(record_paths):
        if halted():
            break
        if not catalogue.takes(path):
            continue
        document = read(path, rules) if options.force else read_news(path, rules, catalogue.knows)
        if document is not None:
            catalogue.put(document)
        if number % DOCUMENTS_PER_REPORT == 0:
            observer.read(catalogue.counts.records, catalogue.counts.links)
    for problem in problems:
        catalogue.put(Document(problem.path, None, problems=(problem,)))
    catalogue.close(() if halted() else paths)
    observer.read(catalogue.counts.records, catalogue.counts.links)
    if not catalogue.counts.links and not halted():
        _require_links(config, paths)


def _require_links(config: Config, paths: Collection[str]) -> None:
    """Say why there is nothing to check, unless the reason is that files cannot be read.

    Raises:
        NoLinks: there is another reason; the text says what would take the links.
    """
    if STANDARD_INPUT in paths:
        raise NoLinks("no link was found on standard input: it takes records, or a URL a line")
    from crawler.report.survey import no_links_text  # noqa: PLC0415 - for a run that ends here
    from storage.records.survey import survey  # noqa: PLC0415 - as above

    problems: list[RecordProblem] = []
    record_paths = files(paths, exclude=config.records.exclude, report=problems.append)
    total = survey(record_paths, rules_of(config))
    if total.unmapped or total.body_links or not (total.problems or problems):
        raise NoLinks(no_links_text(total))
