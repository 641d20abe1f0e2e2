"""Everything that writes about training. Keyword-only; what a person did wrong is a ServiceError or EngineError.

Only the holder of the claim (`worker`) may write, and only while the run is running; such functions return False when
it is not theirs any more.
"""

from __future__ import annotations

import logging
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django_q.models import OrmQ
from django_q.tasks import async_task

from engine.config import TrainConfig
from engine.errors import NoSpaceError
from engine.learn.data import find_footage

from .models import Epoch, TrainingRun, TrainingRunQuerySet

if TYPE_CHECKING:
    from engine.learn.loop import EpochReport, StepReport, TrainResult

Status = TrainingRun.Status
CLUSTER = "training"
TASK = "training.tasks.training_run"
CURVE_POINTS = 400
LEAST_ROOM = 256 << 20  # bytes
log = logging.getLogger(__name__)


class ServiceError(Exception):
    """The message says in words what is wrong and what to do."""


class StateError(ServiceError):
    """Right in itself, but not for a run in this state, or while another one runs."""


WAITING: dict[str, Any] = {  # the columns of a run that waits to be taken up
    "status": Status.QUEUED,
    "stage": "",
    "cancel_requested_at": None,
    "heartbeat_at": None,
    "worker": "",
    "error": "",
    "samples_per_second": None,
    "finished_at": None,
}


# --- what people do ------------------------------------------------------------------------------------------------


def uploads_of(user: User) -> list[tuple[str, str, list[str]]]:
    """(number, name, files) of projects whose videos this user may train on; see INBETWEEN's TRAINING_UPLOADS."""
    found: list[tuple[str, str, list[str]]] = import_string(settings.TRAINING_UPLOADS)(user)
    return found


def training_run_create(
    *, owner: User | None, name: str, config: TrainConfig, own: tuple[str, ...] = ()
) -> TrainingRun:
    """A row, and a message to the training worker once it is committed. own: uploads of the owner's, wherever they lie.

    Raises:
        ServiceError: no name, a folder out of bounds, or another run writes the same weights.
        BadInputError: nothing to train on in the folder.
        NoSpaceError: no room for the weights.
    """
    name = " ".join(name.split())
    if not name:
        raise ServiceError(_("Give the run a name. The model will be called after it."))
    for folder in config.data_dirs:
        if folder not in own:
            require_allowed(owner, folder)
        find_footage(Path(folder))
    if config.photos:
        require_allowed(owner, config.photos)
    require_room(config.model_path)
    with transaction.atomic():
        require_unused(config.model_path)  # in here, so that of two at once one sees the other (SQLite)
        run = TrainingRun.objects.create(
            owner=owner, name=name[:120], config=config.to_dict(), steps_total=config.epochs * config.steps_per_epoch
        )
        enqueue_on_commit(run.pk)
    return run


def training_run_start_by_hand(*, name: str, config: TrainConfig, worker: str) -> TrainingRun:
    """The row of a run that `worker`, a command somebody typed, is about to do itself."""
    now = timezone.now()
    return TrainingRun.objects.create(
        name=name[:120],
        config=config.to_dict(),
        steps_total=config.epochs * config.steps_per_epoch,
        status=Status.RUNNING,
        stage=gettext_noop("starting"),
        by_hand=True,
        attempts=1,
        worker=worker,
        started_at=now,
        heartbeat_at=now,
    )


def training_run_cancel(*, run: TrainingRun) -> None:
    """A waiting run is over at once; a running one stops after its present step, keeping the weights so far.

    Raises:
        ServiceError: the run is over already.
    """
    now = timezone.now()
    waiting = TrainingRun.objects.filter(pk=run.pk, status=Status.QUEUED)
    if not waiting.update(status=Status.CANCELLED, cancel_requested_at=now, finished_at=now):
        running = TrainingRun.objects.filter(pk=run.pk, status=Status.RUNNING)
        if not running.update(cancel_requested_at=now):
            run.refresh_from_db()
            raise StateError(
                _('This run is over ("%(status)s"): there is nothing to stop.') % {"status": run.get_status_display()}
            )
    run.refresh_from_db()


def training_run_requeue(*, run: TrainingRun) -> None:
    """Go on with a failed or stopped run where it was saved, or from its start if nothing was.

    Raises:
        ServiceError: the run waits, runs, is done, or was started by hand; or another one writes its weights now.
    """
    over = TrainingRun.objects.filter(pk=run.pk, by_hand=False, status__in=(Status.FAILED, Status.CANCELLED))
    with transaction.atomic():
        if over.exists():
            require_unused(run.config.get("model_path", ""))
        if not over.update(attempts=0, **WAITING):
            run.refresh_from_db()
            if run.by_hand:
                words = _("This run was started by hand: only failed and stopped runs of this portal can go on.")
            else:
                words = _('This run is "%(status)s": only failed and stopped runs of this portal can go on.')
            raise StateError(words % {"status": run.get_status_display()})
        enqueue_on_commit(run.pk)
    run.refresh_from_db()


def may_start(user: Any) -> bool:
    """Staff may; everybody who is signed in may with INBETWEEN_TRAINING_FOR_ALL=1."""
    return bool(user.is_authenticated and (user.is_staff or settings.TRAINING_FOR_ALL))


def require_allowed(owner: User | None, folder: str) -> None:
    """Raises ServiceError where somebody who is not staff names a folder outside the one for training data."""
    root = Path(settings.TRAINING_DATA).resolve()
    inside = Path(folder).resolve().is_relative_to(root)
    if owner is not None and not owner.is_staff and not inside:
        raise ServiceError(_("Choose a folder inside %(root)s. Others are for administrators only.") % {"root": root})


def require_unused(model_path: str) -> None:
    """Raises ServiceError when another live run writes these weights."""
    for other in TrainingRun.objects.filter(status__in=TrainingRun.LIVE):
        if Path(other.config.get("model_path", "")).resolve() == Path(model_path).resolve():
            raise StateError(
                _('The run "%(name)s" is still writing %(file)s. Stop it, or use another name.')
                % {"name": other.name, "file": Path(model_path).name}
            )


def require_room(model_path: str) -> None:
    """Raises NoSpaceError when the disk that takes the weights has hardly any room."""
    folder = next(place for place in Path(model_path).resolve().parents if place.exists())
    free = shutil.disk_usage(folder).free
    if free < LEAST_ROOM:
        raise NoSpaceError(
            _(
                "%(folder)s has %(free)s MB free; training needs %(least)s MB for the weights and "
                "what it saves to go on from. Free some space, or write them elsewhere."
            )
            % {"folder": folder, "free": free >> 20, "least": LEAST_ROOM >> 20}
        )


def new_model_path(name: str) -> Path:
    """Where the weights of a run called `name` go: `models/NAME.pth`.

    Raises:
        ServiceError: a name without letters, or of a model that exists.
    """
    stem = "_".join(
        "".join(letter if letter.isalnum() and letter.isascii() else " " for letter in name.lower()).split()
    )
    if not stem:
        raise ServiceError(_("The name needs letters or digits: the model will be called after it."))
    from engine.checkpoint import BLEND, DEFAULT_NAME, models_folder  # imports torch: not for workers and the reaper
    from engine.nets import ARCHITECTURES

    path = models_folder() / f"{stem[:60]}.pth"
    if path.exists() or stem in ("default", BLEND, DEFAULT_NAME, *ARCHITECTURES):
        raise StateError(_('There is a model called "%(stem)s" already. Choose another name.') % {"stem": stem})
    return path


# --- what a worker does --------------------------------------------------------------------------------------------


def training_run_claim(*, run_id: UUID | str, worker: str) -> bool:
    """Take a waiting run by one conditional UPDATE. False: somebody else has it, or it is over."""
    now = timezone.now()
    taken = TrainingRun.objects.filter(pk=run_id, status=Status.QUEUED).update(
        status=Status.RUNNING,
        worker=worker,
        stage=gettext_noop("starting"),
        attempts=F("attempts") + 1,
        started_at=now,
        heartbeat_at=now,
        finished_at=None,
        error="",
    )
    return taken == 1


def held(run_id: UUID | str, worker: str) -> TrainingRunQuerySet:
    return TrainingRun.objects.filter(pk=run_id, status=Status.RUNNING, worker=worker)


def training_run_beat(*, run_id: UUID | str, worker: str) -> bool:
    """Whoever works on it lives."""
    return held(run_id, worker).update(heartbeat_at=timezone.now()) == 1


def training_run_progress(
    *, run_id: UUID | str, worker: str, report: StepReport, loss: float, rate: float | None, curve: list[list[float]]
) -> bool:
    """How far it is: `loss` is the mean of the last steps, `rate` samples a second, `curve` the course so far."""
    changed = held(run_id, worker).update(
        stage=gettext_noop("training"),
        steps_done=report.step,
        steps_total=report.steps_total,
        loss=loss if math.isfinite(loss) else None,
        samples_per_second=rate,
        curve=curve,
        heartbeat_at=timezone.now(),
    )
    return changed == 1


def training_run_stage(*, run_id: UUID | str, worker: str, stage: str) -> bool:
    return held(run_id, worker).update(stage=stage[:40], heartbeat_at=timezone.now()) == 1


def epoch_add(*, run_id: UUID | str, worker: str, report: EpochReport) -> bool:
    """The figures of an epoch; said again after a resume, they replace the earlier ones."""
    columns = ("step", "loss", "psnr", "ssim", "psnr_blend", "psnr_untrained", "lr", "seconds")
    figures = {name: getattr(report, name) for name in columns}
    with transaction.atomic():
        run = held(run_id, worker).first()
        if run is None:
            return False
        Epoch.objects.update_or_create(run=run, number=report.number, defaults=figures)
        best = [psnr for psnr in (run.best_psnr, report.psnr) if psnr is not None]
        held(run_id, worker).update(
            best_psnr=max(best, default=None), steps_done=report.step, heartbeat_at=timezone.now()
        )
    return True


def training_run_finish(*, run_id: UUID | str, worker: str, result: TrainResult, stopped: bool = False) -> bool:
    """The weights are written. `stopped`: a person ended it before its time; the weights so far are kept too."""
    changed = held(run_id, worker).update(
        status=Status.CANCELLED if stopped else Status.SUCCEEDED,
        stage="",
        steps_done=result.steps,
        best_psnr=result.best_psnr,
        model_sha256=result.sha256,
        samples_per_second=None,
        finished_at=timezone.now(),
    )
    return changed == 1


def training_run_fail(*, run_id: UUID | str, worker: str, error: str) -> bool:
    """Over, with the reason in words."""
    changed = held(run_id, worker).update(status=Status.FAILED, stage="", error=error, finished_at=timezone.now())
    return changed == 1


def training_run_stopped(*, run_id: UUID | str, worker: str) -> bool:
    """It stopped in an orderly way: over if a person asked for that or started it by hand, else back to the queue."""
    asked = Q(cancel_requested_at__isnull=False) | Q(by_hand=True)
    over = {"status": Status.CANCELLED, "stage": "", "finished_at": timezone.now()}
    if held(run_id, worker).filter(asked).update(**over):
        return True
    return _back_to_queue(run_id, worker, attempts_back=1)


def training_run_lost(*, run_id: UUID | str, worker: str, reason: str) -> str:
    """The process that trained died. Another attempt, from the last saved step, while some remain.

    Returns the new status, or "" when the run was not `worker`'s.
    """
    now = timezone.now()
    if (
        held(run_id, worker)
        .filter(cancel_requested_at__isnull=False)
        .update(status=Status.CANCELLED, stage="", finished_at=now)
    ):
        return Status.CANCELLED
    spent = Q(attempts__gte=settings.JOB_ATTEMPTS) | Q(by_hand=True)
    words = " ".join([reason, _("What was saved is kept, and training can go on from there.")])
    if held(run_id, worker).filter(spent).update(status=Status.FAILED, stage="", finished_at=now, error=words):
        log.error("training given up: %s", reason, extra={"job": run_id})
        return Status.FAILED
    if _back_to_queue(run_id, worker):
        log.warning("training back to the queue: %s", reason, extra={"job": run_id})
        return Status.QUEUED
    return ""


def _back_to_queue(run_id: UUID | str, worker: str, attempts_back: int = 0) -> bool:
    with transaction.atomic():
        returned = held(run_id, worker).update(**{**WAITING, "attempts": F("attempts") - attempts_back})
        if returned:
            enqueue_on_commit(UUID(str(run_id)))
    return returned == 1


# --- messages to the training cluster ------------------------------------------------------------------------------


def enqueue_on_commit(run_id: UUID) -> None:
    """If sending fails, the reaper does it again."""
    transaction.on_commit(lambda: enqueue(run_id), robust=True)


def enqueue(run_id: UUID) -> None:
    TrainingRun.objects.filter(pk=run_id).update(enqueued_at=timezone.now())
    async_task(TASK, str(run_id), q_options={"cluster": CLUSTER, "task_name": f"training {run_id}"})


def without_message(runs: list[TrainingRun]) -> list[TrainingRun]:
    """Those of the runs for which no message waits to be taken."""
    waiting = OrmQ.objects.filter(key=CLUSTER).filter(Q(lock__isnull=True) | Q(lock__lte=timezone.now()))
    named = {str(argument) for message in waiting for argument in (message.args() or ())}
    return [run for run in runs if str(run.pk) not in named]


def wake() -> list[UUID]:
    """Send what is missing so that all waiting runs are taken: after an administrator has held the workers."""
    if held_back():
        return []
    waiting = list(TrainingRun.objects.filter(status=Status.QUEUED).defer("curve").order_by("created_at"))
    sent = [run.pk for run in without_message(waiting)]
    for run_id in sent:
        enqueue(run_id)
    return sent


def held_back(worker: str = "") -> str:
    """ "" while runs are taken, "drain" when no new one is, "pause" when what runs is put back as well."""
    mode: str = import_string(settings.QUEUE_HOLD)(CLUSTER, worker.partition(":")[0])
    return mode


# --- what pages say ------------------------------------------------------------------------------------------------


def training_run_progress_view(run: TrainingRun) -> dict[str, Any]:
    """Plain values for pages and API."""
    batch = run.config.get("batch_size") or 0
    rate = run.samples_per_second
    left = run.steps_total - run.steps_done
    end = run.finished_at or timezone.now()
    return {
        "status": run.status,
        "status_display": run.get_status_display(),
        "stage": run.stage,
        "steps_done": run.steps_done,
        "steps_total": run.steps_total,
        "percent": _percent(run),
        "loss": run.loss,
        "samples_per_second": rate,
        "eta_seconds": round(left * batch / rate) if run.is_live and rate and batch and left > 0 else None,
        "elapsed_seconds": round((end - run.started_at).total_seconds()) if run.started_at else None,
        "best_psnr": run.best_psnr,
        "cancel_requested": run.is_live and run.cancel_requested_at is not None,
        "error": run.error,
    }


def _percent(run: TrainingRun) -> int:
    if run.status == Status.SUCCEEDED:
        return 100
    return min(99, 100 * run.steps_done // run.steps_total) if run.steps_total else 0


def resume_path(config: TrainConfig) -> Path:
    """Where the loop saves what an interrupted run goes on from."""
    return Path(config.model_path).with_suffix(".last.pt")
