"""`manage.py train_model`: trains without a web server, leaves a row and a history, and says in words what is wrong."""

import json
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from engine.checkpoint import file_info
from engine.learn import loop, textures
from training import services
from training.management.commands import train_model
from training.models import TrainingRun

from .footage import sliding, write_frames
from .rows import epoch_report

pytestmark = pytest.mark.django_db
Status = TrainingRun.Status


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(textures, "DRAWN_WITHOUT_PHOTOS", 3)
    monkeypatch.setattr(train_model.runner, "BEAT", 600.0)  # the test's transaction is not for other threads
    monkeypatch.setenv("INBETWEEN_FRAME_CACHE", str(tmp_path / "cache"))


def train(tmp_path: Path, **options: Any) -> None:
    tiny = {
        "epochs": 2,
        "steps_per_epoch": 2,
        "batch_size": 2,
        "crop": 64,
        "threads": 1,
        "workers": 0,
        "validation_triplets": 2,
    }
    call_command("train_model", **{**tiny, "model_path": str(tmp_path / "garden.pth"), **options})


def test_a_folder_of_frames_trains_a_model_with_history_and_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = write_frames(tmp_path / "frames", sliding(20))
    train(tmp_path, data_dir=[str(frames)], name="Garden")
    run = TrainingRun.objects.get()
    assert (run.name, run.status, run.steps_done, run.by_hand) == ("Garden", Status.SUCCEEDED, 4, True)
    assert run.epochs.count() == 2 and run.epochs.first().psnr is not None
    info = file_info(tmp_path / "garden.pth")
    assert (info.arch, info.trained, info.sha256) == ("flow_fusion", True, run.model_sha256)
    history = json.loads((tmp_path / "garden_history.json").read_text())
    assert [epoch["number"] for epoch in history["epochs"]] == [1, 2]
    printed = capsys.readouterr().out
    assert "step 1/4" in printed and "epoch 2: loss" in printed and "Done after 4 steps" in printed


def test_the_baseline_trains_on_scenes_without_any_data(tmp_path: Path) -> None:
    train(tmp_path, synthetic=True, arch="encoder_decoder", epochs=1)
    assert file_info(tmp_path / "garden.pth").arch == "encoder_decoder"
    assert TrainingRun.objects.get().status == Status.SUCCEEDED


def test_weights_that_are_replaced_are_kept_beside(tmp_path: Path) -> None:
    train(tmp_path, synthetic=True, epochs=1, steps_per_epoch=1)
    first = (tmp_path / "garden.pth").read_bytes()
    train(tmp_path, synthetic=True, epochs=1, steps_per_epoch=1, seed=5)
    assert (tmp_path / "garden.pth.previous").read_bytes() == first


def test_ctrl_c_stops_in_good_order_and_resume_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = train_model.Watcher.on_step

    def interrupted(self: train_model.Watcher, report: loop.StepReport) -> None:
        real(self, report)
        if report.step == 3:
            signal.raise_signal(signal.SIGINT)

    assert threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(train_model.Watcher, "on_step", interrupted)
    train(tmp_path, synthetic=True, epochs=3)
    stopped = TrainingRun.objects.get()
    assert (stopped.status, stopped.steps_done) == (Status.CANCELLED, 3)
    assert signal.getsignal(signal.SIGINT) is before
    monkeypatch.setattr(train_model.Watcher, "on_step", real)
    train(tmp_path, synthetic=True, epochs=3, resume=True)
    resumed = TrainingRun.objects.exclude(pk=stopped.pk).get()
    assert (resumed.status, resumed.steps_done) == (Status.SUCCEEDED, 6)


def test_stopping_at_the_end_of_an_epoch_keeps_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = train_model.Watcher.on_step

    def interrupted(self: train_model.Watcher, report: loop.StepReport) -> None:
        real(self, report)
        if report.step == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(train_model.Watcher, "on_step", interrupted)
    train(tmp_path, synthetic=True)
    run = TrainingRun.objects.get()
    assert (run.status, run.steps_done) == (Status.CANCELLED, 2)
    assert list(run.epochs.values_list("number", "step")) == [(1, 2)]


def test_a_failure_is_written_in_the_row_too(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no interrupted run"):
        train(tmp_path, synthetic=True, resume=True)
    run = TrainingRun.objects.get()
    assert run.status == Status.FAILED and "no interrupted run" in run.error


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Nothing to train on"),
        ({"data_dir": ["/nowhere"]}, "there is no /nowhere"),
        ({"synthetic": True, "photos": "/nowhere"}, "there is no /nowhere"),
        ({"synthetic": True, "init": "/nowhere.pth"}, r"there is no /nowhere\.pth"),
        ({"synthetic": True, "arch": "rife"}, '"rife" is not an architecture. Choose encoder_decoder or flow_fusion'),
        ({"synthetic": True, "epochs": 0}, "epochs = 0 is out of range"),
        ({"synthetic": True, "batch_size": 0}, "batch_size = 0 is out of range"),
        ({"synthetic": True, "lr": float("nan")}, "lr = nan is out of range"),
        ({"synthetic": True, "crop": 100}, "multiple of 16"),
        ({"synthetic": True, "max_minutes": 0}, "max_minutes must be above 0"),
        ({"synthetic": True, "device": "tpu"}, '"tpu" is not a device'),
    ],
)
def test_what_cannot_be_is_refused_in_words(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        train(tmp_path, **options)
    assert not TrainingRun.objects.exclude(status=Status.FAILED).exists()
    assert not (tmp_path / "garden.pth").exists()


def test_two_frames_are_too_few(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="frames has 2 frames; at least 3"):
        train(tmp_path, data_dir=[str(write_frames(tmp_path / "frames", sliding(2)))])


def test_frames_of_different_sizes_are_named(tmp_path: Path) -> None:
    frames = write_frames(tmp_path / "frames", sliding(3))
    write_frames(frames, sliding(1, height=80), first=4)
    with pytest.raises(CommandError, match="frames of different sizes"):
        train(tmp_path, data_dir=[str(frames)])


def test_a_full_disk_is_refused_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "LEAST_ROOM", 1 << 60)
    with pytest.raises(CommandError, match="MB free; training needs"):
        train(tmp_path, synthetic=True)
    assert not TrainingRun.objects.exists()


def test_figures_that_could_not_be_measured_are_left_out() -> None:
    assert train_model.figures(epoch_report(1, None)) == ""
    assert (
        train_model.figures(epoch_report(1)) == "  validation PSNR 30.00 dB (blend 25.00, untrained 29.00)  SSIM 0.9000"
    )
