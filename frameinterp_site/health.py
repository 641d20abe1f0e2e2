"""Whether the portal works, for people and for monitors.

/healthz   this process answers; asks nobody else
/readyz    it can do its work: database, media, clusters that take jobs, no job that is stuck; 503 when not
/health/   the same with figures
"""

from __future__ import annotations

import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from interpolation import reaper
from interpolation.models import Job
from training.models import TrainingRun

from .broker import SEEN
from .models import Hold
from .workers import silent_workers

CLUSTER_SILENT = 30.0  # seconds; its sentinel speaks twice a second
UNTAKEN = timedelta(seconds=120)  # a job that waits for longer although nothing runs is not taken at all


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """This process lives."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """{"status", "checks": {name: "ok" or what is wrong}}."""
    found = {name: " ".join(check["problems"]) or "ok" for name, check in checks().items()}
    ready = all(words == "ok" for words in found.values())
    return JsonResponse({"status": "ok" if ready else "trouble", "checks": found}, status=200 if ready else 503)


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Figures and problems; nothing in it tells of users or files."""
    found = checks()
    problems = [problem for check in found.values() for problem in check.pop("problems")]
    status = 503 if problems else 200
    return JsonResponse({"status": "ok" if not problems else "trouble", "problems": problems, **found}, status=status)


def problems_now() -> list[str]:
    """What is wrong, in words."""
    return [problem for check in checks().values() for problem in check["problems"]]


def checks() -> dict[str, dict[str, Any]]:
    """Every check with its figures and, under "problems", what is wrong."""
    return {"database": database(), "jobs": jobs(), **signs_of_life(), "media": media(), "disk": disk()}


def signs_of_life() -> dict[str, dict[str, Any]]:
    """What clusters and reaper last said of themselves, which they say in the cache."""
    try:
        return {"clusters": clusters(), "reaper": the_reaper()}
    except (DatabaseError, RedisError, OSError):
        problem = _("The cache does not answer: nobody knows whether the workers are alive (INBETWEEN_CACHE).")
        return {"cache": {"ok": False, "problems": [problem]}}


def database() -> dict[str, Any]:
    try:
        waiting = {
            "interpolation": Job.objects.filter(status=Job.Status.QUEUED).count(),
            "training": TrainingRun.objects.filter(status=TrainingRun.Status.QUEUED).count(),
        }
        running = Job.objects.filter(status=Job.Status.RUNNING).count()
    except DatabaseError:
        return {"ok": False, "problems": [_("The database does not answer.")]}
    return {"ok": True, "waiting": waiting, "running": running, "problems": []}


def jobs() -> dict[str, Any]:
    """Running ones that are silent, waiting ones that nobody takes, machines that are missing."""
    now = timezone.now()
    try:
        running = Job.objects.filter(status=Job.Status.RUNNING)
        silent = running.filter(heartbeat_at__lt=now - timedelta(seconds=settings.HEARTBEAT_STALE)).count()
        holds = {hold.queue: hold.mode for hold in Hold.objects.filter(host="")}
        waiting = Job.objects.alive().waiting(sent_before=now - UNTAKEN).exists()
        untaken = waiting and "interpolation" not in holds and not running.exists()
        missing = silent_workers()
    except DatabaseError:
        return {"problems": []}  # is said already
    problems = []
    if silent:
        words = _("%(count)s running job(s) have said nothing for %(seconds).0f seconds.")
        problems.append(words % {"count": silent, "seconds": settings.HEARTBEAT_STALE})
    if untaken:
        problems.append(_("Jobs wait, but no worker takes them. Restart the workers (manage.py up)."))
    words = _("The %(worker)s has been silent for %(seconds).0f seconds.")
    problems += [words % {"worker": worker, "seconds": seconds} for worker, seconds in missing]
    return {"silent": silent, "held": holds, "missing_workers": len(missing), "problems": problems}


def clusters() -> dict[str, Any]:
    found: dict[str, Any] = {"problems": []}
    for name in settings.Q_CLUSTER["ALT_CLUSTERS"]:
        silence = since(cache.get(SEEN.format(name)))
        alive = silence is not None and silence < CLUSTER_SILENT
        found[name] = {"alive": alive, "seen_seconds_ago": silence}
        if not alive:
            words = _("No %(name)s worker is alive: jobs wait. Start one (manage.py up).")
            if name == "webhooks":
                words = _(
                    "No %(name)s worker is alive: no program is told that a job is done. Start one (manage.py up)."
                )
            found["problems"].append(words % {"name": name})
    return found


def the_reaper() -> dict[str, Any]:
    silence = since(cache.get(reaper.SEEN))
    alive = silence is not None and silence < 3 * settings.REAP_INTERVAL + 30
    problems = [] if alive else [_("The reaper is not running: jobs of dead workers are not noticed.")]
    return {"alive": alive, "seen_seconds_ago": silence, "problems": problems}


def media() -> dict[str, Any]:
    """Whether a file can be written where uploads and results go."""
    try:
        with tempfile.NamedTemporaryFile(dir=Path(settings.MEDIA_ROOT), prefix=".ready-") as file:
            file.write(b"ready")
    except OSError as error:
        words = _("The media folder cannot be written: %(reason)s (INBETWEEN_MEDIA).")
        return {"writable": False, "problems": [words % {"reason": error.strerror or str(error)}]}
    return {"writable": True, "problems": []}


def disk() -> dict[str, Any]:
    free = min(shutil.disk_usage(folder).free for folder in (settings.DATA_DIR, settings.MEDIA_ROOT))
    enough = free >= settings.MIN_FREE_BYTES
    problems = [] if enough else [_("The disk is full: no uploads or jobs are taken.")]
    return {"free_mb": free // 2**20, "must_stay_free_mb": settings.MIN_FREE_BYTES // 2**20, "problems": problems}


def since(moment: float | None) -> float | None:
    """Seconds since a time.time(), None if there is none."""
    return round(max(0.0, time.time() - moment), 1) if moment is not None else None
