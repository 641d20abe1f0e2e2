"""The held-out figures of a finished job once more: after the way to measure has changed, or when they are doubted."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from engine.config import RenderOptions
from interpolation.models import Job, Source

from .errors import ServiceError
from .queue import CLUSTER

TASK = "interpolation.tasks.figures_run"
log = logging.getLogger(__name__)


def job_measure_again(*, job: Job) -> None:
    """Sends it to the workers.

    Raises:
        ServiceError: there is nothing to measure.
    """
    require_measurable(job)
    job_id = job.pk
    transaction.on_commit(lambda: _send(job_id), robust=True)


def _send(job_id: UUID) -> None:
    async_task(TASK, str(job_id), q_options={"cluster": CLUSTER, "task_name": f"figures {job_id}"})
    log.info("figures are to be measured again", extra={"job": job_id})


def require_measurable(job: Job) -> None:
    if job.status != Job.Status.SUCCEEDED or job.source.kind != Source.Kind.VIDEO:
        raise ServiceError(_("Only videos that are done have held-out figures."))
    if job.source.purged_at is not None or not job.source.path.is_file():
        raise ServiceError(_("Its source is not kept any more: there is nothing to compare with."))


def job_measure_now(*, job: Job, should_stop: Callable[[], bool] | None = None) -> None:
    """In this process: takes about a tenth of the job's own time. All other figures stay.

    Raises:
        ServiceError: nothing to measure, or the weights it was drawn with are gone. EngineError: it cannot be read.
    """
    from engine.interpolator import Interpolator
    from engine.render import evaluate_video

    require_measurable(job)
    options = RenderOptions.from_dict(job.options | {"held_out": True})
    model = Interpolator.load(job.model_name or options.model, settings.JOB_DEVICE, threads=settings.JOB_THREADS)
    if model.info.sha256 != job.model_sha256:
        raise ServiceError(
            _("“%(model_name)s” has other weights now than when this was drawn. Run the job again.")
            % {"model_name": job.model_name}
        )
    with tempfile.TemporaryDirectory(dir=job.directory, prefix="figures-") as folder:
        figures, note = evaluate_video(job.source.path, Path(folder), options, model, should_stop=should_stop)
    with transaction.atomic():
        row = Job.objects.select_for_update().get(pk=job.pk)
        again = {"held_out": figures, "held_out_note": note, "measured_again_at": timezone.now().isoformat()}
        row.metrics = row.metrics | again
        row.save(update_fields=["metrics"])
    log.info("figures measured again: %s", figures and figures["psnr"], extra={"job": job.pk})
