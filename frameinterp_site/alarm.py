"""Says in the log when something goes wrong and when it is over: once each, not with every look."""

from __future__ import annotations

import logging

from django.core.cache import cache

from .health import problems_now

KEY = "inbetween:alarm"
log = logging.getLogger("inbetween.alarm")


def look() -> None:
    """Called by the reaper in every round. Seconds and counts within a problem make no new one."""
    now = {_kind(problem): problem for problem in problems_now()}
    before: dict[str, str] = cache.get(KEY) or {}
    for kind in now.keys() - before.keys():
        log.error("alarm: %s", now[kind])
    for kind in before.keys() - now.keys():
        log.warning("over: %s", before[kind])
    cache.set(KEY, now, 24 * 3600)


def _kind(problem: str) -> str:
    return "".join(sign for sign in problem if not sign.isdigit())
