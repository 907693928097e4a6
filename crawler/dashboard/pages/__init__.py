"""The pages, in the order of the menu."""

from typing import Final

from crawler.dashboard.page import AnyPage
from crawler.dashboard.pages.hosts import HOSTS_PAGE
from crawler.dashboard.pages.images import IMAGES_PAGE
from crawler.dashboard.pages.links import LINKS_PAGE
from crawler.dashboard.pages.overview import OVERVIEW_PAGE
from crawler.dashboard.pages.records import RECORD_PAGE, RECORDS_PAGE
from crawler.dashboard.pages.runs import RUNS_PAGE
from crawler.dashboard.pages.target import TARGET_PAGE

DASHBOARD_PAGES: Final[tuple[AnyPage, ...]] = (
    OVERVIEW_PAGE,
    LINKS_PAGE,
    RECORDS_PAGE,
    RECORD_PAGE,
    HOSTS_PAGE,
    IMAGES_PAGE,
    TARGET_PAGE,
    RUNS_PAGE,
)

__all__ = ["DASHBOARD_PAGES"]
