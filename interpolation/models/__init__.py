"""What the portal keeps: projects, their sources, the jobs on them, the previews that stay, and who may see them."""

from .arriving import ResumableUpload
from .bakeoff import BakeOff, Vote
from .hooks import Delivery, KeptAnswer, Webhook
from .people import ApiToken, Member, ShareLink, UserLimits
from .preferences import Preferences
from .trials import Preset, Trial
from .work import (
    Job,
    JobQuerySet,
    Preview,
    Project,
    ProjectQuerySet,
    Source,
    SourceQuerySet,
    Tag,
)

__all__ = [
    "ApiToken",
    "BakeOff",
    "Delivery",
    "Job",
    "JobQuerySet",
    "KeptAnswer",
    "Member",
    "Preferences",
    "Preset",
    "Preview",
    "Project",
    "ProjectQuerySet",
    "ResumableUpload",
    "ShareLink",
    "Source",
    "SourceQuerySet",
    "Tag",
    "Trial",
    "UserLimits",
    "Vote",
    "Webhook",
]
