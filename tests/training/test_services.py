"""A training run's row says the truth about it: creating, claiming, progress, ending, going on."""

from pathlib import Path

import pytest
from django.test import TestCase

from engine.errors import BadInputError, NoSpaceError
from training import services
from training.models import Epoch, TrainingRun

from .footage import sliding, write_frames
from .rows import WORKER, config, epoch_report, result, run_row, running, step_report, user

pytestmark = pytest.mark.django_db
Status = TrainingRun.Status


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs for which a message was sent to the training cluster."""
    messages: list[str] = []

    def note(task: str, run_id: str, q_options: dict[str, str]) -> None:
        assert (task, q_options["cluster"]) == ("training.tasks.training_run", "training")
        messages.append(run_id)

    monkeypatch.setattr(services, "async_task", note)
    return messages


def create(tmp_path: Path, **changes: object) -> TrainingRun:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return services.training_run_create(owner=user(staff=True), name="garden", config=config(tmp_path, **changes))


def test_a_new_run_waits_and_a_message_is_sent(tmp_path: Path, sent: list[str]) -> None:
    run = create(tmp_path)
    run.refresh_from_db()
    assert (run.status, run.steps_total, sent) == (Status.QUEUED, 4, [str(run.pk)])
    assert run.enqueued_at is not None


def test_a_run_on_a_folder_that_is_missing_is_refused_and_leaves_no_row(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="There is no folder or video"):
        create(tmp_path, data_dirs=(str(tmp_path / "nowhere"),))
    assert not TrainingRun.objects.exists()


def test_two_live_runs_never_write_the_same_weights(tmp_path: Path, sent: list[str]) -> None:
    run_row(tmp_path, name="first")
    with pytest.raises(services.ServiceError, match=r'"first" is still writing garden\.pth'):
        create(tmp_path)


def test_a_run_does_not_go_on_while_another_writes_its_weights(tmp_path: Path, sent: list[str]) -> None:
    over = run_row(tmp_path, status=Status.FAILED)
    run_row(tmp_path, name="second")
    with pytest.raises(services.ServiceError, match=r'"second" is still writing garden\.pth'):
        services.training_run_requeue(run=over)
    over.refresh_from_db()
    assert (over.status, sent) == (Status.FAILED, [])


def test_a_full_disk_refuses_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "LEAST_ROOM", 1 << 60)
    with pytest.raises(NoSpaceError, match="MB free; training needs"):
        create(tmp_path)


def test_who_is_not_staff_stays_inside_the_folder_for_training_data(
    tmp_path: Path, settings: object, sent: list[str]
) -> None:
    settings.TRAINING_DATA = tmp_path / "allowed"  # type: ignore[attr-defined]
    write_frames(tmp_path / "allowed" / "walk", sliding(3))
    write_frames(tmp_path / "secret", sliding(3))
    bob = user("bob")
    inside = config(tmp_path, data_dirs=(str(tmp_path / "allowed" / "walk"),))
    around = config(tmp_path, data_dirs=(str(tmp_path / "allowed" / ".." / "secret"),))
    with pytest.raises(services.ServiceError, match="Choose a folder inside"):
        services.training_run_create(owner=bob, name="around", config=around)
    assert services.training_run_create(owner=bob, name="inside", config=inside).status == Status.QUEUED


def test_a_run_is_claimed_once(tmp_path: Path) -> None:
    run = run_row(tmp_path)
    assert services.training_run_claim(run_id=run.pk, worker=WORKER)
    assert not services.training_run_claim(run_id=run.pk, worker="host:2:def")
    run.refresh_from_db()
    assert (run.status, run.worker, run.attempts) == (Status.RUNNING, WORKER, 1)


def test_progress_is_written_by_the_holder_only(tmp_path: Path) -> None:
    run = running(tmp_path)
    assert services.training_run_progress(
        run_id=run.pk, worker=WORKER, report=step_report(3), loss=0.4, rate=10.0, curve=[[3, 0.4]]
    )
    assert not services.training_run_progress(
        run_id=run.pk, worker="other", report=step_report(4), loss=0, rate=None, curve=[]
    )
    run.refresh_from_db()
    assert (run.steps_done, run.loss, run.curve, run.samples_per_second) == (3, 0.4, [[3, 0.4]], 10.0)


def test_epochs_are_kept_and_the_best_psnr_is_the_best_of_all(tmp_path: Path) -> None:
    run = running(tmp_path)
    for number, psnr in ((1, 30.0), (2, 32.0), (3, 31.0)):
        assert services.epoch_add(run_id=run.pk, worker=WORKER, report=epoch_report(number, psnr))
    run.refresh_from_db()
    assert run.best_psnr == 32.0
    assert list(run.epochs.values_list("number", "psnr", "psnr_blend")) == [(1, 30, 25), (2, 32, 25), (3, 31, 25)]


def test_an_epoch_said_again_after_a_resume_replaces_the_first(tmp_path: Path) -> None:
    run = running(tmp_path)
    for psnr in (30.0, 30.5):
        services.epoch_add(run_id=run.pk, worker=WORKER, report=epoch_report(1, psnr))
    assert Epoch.objects.get(run=run).psnr == 30.5


def test_an_epoch_without_validation_is_kept_without_psnr(tmp_path: Path) -> None:
    run = running(tmp_path)
    services.epoch_add(run_id=run.pk, worker=WORKER, report=epoch_report(1, None))
    run.refresh_from_db()
    assert run.best_psnr is None and run.epochs.get().above_blend is None


def test_a_finished_run_names_its_weights(tmp_path: Path) -> None:
    run = running(tmp_path)
    assert services.training_run_finish(run_id=run.pk, worker=WORKER, result=result(tmp_path))
    run.refresh_from_db()
    assert (run.status, run.best_psnr, run.model_sha256, run.model_name) == (
        Status.SUCCEEDED,
        31.5,
        "ab" * 32,
        "garden",
    )
    assert run.finished_at is not None
    assert services.training_run_progress_view(run)["percent"] == 100


def test_a_failed_run_says_why(tmp_path: Path) -> None:
    run = running(tmp_path)
    assert services.training_run_fail(run_id=run.pk, worker=WORKER, error="No such folder.")
    run.refresh_from_db()
    assert (run.status, run.error) == (Status.FAILED, "No such folder.")


def test_stopping_a_waiting_run_ends_it_at_once(tmp_path: Path) -> None:
    run = run_row(tmp_path)
    services.training_run_cancel(run=run)
    assert run.status == Status.CANCELLED
    with pytest.raises(services.ServiceError, match="nothing to stop"):
        services.training_run_cancel(run=run)


def test_stopping_a_running_run_asks_its_worker(tmp_path: Path) -> None:
    run = running(tmp_path)
    services.training_run_cancel(run=run)
    assert (run.status, run.cancel_requested_at is not None) == (Status.RUNNING, True)
    assert services.training_run_stopped(run_id=run.pk, worker=WORKER)
    run.refresh_from_db()
    assert run.status == Status.CANCELLED


def test_a_worker_that_shuts_down_gives_the_run_back_without_using_up_an_attempt(
    tmp_path: Path, sent: list[str]
) -> None:
    run = running(tmp_path)
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert services.training_run_stopped(run_id=run.pk, worker=WORKER)
    run.refresh_from_db()
    assert (run.status, run.attempts, sent) == (Status.QUEUED, 0, [str(run.pk)])


def test_a_run_whose_process_died_is_tried_again_then_failed(tmp_path: Path, settings: object, sent: list[str]) -> None:
    settings.JOB_ATTEMPTS = 2  # type: ignore[attr-defined]
    run = running(tmp_path)
    assert services.training_run_lost(run_id=run.pk, worker=WORKER, reason="It was killed.") == Status.QUEUED
    services.training_run_claim(run_id=run.pk, worker=WORKER)
    assert services.training_run_lost(run_id=run.pk, worker=WORKER, reason="It was killed.") == Status.FAILED
    run.refresh_from_db()
    assert run.error.startswith("It was killed. What was saved is kept")


def test_a_run_started_by_hand_is_never_queued(tmp_path: Path) -> None:
    run = services.training_run_start_by_hand(name="garden", config=config(tmp_path), worker=WORKER)
    assert services.training_run_lost(run_id=run.pk, worker=WORKER, reason="It was killed.") == Status.FAILED
    with pytest.raises(services.ServiceError, match="was started by hand"):
        services.training_run_requeue(run=run)


def test_a_stopped_run_can_go_on(tmp_path: Path, sent: list[str]) -> None:
    run = run_row(tmp_path, status=Status.CANCELLED, steps_done=3, attempts=2)
    with TestCase.captureOnCommitCallbacks(execute=True):
        services.training_run_requeue(run=run)
    assert (run.status, run.attempts, run.steps_done, sent) == (Status.QUEUED, 0, 3, [str(run.pk)])


def test_a_finished_run_does_not_go_on(tmp_path: Path) -> None:
    with pytest.raises(services.ServiceError, match='is "Done"'):
        services.training_run_requeue(run=run_row(tmp_path, status=Status.SUCCEEDED))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Default", "already"),
        ("trained_model", "already"),
        ("flow fusion", "already"),
        ("??", "letters"),
        ("old one", "already"),
    ],
)
def test_names_that_cannot_be_a_models_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    monkeypatch.setenv("INBETWEEN_MODELS", str(tmp_path))
    (tmp_path / "old_one.pth").touch()
    with pytest.raises(services.ServiceError, match=words):
        services.new_model_path(name)


def test_the_model_is_called_after_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INBETWEEN_MODELS", str(tmp_path))
    assert services.new_model_path("Garden cam, 2/b ../é") == tmp_path / "garden_cam_2_b.pth"


def test_the_time_left_follows_from_the_rate(tmp_path: Path) -> None:
    run = running(tmp_path, steps_done=1, samples_per_second=0.5)
    assert services.training_run_progress_view(run)["eta_seconds"] == 6


@pytest.mark.parametrize(("psnr", "shown"), [(36.004, "+0.00"), (35.996, "+0.00"), (35.99, "-0.01"), (36.126, "+0.13")])
def test_no_difference_is_never_shown_as_a_loss(psnr: float, shown: str) -> None:
    assert f"{Epoch(psnr=psnr, psnr_untrained=36.0).above_untrained:+.2f}" == shown
