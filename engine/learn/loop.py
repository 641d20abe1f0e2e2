"""The training loop. Resumable to the step: weights, average, optimiser, schedule; samples depend on their index alone.

Beside the weights (`NAME.pth`, the averaged ones, only ever replaced by better ones) it keeps `NAME.last.pt`, from
which an interrupted run goes on, and `NAME_history.json`, the figures of every epoch.

Under `torchrun` several processes train together (`ranks`); `batch_size` is that of one of them.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.checkpoint import file_sha256, load_checkpoint, save_checkpoint
from engine.config import TrainConfig
from engine.errors import EngineError, WeightsError
from engine.files import atomically
from engine.interpolator import choose_device, cpu_has_bf16
from engine.motion import luma
from engine.nets import EncoderDecoder, Network, build, grown
from engine.nets.flow_fusion import Synthesis

from ..translation import gettext as _
from .losses import (
    baseline_loss,
    choice_loss,
    chosen_flow_loss,
    decibel_loss,
    flow_loss,
    mask_loss,
    picture_loss,
)
from .ranks import Ranks
from .samples import batches, open_sources, validation_set
from .showing import Shown, show
from .validation import Figures, measured_byte_steps, validate, validate_references

_SAVE_EVERY_S = 180
_MAX_BAD_STEPS = 20


@dataclass(frozen=True)
class StepReport:
    step: int
    steps_total: int
    epoch: int
    loss: float
    lr: float
    samples_per_second: float


@dataclass(frozen=True)
class EpochReport:
    """Figures on triplets that are not trained on; None where nothing could be kept apart."""

    number: int
    step: int
    loss: float
    psnr: float | None
    ssim: float | None
    psnr_blend: float | None
    psnr_untrained: float | None
    lr: float
    seconds: float


@dataclass(frozen=True)
class TrainResult:
    model_path: Path
    history_path: Path
    best_psnr: float | None
    steps: int
    stopped: bool  # before the last step, by request or by the clock
    sha256: str


@dataclass
class State:
    """Where a run is; all of it is in NAME.last.pt."""

    net: Network
    average: Network
    optimiser: torch.optim.Optimizer
    step: int = 0
    base_step: int = 0  # steps the initial weights had behind them
    best_psnr: float | None = None
    epochs: list[dict[str, Any]] = field(default_factory=list)


def train(
    config: TrainConfig,
    *,
    on_step: Callable[[StepReport], None] = lambda report: None,
    on_epoch: Callable[[EpochReport], None] = lambda report: None,
    on_pictures: Callable[[int, Iterator[Shown]], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> TrainResult:
    """Train as `config` says, calling back after every step and epoch.

    Raises:
        BadInputError: no usable data. WeightsError: `init` or the interrupted run cannot be read.
        EngineError: the loss is not a number any more.
    """
    run = _Run(config, on_step, on_epoch, should_stop)
    run.on_pictures = on_pictures
    return run.go()


class _Run:
    def __init__(
        self,
        config: TrainConfig,
        on_step: Callable[[StepReport], None],
        on_epoch: Callable[[EpochReport], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self.config = config
        self.on_step, self.on_epoch, self.should_stop = on_step, on_epoch, should_stop
        self.on_pictures: Callable[[int, Iterator[Shown]], None] | None = None
        self.ranks = Ranks.from_environment()
        self.device = self.ranks.device(choose_device(config.device))
        self.model_path = Path(config.model_path)
        self.last_path = self.model_path.with_suffix(".last.pt")
        self.history_path = self.model_path.with_name(f"{self.model_path.stem}_history.json")
        self.started = time.monotonic()
        self.saved = self.started
        self.bad_steps = 0
        if config.threads:
            torch.set_num_threads(config.threads)

    def go(self) -> TrainResult:
        with self.ranks.joined(self.device):
            stopped = self._train()
        state = self.state
        sha256, stopped = file_sha256(self.model_path), stopped and state.step < self.steps_total
        return TrainResult(self.model_path, self.history_path, state.best_psnr, state.step, stopped, sha256)

    def _train(self) -> bool:
        """To the last step, or until it is stopped, which it then says; saved."""
        config = self.config
        torch.manual_seed(config.seed)
        scenes, footage = open_sources(config)
        self.kept_apart = validation_set(scenes, footage, config.validation_triplets) if self.ranks.first else []
        self.state = state = self._start()
        self.parallel = self.ranks.parallel(state.net, self.device)
        self.references = validate_references(self.kept_apart, config.model)
        if state.best_psnr is None and state.base_step:
            state.best_psnr = self._validate().psnr  # weights to improve on: only better ones may replace them
        prepared = batches(self.config, state.step, self.steps_total, self.ranks)
        stopped = False
        while state.step < self.steps_total and not stopped:
            stopped = self._epoch(prepared)
        self._save_last()
        if self.ranks.first and not self.model_path.is_file():  # stopped within the first epoch: what there is
            self._publish(Figures())
        return stopped

    @property
    def steps_total(self) -> int:
        return self.config.epochs * self.config.steps_per_epoch

    def _start(self) -> State:
        """Fresh, from `init`, or where the interrupted run was."""
        config = self.config
        net, base_step = build(config.model), 0
        if config.init:
            net, carried = load_checkpoint(config.init)
            if net.config.arch != config.model.arch:
                raise WeightsError(
                    _("{init} holds {found}, not {wanted}.").format(
                        init=config.init, found=net.config.arch, wanted=config.model.arch
                    )
                )
            net = grown(net, config.model)
            self.config, base_step = replace(config, model=net.config), carried["step"]
        net = net.to(self.device).train()
        average = build(net.config).to(self.device).eval()
        average.load_state_dict(net.state_dict())
        optimiser = torch.optim.AdamW(net.parameters(), lr=config.lr, weight_decay=config.weight_decay)
        state = State(net, average, optimiser, base_step=base_step)
        if config.resume:
            self._restore(state)
        return state

    def _restore(self, state: State) -> None:
        if not self.last_path.is_file():
            raise WeightsError(
                _("There is no interrupted run to go on with: {last_path} is missing.").format(last_path=self.last_path)
            )
        try:
            saved = torch.load(self.last_path, map_location=self.device, weights_only=True)
            state.net.load_state_dict(saved["net"])
            state.average.load_state_dict(saved["average"])
            state.optimiser.load_state_dict(saved["optimiser"])
            state.step, state.base_step, state.best_psnr = saved["step"], saved["base_step"], saved["best_psnr"]
            state.epochs = saved["epochs"]
        except (KeyError, RuntimeError, ValueError) as error:
            raise WeightsError(
                _("{last_path} is damaged or belongs to another network; start anew.").format(last_path=self.last_path)
            ) from error

    def _epoch(self, prepared: Iterator[dict[str, Tensor]]) -> bool:
        """Steps up to the next multiple of steps_per_epoch, then figures; True when it was stopped before."""
        state, config, began = self.state, self.config, time.monotonic()
        number = state.step // config.steps_per_epoch + 1
        losses: list[float] = []
        stop = False
        for batch in islice(prepared, number * config.steps_per_epoch - state.step):
            step_began = time.monotonic()
            losses.append(self._step({name: value.to(self.device) for name, value in batch.items()}))
            rate = config.batch_size * self.ranks.count / max(time.monotonic() - step_began, 1e-9)
            self.on_step(StepReport(state.step, self.steps_total, number, losses[-1], self._lr(), rate))
            stop = self.ranks.any(self._out_of_time() or self.should_stop(), self.device)
            if stop and state.step % config.steps_per_epoch:
                return True
            if time.monotonic() - self.saved > _SAVE_EVERY_S:
                self._save_last()
        finite = [loss for loss in losses if math.isfinite(loss)]
        self._close_epoch(number, sum(finite) / max(len(finite), 1), time.monotonic() - began)
        return stop  # asked at the very end of an epoch: its figures are not lost

    def _step(self, batch: dict[str, Tensor]) -> float:
        """One update of weights and average; a batch whose gradient is not finite is left out."""
        state = self.state
        for group in state.optimiser.param_groups:
            group["lr"] = self._lr()
        loss = self._loss(batch)
        state.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(state.net.parameters(), self.config.clip)
        state.step += 1
        if not math.isfinite(norm.item()):
            self.bad_steps += 1
            if self.bad_steps >= _MAX_BAD_STEPS:
                raise EngineError(_("Training has diverged: the loss is not a number. Use a lower learning rate."))
            return math.nan
        self.bad_steps = 0
        state.optimiser.step()
        self._update_average()
        return loss.item()

    def _loss(self, batch: dict[str, Tensor]) -> Tensor:
        img0, img1, truth = (
            batch[name].float().div(255).contiguous(memory_format=torch.channels_last)
            for name in ("img0", "img1", "gt")
        )
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self._bf16()):
            if isinstance(self.state.net, EncoderDecoder):
                middle = (batch["timestep"] - 0.5).abs() < 0.01  # it knows no other time
                predicted = self.parallel(img0, img1)
            else:
                t = batch["timestep"].reshape(-1, 1, 1, 1)
                made = self.parallel(img0, img1, batch["flow_01"], batch["flow_10"], t)
        if isinstance(self.state.net, EncoderDecoder):
            return baseline_loss(predicted[middle], truth[middle]) if middle.any() else 0 * predicted.sum()
        return self._fusion_loss(made, truth, batch)

    def _fusion_loss(self, made: Synthesis, truth: Tensor, batch: dict[str, Tensor]) -> Tensor:
        config = self.config
        loss = picture_loss(made.picture, truth)
        if config.decibel_weight:
            loss = loss + config.decibel_weight * decibel_loss(made.picture, truth)
        coarse, fine = made.pair.choice, made.choice
        assert coarse is not None and fine is not None
        middle = ((batch["timestep"] - 0.5).abs() < 1e-3).float()  # the first choice is made for t = 1/2
        small = F.avg_pool2d(truth, 2)
        if config.choice_weight:
            errors = choice_loss(coarse, F.avg_pool2d(small, 2), middle) + choice_loss(fine, luma(small))
            loss = loss + config.choice_weight * errors
        flow_t0, flow_t1, seen = batch["flow_t0"], batch["flow_t1"], batch["seen"]
        if config.flow_weight:
            motion = F.avg_pool2d(flow_t1 - flow_t0, 2) / 2
            known = F.avg_pool2d(seen.amax(dim=1, keepdim=True), 2) * middle.reshape(-1, 1, 1, 1)
            flows = chosen_flow_loss(coarse, motion, known) + flow_loss(made, flow_t0, flow_t1, seen)
            loss = loss + config.flow_weight * flows
        if config.mask_weight:
            loss = loss + config.mask_weight * mask_loss(made.mask, seen)
        return loss

    def _bf16(self) -> bool:
        if self.config.bf16 is not None:
            return self.config.bf16
        return cpu_has_bf16() if self.device == "cpu" else torch.cuda.is_bf16_supported()

    def _lr(self) -> float:
        """Linear warm-up, then half a cosine down to lr_final."""
        config, step = self.config, self.state.step
        warm = min(1.0, (step + 1) / max(config.warmup_steps, 1))
        done = min(1.0, step / max(self.steps_total, 1))
        low = config.lr_final
        return config.lr * warm * (low + (1 - low) * 0.5 * (1 + math.cos(math.pi * done)))

    @torch.no_grad()
    def _update_average(self) -> None:
        """Exponential average of the weights; shorter at first, so that it forgets where it started."""
        decay = min(self.config.ema, (1 + self.state.step) / (10 + self.state.step))
        averaged: list[Tensor] = list(self.state.average.parameters())
        current: list[Tensor] = list(self.state.net.parameters())
        torch._foreach_lerp_(averaged, current, 1 - decay)

    def _out_of_time(self) -> bool:
        limit = self.config.max_minutes
        return limit is not None and time.monotonic() - self.started > limit * 60

    def _validate(self) -> Figures:
        return validate(self.state.average, self.kept_apart, self.device)

    def _close_epoch(self, number: int, loss: float, seconds: float) -> None:
        if not self.ranks.first:
            return
        state, figures = self.state, self._validate()
        report = EpochReport(
            number, state.step, loss, figures.psnr, figures.ssim,
            self.references["blend"], self.references["untrained"], self._lr(), seconds,
        )  # fmt: skip
        state.epochs.append(asdict(report))
        if figures.psnr is None or state.best_psnr is None or figures.psnr > state.best_psnr:
            state.best_psnr = figures.psnr
            self._publish(figures)
        self._save_last()
        self._save_history()
        self.on_epoch(report)
        if self.on_pictures:
            self.on_pictures(number, show(state.average, self.kept_apart, self.device))

    def _publish(self, figures: Figures) -> None:
        metrics = {"psnr": figures.psnr, "ssim": figures.ssim, **self.references, "set": "validation"}
        save_checkpoint(
            self.model_path, self.state.average, step=self.state.base_step + self.state.step, metrics=metrics,
            byte_steps=measured_byte_steps(self.state.average, self.kept_apart),
        )  # fmt: skip

    def _save_last(self) -> None:
        self.saved = time.monotonic()
        if not self.ranks.first:
            return
        state = self.state
        payload = {
            "net": state.net.state_dict(), "average": state.average.state_dict(), "step": state.step,
            "optimiser": state.optimiser.state_dict(), "base_step": state.base_step,
            "best_psnr": state.best_psnr, "epochs": state.epochs,
        }  # fmt: skip
        self.last_path.parent.mkdir(parents=True, exist_ok=True)
        with atomically(self.last_path) as temporary:
            torch.save(payload, temporary)

    def _save_history(self) -> None:
        history = {"config": self.config.to_dict(), "references": self.references, "epochs": self.state.epochs}
        with atomically(self.history_path) as temporary:
            temporary.write_text(json.dumps(history, indent=1))
