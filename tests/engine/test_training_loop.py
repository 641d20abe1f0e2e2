"""The loop on tiny networks and pictures: it learns, resumes to the step, and never loses what it has."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.checkpoint import load_checkpoint
from engine.config import ModelConfig, TrainConfig
from engine.errors import BadOptionsError, EngineError, WeightsError
from engine.learn import loop, textures
from engine.nets import build

SMALL = ModelConfig(half=8, quarter=8, eighth=8)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainConfig:
    monkeypatch.setattr(textures, "DRAWN_WITHOUT_PHOTOS", 3)
    return TrainConfig(
        model_path=str(tmp_path / "m" / "model.pth"), synthetic=True, model=SMALL, epochs=2, steps_per_epoch=3,
        batch_size=2, crop=64, workers=0, device="cpu", warmup_steps=1, threads=1, seed=5,
        validation_triplets=2,
    )  # fmt: skip


def weights(path: str | Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(path)[0].state_dict()


def test_a_run_writes_weights_history_and_reports_every_step_and_epoch(config: TrainConfig):
    steps, epochs = [], []
    result = loop.train(config, on_step=steps.append, on_epoch=epochs.append)
    assert [report.step for report in steps] == [1, 2, 3, 4, 5, 6]
    assert [report.number for report in epochs] == [1, 2]
    assert not result.stopped
    _net, carried = load_checkpoint(result.model_path)
    assert carried["step"] in (3, 6)
    assert carried["metrics"]["psnr"] == result.best_psnr
    assert carried["byte_steps"]["fine"].shape == (SMALL.half,)  # so it can be drawn with in 8 bits
    history = json.loads(result.history_path.read_text())
    assert [epoch["psnr"] for epoch in history["epochs"]] == [report.psnr for report in epochs]
    assert history["config"]["seed"] == 5
    assert epochs[0].psnr_blend == history["references"]["blend"]


def test_a_run_stopped_and_resumed_ends_as_one_that_was_not(config: TrainConfig, tmp_path: Path):
    whole = loop.train(config)
    parted = replace(config, model_path=str(tmp_path / "parted" / "model.pth"))
    done: list[int] = []
    first = loop.train(parted, on_step=lambda report: done.append(report.step), should_stop=lambda: len(done) == 4)
    assert first.stopped
    assert first.steps == 4
    second = loop.train(replace(parted, resume=True))
    assert second.steps == whole.steps == 6
    one, other = (torch.load(Path(c.model_path).with_suffix(".last.pt")) for c in (config, parted))
    for name, value in one["net"].items():
        assert torch.equal(value, other["net"][name]), name
        assert torch.equal(one["average"][name], other["average"][name]), name


def test_one_seed_gives_one_result_and_another_seed_another(config: TrainConfig, tmp_path: Path):
    losses: dict[str, list[float]] = {"a": [], "b": [], "c": []}
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        run = replace(config, model_path=str(tmp_path / name / "model.pth"), seed=seed, epochs=1)
        loop.train(run, on_step=lambda report, name=name: losses[name].append(report.loss))
    assert losses["a"] == losses["b"]
    assert losses["a"] != losses["c"]


def test_starting_from_weights_keeps_them_until_something_is_better(config: TrainConfig):
    first = loop.train(config)
    before = weights(first.model_path)
    worse = replace(config, init=str(first.model_path), lr=0.5, epochs=1)  # a step that can only do harm
    result = loop.train(worse)
    assert result.best_psnr >= first.best_psnr - 1e-6
    if result.best_psnr == first.best_psnr:
        assert all(torch.equal(value, before[name]) for name, value in weights(result.model_path).items())


def test_starting_from_older_weights_adds_the_part_they_do_not_have(config: TrainConfig):
    first = loop.train(replace(config, model=replace(SMALL, detail=0), epochs=1))
    second = loop.train(replace(config, init=str(first.model_path), lr=1e-5, epochs=1))
    resumed = loop.train(replace(config, init=str(first.model_path), lr=1e-5, epochs=2, resume=True))
    saved = torch.load(Path(config.model_path).with_suffix(".last.pt"), weights_only=True)
    assert saved["net"]["detail_head.weight"].abs().sum() > 0
    assert (second.steps, resumed.steps) == (3, 6)


def test_the_baseline_trains_too(config: TrainConfig):
    result = loop.train(replace(config, model=replace(SMALL, arch="encoder_decoder"), epochs=1))
    assert load_checkpoint(result.model_path)[0].config.arch == "encoder_decoder"


def test_the_clock_stops_a_run_which_still_leaves_weights(config: TrainConfig):
    result = loop.train(replace(config, max_minutes=1e-9))
    assert result.stopped
    assert result.steps == 1
    assert result.model_path.is_file()


def test_a_loss_that_is_no_number_ends_the_run_in_words(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop, "_MAX_BAD_STEPS", 2)
    monkeypatch.setattr(loop, "picture_loss", lambda made, truth: made.sum() * float("nan"))
    with pytest.raises(EngineError, match="lower learning rate"):
        loop.train(config)


def test_resuming_what_never_ran_is_refused(config: TrainConfig):
    with pytest.raises(WeightsError, match=r"model\.last\.pt is missing"):
        loop.train(replace(config, resume=True))


def test_weights_of_another_architecture_are_refused_as_a_start(config: TrainConfig):
    first = loop.train(replace(config, model=replace(SMALL, arch="encoder_decoder"), epochs=1))
    with pytest.raises(WeightsError, match="holds encoder_decoder, not flow_fusion"):
        loop.train(replace(config, init=str(first.model_path)))


@pytest.mark.parametrize("change", [{"epochs": 0}, {"crop": 100}, {"lr": 0.0}, {"synthetic": False}, {"batch_size": 0}])
def test_settings_out_of_range_are_refused(config: TrainConfig, change: dict):
    with pytest.raises(BadOptionsError):
        replace(config, **change)


def test_a_configuration_survives_json(config: TrainConfig):
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.slow
def test_four_triplets_can_be_learned_by_heart():
    """From classical motion alone to several decibels above it: the whole path carries gradients that help."""
    torch.manual_seed(0)
    from engine.learn.samples import as_tensors
    from engine.learn.synthetic import SyntheticScenes

    scenes = SyntheticScenes(None, 64, 0)
    samples = [as_tensors(dict(scenes.sample(np.random.default_rng(n))), coarse=True) for n in range(4)]
    batch = {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}
    img0, img1, truth = (batch[name].float() / 255 for name in ("img0", "img1", "gt"))
    net = build(ModelConfig(half=16, quarter=32, eighth=32))
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3)

    def error() -> torch.Tensor:
        t = batch["timestep"].reshape(-1, 1, 1, 1)
        return (net(img0, img1, batch["flow_01"], batch["flow_10"], t).picture - truth).square().mean()

    start = error().item()
    for _ in range(120):
        optimiser.zero_grad()
        loss = error()
        loss.backward()
        optimiser.step()
    assert 10 * np.log10(start / error().item()) > 3  # dB
