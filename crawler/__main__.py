"""`python -m crawler` is `linkhealth`."""

from crawler.cli import main

main()
