"""`python -m tests.behaviours` writes docs/behaviours.md anew."""

from tests.behaviours.page import PATH, written

PATH.write_text(written(), encoding="utf-8")
