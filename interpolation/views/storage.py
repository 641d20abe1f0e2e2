"""How much room somebody's files take."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Sum

from ..models import Job, Source


def storage_used(user: Any) -> dict[str, int]:
    """Bytes of a user's uploads and of what was made of them."""
    uploads = Source.objects.of(user).aggregate(total=Sum("size_bytes"))["total"] or 0
    jobs = Path(settings.MEDIA_ROOT) / "jobs"
    results = sum(folder_bytes(jobs / str(pk)) for pk in Job.objects.of(user).values_list("pk", flat=True))
    return {"uploads": uploads, "results": results, "total": uploads + results}


def folder_bytes(folder: Path) -> int:
    """Size of all files below a folder; 0 when it is not there."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(path, name).lstat().st_size
            except FileNotFoundError:  # a running job replaces its files
                continue
    return total
