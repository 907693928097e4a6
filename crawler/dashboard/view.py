"""How data becomes a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aiohttp import web
from jinja2 import Environment

from crawler.dashboard.page import AnyPage
from crawler.dashboard.settings import DashboardSettings
from storage.frozen import frozen


@frozen
class TemplateView:
    """All templates, and what each may use: `menu`, `here` (the name of the page), `write`, `guarded`."""

    environment: Environment
    settings: DashboardSettings
    pages: Sequence[AnyPage]

    def text(self, template: str, *, page_name: str | None = None, **values: object) -> str:
        """A page without data of its own."""
        common_values = {
            "menu": [page for page in self.pages if page.menu],
            "here": page_name,
            "write": self.settings.write,
            "guarded": bool(self.settings.token),
        }
        return self.environment.get_template(template).render(**common_values, **values)

    def page(self, page: AnyPage, query: object, data: object, parameters: Mapping[str, object]) -> str:
        """A page with its data; `given` are the parameters as they came, for links that change one."""
        title = {"title": page.title, "page": page, "given": parameters}
        return self.text(page.template, page_name=page.name, query=query, data=data, **title)


VIEW_KEY: Final = web.AppKey("view", TemplateView)
