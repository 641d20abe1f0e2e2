"""Motion between two frames: classical flow, warping, consistency, and flow as a picture.

Conventions: a flow is (dx, dy) in pixels of its own level; warping samples the source at `x + flow(x)`.
NumPy flows are float32 (H, W, 2), tensor flows float32 (N, 2, H, W). Resizing a flow rescales it.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .cores import side_by_side

Picture = NDArray[np.uint8]  # (H, W, 3) RGB
Flow = NDArray[np.float32]  # (H, W, 2)

DIS_PRESETS = {
    "lean": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,  # smoothed once instead of five times: a fifth less time, no less right
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
    "fine": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,  # and down to the finest scale, where medium ends one before it
}
_DIS_MIN_SIDE = 32  # DIS matches 8x8 patches on a pyramid; smaller pictures have too few of them


def grey(picture: Picture) -> NDArray[np.uint8]:
    """(H, W, 3) RGB to (H, W) luma, both uint8."""
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def dis_flow(img0: Picture, img1: Picture, preset: str = "medium") -> Flow:
    """Flow img0 -> img1 by Dense Inverse Search (Kroeger et al., ECCV 2016; OpenCV). Takes RGB or grey uint8."""
    grey0, grey1 = (grey(image) if image.ndim == 3 else image for image in (img0, img1))
    height, width = grey0.shape
    pad_y, pad_x = max(0, _DIS_MIN_SIDE - height), max(0, _DIS_MIN_SIDE - width)
    if pad_y or pad_x:
        grey0, grey1 = (cv2.copyMakeBorder(g, 0, pad_y, 0, pad_x, cv2.BORDER_REPLICATE) for g in (grey0, grey1))
    matcher = cv2.DISOpticalFlow.create(DIS_PRESETS[preset])
    if preset == "fine":
        matcher.setFinestScale(0)
    if preset == "lean":
        matcher.setVariationalRefinementIterations(1)
    return matcher.calc(grey0, grey1, None)[:height, :width]


def same_light(grey0: Picture, grey1: Picture, least: float = 16) -> tuple[Picture, Picture]:
    """Two grey frames to match, one with the other's levels if a flash or a fade lies between them, else as they are.

    DIS takes light for motion. The frame that shows more levels is brought to those of the other one (histogram
    matching), as what a flash has burnt out cannot be brought back. `least` is the mean distance of their levels.
    """
    counts = [np.bincount(g.ravel(), minlength=256) for g in (grey0, grey1)]
    shares = [np.cumsum(count) / count.sum() for count in counts]
    if np.abs(shares[0] - shares[1]).sum() < least:
        return grey0, grey1
    richer = int(_entropy(counts[1]) > _entropy(counts[0]))
    middle = shares[richer] - counts[richer] / counts[richer].sum() / 2
    table = np.searchsorted(shares[1 - richer], middle).clip(0, 255).astype(np.uint8)
    matched = cv2.LUT((grey0, grey1)[richer], table)
    return (grey0, matched) if richer else (matched, grey1)


def _entropy(counts: NDArray[np.int64]) -> float:
    """Bits per point."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def farneback_flow(img0: Picture, img1: Picture) -> Flow:
    """Flow img0 -> img1 by polynomial expansion (Farneback, SCIA 2003; OpenCV)."""
    return cv2.calcOpticalFlowFarneback(grey(img0), grey(img1), None, 0.5, 5, 15, 3, 5, 1.2, 0)


def resize_flow(flow: Flow, size: tuple[int, int]) -> Flow:
    """A flow resampled to size = (width, height), its vectors scaled with it."""
    height, width = flow.shape[:2]
    shrinks = size[0] < width
    resized = cv2.resize(flow, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized * np.array([size[0] / width, size[1] / height], np.float32)


def flow_to_picture(flow: Flow, max_px: float | None = None) -> Picture:
    """Hue is direction, saturation speed, on white; full at `max_px` pixels (default: the 99th percentile)."""
    magnitude, angle = cv2.cartToPolar(flow[..., 0], flow[..., 1])
    scale = max_px or max(float(np.percentile(magnitude, 99)), 1.0)
    hsv = np.empty((*flow.shape[:2], 3), np.uint8)
    hsv[..., 0] = np.rad2deg(angle) / 2  # OpenCV keeps hue as 0-179
    hsv[..., 1] = np.clip(magnitude / scale, 0, 1) * 255
    hsv[..., 2] = 255
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


@lru_cache(maxsize=16)
def pixel_grid(height: int, width: int) -> Flow:
    """(H, W, 2) float32: every pixel's own (x, y). Shared: never write into it."""
    return np.stack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)), axis=-1)


@lru_cache(maxsize=16)
def pixel_planes(height: int, width: int) -> Tensor:
    """`pixel_grid` as a tensor (2, H, W). Shared: never write into it."""
    with torch.inference_mode(False):  # it may be used outside of it later
        return torch.from_numpy(pixel_grid(height, width)).permute(2, 0, 1).contiguous()


def warp_picture(
    image: NDArray[Any], flow: Flow, interpolation: int = cv2.INTER_LINEAR, out: NDArray[Any] | None = None
) -> NDArray[Any]:
    """`image` (H, W, C) sampled at x + flow(x); outside the border its edge is repeated.

    `out`: an array of the same shape and type to write into.
    """
    position = pixel_grid(*flow.shape[:2]) + flow
    return cv2.remap(image, position, None, interpolation, out, borderMode=cv2.BORDER_REPLICATE)


def backward_warp(image: Tensor, flow: Tensor, *, cubic: bool = False) -> Tensor:
    """`image` (N, C, H, W) sampled at x + flow(x), edges repeated; flow (N, 2, H, W) float32 pixels.

    Bilinear, or bicubic (Keys, 1981; a = -0.75), which keeps fine texture that bilinear sampling blurs.

    On the CPU without gradients OpenCV's remap does it, 8-20 times faster than grid_sample; its positions are rounded
    to 1/32 pixel. Gradients flow into image and flow.
    """
    if image.device.type == "cpu" and not torch.is_grad_enabled():
        return _remap(image, flow, cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR)
    height, width = flow.shape[-2:]
    grid = torch.from_numpy(pixel_grid(height, width)).to(flow.device)
    scale = flow.new_tensor([2 / max(width - 1, 1), 2 / max(height - 1, 1)])
    position = (grid + flow.permute(0, 2, 3, 1)) * scale - 1
    # bf16 cannot hold positions, and grid_sample is slow in it: always float32 here
    mode = "bicubic" if cubic else "bilinear"
    return F.grid_sample(image.float(), position, mode, padding_mode="border", align_corners=True).to(image.dtype)


def _remap(image: Tensor, flow: Tensor, interpolation: int) -> Tensor:
    """`backward_warp` through OpenCV, which works on pixels with their channels side by side."""
    dtype = image.dtype if image.dtype == torch.uint8 else torch.float32
    warped = torch.empty(image.shape, dtype=dtype, memory_format=torch.channels_last)
    for source, vectors, target in zip(image, flow, warped, strict=True):
        pixels = source.permute(1, 2, 0).to(dtype).contiguous().numpy()
        out = target.permute(1, 2, 0).numpy()
        cv2.remap(pixels, *_positions(vectors), interpolation, out, borderMode=cv2.BORDER_REPLICATE)
    return warped.to(image.dtype)


def _positions(flow: Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Where a flow (2, H, W) points to, as OpenCV's maps: in planes or side by side, as the flow itself is laid out."""
    height, width = flow.shape[-2:]
    if flow.stride(2) == 1:
        across, down = (pixel_planes(height, width) + flow).numpy()
        return across, down
    return pixel_grid(height, width) + flow.permute(1, 2, 0).numpy(), None


def halved(image: Tensor) -> Tensor:
    """(N, C, H, W), sides even, at half the size: means of 2x2 pixels."""
    if by_opencv(image):  # 5 times faster
        halves = partial(cv2.resize, dsize=None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        if image.is_contiguous():
            return from_pixels(cv2.merge(side_by_side(halves, list(image[0].numpy()))))
        return from_pixels(halves(to_pixels(image)))
    return F.avg_pool2d(image, 2)


def smoothed(image: Tensor) -> Tensor:
    """(N, C, H, W): means of 3x3 pixels, edges repeated."""
    if by_opencv(image):  # 20 times faster
        return from_pixels(cv2.blur(to_pixels(image), (3, 3), borderType=cv2.BORDER_REPLICATE))
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    rows = padded[..., :-2, :] + padded[..., 1:-1, :] + padded[..., 2:, :]  # with gradients, twice as fast as pooling
    return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9


def luma(image: Tensor) -> Tensor:
    """(N, 3, H, W) RGB to (N, 1, H, W) by the weights of BT.601."""
    if by_opencv(image):
        return from_pixels(cv2.cvtColor(to_pixels(image), cv2.COLOR_RGB2GRAY))
    weights = image.new_tensor([0.299, 0.587, 0.114]).reshape(1, 3, 1, 1)
    return (image * weights).sum(dim=1, keepdim=True)


def by_opencv(tensor: Tensor) -> bool:
    """One float picture on the CPU that needs no gradient: OpenCV is much faster on it than PyTorch."""
    return (
        tensor.device.type == "cpu"
        and not torch.is_grad_enabled()
        and len(tensor) == 1
        and tensor.dtype == torch.float32
    )


def to_pixels(image: Tensor) -> NDArray[Any]:
    """(1, C, H, W) to (H, W, C), without a copy where the tensor is laid out so."""
    return image[0].permute(1, 2, 0).contiguous().numpy()


def from_pixels(image: NDArray[Any]) -> Tensor:
    """(H, W, C), or (H, W), to (1, C, H, W), in channels-last layout; no copy."""
    return torch.from_numpy(image if image.ndim == 3 else image[..., None]).permute(2, 0, 1)[None]


def planar(image: Tensor) -> Tensor:
    """(N, C, H, W) in float32, each row of a channel in one piece: as OpenCV's bicubic warp and sums over channels are
    fastest."""
    image = image.float()
    if by_opencv(image) and image.is_contiguous(memory_format=torch.channels_last):
        _, channels, height, width = image.shape
        pixels = to_pixels(image).reshape(height * width, channels)
        return torch.from_numpy(cv2.transpose(pixels)).reshape(1, channels, height, width)  # 2-3 times faster
    return image if image.stride(3) == 1 else image.contiguous()


def interleaved(image: Tensor) -> Tensor:
    """(N, C, H, W), each pixel's channels side by side (channels_last): as convolutions and other warps want them."""
    if by_opencv(image) and image.is_contiguous():
        return from_pixels(cv2.merge(list(image[0].numpy())))
    return image.contiguous(memory_format=torch.channels_last)


def resize_flow_tensor(flow: Tensor, factor: int) -> Tensor:
    """(N, 2, H, W) or (N, 4, H, W), two flows, to `factor` times the size, bilinear; vectors are scaled with it."""
    if flow.device.type == "cpu" and not torch.is_grad_enabled() and len(flow) == 1:  # OpenCV does it 4 times faster
        pixels = flow[0].permute(1, 2, 0).contiguous().numpy()
        larger = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
        return torch.from_numpy(larger).mul_(factor).permute(2, 0, 1)[None]
    return F.interpolate(flow, scale_factor=factor, mode="bilinear", align_corners=False) * factor


def inconsistency(flow_ab: Tensor, flow_ba: Tensor) -> Tensor:
    """How far a -> b -> a misses its start, (N, 1, H, W) pixels: near 0 where visible in both, large where hidden."""
    dx, dy = (flow_ab + backward_warp(flow_ba, flow_ab)).split(1, dim=1)
    return (dx * dx + dy * dy + 1e-12).sqrt()  # the small number keeps its gradient finite


def project_backward(flow: Tensor, fraction: float | Tensor, steps: int = 3) -> Tensor:
    """Where the point now at x came from: d with d(x) = -fraction * flow(x + d(x)), (N, 2, H, W), without gradient.

    Solved by fixed-point iteration, so unlike splatting it leaves no holes. `fraction` of the way from the frame of
    `flow` to its target has passed; a tensor must broadcast over (N, 1, 1, 1).
    """
    with torch.no_grad():
        offset = -fraction * flow
        for _ in range(steps):
            offset = -fraction * backward_warp(flow, offset)
    return offset
