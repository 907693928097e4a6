"""How data becomes a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment

from crawler.dashboard.house import House
from crawler.dashboard.page import Page


@dataclass(frozen=True, slots=True)
class View:
    """All templates, and what each may use: `menu`, `here` (the name of the page), `write`, `guarded`."""

    environment: Environment
    house: House
    pages: Sequence[Page[Any]]

    def text(self, template: str, *, here: str | None = None, **values: Any) -> str:
        """A page without data of its own."""
        shared = {
            "menu": [page for page in self.pages if page.menu],
            "here": here,
            "write": self.house.write,
            "guarded": bool(self.house.token),
        }
        return self.environment.get_template(template).render(**shared, **values)

    def page(self, page: Page[Any], query: object, data: object, given: Mapping[str, Any]) -> str:
        """A page with its data; `given` are the parameters as they came, for links that change one."""
        title = {"title": page.title, "page": page, "given": given}
        return self.text(page.template, here=page.name, query=query, data=data, **title)


VIEW: Final = web.AppKey("view", View)
