"""Training runs for administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from engine.errors import EngineError

from . import promotion, services
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
    list_filter = ("status", "by_hand", "created_at")
    search_fields = ("name", "owner__username", "model_sha256", "worker", "error")
    exclude = ("curve",)
    readonly_fields = tuple(
        field.name for field in TrainingRun._meta.fields if field.name not in ("name", "owner", "curve")
    )
    inlines = (EpochInline,)
    date_hierarchy = "created_at"
    list_select_related = ("owner",)
    actions = ("stop", "go_on", "promote")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # runs are started from the page, which checks what they need

    @admin.action(description=_("Stop"), permissions=["change"])
    def stop(self, request: HttpRequest, runs: QuerySet[TrainingRun]) -> None:
        self._each(
            request, runs, lambda run: services.training_run_cancel(run=run), gettext_noop("stopped, or asked to stop")
        )

    @admin.action(description=_("Back to the queue: go on where it was saved"), permissions=["change"])
    def go_on(self, request: HttpRequest, runs: QuerySet[TrainingRun]) -> None:
        self._each(
            request, runs, lambda run: services.training_run_requeue(run=run), gettext_noop("put back into the queue")
        )

    @admin.action(description=_("Make its weights the default, if the benchmark says so"), permissions=["change"])
    def promote(self, request: HttpRequest, runs: QuerySet[TrainingRun]) -> None:
        if runs.count() != 1:
            self.message_user(request, _("Choose one run: there is one default."), messages.ERROR)
            return
        user = cast(User, request.user)
        self._each(
            request,
            runs,
            lambda run: promotion.model_promote(name=run.model_name, user=user),
            gettext_noop("made the default model"),
            audited=True,
        )

    def _each(
        self,
        request: HttpRequest,
        runs: QuerySet[TrainingRun],
        change: Callable[[TrainingRun], object],
        done: str,
        *,
        audited: bool = False,
    ) -> None:
        """What was done (a text that gettext knows) is in the audit log; what could not be is said.

        audited: `change` writes the log itself.
        """
        for run in runs:
            try:
                change(run)
            except (services.ServiceError, EngineError) as error:
                self.message_user(request, f"{run}: {error}", messages.ERROR)
            else:
                if not audited:
                    self.log_change(request, run, done)
                self.message_user(request, f"{run}: {gettext(done)}.")
