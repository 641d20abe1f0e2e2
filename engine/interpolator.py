"""Interpolator: two frames in, any frame between them out. NumPy outside, tensors inside."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .checkpoint import ModelInfo, file_info, load_checkpoint, model_info
from .config import MIN_SIDE, ModelConfig
from .errors import BadInputError, BadOptionsError
from .motion import Flow, Picture, dis_flow, grey, resize_flow
from .nets import EncoderDecoder, FlowFusion, Network, build, channels_last
from .nets.flow_fusion import Features, Match

_FULL_SIZE_DIS = (
    640 * 480
)  # up to this many pixels DIS runs at full size, above at half: same motion, a quarter of the time
_MIN_PADDED = 64


class Pair(Protocol):
    """Two frames, matched. Pictures are RGB uint8 (H, W, 3)."""

    def at(self, t: float | Fraction) -> Picture:
        """The frame at time t between the two; t = 0 and t = 1 give the sources themselves."""

    def flow(self) -> Flow | None:
        """Motion img0 -> img1 (H, W, 2) in pixels, or None if the model knows none."""


class Interpolator:
    """A network on a device. Make it with `load`; it is not safe to share between threads."""

    def __init__(self, net: Network, info: ModelInfo, device: str) -> None:
        self.info = info
        self.device = device
        self._net = channels_last(net.eval().to(device=device, dtype=_inference_dtype(device)))
        self._last: tuple[Picture, Features] | None = None

    @classmethod
    def load(cls, path: str | Path | None = None, device: str = "auto", *, threads: int | None = None) -> Interpolator:
        """From a weights file, or a model's name (`engine.checkpoint.list_models`); without either, the default model.

        Raises:
            WeightsError: no such model, or a file that cannot be used; names it.
            BadOptionsError: no such device.
        """
        device = choose_device(device)
        if threads:
            torch.set_num_threads(threads)
            cv2.setNumThreads(threads)
        info = _find(path)
        net = load_checkpoint(info.path)[0] if info.path else build(ModelConfig(arch=info.arch))
        return cls(net, info, device)

    def pair(self, img0: Picture, img1: Picture) -> Pair:
        """Match two frames of one size, 16 pixels a side or more. A frame that was img1 before is not encoded again.

        Raises:
            BadInputError: not RGB uint8, of different sizes, or too small.
        """
        _check(img0, img1)
        if np.array_equal(img0, img1):
            return _StillPair(img0)
        if isinstance(self._net, EncoderDecoder):
            return _BaselinePair(self._net, img0, img1, self.device)
        return _FusionPair(self, img0, img1)

    @torch.inference_mode()
    def _encode(self, image: Picture) -> Features:
        """Encodes one frame, or gives back the last one encoded if it is the same."""
        if self._last is not None and np.array_equal(self._last[0], image):
            return self._last[1]
        assert isinstance(self._net, FlowFusion)
        features = self._net.encode(_pad(_to_tensor(image, self.device), self._net.multiple))
        self._last = (image.copy(), features)  # a copy: callers may fill the same array with the next frame
        return features

    @torch.inference_mode()
    def _match(self, img0: Picture, img1: Picture) -> Match:
        assert isinstance(self._net, FlowFusion)
        frame0, frame1 = self._encode(img0), self._encode(img1)
        size = frame0.picture.shape[-1] // 4, frame0.picture.shape[-2] // 4
        flow_01, flow_10 = first_flows(img0, img1, size)
        return self._net.match(frame0, frame1, _flow_tensor(flow_01, self.device), _flow_tensor(flow_10, self.device))

    @torch.inference_mode()
    def _synthesise(self, match: Match, t: float, size: tuple[int, int]) -> Picture:
        assert isinstance(self._net, FlowFusion)
        return _to_picture(self._net.synthesise(match, t).picture, size)


class _FusionPair:
    def __init__(self, interpolator: Interpolator, img0: Picture, img1: Picture) -> None:
        self._interpolator = interpolator
        self._img0, self._img1 = img0, img1
        self._match = interpolator._match(img0, img1)

    def at(self, t: float | Fraction) -> Picture:
        if (end := _source_at(t, self._img0, self._img1)) is not None:
            return end
        return self._interpolator._synthesise(self._match, float(t), self._img0.shape[:2])

    def flow(self) -> Flow:
        height, width = self._img0.shape[:2]
        full = F.interpolate(self._match.flow_01, scale_factor=4, mode="bilinear", align_corners=False) * 4
        return full[0, :, :height, :width].permute(1, 2, 0).cpu().numpy()


class _BaselinePair:
    """The plain network knows one time only, the middle."""

    def __init__(self, net: EncoderDecoder, img0: Picture, img1: Picture, device: str) -> None:
        self._net, self._img0, self._img1, self._device = net, img0, img1, device

    @torch.inference_mode()
    def at(self, t: float | Fraction) -> Picture:
        """By halving: the middle of the middle, until within 1/16 of t."""
        if (end := _source_at(t, self._img0, self._img1)) is not None:
            return end
        low, high, start, stop = self._img0, self._img1, 0.0, 1.0
        for _ in range(4):
            middle, time = self._middle(low, high), (start + stop) / 2
            if math.isclose(time, float(t)):
                break
            low, start, high, stop = (middle, time, high, stop) if float(t) > time else (low, start, middle, time)
        return middle

    def flow(self) -> None:
        return None

    def _middle(self, img0: Picture, img1: Picture) -> Picture:
        tensors = [_pad(_to_tensor(image, self._device), self._net.multiple) for image in (img0, img1)]
        return _to_picture(self._net(*tensors), img0.shape[:2])


class _StillPair:
    """Two identical frames: nothing to compute, and nothing changes."""

    def __init__(self, image: Picture) -> None:
        self._image = image

    def at(self, t: float | Fraction) -> Picture:
        return self._image.copy() if 0 <= t <= 1 else _refuse(t)

    def flow(self) -> Flow:
        return np.zeros((*self._image.shape[:2], 2), np.float32)


def choose_device(device: str) -> str:
    """ "auto" is the GPU where there is one. Raises BadOptionsError for a device that is not there."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.split(":")[0] == "cuda" and not torch.cuda.is_available():
        raise BadOptionsError("No CUDA GPU is usable here. Choose the device cpu or auto.")
    if device.split(":")[0] not in ("cpu", "cuda"):
        raise BadOptionsError(f'"{device}" is not a device. Choose auto, cpu or cuda.')
    return device


def first_flows(
    img0: Picture, img1: Picture, size: tuple[int, int], *, coarse: bool | None = None
) -> tuple[Flow, Flow]:
    """DIS in both directions, resampled to size = (width, height), a quarter of the padded frame's.

    `coarse` matches at half size; by default frames above 640x480.
    """
    grey0, grey1 = _pad_grey(grey(img0), size), _pad_grey(grey(img1), size)
    if grey0.size > _FULL_SIZE_DIS if coarse is None else coarse:
        half = (size[0] * 2, size[1] * 2)
        grey0, grey1 = (cv2.resize(g, half, interpolation=cv2.INTER_AREA) for g in (grey0, grey1))
    return resize_flow(dis_flow(grey0, grey1), size), resize_flow(dis_flow(grey1, grey0), size)


def _find(path: str | Path | None) -> ModelInfo:
    if path is None:
        return model_info("default")
    path = Path(path)
    return file_info(path) if path.suffix == ".pth" or path.is_file() else model_info(str(path))


def _inference_dtype(device: str) -> torch.dtype:
    """bf16 where the CPU computes in it, fp16 is never used: flows need range more than digits."""
    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return torch.bfloat16 if cpu_has_bf16() else torch.float32


def cpu_has_bf16() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _check(img0: Picture, img1: Picture) -> None:
    for image in (img0, img1):
        if not (isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3):
            raise BadInputError("A frame must be an RGB picture: a uint8 array of shape (height, width, 3).")
    if img0.shape != img1.shape:
        (h0, w0), (h1, w1) = img0.shape[:2], img1.shape[:2]
        raise BadInputError(f"The two frames differ in size: {w0}x{h0} and {w1}x{h1}. Resize one to fit the other.")
    if min(img0.shape[:2]) < MIN_SIDE:
        raise BadInputError(
            f"The frames are {img0.shape[1]}x{img0.shape[0]}; each side must be at least {MIN_SIDE} pixels."
        )


def _source_at(t: float | Fraction, img0: Picture, img1: Picture) -> Picture | None:
    if not 0 <= t <= 1:
        _refuse(t)
    return img0.copy() if t == 0 else img1.copy() if t == 1 else None


def _refuse(t: float | Fraction) -> Picture:
    raise BadOptionsError(f"t = {float(t)} is outside the pair. Choose a time from 0 to 1.")


def _to_tensor(image: Picture, device: str) -> Tensor:
    """(H, W, 3) uint8 to (1, 3, H, W) float32 0-1, channels_last."""
    return torch.from_numpy(np.ascontiguousarray(image)).to(device).permute(2, 0, 1)[None].float().div_(255)


def _to_picture(tensor: Tensor, size: tuple[int, int]) -> Picture:
    """(1, 3, H, W) float32 to (height, width, 3) uint8, cut to size = (height, width)."""
    pixels = tensor[0, :, : size[0], : size[1]].permute(1, 2, 0)
    return pixels.mul(255).round_().clamp_(0, 255).to(torch.uint8).contiguous().cpu().numpy()


def _padded_side(side: int, multiple: int) -> int:
    return max(_MIN_PADDED, -(-side // multiple) * multiple)


def _pad(tensor: Tensor, multiple: int) -> Tensor:
    """Repeats the right and bottom edge up to a multiple and to at least _MIN_PADDED."""
    height, width = tensor.shape[-2:]
    right, bottom = _padded_side(width, multiple) - width, _padded_side(height, multiple) - height
    return F.pad(tensor, (0, right, 0, bottom), mode="replicate") if right or bottom else tensor


def _pad_grey(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Like `_pad`, for a grey picture, to 4 x size = (width, height)."""
    height, width = image.shape
    return cv2.copyMakeBorder(image, 0, size[1] * 4 - height, 0, size[0] * 4 - width, cv2.BORDER_REPLICATE)


def _flow_tensor(flow: Flow, device: str) -> Tensor:
    return torch.from_numpy(flow).permute(2, 0, 1)[None].to(device)
