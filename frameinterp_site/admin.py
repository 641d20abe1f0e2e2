"""For operators: the status page, who did what, and what the workers say."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.models import LogEntry

from interpolation.admin_tools import ReadOnly

from .models import Hold, Worker


@admin.register(LogEntry)
class AuditAdmin(ReadOnly):
    """Everything administrators did here. Nobody changes it."""

    list_display = ("action_time", "user", "content_type", "object_repr", "action_flag", "change_message")
    list_filter = ("action_flag", "content_type", "action_time")
    search_fields = ("object_repr", "change_message", "user__username", "object_id")
    list_select_related = ("user", "content_type")
    date_hierarchy = "action_time"


@admin.register(Worker)
class WorkerAdmin(ReadOnly):
    list_display = ("queue", "host", "pid", "processes", "memory_bytes", "started_at", "seen_at")
    list_filter = ("queue", "host")


@admin.register(Hold)
class HoldAdmin(ReadOnly):
    """Set and released on the status page."""

    list_display = ("queue", "host", "mode", "reason", "created_by", "created_at")
    list_filter = ("queue", "mode")
