"""Who keeps how much on the disk. Every source and job carries what it takes; the sums are one query each."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q, Sum

from interpolation.models import Job, ResumableUpload, Source

MEASURED_AT_ONCE = 50  # rows of before there was a ledger


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes of all projects of a user. What is deleted counts until it is gone for good."""

    sources: int
    films: int  # finished ones, and zips of pictures
    previews: int
    parts: int  # of which films were made; they are removed after INBETWEEN_SEGMENT_DAYS
    arriving: int  # uploads that have begun, as large as they will be
    deleted: int  # how much of all this is deleted and can be brought back

    @property
    def total(self) -> int:
        return self.sources + self.films + self.previews + self.parts + self.arriving

    def as_dict(self) -> dict[str, int]:
        return asdict(self) | {"total": self.total}


def storage_of(user: User) -> Storage:
    gone = Q(deleted_at__isnull=False) | Q(project__deleted_at__isnull=False)
    sources = Source.objects.filter(project__owner=user.pk).aggregate(
        all=Sum("size_bytes", default=0), gone=Sum("size_bytes", filter=gone, default=0)
    )
    columns = ("master_bytes", "preview_bytes", "parts_bytes")
    jobs = Job.objects.filter(project__owner=user.pk).aggregate(
        **{f"all_{name}": Sum(name, default=0) for name in columns},
        **{f"gone_{name}": Sum(name, filter=gone, default=0) for name in columns},
    )
    return Storage(
        sources=sources["all"],
        films=jobs["all_master_bytes"],
        previews=jobs["all_preview_bytes"],
        parts=jobs["all_parts_bytes"],
        arriving=ResumableUpload.objects.filter(project__owner=user.pk).announced(),
        deleted=sources["gone"] + sum(jobs[f"gone_{name}"] for name in columns),
    )


def job_measure(*, job_id: UUID) -> None:
    """Look at a job's folder and write down what it takes: whenever an attempt ends or something is removed."""
    job = Job.objects.filter(pk=job_id).prefetch_related("previews").first()
    if job is None:
        return
    root = Path(settings.MEDIA_ROOT)
    films = {root / name for name in (job.master, job.pictures_zip) if name}
    previews = {root / preview.file for preview in job.previews.all()} - films
    sizes = dict(file_sizes(job.directory))
    film = sum(sizes.pop(path, 0) for path in films)
    seen = sum(sizes.pop(path, 0) for path in previews)
    Job.objects.filter(pk=job_id).update(master_bytes=film, preview_bytes=seen, parts_bytes=sum(sizes.values()))


def measure_unknown() -> int:
    """Finished jobs nobody has measured: of before there was a ledger. Returns how many were."""
    unknown = Job.objects.filter(
        status=Job.Status.SUCCEEDED, purged_at__isnull=True, preview_bytes=0, master_bytes=0, parts_bytes=0
    ).exclude(previews=None)
    found = list(unknown.order_by("created_at").values_list("pk", flat=True).distinct()[:MEASURED_AT_ONCE])
    for job_id in found:
        job_measure(job_id=job_id)
    return len(found)


def file_sizes(folder: Path) -> list[tuple[Path, int]]:
    """Every file below a folder with its size; none when it is not there."""
    found: list[tuple[Path, int]] = []
    for path, _, names in os.walk(folder):
        for name in names:
            file = Path(path, name)
            try:
                found.append((file, file.lstat().st_size))
            except FileNotFoundError:  # a running job replaces its files
                continue
    return found
