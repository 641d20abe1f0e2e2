"""Interpolator: two frames in, any frame between them out. NumPy outside, tensors inside."""

from __future__ import annotations

import math
import os
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor

from .alpha_fade import AlphaFadePair, alpha_strengths
from .checkpoint import BLEND, ModelInfo, file_info, load_checkpoint, model_info
from .config import ModelConfig
from .cores import side_by_side
from .errors import BadOptionsError, WeightsError
from .light import LitPair, ends_in_nothing, judged, light_between, same_levels, small_copy
from .memory import keep_freed_memory
from .metrics import blend
from .motion import Flow, backward_warp, dis_flow, resize_flow, resize_flow_tensor, same_light
from .nets import EncoderDecoder, FlowFusion, Network, build, channels_last
from .nets.byte_steps import Steps
from .nets.flow_fusion import Features, Match, Synthesis
from .nets.int8 import Int8FlowFusion, has_vnni
from .pixels import (
    AnyPicture,
    alpha_tensor,
    check_frames,
    choose_ground,
    colour_tensor,
    has_alpha,
    pad,
    padded_side,
    to_picture,
    visible_grey,
)
from .tiles import Box, Tile, keeps_matches, paste, plan_tiles, tile_memory
from .translation import gettext as _

FLOW_SCALE = 4  # the networks take and give flows of a quarter of the frame's size
# up to so many pixels DIS runs at full size, then at half, then at a quarter: same motion, a quarter of the time
_FULL_SIZE_DIS, _HALF_SIZE_DIS = 640 * 480, 4096 * 2304


class Pair(Protocol):
    """Two frames, matched."""

    def at(self, t: float | Fraction) -> AnyPicture:
        """The frame at time t between the two, of their type and channels; t = 0 and t = 1 give the sources."""

    def flow(self, *, back: bool = False) -> Flow | None:
        """Motion img0 -> img1, or `back`, (H, W, 2) in pixels, or None if the model knows none."""


class Interpolator:
    """A network on a device. Make it with `load`; it is not safe to share between threads."""

    def __init__(self, net: Network, info: ModelInfo, device: str, byte_steps: Steps | None = None) -> None:
        """`byte_steps` of the weights, if they are known, let a CPU that is fast at it draw in 8 bits.

        `arithmetic` says what is computed in: "int8", "bf16" or "float32", and on a GPU "cuda" behind it.
        """
        self.info = info
        self.device = device
        dtype, in_bytes = _inference_dtype(device), False
        if byte_steps and isinstance(net, FlowFusion) and device == "cpu" and draws_in_bytes():
            net, dtype, in_bytes = _in_bytes(net, byte_steps, info), torch.float32, True
        name = "int8" if in_bytes else "bf16" if dtype == torch.bfloat16 else "float32"
        self.arithmetic = name if device == "cpu" else f"{name} cuda"
        self._net = channels_last(net.eval().to(device=device, dtype=dtype))
        self._last: tuple[AnyPicture, float, dict[Box, Features]] | None = None  # frame, ground, its parts encoded

    @classmethod
    def load(cls, path: str | Path | None = None, device: str = "auto", *, threads: int | None = None) -> Interpolator:
        """From a weights file, or a model's name (`engine.checkpoint.list_models`); without either, the default model.

        Raises:
            WeightsError: no such model, or a file that cannot be used; names it.
            BadOptionsError: no such device.
        """
        device = choose_device(device)
        keep_freed_memory()
        if threads:
            torch.set_num_threads(threads)
            cv2.setNumThreads(threads)
        info = _find(path)
        if info.arch == BLEND:
            return _Blender(info, device)
        if info.path is None:
            return cls(build(ModelConfig(arch=info.arch)), info, device)
        net, carried = load_checkpoint(info.path)
        return cls(net, info, device, carried["byte_steps"])

    def pair(self, img0: AnyPicture, img1: AnyPicture) -> Pair:
        """Match two frames of one size and kind, 16 pixels a side or more. A frame that was img1 before is not encoded
        again.

        Frames are RGB (H, W, 3) or RGBA (H, W, 4), uint8 or uint16 over its whole range; see `engine.pixels` for what
        becomes of alpha.

        Raises:
            BadInputError: something else, of different sizes or kinds, or too small.
        """
        check_frames(img0, img1)
        if np.array_equal(img0, img1):
            return _StillPair(img0)
        if isinstance(self._net, EncoderDecoder):
            return _BaselinePair(self._net, img0, img1, self.device)
        if (strengths := alpha_strengths(img0, img1)) is not None:
            if 0 in strengths:
                return _BlendPair(img0, img1)
            return AlphaFadePair(img0, img1, strengths, self._lit_pair)
        return self._lit_pair(img0, img1)

    def _lit_pair(self, img0: AnyPicture, img1: AnyPicture) -> Pair:
        seen0, seen1 = judged(img0, img1)
        if not same_levels(seen0, seen1):
            small0, small1 = small_copy(seen0), small_copy(seen1)
            if ends_in_nothing(small0, small1):
                return _BlendPair(img0, img1)
            if (light := light_between(small0, small1)) is not None:
                return LitPair(img0, img1, light, self._fusion_pair)
        return self._fusion_pair(img0, img1)

    def _fusion_pair(self, img0: AnyPicture, img1: AnyPicture) -> Pair:
        assert isinstance(self._net, FlowFusion)
        return _FusionPair(self, self._net, img0, img1)

    def _encode(self, image: AnyPicture, window: Box, ground: float) -> Features:
        assert isinstance(self._net, FlowFusion)
        return self._net.encode(pad(colour_tensor(window.cut(image), ground, self.device), self._net.multiple))

    def _known(self, image: AnyPicture, ground: float) -> dict[Box, Features]:
        """What was encoded of the frame before, if that is this one; it is forgotten here."""
        last, self._last = self._last, None
        return last[2] if last and last[1] == ground and np.array_equal(last[0], image) else {}

    def _remember(self, image: AnyPicture, ground: float, encoded: dict[Box, Features]) -> None:
        self._last = (image.copy(), ground, encoded)  # a copy: callers may fill the same array with the next frame


class _Blender(Interpolator):
    """No network: cross-fades, to compare with."""

    def __init__(self, info: ModelInfo, device: str) -> None:
        self.info, self.device, self.arithmetic, self._last = info, device, "", None

    def pair(self, img0: AnyPicture, img1: AnyPicture) -> Pair:
        check_frames(img0, img1)
        return _BlendPair(img0, img1)


class _BlendPair:
    def __init__(self, img0: AnyPicture, img1: AnyPicture) -> None:
        self._img0, self._img1 = img0, img1

    def at(self, t: float | Fraction) -> AnyPicture:
        end = _source_at(t, self._img0, self._img1)
        return blend(self._img0, self._img1, float(t)) if end is None else end

    def flow(self, *, back: bool = False) -> None:
        return None


class _FusionPair:
    """Drawn whole, or tile by tile where the whole needs too much memory."""

    @torch.inference_mode()
    def __init__(self, owner: Interpolator, net: FlowFusion, img0: AnyPicture, img1: AnyPicture) -> None:
        self._owner, self._net, self._img0, self._img1 = owner, net, img0, img1
        self._ground = choose_ground(img0, img1)
        height, width = img0.shape[:2]
        coarse = tuple(padded_side(side, net.multiple) // FLOW_SCALE for side in (width, height))
        self._flows = first_flows(img0, img1, (coarse[0], coarse[1]), ground=self._ground)
        self._tiles = plan_tiles((width, height), self._flows, net.grid, memory := tile_memory())
        self._matches: dict[Box, Match] = {}
        if len(self._tiles) == 1 or keeps_matches((width, height), memory):
            self._match_all()

    @torch.inference_mode()
    def at(self, t: float | Fraction) -> AnyPicture:
        if (end := _source_at(t, self._img0, self._img1)) is not None:
            return end
        if len(self._tiles) == 1:
            return self._draw(self._tiles[0], float(t))
        canvas = np.empty_like(self._img0)
        for tile in self._tiles:
            paste(canvas, self._draw(tile, float(t)), tile.core)
        return canvas

    @torch.inference_mode()
    def flow(self, *, back: bool = False) -> Flow:
        flow = self._flows[1 if back else 0].copy()
        for tile in self._tiles:
            match = self._match(tile.window)
            found = (match.flow_10 if back else match.flow_01)[0].permute(1, 2, 0).cpu().numpy()
            paste(flow, tile.core.within(tile.window).cut(found, FLOW_SCALE), tile.core, FLOW_SCALE)
        height, width = self._img0.shape[:2]
        return resize_flow(flow, (flow.shape[1] * FLOW_SCALE, flow.shape[0] * FLOW_SCALE))[:height, :width]

    def _match_all(self) -> None:
        """Matches all tiles, with what is known of img0 from the pair before, and leaves what it learned of img1."""
        known, found = self._owner._known(self._img0, self._ground), dict[Box, Features]()
        for tile in self._tiles:
            frame0 = known.pop(tile.window, None)
            match = self._matches[tile.window] = self._match(tile.window, frame0)
            found[tile.window] = match.frame1
        self._owner._remember(self._img1, self._ground, found)

    def _match(self, window: Box, frame0: Features | None = None) -> Match:
        if window in self._matches:
            return self._matches[window]
        frame0 = frame0 or self._owner._encode(self._img0, window, self._ground)
        frame1 = self._owner._encode(self._img1, window, self._ground)
        left, top = window.left // FLOW_SCALE, window.top // FLOW_SCALE
        height, width = (side // FLOW_SCALE for side in frame0.picture.shape[-2:])
        flow_01, flow_10 = (
            _flow_tensor(flow[top : top + height, left : left + width], self._owner.device) for flow in self._flows
        )
        return self._net.match(frame0, frame1, flow_01, flow_10)

    def _draw(self, tile: Tile, t: float) -> AnyPicture:
        """The core of the tile at time t."""
        made = self._net.synthesise(self._match(tile.window), t)
        core = tile.core.within(tile.window)
        alpha = core.crop(self._alpha(tile.window, made)) if has_alpha(self._img0) else None
        return to_picture(core.crop(made.picture), alpha, self._ground, self._img0.dtype)

    def _alpha(self, window: Box, made: Synthesis) -> Tensor:
        """Both frames' alpha (1, 1, H, W), moved and fused as their colours were."""
        warped0, warped1 = (
            backward_warp(
                pad(alpha_tensor(window.cut(image), self._owner.device), self._net.multiple),
                resize_flow_tensor(flow, 2),
                cubic=True,
            )
            for image, flow in ((self._img0, made.flow_t0), (self._img1, made.flow_t1))
        )
        return torch.lerp(warped1, warped0, made.mask)


class _BaselinePair:
    """The plain network knows one time only, the middle."""

    def __init__(self, net: EncoderDecoder, img0: AnyPicture, img1: AnyPicture, device: str) -> None:
        self._net, self._img0, self._img1, self._device = net, img0, img1, device

    @torch.inference_mode()
    def at(self, t: float | Fraction) -> AnyPicture:
        """By halving: the middle of the middle, until within 1/16 of t."""
        if (end := _source_at(t, self._img0, self._img1)) is not None:
            return end
        ground = choose_ground(self._img0, self._img1)
        colour0, colour1 = (colour_tensor(image, ground, self._device) for image in (self._img0, self._img1))
        alpha = None
        if has_alpha(self._img0):  # drawn like a grey picture
            alpha0, alpha1 = (
                alpha_tensor(image, self._device).expand(-1, 3, -1, -1) for image in (self._img0, self._img1)
            )
            alpha = self._between(alpha0, alpha1, float(t)).mean(dim=1, keepdim=True)
        return to_picture(self._between(colour0, colour1, float(t)), alpha, ground, self._img0.dtype)

    def flow(self, *, back: bool = False) -> None:
        return None

    def _between(self, low: Tensor, high: Tensor, t: float) -> Tensor:
        """Pictures (1, 3, H, W) to the one nearest to t."""
        height, width = low.shape[-2:]
        low, high = (pad(picture, self._net.multiple) for picture in (low, high))
        start, stop = 0.0, 1.0
        for _step in range(4):
            middle, time = self._net(low, high), (start + stop) / 2
            if math.isclose(time, t):
                break
            low, start, high, stop = (middle, time, high, stop) if t > time else (low, start, middle, time)
        return middle[..., :height, :width]


class _StillPair:
    """Two identical frames: nothing to compute, and nothing changes."""

    def __init__(self, image: AnyPicture) -> None:
        self._image = image

    def at(self, t: float | Fraction) -> AnyPicture:
        return self._image.copy() if 0 <= t <= 1 else _refuse(t)

    def flow(self, *, back: bool = False) -> Flow:
        return np.zeros((*self._image.shape[:2], 2), np.float32)


def choose_device(device: str) -> str:
    """ "auto" is the GPU where there is one. Raises BadOptionsError for a device that is not there."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.split(":")[0] == "cuda" and not torch.cuda.is_available():
        raise BadOptionsError(_("No CUDA GPU is usable here. Choose the device cpu or auto."))
    if device.split(":")[0] not in ("cpu", "cuda"):
        raise BadOptionsError(_('"{device}" is not a device. Choose auto, cpu or cuda.').format(device=device))
    return device


def first_flows(
    img0: AnyPicture, img1: AnyPicture, size: tuple[int, int], *, coarse: bool | None = None, ground: float = 0.0
) -> tuple[Flow, Flow]:
    """DIS in both directions, resampled to size = (width, height), a quarter of the padded frame's.

    `coarse` matches at half size; by default frames above 640x480, and those above 4K at a quarter. Frames with alpha
    are laid on `ground`, 0-1.
    """
    grey0, grey1 = (_pad_grey(visible_grey(image, ground), size) for image in (img0, img1))
    if coarse is None:
        times = FLOW_SCALE if grey0.size <= _FULL_SIZE_DIS else 2 if grey0.size <= _HALF_SIZE_DIS else 1
    else:
        times = 2 if coarse else FLOW_SCALE
    if times < FLOW_SCALE:
        smaller = (size[0] * times, size[1] * times)
        grey0, grey1 = (cv2.resize(g, smaller, interpolation=cv2.INTER_AREA) for g in (grey0, grey1))
    grey0, grey1 = same_light(grey0, grey1)
    preset = "fine" if times == FLOW_SCALE else "lean"  # small frames can afford it
    ways = side_by_side(lambda way: resize_flow(dis_flow(*way, preset), size), [(grey0, grey1), (grey1, grey0)])
    return ways[0], ways[1]


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


def _in_bytes(net: FlowFusion, steps: Steps, info: ModelInfo) -> Int8FlowFusion:
    try:
        return Int8FlowFusion(net, steps)
    except (KeyError, IndexError, RuntimeError) as error:
        text = _(
            "The steps for drawing in 8 bits in {path} do not fit its weights. "
            "Use another file, or set INBETWEEN_INT8=off."
        )
        raise WeightsError(text.format(path=info.path)) from error


def draws_in_bytes() -> bool:
    """Whether the CPU is fast at 8 bits; INBETWEEN_INT8=off keeps it from it.

    Raises:
        BadOptionsError: the variable holds something else than auto or off.
    """
    wish = os.environ.get("INBETWEEN_INT8", "auto").strip() or "auto"
    if wish not in ("auto", "off"):
        raise BadOptionsError(_('INBETWEEN_INT8 = "{text}" is not usable. Choose auto or off.').format(text=wish))
    return wish == "auto" and has_vnni()


def cpu_has_bf16() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _source_at(t: float | Fraction, img0: AnyPicture, img1: AnyPicture) -> AnyPicture | None:
    if not 0 <= t <= 1:
        _refuse(t)
    return img0.copy() if t == 0 else img1.copy() if t == 1 else None


def _refuse(t: float | Fraction) -> AnyPicture:
    raise BadOptionsError(_("t = {t} is outside the pair. Choose a time from 0 to 1.").format(t=float(t)))


def _pad_grey(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Like `pad`, for a grey picture, to 4 x size = (width, height)."""
    height, width = image.shape
    return cv2.copyMakeBorder(image, 0, size[1] * 4 - height, 0, size[0] * 4 - width, cv2.BORDER_REPLICATE)


def _flow_tensor(flow: Flow, device: str) -> Tensor:
    return torch.from_numpy(flow).permute(2, 0, 1)[None].to(device)
