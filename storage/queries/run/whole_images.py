"""What checks of whole images found: what the leading bytes of the same file do not overrule."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from storage.db import schema
from storage.db.predicates import newest_finding
from storage.db.rows import to_evidence
from storage.db.transactions import reading
from storage.model import Verdict, WholeImageEvidence

WHOLE_IMAGE_VERDICTS: Final = (Verdict.TRUNCATED, Verdict.UNDECODABLE, Verdict.PLACEHOLDER)


def whole_image_verdicts(engine: sa.Engine) -> dict[int, WholeImageEvidence]:
    """The verdicts that only the whole image tells, where they hold now, by the id of the target.

    Raises:
        LedgerError: the database cannot be read.
    """
    target, finding = schema.target, schema.finding
    query = sa.select(target.c.id, finding.c.evidence).join(finding, newest_finding())
    query = query.where(finding.c.verdict.in_([verdict.value for verdict in WHOLE_IMAGE_VERDICTS]))
    with reading(engine) as connection:
        rows = ((key, to_evidence(cell).whole_image) for key, cell in connection.execute(query))
        return {key: evidence for key, evidence in rows if evidence is not None}
