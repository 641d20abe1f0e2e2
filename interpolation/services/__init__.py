"""Everything that writes. Keyword-only functions; what a person can put right is a ServiceError or an EngineError."""

from .errors import PictureSizesDifferError, ServiceError
from .jobs import job_cancel, job_create, job_progress_view, job_requeue, job_retry
from .options import wrong_options
from .parts import REDRAWABLE, job_redraw, parts_due, parts_remove
from .projects import job_remove_files, project_create, project_delete, source_delete
from .running import job_beat, job_claim, job_fail, job_finish, job_lost, job_model, job_progress, job_stopped
from .sources import (
    MadePairs,
    in_a_few_words,
    source_create,
    source_create_pairs,
    source_create_sample,
    source_create_sequence,
)

__all__ = [
    "REDRAWABLE",
    "MadePairs",
    "PictureSizesDifferError",
    "ServiceError",
    "in_a_few_words",
    "job_beat",
    "job_cancel",
    "job_claim",
    "job_create",
    "job_fail",
    "job_finish",
    "job_lost",
    "job_model",
    "job_progress",
    "job_progress_view",
    "job_redraw",
    "job_remove_files",
    "job_requeue",
    "job_retry",
    "job_stopped",
    "parts_due",
    "parts_remove",
    "project_create",
    "project_delete",
    "source_create",
    "source_create_pairs",
    "source_create_sample",
    "source_create_sequence",
    "source_delete",
    "wrong_options",
]
