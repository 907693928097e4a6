"""Letters that YAML 1.1 takes for line breaks, and that YAML 1.2 (5.4) and editors do not.

A parser of YAML 1.1 counts lines by them, and ends a value at them. They are replaced by letters for
private use before it reads the text, and put back in what it says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from yaml import events

from storage.records.yaml_events import Event

SEPARATORS: Final = "\x85\u2028\u2029"
PRIVATE_USE: Final = range(0xE000, 0xF900)  # Unicode 16.0, 23.5


class SeparatorMask:
    """A text without the separators: `text` has as many letters, and as many lines as an editor shows."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._originals: dict[int, str] = {}
        separators = [letter for letter in SEPARATORS if letter in text]
        if not separators:
            return
        free_codes = (code for code in PRIVATE_USE if chr(code) not in text)
        replacements = {ord(letter): next(free_codes) for letter in separators}
        self.text = text.translate(replacements)
        self._originals = {code: chr(letter) for letter, code in replacements.items()}

    def restored(self, stream: Iterator[Event]) -> Iterator[Event]:
        """The events of the masked text, their values as they stand in the text itself."""
        return self._restore(stream) if self._originals else stream

    def _restore(self, stream: Iterator[Event]) -> Iterator[Event]:
        for event in stream:
            if type(event) is events.ScalarEvent:
                event.value = event.value.translate(self._originals)
            yield event
