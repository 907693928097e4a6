"""The pages, in the order of the menu."""

from typing import Any, Final

from crawler.dashboard.page import Page
from crawler.dashboard.pages.hosts import HOSTS
from crawler.dashboard.pages.images import IMAGES
from crawler.dashboard.pages.links import LINKS
from crawler.dashboard.pages.overview import OVERVIEW
from crawler.dashboard.pages.records import RECORD, RECORDS
from crawler.dashboard.pages.runs import RUNS
from crawler.dashboard.pages.target import TARGET

PAGES: Final[tuple[Page[Any], ...]] = (OVERVIEW, LINKS, RECORDS, RECORD, HOSTS, IMAGES, TARGET, RUNS)

__all__ = ["PAGES"]
