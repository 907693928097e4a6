"""`python -m linkhealth` is `linkhealth`."""

from __future__ import annotations

from crawler.cli import main

main()
