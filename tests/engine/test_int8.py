"""Drawing in 8 bits: the same pictures as with the convolutions in float, only where the processor is made for it."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine import Interpolator
from engine.checkpoint import load_checkpoint, save_checkpoint
from engine.config import ModelConfig
from engine.errors import BadOptionsError, WeightsError
from engine.learn.synthetic import SyntheticScenes
from engine.learn.validation import measured_byte_steps
from engine.metrics import psnr
from engine.nets import FlowFusion, build
from engine.nets.byte_steps import ZERO
from engine.nets.int8 import Int8FlowFusion, _Conv, _Doubler, _sum, has_vnni
from engine.nets.layers import conv, upsample

SHIPPED = ("trained_model", "flow_fusion_fast")
needs_vnni = pytest.mark.skipif(not has_vnni(), reason="this processor does not add products of bytes (VNNI)")


@pytest.fixture(scope="module")
def scenes() -> list[dict]:
    source = SyntheticScenes(None, 160, seed=414)
    return [dict(source.sample(np.random.default_rng((414, n)), 0.5)) for n in range(8)]


def drawn_in(wish: str, name: str | Path, monkeypatch: pytest.MonkeyPatch) -> Interpolator:
    monkeypatch.setenv("INBETWEEN_INT8", wish)
    return Interpolator.load(name, "cpu", threads=1)


def as_values(x: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    return (x.float() - ZERO) * steps.reshape(1, -1, 1, 1)


def bytes_of(channels: int, seed: int) -> torch.Tensor:
    values = torch.randint(60, 200, (1, channels, 12, 20), generator=torch.Generator().manual_seed(seed))
    return values.to(torch.uint8).contiguous(memory_format=torch.channels_last)


@needs_vnni
@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_weights_draw_the_same_in_bytes(name: str, scenes: list[dict], monkeypatch: pytest.MonkeyPatch):
    exact, fast = (drawn_in(wish, name, monkeypatch) for wish in ("off", "auto"))
    assert isinstance(fast._net, Int8FlowFusion)
    assert not isinstance(exact._net, Int8FlowFusion)
    figures = []
    for scene in scenes:
        pictures = [model.pair(scene["img0"], scene["img1"]).at(0.5) for model in (exact, fast)]
        assert np.abs(pictures[0].astype(int) - pictures[1]).mean() < 0.5
        figures.append([psnr(picture, scene["gt"]) for picture in pictures])
    before, after = np.mean(figures, axis=0)
    assert after > before - 0.05


@needs_vnni
def test_at_other_times_too(scenes: list[dict], monkeypatch: pytest.MonkeyPatch):
    exact, fast = (drawn_in(wish, "trained_model", monkeypatch) for wish in ("off", "auto"))
    img0, img1 = scenes[0]["img0"], scenes[0]["img1"]
    there, back = fast.pair(img0, img1), fast.pair(img1, img0)
    for t in (0.25, 0.8):
        assert np.abs(there.at(t).astype(int) - exact.pair(img0, img1).at(t)).mean() < 0.5
        assert np.abs(there.at(t).astype(int) - back.at(1 - t)).mean() < 1


@needs_vnni
@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_of_bytes_is_the_one_of_what_they_stand_for(stride: int):
    torch.manual_seed(stride)
    layer, x = conv(8, 6, stride), bytes_of(8, seed=1)
    before = torch.rand(8) / 40 + 0.01
    truth = layer(as_values(x, before))
    after = truth.abs().amax(dim=(0, 2, 3)) / 100
    found = as_values(_Conv(layer[0], before, after)(x), after)
    reach = (-truth / 0.1).amax(dim=(0, 2, 3)) > ZERO * after  # below zero, bytes end before what is there
    apart = ((found - truth).abs() / after.reshape(1, -1, 1, 1))[:, ~reach]
    assert apart.numel()
    assert apart.max() < 3  # steps; a rounding of the weights, one of the sum, one of the leaky ReLU
    assert apart.mean() < 0.6


@needs_vnni
def test_doubling_puts_every_byte_in_its_place():
    torch.manual_seed(3)
    layer, x = upsample(8, 5), bytes_of(8, seed=2)
    before, after = torch.full((8,), 0.02), torch.full((5,), 0.05)
    found = as_values(_Doubler(layer, before, after)(x), after)
    truth = layer(as_values(x, before)).clamp(min=-ZERO * 0.05 * 0.1)
    assert found.shape == truth.shape == (1, 5, 24, 40)
    assert (found - truth).abs().max() < 3 * 0.05


def test_a_sum_of_bytes_ends_where_they_end():
    low, high = (torch.full((1, 2, 4, 4), value, dtype=torch.uint8) for value in (10, 240))
    for a, b in ((low, high), (low, low), (high, high)):
        wanted = (a.int() + b.int() - ZERO).clamp(0, 255)
        assert torch.equal(_sum(a, b).int(), wanted)


def test_without_such_a_processor_and_when_told_so_it_draws_in_float(monkeypatch: pytest.MonkeyPatch):
    assert not isinstance(drawn_in("off", "trained_model", monkeypatch)._net, Int8FlowFusion)
    monkeypatch.setattr("engine.interpolator.has_vnni", lambda: False)
    assert not isinstance(drawn_in("auto", "trained_model", monkeypatch)._net, Int8FlowFusion)
    monkeypatch.setattr("engine.interpolator.has_vnni", lambda: True)
    assert isinstance(drawn_in("", "trained_model", monkeypatch)._net, Int8FlowFusion)
    with pytest.raises(BadOptionsError, match='INBETWEEN_INT8 = "8" is not usable'):
        drawn_in("8", "trained_model", monkeypatch)


def test_weights_whose_steps_nobody_measured_draw_in_float(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.interpolator.has_vnni", lambda: True)
    net = build(ModelConfig(half=8, quarter=8, eighth=8))
    save_checkpoint(tmp_path / "old.pth", net, step=1)
    assert not isinstance(drawn_in("auto", tmp_path / "old.pth", monkeypatch)._net, Int8FlowFusion)


def test_it_says_what_it_computes_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.interpolator.has_vnni", lambda: True)
    assert drawn_in("auto", "trained_model", monkeypatch).arithmetic == "int8"
    for has_bf16, name in ((True, "bf16"), (False, "float32")):
        monkeypatch.setattr("engine.interpolator.cpu_has_bf16", lambda has=has_bf16: has)
        assert drawn_in("off", "trained_model", monkeypatch).arithmetic == name
    assert drawn_in("auto", "blend", monkeypatch).arithmetic == ""


def test_steps_that_do_not_fit_the_weights_name_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.interpolator.has_vnni", lambda: True)
    net = build(ModelConfig(half=8, quarter=8, eighth=8))
    save_checkpoint(tmp_path / "odd.pth", net, step=1, byte_steps={"read 0": torch.ones(3)})
    with pytest.raises(WeightsError, match=r"steps for drawing in 8 bits in .*odd\.pth do not fit"):
        drawn_in("auto", tmp_path / "odd.pth", monkeypatch)
    assert drawn_in("off", tmp_path / "odd.pth", monkeypatch).arithmetic in ("bf16", "float32")


@needs_vnni
@pytest.mark.parametrize("parts", [{}, {"detail": 8}, {"wide": 8}, {"stem": 8, "detail": 8, "wide": 8}])
def test_networks_with_and_without_their_optional_parts(
    parts: dict, scenes: list[dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    torch.manual_seed(7)
    net = build(ModelConfig(half=16, quarter=8, eighth=8, **parts))
    assert isinstance(net, FlowFusion)
    for head in (net.coarse_head, net.fine_head.head, net.mask_head):
        torch.nn.init.normal_(head.weight, std=0.03)  # so that the convolutions matter
    steps = measured_byte_steps(net, scenes[:4])
    save_checkpoint(tmp_path / "net.pth", net, step=1, byte_steps=steps)
    _net, carried = load_checkpoint(tmp_path / "net.pth")
    assert carried["byte_steps"].keys() == steps.keys()
    exact, fast = (drawn_in(wish, tmp_path / "net.pth", monkeypatch) for wish in ("off", "auto"))
    assert isinstance(fast._net, Int8FlowFusion)
    one, other = (model.pair(scenes[5]["img0"], scenes[5]["img1"]).at(0.4) for model in (exact, fast))
    plain = Interpolator(build(ModelConfig()), exact.info, "cpu").pair(scenes[5]["img0"], scenes[5]["img1"]).at(0.4)
    apart = np.abs(one.astype(int) - other).mean()
    assert apart < 0.5
    assert apart < np.abs(one.astype(int) - plain).mean()  # what was learned shows


def test_steps_reach_as_far_as_what_was_drawn(scenes: list[dict]):
    net = build(ModelConfig(half=16, quarter=8, eighth=8))
    assert isinstance(net, FlowFusion)
    steps = measured_byte_steps(net, scenes[:1])
    seen: list[torch.Tensor] = []
    net.fine_net[1].register_forward_hook(lambda _layer, _given, made: seen.append(made))
    Interpolator(net, Interpolator.load("flow_fusion").info, "cpu").pair(scenes[0]["img0"], scenes[0]["img1"]).at(0.5)
    reach = steps["fine"] * (255 - ZERO)
    assert (F.relu(seen[0]).amax(dim=(0, 2, 3)) <= reach * 1.05 + 1e-3).all()
    assert measured_byte_steps(net, []) == {}
