"""How much room somebody's files take."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Sum

from ..models import Project


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


def project_storage(projects: list[Project], *, names: bool = True) -> dict[str, Any]:
    """Bytes of uploads and results in all, and of each project, largest first."""
    jobs = Path(settings.MEDIA_ROOT) / "jobs"
    rows: list[dict[str, Any]] = []
    for project in projects:
        uploads = project.sources.aggregate(total=Sum("size_bytes"))["total"] or 0
        results = sum(folder_bytes(jobs / str(pk)) for pk in project.jobs.values_list("pk", flat=True))
        row = {"uploads": uploads, "results": results, "total": uploads + results}
        rows.append({"project": project if names else None, **row})
    rows.sort(key=lambda row: -row["total"])
    uploads, results = sum(row["uploads"] for row in rows), sum(row["results"] for row in rows)
    most = max((row["total"] for row in rows), default=0)
    return {"rows": rows[:20], "uploads": uploads, "results": results, "total": uploads + results, "most": most}
