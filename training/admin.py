"""Training runs for administrators."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from . import services
from .models import Epoch, TrainingRun


class EpochInline(admin.TabularInline):
    model = Epoch
    extra = 0
    can_delete = False
    fields = readonly_fields = (
        "number",
        "step",
        "loss",
        "psnr",
        "ssim",
        "psnr_blend",
        "psnr_untrained",
        "lr",
        "seconds",
    )

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(TrainingRun)
class TrainingRunAdmin(admin.ModelAdmin):
    list_display = ("name", "owner", "status", "steps_done", "steps_total", "best_psnr", "by_hand", "created_at")
    list_filter = ("status", "by_hand")
    search_fields = ("name", "owner__username", "model_sha256")
    exclude = ("curve",)
    readonly_fields = tuple(
        field.name for field in TrainingRun._meta.fields if field.name not in ("name", "owner", "curve")
    )
    inlines = (EpochInline,)
    actions = ("stop", "go_on")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # runs are started from the page, which checks what they need

    @admin.action(description="Stop")
    def stop(self, request: HttpRequest, runs: QuerySet[TrainingRun]) -> None:
        self._each(request, runs, services.training_run_cancel)

    @admin.action(description="Back to the queue: go on where it was saved")
    def go_on(self, request: HttpRequest, runs: QuerySet[TrainingRun]) -> None:
        self._each(request, runs, services.training_run_requeue)

    def _each(self, request: HttpRequest, runs: QuerySet[TrainingRun], change: Callable[..., None]) -> None:
        for run in runs:
            try:
                change(run=run)
            except services.ServiceError as error:
                self.message_user(request, f"{run}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"{run}: {run.get_status_display()}.")
