"""Log lines say which job they belong to, and never stop the one who writes them."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler

from django.http import HttpRequest, HttpResponseBase

from engine.workers import current_work, working_on


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
    """Adds `record.job`: given by `extra={"job": id}`, else what is worked on here, else what this child is for."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "job"):
            record.job = current_work() or os.environ.get("INBETWEEN_JOB_ID", "-")
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for collectors (INBETWEEN_LOG_FORMAT=json)."""

    def format(self, record: logging.LogRecord) -> str:
        row = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "job": str(getattr(record, "job", "-")),
            "message": record.getMessage(),
        }
        if record.exc_info:
            row["error"] = self.formatException(record.exc_info)
        return json.dumps(row, ensure_ascii=False)


class JobLogMiddleware:
    """What is logged while a request about a job is answered carries its id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with working_on(""):
            return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> None:
        route = request.resolver_match.route if request.resolver_match else ""
        if "pk" in kwargs and ("jobs/<uuid:pk>" in route or "jobs/(?P<pk>" in route):
            working_on.set(str(kwargs["pk"]))
