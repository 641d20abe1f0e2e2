"""Administrators see everything, and put jobs back or end them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from engine.errors import EngineError

from . import services
from .models import Job, Preview, Project, Source


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    list_display = ("name", "owner", "created_at")
    list_filter = ("created_at",)
    search_fields = ("name", "owner__username", "id")
    raw_id_fields = ("owner",)
    date_hierarchy = "created_at"

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, Any], set[Any], list[Any]]:
        """What goes with a project may go with it, though nobody may delete it alone."""
        deleted, counts, _, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, set(), protected

    def delete_model(self, request: HttpRequest, obj: Project) -> None:
        services.project_purge(project=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        for project in queryset:
            services.project_purge(project=project)


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):
    list_display = ("name", "kind", "project", "size_bytes", "created_at")
    list_filter = ("kind", "created_at")
    search_fields = ("name", "project__name", "project__owner__username", "id")
    list_select_related = ("project",)
    readonly_fields = ("project", "kind", "file", "file2", "poster", "size_bytes", "info", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # sources come from uploads

    def has_delete_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        return False  # they go with their project, so that no result loses its source


class PreviewInline(admin.TabularInline):
    model = Preview
    fields = readonly_fields = ("kind", "position", "time", "file")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):
    list_display = ("id", "source", "owner", "status", "stage", "progress", "attempts", "worker", "created_at")
    list_filter = ("status", "model_name", "created_at")
    search_fields = ("id", "source__name", "project__name", "project__owner__username", "worker", "error")
    list_select_related = ("source", "project__owner")
    date_hierarchy = "created_at"
    actions = ("requeue", "cancel")
    inlines = (PreviewInline,)
    readonly_fields = tuple(field.name for field in Job._meta.fields)  # rows are changed by services only

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False  # previews are permanent: they go with their project

    @admin.display(ordering="project__owner__username")
    def owner(self, job: Job) -> str:
        return str(job.project.owner)

    @admin.display(description="frames")
    def progress(self, job: Job) -> str:
        return f"{job.frames_done} / {job.frames_total}" if job.frames_total else ""

    @admin.action(description="Put back into the queue", permissions=["change"])
    def requeue(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self.each(request, queryset, services.job_requeue, "put back into the queue")

    @admin.action(description="Cancel", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self.each(request, queryset, services.job_cancel, "cancelled, or asked to stop")

    def each(self, request: HttpRequest, jobs: QuerySet[Job], service: Callable[..., Any], done: str) -> None:
        count = 0
        for job in jobs:
            try:
                service(job=job)
                count += 1
            except (services.ServiceError, EngineError) as error:
                messages.error(request, f"{job}: {error}")
        if count:
            messages.success(request, f"{count} job(s) {done}.")


@admin.register(Preview)
class PreviewAdmin(admin.ModelAdmin):
    list_display = ("job", "kind", "position", "time", "file")
    list_filter = ("kind",)
    search_fields = ("job__id", "file", "job__source__name")
    list_select_related = ("job__source",)
    readonly_fields = ("job", "kind", "position", "time", "file", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Preview | None = None) -> bool:
        return False
