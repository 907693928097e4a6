"""Which links may have an issue, in SQL: the others, nearly all of them, are never read to be judged.

The rules stand in `crawler.checks.link_issues`. What is told here is wider, never narrower: a link that
has an issue by those rules is always let through, which a test holds for records of all kinds.
"""

from __future__ import annotations

import sqlalchemy as sa

from storage.db import schema
from storage.model import Kind
from storage.rollups.severity import AMP_KINDS


def may_have_issue(dialect: str, *, keeps_images: bool) -> sa.ColumnElement[bool]:
    """Whether a row of `link` with the newest `finding` of its target and its `image` may have an issue.

    `keeps_images`: the run kept images, so that what its cache lacks is known.
    """
    link, evidence, issue = schema.link, schema.finding.c.evidence, schema.link_issue
    image_doubts = [_size_may_differ(dialect, "width"), _size_may_differ(dialect, "height")]
    if keeps_images:
        in_cache = sa.exists().where(schema.cached.c.target_id == link.c.target_id)
        image_doubts.append(link.c.declared["cached"].as_boolean() & ~in_cache)
    return sa.or_(
        link.c.kind.in_([kind.value for kind in AMP_KINDS]),
        (link.c.kind == Kind.IMAGE.value) & sa.or_(*image_doubts),
        evidence["https"].as_string().is_not(None),
        evidence["fragments"].as_string().is_not(None),
        sa.exists().where(issue.c.link_id == link.c.id),
    )


def stands_beside() -> sa.ColumnElement[bool]:
    """Whether a row of `link` is one that the issue of another link of its record may follow from."""
    return schema.link.c.kind == Kind.WEB.value


def _size_may_differ(dialect: str, side: str) -> sa.ColumnElement[bool]:
    """Whether a record declares a side of an image that is no number, or not that of the image."""
    declared, actual = schema.link.c.declared, schema.image.c[side]
    is_text: sa.ColumnElement[bool] = (
        sa.func.json_typeof(declared[side]) == "string"
        if dialect == "postgresql"
        else sa.func.json_type(declared, f"$.{side}") == "text"
    )
    return sa.or_(is_text, declared[side].as_string() != sa.cast(actual, sa.String))
