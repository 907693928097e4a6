"""`linkhealth demo`: the real program, on a small web of its own."""

from crawler.demo.show import find_seeds, run

__all__ = ["find_seeds", "run"]
