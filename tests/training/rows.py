"""Rows and reports that many tests need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User

from engine.config import TrainConfig
from engine.learn.loop import EpochReport, StepReport, TrainResult
from training.models import TrainingRun

WORKER = "host:1:abc"


def config(folder: Path, **changes: Any) -> TrainConfig:
    """Two epochs of two steps on scenes made on the fly, the weights in `folder`."""
    values: dict[str, Any] = {
        "model_path": str(folder / "garden.pth"), "synthetic": True, "epochs": 2, "steps_per_epoch": 2,
        "batch_size": 1, "crop": 64, "threads": 1, "workers": 0,
    }  # fmt: skip
    return TrainConfig(**{**values, **changes})


def user(name: str = "alice", *, staff: bool = False) -> User:
    return User.objects.create_user(name, password="a long enough word", is_staff=staff)


def run_row(folder: Path, **columns: Any) -> TrainingRun:
    values: dict[str, Any] = {"name": "garden", "config": config(folder).to_dict(), "steps_total": 4}
    return TrainingRun.objects.create(**{**values, **columns})


def running(folder: Path, **columns: Any) -> TrainingRun:
    return run_row(folder, **{"status": "running", "worker": WORKER, "attempts": 1, **columns})


def step_report(step: int, *, total: int = 4, loss: float = 0.5) -> StepReport:
    return StepReport(step=step, steps_total=total, epoch=1, loss=loss, lr=1e-3, samples_per_second=10.0)


def epoch_report(number: int, psnr: float | None = 30.0) -> EpochReport:
    return EpochReport(number, number * 2, 0.25, psnr, 0.9, 25.0, 29.0, 1e-3, 3.0)


def result(folder: Path, *, stopped: bool = False) -> TrainResult:
    return TrainResult(folder / "garden.pth", folder / "garden_history.json", 31.5, 4, stopped, "ab" * 32)
