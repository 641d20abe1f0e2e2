"""Log lines say which job they belong to."""

from __future__ import annotations

import logging
import os


class JobFilter(logging.Filter):
    """Adds `record.job`: given by `extra={"job": id}`, or the one this child process was started for."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "job"):
            record.job = os.environ.get("INBETWEEN_JOB_ID", "-")
        return True
