"""What a job says of itself while it works, line by line, for everybody who may see the job.

It stands beside the job's files, so that every machine that serves pages has it. No path of the server and no traceback
gets in: those are in the log of the child, which is the administrator's.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from interpolation.models import Job

NAME = "log.txt"
LINES = 200  # shown, the last ones
TAIL_BYTES = 40_000
LONGEST = 400  # characters of a line
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Line:
    at: datetime
    words: str


def job_say(job_id: UUID | str, words: str, now: datetime | None = None) -> None:
    """Adds a line. A disk that takes none costs the line, never the job."""
    file = Path(settings.MEDIA_ROOT) / "jobs" / str(job_id) / NAME
    line = f"{(now or timezone.now()).isoformat(timespec='milliseconds')} {' '.join(words.split())[:LONGEST]}\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as lines:  # one write of a short line: several processes may add theirs
            lines.write(line)
    except OSError as error:
        log.warning("no line in the log of the job: %s", error, extra={"job": job_id})


def job_log(job: Job) -> list[Line]:
    """The last lines, the oldest first; none for a job that has not begun."""
    try:
        with (job.directory / NAME).open("rb") as lines:
            size = os.fstat(lines.fileno()).st_size
            lines.seek(max(0, size - TAIL_BYTES))
            text = lines.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    found = [line for line in map(_read, text.splitlines()) if line]
    return found[-LINES:]


def _read(text: str) -> Line | None:
    """None for what is no whole line: the first one after a seek."""
    at, _, words = text.partition(" ")
    try:
        return Line(datetime.fromisoformat(at), words) if words else None
    except ValueError:
        return None


def sums(certificate: dict[str, Any]) -> str:
    """The certificate in a few words."""
    checks = certificate.get("checks") or []
    return (
        f"the finished file was checked: {len(checks)} checks, {'all' if certificate.get('ok') else 'not all'} passed"
    )
