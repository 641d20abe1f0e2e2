"""Administrators see everything, put jobs back or end them, and give people more or less room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from . import services
from .admin_tools import ReadOnly, audit, each
from .models import ApiToken, Job, Member, Preview, Project, ResumableUpload, ShareLink, Source, UserLimits


class IsDeleted(admin.SimpleListFilter):
    title = _("deleted")
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("No")), ("yes", _("Yes, can be brought back")), ("purged", _("Yes, for good"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = {
            "no": Q(deleted_at__isnull=True),
            "yes": Q(deleted_at__isnull=False, purged_at__isnull=True),
            "purged": Q(purged_at__isnull=False),
        }
        return queryset.filter(wanted.get(self.value() or "", Q()))


class ModelOrNone(admin.AllValuesFieldListFilter):
    """What jobs have that never began to draw is a link that has to have words too."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            words = str(choice["display"])  # with counts: "trained_model (3)"
            yield choice if words.lstrip() == words != "" else choice | {"display": gettext("none yet") + words}


class MemberInline(admin.TabularInline):
    model = Member
    extra = 0
    raw_id_fields = ("user",)


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    list_display = ("name", "owner", "jobs_done", "created_at", "deleted_at")
    list_filter = (IsDeleted, "created_at")
    search_fields = ("name", "owner__username", "id")
    list_select_related = ("owner",)
    raw_id_fields = ("owner",)
    readonly_fields = ("deleted_at", "deleted_by", "purged_at")
    date_hierarchy = "created_at"
    inlines = (MemberInline,)
    actions = ("bring_back",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        return super().get_queryset(request).annotate(job_count=Count("jobs"))

    @admin.display(description=_("jobs"), ordering="job_count")
    def jobs_done(self, project: Any) -> int:
        return int(project.job_count)

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

    @admin.action(description=_("Bring back what was deleted"), permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        each(request, queryset, lambda project: services.project_restore(project=project), gettext_noop("brought back"))


@admin.register(Source)
class SourceAdmin(ReadOnly):
    list_display = ("name", "kind", "project", "size", "created_at", "deleted_at")
    list_filter = ("kind", IsDeleted, "created_at")
    search_fields = ("name", "project__name", "project__owner__username", "id")
    list_select_related = ("project",)

    @admin.display(ordering="size_bytes")
    def size(self, source: Source) -> str:
        return filesizeformat(source.size_bytes)


@admin.register(ResumableUpload)
class ResumableUploadAdmin(ReadOnly):
    list_display = ("name", "user", "project", "status", "here", "size", "created_at", "expires_at")
    list_filter = ("status", "created_at")
    search_fields = ("name", "user__username", "project__name", "id", "error")
    list_select_related = ("user", "project")
    actions = ("remove",)

    @admin.display(description=_("arrived"))
    def here(self, upload: ResumableUpload) -> str:
        return f"{upload.percent} %"

    @admin.display(ordering="size_bytes")
    def size(self, upload: ResumableUpload) -> str:
        return filesizeformat(upload.size_bytes)

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("interpolation.delete_resumableupload")

    @admin.action(description=_("Remove, with what has arrived"), permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: QuerySet[ResumableUpload]) -> None:
        for upload in queryset:
            number = upload.pk
            each(
                request,
                [upload],
                lambda one: services.upload_remove(upload=one),
                gettext_noop("removed"),
                f": {number}",
            )


class PreviewInline(admin.TabularInline):
    model = Preview
    fields = readonly_fields = ("kind", "position", "time", "file")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):
    list_display = ("id", "source", "owner", "status", "stage", "progress", "attempts", "worker", "size", "created_at")
    list_filter = ("status", ("model_name", ModelOrNone), IsDeleted, "created_at")
    search_fields = ("id", "source__name", "project__name", "project__owner__username", "worker", "error", "tags__name")
    list_select_related = ("source", "project__owner")
    date_hierarchy = "created_at"
    actions = ("requeue", "cancel", "purge_master", "measure_again", "bring_back")
    inlines = (PreviewInline,)
    readonly_fields = (*(field.name for field in Job._meta.fields), "tags")  # rows are changed by services only

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False  # previews are permanent: they go with their project

    @admin.display(ordering="project__owner__username")
    def owner(self, job: Job) -> str:
        return str(job.project.owner)

    @admin.display(description=_("frames"))
    def progress(self, job: Job) -> str:
        return f"{job.frames_done} / {job.frames_total}" if job.frames_total else ""

    @admin.display(ordering="master_bytes")
    def size(self, job: Job) -> str:
        return filesizeformat(job.master_bytes + job.preview_bytes + job.parts_bytes)

    @admin.action(description=_("Put back into the queue"), permissions=["change"])
    def requeue(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        each(request, queryset, lambda job: services.job_requeue(job=job), gettext_noop("put back into the queue"))

    @admin.action(description=_("Cancel"), permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        each(request, queryset, lambda job: services.job_cancel(job=job), gettext_noop("cancelled, or asked to stop"))

    @admin.action(description=_("Remove the finished film; previews and figures stay"), permissions=["change"])
    def purge_master(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        each(
            request,
            queryset,
            lambda job: services.job_purge_master(job=job),
            gettext_noop("film removed, previews stay"),
        )

    @admin.action(description=_("Measure the held-out figures again"), permissions=["change"])
    def measure_again(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        jobs = queryset.select_related("source")
        each(request, jobs, lambda job: services.job_measure_again(job=job), gettext_noop("sent to be measured again"))

    @admin.action(description=_("Bring back what was deleted"), permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        each(request, queryset, lambda job: services.job_restore(job=job), gettext_noop("brought back"))


@admin.register(Preview)
class PreviewAdmin(ReadOnly):
    list_display = ("job", "kind", "position", "time", "file")
    list_filter = ("kind",)
    search_fields = ("job__id", "file", "job__source__name")
    list_select_related = ("job__source",)


@admin.register(ShareLink)
class ShareLinkAdmin(ReadOnly):
    list_display = ("job", "created_by", "created_at", "expires_at", "revoked_at", "opened", "opened_at")
    list_filter = ("created_at",)
    search_fields = ("job__id", "job__source__name", "created_by__username")
    list_select_related = ("job__source", "created_by")
    exclude = ("password",)
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("interpolation.delete_sharelink")

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ShareLink]) -> None:
        each(request, queryset, lambda link: services.share_link_revoke(link=link), gettext_noop("revoked"))


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly):
    list_display = ("name", "user", "scope", "created", "expiry", "last_used_at")
    list_filter = ("scope", "created")
    search_fields = ("name", "user__username", "token_key")
    list_select_related = ("user",)
    exclude = ("digest",)
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("interpolation.delete_apitoken")

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset:
            audit(request, token.user, f"token “{token}” revoked")
            services.token_revoke(token=token)


class LimitsInline(admin.StackedInline):
    model = UserLimits
    extra = 1


class PeopleAdmin(UserAdmin):
    """Django's, with what everybody takes and may take."""

    list_display = ("username", "email", "is_staff", "is_active", "last_login", "waiting", "running", "storage")
    inlines = (LimitsInline,)
    readonly_fields = ("last_login", "date_joined")  # nobody's to change, and Django's fields for them have no label

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        def count(status: str) -> Count:
            return Count("jobs", Q(jobs__status=status), distinct=True)

        found: QuerySet[User] = super().get_queryset(request)
        return found.annotate(waiting_jobs=count(Job.Status.QUEUED), running_jobs=count(Job.Status.RUNNING))

    @admin.display(ordering="waiting_jobs")
    def waiting(self, user: Any) -> int:
        return int(user.waiting_jobs)

    @admin.display(ordering="running_jobs")
    def running(self, user: Any) -> int:
        return int(user.running_jobs)

    @admin.display
    def storage(self, user: User) -> str:
        return filesizeformat(services.storage_of(user).total)


admin.site.unregister(User)
admin.site.register(User, PeopleAdmin)
