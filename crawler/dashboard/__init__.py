"""The dashboard: pages of what is stored, for people, and the same as JSON, for scripts.

A page is one module in `pages/` and one template; `pages/__init__.py` names them all in the order
of the menu. It reads the database and sends no request: whatever it shows, a run has found before.
"""

from crawler.dashboard.server import CannotListen, serve
from crawler.dashboard.settings import DashboardSettings

__all__ = ["CannotListen", "DashboardSettings", "serve"]
