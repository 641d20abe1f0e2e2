import numpy as np
import pytest
import torch

from engine.checkpoint import save_checkpoint
from engine.config import ModelConfig
from engine.errors import BadInputError, BadOptionsError, WeightsError
from engine.interpolator import Interpolator
from engine.metrics import psnr
from engine.nets import build

from .test_motion import shifted, textured


@pytest.fixture(scope="module")
def untrained() -> Interpolator:
    return Interpolator.load("flow_fusion", device="cpu", threads=1)


def test_the_untrained_network_says_so(untrained: Interpolator):
    assert not untrained.info.trained
    assert untrained.info.notice.startswith("Untrained model")


def test_t_0_and_t_1_give_the_sources_back(untrained: Interpolator):
    img0, img1 = textured(seed=1), textured(seed=2)
    pair = untrained.pair(img0, img1)
    assert np.array_equal(pair.at(0), img0)
    assert np.array_equal(pair.at(1), img1)


def test_a_pair_without_change_gives_itself_back_exactly(untrained: Interpolator):
    image = textured(45, 71)
    pair = untrained.pair(image, image.copy())
    assert np.array_equal(pair.at(0.37), image)
    assert not pair.flow().any()


def test_the_middle_of_a_shift_is_the_half_shift(untrained: Interpolator):
    image = textured(128, 160)
    made = untrained.pair(image, shifted(image, 8, 4)).at(0.5)
    assert psnr(made[16:-16, 16:-16], shifted(image, 4, 2)[16:-16, 16:-16]) > 33


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 33), (64, 64), (75, 121)])
def test_any_size_from_16_pixels_keeps_its_size(untrained: Interpolator, height: int, width: int):
    pair = untrained.pair(textured(height, width, 1), textured(height, width, 2))
    for t in (0.25, 0.5):
        assert pair.at(t).shape == (height, width, 3)
        assert pair.at(t).dtype == np.uint8
    assert pair.flow().shape == (height, width, 2)


def test_flow_is_in_pixels_of_full_size_from_the_first_to_the_second(untrained: Interpolator):
    image = textured(128, 160)
    flow = untrained.pair(image, shifted(image, 6, -4)).flow()
    assert np.abs(np.median(flow[24:-24, 24:-24], axis=(0, 1)) - (6, -4)).max() < 0.5


def test_a_frame_is_encoded_once_for_both_its_pairs(untrained: Interpolator, monkeypatch: pytest.MonkeyPatch):
    frames = [textured(seed=n) for n in range(3)]
    encoded = []
    encode = untrained._net.encode
    monkeypatch.setattr(untrained._net, "encode", lambda picture: encoded.append(1) or encode(picture))
    untrained.pair(frames[0], frames[1])
    untrained.pair(frames[1], frames[2])
    assert len(encoded) == 3


def test_a_buffer_filled_with_the_next_frame_is_encoded_anew(untrained: Interpolator):
    first, second, third = (shifted(textured(), 4 * n, 2 * n) for n in range(3))
    buffer = second.copy()
    untrained.pair(first, buffer)
    buffer[:] = third  # the same array, another picture
    reused = untrained.pair(buffer, first).at(0.5)
    assert np.array_equal(reused, Interpolator.load("flow_fusion", device="cpu", threads=1).pair(third, first).at(0.5))


def test_swapping_frames_and_time_gives_nearly_the_same_picture(untrained: Interpolator):
    image = textured(96, 128)
    moved = shifted(image, 6, 2)
    there = untrained.pair(image, moved).at(0.25).astype(int)
    back = untrained.pair(moved, image).at(0.75).astype(int)
    assert np.abs(there - back).mean() < 1


def test_frames_of_different_sizes_are_refused_with_both_sizes(untrained: Interpolator):
    with pytest.raises(BadInputError, match="64x48 and 32x48"):
        untrained.pair(textured(48, 64), textured(48, 32))


@pytest.mark.parametrize(
    "frame", [np.zeros((15, 40, 3), np.uint8), np.zeros((32, 32), np.uint8), np.zeros((32, 32, 3), np.float32)]
)
def test_what_is_no_frame_is_refused(untrained: Interpolator, frame: np.ndarray):
    with pytest.raises(BadInputError):
        untrained.pair(frame, frame)


@pytest.mark.parametrize("t", [-0.1, 1.5, float("nan")])
def test_a_time_outside_the_pair_is_refused(untrained: Interpolator, t: float):
    with pytest.raises(BadOptionsError, match="from 0 to 1"):
        untrained.pair(textured(seed=1), textured(seed=2)).at(t)


def test_bf16_and_fp32_agree_to_a_tenth_of_a_decibel(monkeypatch: pytest.MonkeyPatch):
    image = textured(128, 160)
    truth, moved = shifted(image, 4, 2), shifted(image, 8, 4)
    torch.manual_seed(0)
    net = build(ModelConfig())
    for head in (net.coarse_head, net.fine_head.head, net.mask_head):
        torch.nn.init.normal_(head.weight, std=0.1)  # so that the convolutions matter
    figures = []
    for dtype in (torch.float32, torch.bfloat16):
        monkeypatch.setattr("engine.interpolator._inference_dtype", lambda device, dtype=dtype: dtype)
        twin = build(ModelConfig())
        twin.load_state_dict(net.state_dict())
        figures.append(
            psnr(Interpolator(twin, Interpolator.load("flow_fusion").info, "cpu").pair(image, moved).at(0.5), truth)
        )
    assert abs(figures[0] - figures[1]) < 0.1


def test_the_baseline_draws_every_time_and_knows_no_flow():
    baseline = Interpolator.load("encoder_decoder", device="cpu", threads=1)
    pair = baseline.pair(textured(33, 47, 1), textured(33, 47, 2))
    assert pair.flow() is None
    for t in (0.25, 0.5, 0.9):
        assert pair.at(t).shape == (33, 47, 3)


def test_weights_are_found_by_name_and_by_path(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("INBETWEEN_MODELS", str(tmp_path))
    sha256 = save_checkpoint(tmp_path / "trained_model.pth", build(ModelConfig(half=8, quarter=8, eighth=8)), step=7)
    for name in (None, "default", "trained_model", tmp_path / "trained_model.pth"):
        info = Interpolator.load(name, device="cpu").info
        assert (info.name, info.sha256, info.step, info.trained) == ("trained_model", sha256, 7, True)


def test_a_model_that_is_not_there_is_refused_with_those_that_are(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("INBETWEEN_MODELS", str(tmp_path))
    with pytest.raises(WeightsError, match=r'no model "fancy".*default'):
        Interpolator.load("fancy")


def test_a_folder_of_the_same_name_is_not_taken_for_weights(tmp_path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "flow_fusion").mkdir()
    monkeypatch.chdir(tmp_path)
    assert Interpolator.load("flow_fusion", device="cpu").info.name == "flow_fusion"


def test_a_gpu_that_is_not_there_is_refused():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(BadOptionsError, match="No CUDA GPU"):
        Interpolator.load(device="cuda")
