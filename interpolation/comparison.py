"""The facts of several jobs beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .models import Job

MOST = 10  # jobs at once


def facts(job: Job) -> dict[str, Any]:
    """What one compares jobs by: flat, plain values; None where it is not known (yet)."""
    held_out, timing = job.metrics.get("held_out") or {}, job.metrics.get("timing") or {}
    return {
        "id": str(job.pk),
        "source": str(job.source_id),
        "source_name": job.source.name,
        "status": job.status,
        "model_name": job.model_name,
        "model_sha256": job.model_sha256,
        **{f"options.{name}": value for name, value in sorted(job.options.items())},
        "held_out.psnr": held_out.get("psnr"),
        "held_out.ssim": held_out.get("ssim"),
        "held_out.blend_psnr": held_out.get("blend_psnr"),
        "timing.total_s": timing.get("total_s"),
        "timing.per_new_frame_ms": timing.get("per_new_frame_ms"),
        "frames.output": (job.metrics.get("frames") or {}).get("output"),
        "frames.new": (job.metrics.get("frames") or {}).get("new"),
        "master_bytes": job.master_bytes or None,
        "certificate.ok": job.certificate.get("ok"),
    }


def compare(jobs: Sequence[Job]) -> dict[str, Any]:
    """{"jobs": facts of each, "differ": names of the facts in which they are not all the same}."""
    rows = [facts(job) for job in jobs]
    names = dict.fromkeys(name for row in rows for name in row if name != "id")
    differ = [name for name in names if any(row.get(name) != rows[0].get(name) for row in rows)]
    return {"jobs": rows, "differ": differ}
