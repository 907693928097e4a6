"""What the bytes of an image say, read from as few of them as will do. Pure; decodes no pixel."""

from crawler.pixels.measure import Broken, Measure, More, NotImage, measure

__all__ = ["Broken", "Measure", "More", "NotImage", "measure"]
