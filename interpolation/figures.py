"""The figures of a finished job as a file."""

from __future__ import annotations

import json

from .models import Job


def figures(job: Job) -> str:
    """All figures of a finished job as one JSON text, for download."""
    return json.dumps(
        {
            "job": str(job.pk),
            "source": job.source.name,
            "source_info": job.source.info,
            "options": job.options,
            "model": {"name": job.model_name, "sha256": job.model_sha256, "notice": job.model_notice},
            "metrics": job.metrics,
            "certificate": job.certificate,
            "finished_at": job.finished_at.isoformat() if job.finished_at else None,
        },
        indent=2,
    )
