"""The evidence of a finding: into a cell of JSON, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from storage.model import Evidence

NO_EVIDENCE = Evidence()


def evidence_json(evidence: Evidence) -> str | None:
    """The JSON text of what is there; None where nothing is."""
    if evidence == NO_EVIDENCE:
        return None
    try:
        return msgspec.json.encode(evidence).decode()
    except UnicodeEncodeError:  # half of a surrogate pair: no finding is lost for a strange text
        return json.dumps(msgspec.to_builtins(evidence))


def to_evidence(cell: Mapping[str, object] | None) -> Evidence:
    """The evidence that a cell keeps; keys that another version wrote are left out."""
    try:
        return msgspec.convert(cell or {}, Evidence, strict=False)
    except msgspec.ValidationError:
        return Evidence()
