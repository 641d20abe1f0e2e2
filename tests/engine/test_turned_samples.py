"""A prepared sample is used several times, flipped, transposed and run backwards: its flows must still be true."""

import numpy as np
import torch

from engine.config import TrainConfig
from engine.learn.samples import _STRETCH, TrainingSamples, as_tensors, turned
from engine.learn.synthetic import SyntheticScenes
from engine.motion import backward_warp, resize_flow_tensor


def scene() -> dict:
    sample = dict(SyntheticScenes(None, 64, 3, clean=True).sample(np.random.default_rng(11), 0.25))
    return as_tensors(sample, coarse=False)


def misfit(sample: dict) -> float:
    """How far img0, seen along the true flow, is from the true frame where the point is visible; grey levels."""
    flow = resize_flow_tensor(sample["flow_t0"][None].float(), 2)
    seen = backward_warp(sample["img0"][None].float(), flow)
    visible = torch.nn.functional.interpolate(sample["seen"][None, :1], scale_factor=2) > 0.99
    error = (seen - sample["gt"][None].float()).abs().mean(1, keepdim=True)
    return float(error[visible].mean())


def test_the_true_flow_of_a_turned_sample_still_leads_to_the_true_frame():
    sample = scene()
    wrong = misfit(sample | {"flow_t0": -sample["flow_t0"]})
    ways = set()
    for seed in range(60):
        made = turned(sample, np.random.default_rng(seed))
        assert misfit(made) < wrong / 3
        ways.add(made["gt"].numpy().tobytes())
    assert len(ways) == 8


def test_a_sample_is_used_again_after_its_stretch_turned_another_way():
    samples = TrainingSamples(config := TrainConfig(synthetic=True, crop=32, reuse=2, seed=4))
    first, again, other = samples[3], samples[3 + _STRETCH], samples[4]
    fresh = TrainingSamples(config)[3 + _STRETCH]  # as in a run that was resumed there

    def brightness(sample: dict) -> list[float]:
        return sorted(round(float(sample[name].float().mean()), 3) for name in ("img0", "img1"))

    assert brightness(first) == brightness(again) != brightness(other)
    assert torch.equal(again["img0"], fresh["img0"])
    assert torch.equal(again["flow_t1"], fresh["flow_t1"])
    assert brightness(samples[3 + 2 * _STRETCH]) != brightness(first)
