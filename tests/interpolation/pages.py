"""Rows for tests of the pages: no files behind them, nothing rendered."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from engine.config import RenderOptions
from interpolation.models import Job, Preview, Project, Source

VIDEO_INFO: dict[str, Any] = {
    "container": "mp4",
    "codec": "h264",
    "width": 640,
    "height": 360,
    "frame_count": 90,
    "duration": "3/1",
    "fps": "30/1",
    "is_vfr": False,
    "rotation": 0,
    "sar": "1/1",
    "hdr": False,
    "interlaced": False,
    "audio": [{"codec": "aac", "channels": 2, "sample_rate": 48000}],
    "notes": [],
}
PICTURES_INFO: dict[str, Any] = {"width": 640, "height": 360, "width2": 640, "height2": 360, "frame_count": 2}
SETTINGS = {
    "mode": "smooth",
    "inbetween": "1",
    "format": "mp4_h264",
    "quality": "80",
    "sound": "keep",
    "duplicates": "keep",
    "cut": "hold",
    "bit_depth": "auto",
    "encoder": "auto",
    "held_out": "on",
}
METRICS: dict[str, Any] = {
    "held_out": {
        "label": "held-out",
        "psnr": 36.42,
        "ssim": 0.9617,
        "blend_psnr": 31.0,
        "samples": [{"time": n / 10, "frame": n, "psnr": 36.0, "ssim": 0.96, "blend_psnr": 31.0} for n in range(5)],
    },
    "held_out_note": "",
    "motion": [{"time": n / 30, "px": 2.0} for n in range(90)],
    "cuts": [1.5],
    "timing": {
        "total_s": 31.2,
        "per_new_frame_ms": 143.1,
        "per_new_frame_ms_mean": 151.9,
        "new_frames_per_second": 6.6,
        "peak_memory_mib": 612.0,
    },
    "frames": {"source": 90, "output": 180, "new": 88, "held": 2},
}


def person(name: str) -> User:
    return User.objects.create_user(name, password="correct-horse-9")


def source_of(owner: User, kind: str = "video", **info: Any) -> Source:
    project = Project.objects.create(owner=owner, name=f"Footage of {owner.username}")
    facts = (VIDEO_INFO if kind == "video" else PICTURES_INFO) | info
    return Source.objects.create(project=project, kind=kind, name="rabbit.mp4", file="sources/x/source.mp4", info=facts)


def job_of(source: Source, status: str = "queued", options: dict[str, Any] | None = None, **columns: Any) -> Job:
    settings = RenderOptions(**(options or {})).to_dict()
    return Job.objects.create(project=source.project, source=source, status=status, options=settings, **columns)


def finished_job(source: Source, metrics: dict[str, Any] = METRICS, **columns: Any) -> Job:
    job = job_of(
        source, "succeeded", metrics=metrics, master="jobs/x/master.mp4", pictures_zip="jobs/x/p.zip", **columns
    )
    kinds = ["video", "source_video", "poster", "frame0", "frame1", "flow_farneback", "flow_model"]
    previews = [Preview(job=job, kind=kind, file=f"jobs/x/{kind}") for kind in kinds]
    previews += [
        Preview(job=job, kind="frame", position=n, time=n / 60, file=f"jobs/x/frame_{n}.png") for n in range(3)
    ]
    Preview.objects.bulk_create(previews)
    return job
