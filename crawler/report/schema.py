"""The JSON Schema of the formats `json` and `jsonl`, made from the types that write them."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from crawler.report.formats.json import REPORT_SCHEMA_VERSION, ReportJson
from crawler.report.target_json import TargetJson

JsonSchema: TypeAlias = dict[str, object]
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_TYPES: Final = {"json": ReportJson, "jsonl": TargetJson}


def json_schema(format_: str) -> JsonSchema:
    """The schema of a whole report (`json`), or of one line (`jsonl`), with its version in `$id`."""
    schema = msgspec.json.schema(SCHEMA_TYPES[format_])
    return {"$schema": DIALECT, "$id": f"urn:linkhealth:{format_}:{REPORT_SCHEMA_VERSION}", **schema}
