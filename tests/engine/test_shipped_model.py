"""The weights that are shipped: they are what the documents say, and better than nothing learned."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine import Interpolator
from engine.checkpoint import file_info
from engine.learn.synthetic import SyntheticScenes
from engine.metrics import psnr

MODELS = Path(__file__).resolve().parents[2] / "models"
WEIGHTS = MODELS / "trained_model.pth"


@pytest.fixture(scope="module")
def shipped() -> Interpolator:
    return Interpolator.load(WEIGHTS, "cpu", threads=1)


@pytest.fixture(scope="module")
def scenes() -> list[dict]:
    """Drawn textures, which it was not trained on, at t = 1/2."""
    source = SyntheticScenes(None, 128, seed=909)
    return [dict(source.sample(np.random.default_rng((909, n)), 0.5)) for n in range(24)]


def test_the_weights_are_small_trained_and_the_ones_that_were_measured():
    assert WEIGHTS.stat().st_size < 16e6
    info = file_info(WEIGHTS)
    assert info.trained
    benchmark = json.loads((MODELS / "benchmark.json").read_text())
    measured = {method["name"]: method["sha256"] for method in benchmark["methods"]}
    assert measured["trained_model"] == info.sha256
    for scores in benchmark["scores"].values():
        assert scores["trained_model"]["ssim"] > scores["flow_fusion"]["ssim"] > scores["blend"]["ssim"]
    assert info.sha256[:12] in (MODELS.parent / "MODEL_CARD.md").read_text()


@pytest.mark.parametrize("name", ["trained_model", "flow_fusion_fast"])
def test_beside_the_weights_lies_what_they_learned_from(name: str):
    history = json.loads((MODELS / f"{name}_history.json").read_text())
    assert history["config"]["photos"]
    assert history["config"]["data_dirs"]
    last = history["epochs"][-1]
    assert 1000 < last["step"] <= file_info(MODELS / f"{name}.pth").step
    assert last["psnr"] > last["psnr_untrained"] + 0.1


def test_the_fast_weights_were_measured_and_are_nearly_as_good_in_less_time():
    info = file_info(MODELS / "flow_fusion_fast.pth")
    benchmark = json.loads((MODELS / "benchmark.json").read_text())
    assert info.sha256 in {method["sha256"] for method in benchmark["methods"]}
    assert info.sha256[:12] in (MODELS.parent / "MODEL_CARD.md").read_text()
    for scores in benchmark["scores"].values():
        assert scores["flow_fusion_fast"]["psnr"] > scores["trained_model"]["psnr"] - 0.15
    times = benchmark["speed"]["ms"]
    assert times["flow_fusion_fast"] < 0.95 * times["trained_model"]  # in 8 bits convolutions are the smaller half


def test_what_was_learned_is_better_than_classical_motion_alone(shipped: Interpolator, scenes: list[dict]):
    untrained = Interpolator.load("flow_fusion", "cpu", threads=1)

    def mean_psnr(model: Interpolator) -> float:
        drawn = (model.pair(scene["img0"], scene["img1"]).at(0.5) for scene in scenes)
        return float(np.mean([psnr(picture, scene["gt"]) for picture, scene in zip(drawn, scenes, strict=True)]))

    assert mean_psnr(shipped) > mean_psnr(untrained) + 0.1


@pytest.mark.parametrize("t", [0.25, 0.5])
def test_the_other_way_round_is_the_same_to_one_grey_level_on_average(
    shipped: Interpolator, scenes: list[dict], t: float
):
    apart = []
    for scene in scenes[:12]:
        forth = shipped.pair(scene["img0"], scene["img1"]).at(t)
        back = shipped.pair(scene["img1"], scene["img0"]).at(1 - t)
        apart.append(np.abs(forth.astype(int) - back).mean())
    assert np.mean(apart) < 1
