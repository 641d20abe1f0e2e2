"""`manage.py train_model`: train a model from here, recorded like a run started from a page. Needs no web server."""

from __future__ import annotations

import errno
import shutil
import signal
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from engine.config import ModelConfig, TrainConfig
from engine.errors import BadOptionsError, EngineError
from engine.learn.ranks import Ranks
from engine.nets import ARCHITECTURES
from engine.workers import worker_name
from training import runner, services
from training.models import TrainingRun

if TYPE_CHECKING:
    from engine.learn.loop import EpochReport, StepReport, TrainResult

LINE_SECONDS = 10.0  # between lines about steps


class Command(BaseCommand):
    help = "Train a model on folders of consecutive frames, videos, Vimeo-90K's layout, or scenes made on the fly."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        defaults = TrainConfig(synthetic=True)
        add = parser.add_argument
        add("--data_dir", nargs="+", default=[], metavar="DIR", help="folders of frames (frame_001.png, ...) or videos")
        add("--synthetic", action="store_true", help="scenes made on the fly, alone or beside --data_dir")
        add("--photos", metavar="DIR", help="photographs as textures of the scenes; default: drawn patterns")
        add("--model_path", default=defaults.model_path, metavar="FILE", help=f"default: {defaults.model_path}")
        add(
            "--arch",
            default=defaults.model.arch,
            help=f"{' or '.join(sorted(ARCHITECTURES))}; default: {defaults.model.arch}",
        )
        add("--epochs", type=int, default=defaults.epochs, help=f"default: {defaults.epochs}")
        add("--batch_size", type=int, default=defaults.batch_size, help=f"default: {defaults.batch_size}")
        add("--lr", type=float, default=defaults.lr, help=f"highest learning rate; default: {defaults.lr}")
        add(
            "--steps_per_epoch", type=int, default=defaults.steps_per_epoch, help=f"default: {defaults.steps_per_epoch}"
        )
        add("--crop", type=int, default=defaults.crop, help=f"pixels, a multiple of 16; default: {defaults.crop}")
        add("--max_minutes", type=float, help="stop in good order after this time")
        add("--resume", action="store_true", help="go on with the interrupted run of --model_path")
        add("--init", metavar="FILE", help="start from these weights (fine-tuning)")
        add("--device", default=defaults.device, help="auto, cpu or cuda")
        add("--threads", type=int, help="processor threads; default: all")
        add("--workers", type=int, default=defaults.workers, help="processes that prepare samples")
        add("--reuse", type=int, default=defaults.reuse, help="times each prepared sample is used, turned differently")
        add(
            "--validation_triplets",
            type=int,
            default=defaults.validation_triplets,
            help=f"kept apart; every epoch is measured on them; default: {defaults.validation_triplets}",
        )
        add("--seed", type=int, default=defaults.seed, help="one seed gives one result on one machine")
        add("--name", default="", help="what the list of runs calls it; default: the name of the weights file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            config = make_config(options)
            if not Ranks.from_environment().first:  # torchrun: the first process keeps the record and speaks
                self._take_part(config)
                return
            self._train(options["name"] or Path(config.model_path).stem, config)
        except (EngineError, services.ServiceError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise CommandError("The disk is full. Free some space, then go on with --resume.") from error

    def _take_part(self, config: TrainConfig) -> None:
        from engine.learn.loop import train

        with Stop(self.stderr) as stop:
            train(config, should_stop=lambda: stop.asked)

    def _train(self, name: str, config: TrainConfig) -> None:
        ready_database()
        services.require_unused(config.model_path)
        services.require_room(config.model_path)
        if kept := keep_previous(config):
            self.stdout.write(f"{config.model_path} will be replaced; what it holds now is kept as {kept.name}.")
        worker = worker_name()
        run = services.training_run_start_by_hand(name=name, config=config, worker=worker)
        stop = Stop(self.stderr)
        watch = Watcher(self.stdout)
        self.stdout.write(f"Training {config.model.arch} for {run.steps_total} steps of {config.batch_size} samples.")
        with stop, runner.Pulse(run, worker) as pulse, failures_recorded(run, worker):
            result = runner.train(
                run,
                worker,
                config,
                lambda: stop.asked or pulse.stop_asked.is_set(),
                on_step=watch.on_step,
                on_epoch=watch.on_epoch,
            )
            runner.settle(run, worker, result, interrupted=stop.asked or pulse.stop_asked.is_set())
        self._conclude(config, result)

    def _conclude(self, config: TrainConfig, result: TrainResult) -> None:
        best = f", best validation PSNR {result.best_psnr:.2f} dB" if result.best_psnr is not None else ""
        word = "Stopped" if result.stopped else "Done"
        self.stdout.write(f"{word} after {result.steps} steps{best}.")
        self.stdout.write(f"Weights: {result.model_path}\nHistory: {result.history_path}")
        if result.stopped:
            self.stdout.write("Go on with the same command and --resume.")


def make_config(options: dict[str, Any]) -> TrainConfig:
    """What was typed, checked.

    Raises:
        BadOptionsError: a value out of range, an unknown architecture, a folder or file that is not there.
    """
    if options["arch"] not in ARCHITECTURES:
        known = " or ".join(sorted(ARCHITECTURES))
        raise BadOptionsError(f'"{options["arch"]}" is not an architecture. Choose {known}.')
    for name in ("data_dir", "photos", "init"):
        given = options[name] if isinstance(options[name], list) else [options[name]] if options[name] else []
        for place in given:
            if not Path(place).exists():
                raise BadOptionsError(f"--{name}: there is no {place}.")
    if not (options["data_dir"] or options["synthetic"]):
        raise BadOptionsError("Nothing to train on. Give --data_dir DIR with frames or videos, or --synthetic.")
    same = ("model_path", "photos", "synthetic", "epochs", "steps_per_epoch", "batch_size", "crop", "lr")
    more = ("init", "resume", "device", "threads", "workers", "max_minutes", "reuse", "seed", "validation_triplets")
    return TrainConfig(
        data_dirs=tuple(options["data_dir"]),
        model=ModelConfig(arch=options["arch"]),
        **{name: options[name] for name in (*same, *more)},
    )


def ready_database() -> None:
    """Training works before the portal was ever started: its tables are made where they are missing."""
    if TrainingRun._meta.db_table not in connection.introspection.table_names():
        call_command("migrate", interactive=False, verbosity=0)


@contextmanager
def failures_recorded(run: TrainingRun, worker: str) -> Iterator[None]:
    """Whatever ends the block early is said in the row too."""
    try:
        yield
    except BaseException as error:
        words = str(error) if isinstance(error, EngineError) else f"{type(error).__name__} {error}".strip()
        services.training_run_fail(run_id=run.pk, worker=worker, error=words)
        raise


def keep_previous(config: TrainConfig) -> Path | None:
    """A copy of the weights that this run will replace, beside them; None where there are none, or the run resumes."""
    path = Path(config.model_path)
    if config.resume or not path.is_file():
        return None
    kept = path.with_name(f"{path.name}.previous")
    shutil.copyfile(path, kept)
    return kept


class Stop:
    """Ctrl-C or SIGTERM: stop after the present step, saved; a second Ctrl-C ends it at once."""

    def __init__(self, out: Any) -> None:
        self.out = out
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        with suppress(ValueError):  # signals belong to the main thread
            if threading.current_thread() is threading.main_thread():
                self._before = {
                    number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)
                }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self.out.write("Stopping after this step; the weights are kept.")


class Watcher:
    """Lines for the terminal: one about steps every ten seconds, one for every epoch."""

    def __init__(self, out: Any) -> None:
        self.out = out
        self.last = time.monotonic()
        self.losses: list[float] = []

    def on_step(self, report: StepReport) -> None:
        self.losses.append(report.loss)
        now = time.monotonic()
        if now - self.last < LINE_SECONDS and report.step > 1:
            return
        mean = sum(self.losses) / len(self.losses)
        self.out.write(
            f"step {report.step}/{report.steps_total}  epoch {report.epoch}  loss {mean:.5f}  "
            f"lr {report.lr:.2e}  {report.samples_per_second:.1f} samples/s"
        )
        self.last, self.losses = now, []

    def on_epoch(self, report: EpochReport) -> None:
        self.out.write(f"epoch {report.number}: loss {report.loss:.5f}{figures(report)}  {report.seconds:.0f} s")


def figures(report: EpochReport) -> str:
    """The validation figures in words; empty where nothing was kept apart."""
    if report.psnr is None:
        return ""
    beside = [
        f"{name} {value:.2f}"
        for name, value in (("blend", report.psnr_blend), ("untrained", report.psnr_untrained))
        if value is not None
    ]
    ssim = f"  SSIM {report.ssim:.4f}" if report.ssim is not None else ""
    return f"  validation PSNR {report.psnr:.2f} dB ({', '.join(beside)}){ssim}"
