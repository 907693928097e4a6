"""The dashboard: pages of what is stored, for people, and the same as JSON, for scripts.

A page is one module in `pages/` and one template; `pages/__init__.py` names them all in the order
of the menu. It sees what is stored and asks nobody: whatever it shows, a run has found before.
"""

from crawler.dashboard.house import House
from crawler.dashboard.server import Unbound, serve

__all__ = ["House", "Unbound", "serve"]
