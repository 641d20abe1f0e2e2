"""Whether the portal works, for people and for monitors: 200 when it does, 503 with what is wrong when not."""

from __future__ import annotations

import shutil
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from interpolation import reaper
from interpolation.models import Job
from training.models import TrainingRun

from .broker import SEEN

CLUSTER_SILENT = 30.0  # seconds; its sentinel speaks twice a second


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Figures and problems; nothing in it tells of users or files."""
    checks = {"database": database(), **signs_of_life(), "disk": disk()}
    problems = [problem for check in checks.values() for problem in check.pop("problems")]
    status = 503 if problems else 200
    return JsonResponse({"status": "ok" if not problems else "trouble", "problems": problems, **checks}, status=status)


def signs_of_life() -> dict[str, dict[str, Any]]:
    """What clusters and reaper last said of themselves, which they say in the cache."""
    try:
        return {"clusters": clusters(), "reaper": the_reaper()}
    except (DatabaseError, RedisError, OSError):
        problem = "The cache does not answer: nobody knows whether the workers are alive (INBETWEEN_CACHE)."
        return {"cache": {"ok": False, "problems": [problem]}}


def database() -> dict[str, Any]:
    try:
        waiting = {
            "interpolation": Job.objects.filter(status=Job.Status.QUEUED).count(),
            "training": TrainingRun.objects.filter(status=TrainingRun.Status.QUEUED).count(),
        }
        running = Job.objects.filter(status=Job.Status.RUNNING).count()
    except DatabaseError:
        return {"ok": False, "problems": ["The database does not answer."]}
    return {"ok": True, "waiting": waiting, "running": running, "problems": []}


def clusters() -> dict[str, Any]:
    found: dict[str, Any] = {"problems": []}
    for name in settings.Q_CLUSTER["ALT_CLUSTERS"]:
        silence = since(cache.get(SEEN.format(name)))
        alive = silence is not None and silence < CLUSTER_SILENT
        found[name] = {"alive": alive, "seen_seconds_ago": silence}
        if not alive:
            found["problems"].append(f"No {name} worker is alive: jobs wait. Start one (manage.py up).")
    return found


def the_reaper() -> dict[str, Any]:
    silence = since(cache.get(reaper.SEEN))
    alive = silence is not None and silence < 3 * settings.REAP_INTERVAL + 30
    problems = [] if alive else ["The reaper is not running: jobs of dead workers are not noticed."]
    return {"alive": alive, "seen_seconds_ago": silence, "problems": problems}


def disk() -> dict[str, Any]:
    free = min(shutil.disk_usage(folder).free for folder in (settings.DATA_DIR, settings.MEDIA_ROOT))
    enough = free >= settings.MIN_FREE_BYTES
    problems = [] if enough else ["The disk is full: no uploads or jobs are taken."]
    return {"free_mb": free // 2**20, "must_stay_free_mb": settings.MIN_FREE_BYTES // 2**20, "problems": problems}


def since(moment: float | None) -> float | None:
    """Seconds since a time.time(), None if there is none."""
    return round(max(0.0, time.time() - moment), 1) if moment is not None else None
