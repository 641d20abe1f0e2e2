"""Log lines say which job they belong to, and never stop the one who writes them."""

from __future__ import annotations

import logging
import os
from logging.handlers import WatchedFileHandler


class SharedFileHandler(WatchedFileHandler):
    """A log that several processes write: opened anew when it was rotated from outside.

    A line for which the disk has no room is lost, and that is all: the handler it comes from lets the error out of
    `logger.warning(...)`, which would end `up` and with it the whole portal.
    """

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)


class JobFilter(logging.Filter):
    """Adds `record.job`: given by `extra={"job": id}`, or the one this child process was started for."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "job"):
            record.job = os.environ.get("INBETWEEN_JOB_ID", "-")
        return True
