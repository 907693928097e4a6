"""What the bytes of an image say, read from as few of them as will do. Pure; decodes no pixel."""

from crawler.images.measure import BrokenHeader, Measure, NeedMoreBytes, NotImage, measure

__all__ = ["BrokenHeader", "Measure", "NeedMoreBytes", "NotImage", "measure"]
