"""What a run reads: due targets, probes and fragments, and the words that --fail-on compares."""

from storage.queries.run.due import due_targets, targets_to_wait_for
from storage.queries.run.fragments import fragment_texts, fragments_looked_for
from storage.queries.run.lacking import finding_count, targets_without_finding
from storage.queries.run.postponed import postponed
from storage.queries.run.probes import valid_probes
from storage.queries.run.revisits import DueFacts, RevisitHistory, due_facts, previous_run, target_histories
from storage.queries.run.spellings import spellings
from storage.queries.run.whole_images import whole_image_verdicts
from storage.queries.run.words import fail_on_words

__all__ = [
    "DueFacts",
    "RevisitHistory",
    "due_facts",
    "due_targets",
    "fail_on_words",
    "finding_count",
    "fragment_texts",
    "fragments_looked_for",
    "postponed",
    "previous_run",
    "spellings",
    "target_histories",
    "targets_to_wait_for",
    "targets_without_finding",
    "valid_probes",
    "whole_image_verdicts",
]
