"""flow_fusion with its convolutions in 8 bits, for processors that add four products of bytes at once (VNNI).

They take a quarter to a half of the time, with the weights as they were trained: nothing but the choice between motions
goes through them, motion itself and the pictures stay in float32 (docs/model.md has what it changes). Each channel that
a convolution writes has a step of its own for its weights, and one for its values, measured beforehand (`byte_steps`);
a byte u stands for (u - ZERO) steps. Steps are multiplied into the weights on either side, so they cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.cores import side_by_side
from engine.motion import from_pixels, planar, to_pixels

from .byte_steps import ZERO, Steps
from .flow_fusion import FlowFusion
from .layers import SLOPE, conv_of, doubled, head_conv

Bytes = NDArray[np.uint8]

_GREY_LEVEL = 2 / 255  # what is read: -1 to 1
_STRIP = 1 << 18  # bytes that stay in the cache between two passes


def has_vnni() -> bool:
    """Without it, oneDNN adds products of bytes in 16 bits, which overflow."""
    return bool(torch.cpu._is_vnni_supported())


class Int8FlowFusion(FlowFusion):
    """`net` on the CPU, for drawing one pair at a time; it cannot be trained. Features, and what is made at 1/4 size,
    are bytes: uint8 (1, C, h, w) in channels_last."""

    def __init__(self, net: FlowFusion, steps: Steps) -> None:
        super().__init__(net.config)
        self.load_state_dict(net.state_dict())
        self._steps = steps
        self._make_reading(steps)
        self._make_weighing(steps)
        self._make_refining(steps)

    def read(self, picture: Tensor) -> Tensor:
        seen = _bytes(picture, 1 / 255, 0)
        for layer in self._reading:
            seen = layer(seen)
        return seen

    def weigh(self, features: tuple[Tensor, Tensor], told: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        entered = self._enter(_joined([*features, self._as_bytes("coarse told", told)]))
        eighth = self._widened(self._first(self._shrink(entered)))
        hidden = self._leave(_sum(entered, self._grow(self._second(eighth))))
        return hidden, planar(self._coarse_head(hidden))

    def refine(self, hidden: Tensor, told: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor | None]:
        fine = self._fine_enter(_joined([self._to_half(hidden), self._as_bytes("fine told", told)]))
        fine = self._fine_leave(fine)
        made = planar(self._fine_heads(fine))
        chosen, corners = made[:, :-4] * self.fine_head.factors, made[:, -4:]
        less = doubled(planar(self._detail_head(self._detail(fine)))) if self.config.detail else None
        return chosen, doubled(corners), less

    def _widened(self, eighth: Tensor) -> Tensor:
        """Its levels at 1/16 and 1/32 size are small: they stay in float32."""
        if not self.config.wide:
            return eighth
        before, after = (self._steps[name].reshape(1, -1, 1, 1) for name in ("eighth", "widened"))
        known = (eighth.float() - ZERO) * before
        return _bytes((known + self.coarse_net.wide(known)) / after)

    def _make_reading(self, steps: Steps) -> None:
        first, second, last = self.encode_net
        # grey levels lie half a level beside the bytes that stand for them
        grey = torch.full((3,), _GREY_LEVEL)
        self._reading = [
            _Conv(_layer(first), grey, steps["read 0"], offset=_GREY_LEVEL / 2),
            _Conv(_layer(second), steps["read 0"], steps["read 1"]),
            _Conv(_layer(last), steps["read 1"], steps["features"]),
        ]

    def _make_weighing(self, steps: Steps) -> None:
        net = self.coarse_net
        shrink, first, second, grow = net.deep
        given = torch.cat([steps["features"], steps["features"], steps["coarse told"]])
        self._enter = _Conv(_layer(net.enter), given, steps["joined"])
        self._shrink = _Conv(_layer(shrink), steps["joined"], steps["shrunk"])
        self._first = _Conv(_layer(first), steps["shrunk"], steps["eighth"])
        self._second = _Conv(_layer(second), steps["widened" if self.config.wide else "eighth"], steps["second"])
        self._grow = _Doubler(grow, steps["second"], steps["joined"])
        self._leave = _Conv(_layer(net.leave), steps["joined"], steps["hidden"])
        self._coarse_head = _Conv(head_conv(self.coarse_head), steps["hidden"])

    def _make_refining(self, steps: Steps) -> None:
        enter, leave = self.fine_net
        self._to_half = _Doubler(self.to_half, steps["hidden"], steps["half"])
        self._fine_enter = _Conv(_layer(enter), torch.cat([steps["half"], steps["fine told"]]), steps["fine 0"])
        self._fine_leave = _Conv(_layer(leave), steps["fine 0"], steps["fine"])
        self._fine_heads = _Conv(_stacked(head_conv(self.fine_head.head), head_conv(self.mask_head)), steps["fine"])
        if self.config.detail:
            self._detail = _Conv(_layer(self.detail_net), steps["fine"], steps["detail"])
            self._detail_head = _Conv(head_conv(self.detail_head), steps["detail"])

    def _as_bytes(self, name: str, told: Sequence[Tensor]) -> Tensor:
        channels = accumulate((part.shape[1] for part in told[:-1]), initial=0)
        steps = [float(self._steps[name][first]) for first in channels]
        given = [(values, step) for part, step in zip(told, steps, strict=True) for values in _pieces(part)]
        made = side_by_side(lambda piece: _rounded(*piece), given)
        return from_pixels(cv2.merge([plane for values in made for plane in cv2.split(values)]))


class _Conv:
    """A convolution of bytes and its leaky ReLU, or without `after` a convolution of bytes to float32."""

    def __init__(self, layer: nn.Conv2d, before: Tensor, after: Tensor | None = None, *, offset: float = 0) -> None:
        """`before` and `after`: the steps of all channels read and written. What is read lies `offset` beyond its
        bytes."""
        assert layer.bias is not None
        weight, bias = layer.weight.detach().float(), layer.bias.detach().float()
        bias = bias + offset * weight.sum(dim=(1, 2, 3))
        weight = weight * before.reshape(-1, 1, 1)
        if after is not None:  # the leaky ReLU is the same at every scale
            weight, bias = weight / after.reshape(-1, 1, 1, 1), bias / after
        self._bias, self._bytes = bias, after is not None
        self._scales = weight.abs().amax(dim=(1, 2, 3)).clamp(min=1e-12) / 127
        self._zeros = torch.zeros(len(weight), dtype=torch.int32)
        self._where = list(layer.stride), list(layer.padding), list(layer.dilation), 1
        rounded = (weight / self._scales.reshape(-1, 1, 1, 1)).round().to(torch.int8)
        self._weight = torch.ops.onednn.qconv_prepack(rounded, self._scales, 1.0, ZERO, *self._where, None)

    def __call__(self, x: Tensor) -> Tensor:
        """uint8 (1, C, h, w), channels_last, to the same or to float32."""
        zero, dtype = (ZERO, torch.uint8) if self._bytes else (0, torch.float32)
        made = torch.ops.onednn.qconv2d_pointwise(
            x, 1.0, ZERO, self._weight, self._scales, self._zeros, self._bias,
            *self._where, 1.0, zero, dtype, "none", [], "",
        )  # fmt: skip
        return _leaky(made) if self._bytes else made


class _Doubler:
    """A transposed convolution of 2x2 and its leaky ReLU: one of 1x1 to four times the channels, put in place."""

    def __init__(self, layer: nn.Module, before: Tensor, after: Tensor) -> None:
        assert isinstance(layer, nn.Sequential)
        assert isinstance(layer[0], nn.ConvTranspose2d)
        assert layer[0].bias is not None
        weight = layer[0].weight.detach().permute(2, 3, 1, 0).flatten(0, 2)[..., None, None]  # (row, column, channel)
        self._conv = _Conv(conv_of(weight, layer[0].bias.detach().repeat(4)), before, after.repeat(4))

    def __call__(self, x: Tensor) -> Tensor:
        """uint8 (1, C, h, w) to (1, C', 2h, 2w)."""
        corners = to_pixels(self._conv(x))
        height, width, channels = corners.shape
        places = corners.reshape(height, width, 2, 2, channels // 4).transpose(0, 2, 1, 3, 4)
        made = np.empty(places.shape, np.uint8)
        side_by_side(lambda rows: np.copyto(made[rows], places[rows]), _halves(height))
        return from_pixels(made.reshape(2 * height, 2 * width, channels // 4))


def _layer(module: nn.Module) -> nn.Conv2d:
    """The convolution of `layers.conv`."""
    assert isinstance(module, nn.Sequential)
    assert isinstance(module[0], nn.Conv2d)
    return module[0]


def _stacked(first: nn.Conv2d, second: nn.Conv2d) -> nn.Conv2d:
    """Two convolutions of 1x1 as one."""
    assert first.bias is not None
    assert second.bias is not None
    return conv_of(torch.cat([first.weight, second.weight]).detach(), torch.cat([first.bias, second.bias]).detach())


def _bytes(x: Tensor, step: float = 1.0, zero: int = ZERO) -> Tensor:
    """float32 (1, C, h, w) to bytes, channels_last."""
    made = side_by_side(lambda values: _rounded(values, step, zero), _pieces(x))
    return from_pixels(cv2.merge(made) if len(made) > 1 else made[0])


def _pieces(x: Tensor) -> list[NDArray[np.float32]]:
    """What of (1, C, h, w) lies together: its planes (h, w), or its pixels (h, w, C)."""
    return list(x[0].numpy()) if x.stride(3) == 1 else [to_pixels(x)]


def _rounded(values: NDArray[np.float32], step: float, zero: int = ZERO) -> Bytes:
    """To bytes of the same shape; what lies beyond them is brought to the nearest."""
    rows = values.reshape(len(values), -1)
    return cv2.addWeighted(rows, 1 / step, rows, 0, zero, dtype=cv2.CV_8U).reshape(values.shape)


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """Bytes (1, C, h, w) one after the other in channels: NumPy does it faster than PyTorch."""
    pixels = [to_pixels(part) for part in parts]
    height, width = pixels[0].shape[:2]
    made = np.empty((height, width, sum(one.shape[2] for one in pixels)), np.uint8)

    def join(rows: slice) -> None:
        np.concatenate([one[rows] for one in pixels], axis=2, out=made[rows])

    side_by_side(join, _halves(height))
    return from_pixels(made)


def _halves(height: int) -> list[slice]:
    """Rows for two threads."""
    return [slice(0, height // 2), slice(height // 2, height)]


def _sum(a: Tensor, b: Tensor) -> Tensor:
    """What two tensors of bytes with the same steps stand for, added."""
    made = cv2.addWeighted(_flat(a), 1, _flat(b), 1, -ZERO)
    return from_pixels(made.reshape(to_pixels(a).shape))


def _leaky(x: Tensor) -> Tensor:
    """The leaky ReLU of bytes, in place: max(x, slope * x). In one thread: two are slower, for so little work."""
    values = _flat(x)
    for start in range(0, len(values), _STRIP):
        strip = values[start : start + _STRIP]
        cv2.max(strip, cv2.convertScaleAbs(strip, alpha=SLOPE, beta=(1 - SLOPE) * ZERO), dst=strip)
    return x


def _flat(x: Tensor) -> Bytes:
    return to_pixels(x).reshape(-1)
