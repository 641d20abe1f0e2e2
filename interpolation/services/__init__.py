"""Everything that writes. Keyword-only functions; what a person can put right is a ServiceError or an EngineError."""

from .accounts import account_delete, account_export, mail_job_ended, preferences_of, preferences_set
from .bakeoffs import bakeoff_create, bakeoff_reveal, bakeoff_round, bakeoff_tally, bakeoff_vote
from .errors import LimitError, NoRoomError, PictureSizesDifferError, ServiceError, StateError
from .figures import job_measure_again, job_measure_now
from .jobs import job_cancel, job_create, job_progress_view, job_requeue, job_retry
from .ledger import Storage, job_measure, storage_of
from .limits import Limits, limits_of, require_storage, require_upload
from .notes import job_note, job_tag
from .options import wrong_options
from .outlook import Estimate, Outlook, estimate, outlooks
from .parts import REDRAWABLE, job_redraw, parts_due, parts_remove
from .projects import (
    job_delete,
    job_remove_files,
    job_restore,
    project_create,
    project_delete,
    project_purge,
    project_rename,
    project_restore,
    source_delete,
    source_restore,
)
from .queue import held_back, places, wake
from .running import (
    job_beat,
    job_claim,
    job_claim_next,
    job_fail,
    job_finish,
    job_lost,
    job_model,
    job_progress,
    job_stopped,
)
from .sharing import (
    member_remove,
    member_set,
    share_link_create,
    share_link_opened,
    share_link_revoke,
    share_link_unlock,
)
from .sources import (
    MadePairs,
    in_a_few_words,
    source_create,
    source_create_pairs,
    source_create_sample,
    source_create_sequence,
)
from .tokens import token_create, token_revoke
from .trash import job_purge_master, purge, trash_due
from .webhooks import delivery_repeat, webhook_create, webhook_delete, webhook_ping

__all__ = [
    "REDRAWABLE",
    "Estimate",
    "LimitError",
    "Limits",
    "MadePairs",
    "NoRoomError",
    "Outlook",
    "PictureSizesDifferError",
    "ServiceError",
    "StateError",
    "Storage",
    "account_delete",
    "account_export",
    "bakeoff_create",
    "bakeoff_reveal",
    "bakeoff_round",
    "bakeoff_tally",
    "bakeoff_vote",
    "delivery_repeat",
    "estimate",
    "held_back",
    "in_a_few_words",
    "job_beat",
    "job_cancel",
    "job_claim",
    "job_claim_next",
    "job_create",
    "job_delete",
    "job_fail",
    "job_finish",
    "job_lost",
    "job_measure",
    "job_measure_again",
    "job_measure_now",
    "job_model",
    "job_note",
    "job_progress",
    "job_progress_view",
    "job_purge_master",
    "job_redraw",
    "job_remove_files",
    "job_requeue",
    "job_restore",
    "job_retry",
    "job_stopped",
    "job_tag",
    "limits_of",
    "mail_job_ended",
    "member_remove",
    "member_set",
    "outlooks",
    "parts_due",
    "parts_remove",
    "places",
    "preferences_of",
    "preferences_set",
    "project_create",
    "project_delete",
    "project_purge",
    "project_rename",
    "project_restore",
    "purge",
    "require_storage",
    "require_upload",
    "share_link_create",
    "share_link_opened",
    "share_link_revoke",
    "share_link_unlock",
    "source_create",
    "source_create_pairs",
    "source_create_sample",
    "source_create_sequence",
    "source_delete",
    "source_restore",
    "storage_of",
    "token_create",
    "token_revoke",
    "trash_due",
    "wake",
    "webhook_create",
    "webhook_delete",
    "webhook_ping",
    "wrong_options",
]
