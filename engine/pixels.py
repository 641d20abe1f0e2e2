"""Frames as the world has them, uint8 or uint16 with or without alpha, and as the networks want them, float 0-1 RGB.

A network knows no alpha. It is shown the frame laid on a plain ground, black or white, whichever the visible part
stands out from; so the colours that transparent pixels happen to have never bleed into the picture. Alpha itself is
drawn with the motion that was found, and the colour of the new frame is what gives, laid on the same ground, the
picture that the network drew. Where nothing is visible the colour is black.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .config import MIN_SIDE
from .cores import side_by_side
from .errors import BadInputError
from .translation import gettext as _

_MIN_PADDED = 64

AnyPicture = NDArray[Any]  # (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or uint16 over its whole range


def check_frames(img0: AnyPicture, img1: AnyPicture) -> None:
    """Raises BadInputError for what is no frame, for frames of two kinds or sizes, and for sides below MIN_SIDE."""
    for image in (img0, img1):
        if not (isinstance(image, np.ndarray) and image.dtype in (np.uint8, np.uint16)) or (
            image.ndim != 3 or image.shape[2] not in (3, 4)
        ):
            raise BadInputError(
                _("A frame must be an RGB or RGBA picture: a uint8 or uint16 array of shape (height, width, 3 or 4).")
            )
    (h0, w0), (h1, w1) = img0.shape[:2], img1.shape[:2]
    if (h0, w0) != (h1, w1):
        raise BadInputError(
            _("The two frames differ in size: {w0}x{h0} and {w1}x{h1}. Resize one to fit the other.").format(
                w0=w0, h0=h0, w1=w1, h1=h1
            )
        )
    if img0.shape[2] != img1.shape[2] or img0.dtype != img1.dtype:
        raise BadInputError(
            _("The two frames differ in kind: {first} and {second}. Bring both to the same kind.").format(
                first=_kind(img0), second=_kind(img1)
            )
        )
    if min(h0, w0) < MIN_SIDE:
        raise BadInputError(
            _("The frames are {w0}x{h0}; each side must be at least {min_side} pixels.").format(
                w0=w0, h0=h0, min_side=MIN_SIDE
            )
        )


def has_alpha(image: AnyPicture) -> bool:
    return bool(image.shape[2] == 4)


def choose_ground(img0: AnyPicture, img1: AnyPicture) -> float:
    """What both frames are laid on: 0 is black, 1 white. 0 for frames without alpha."""
    if not has_alpha(img0):
        return 0.0
    weight, light = 0.0, 0.0
    for image in (img0, img1):
        small = eight_bit(image[::4, ::4]).astype(np.float32)
        weight += float(small[..., 3].sum())
        light += float((small[..., :3].mean(axis=-1) * small[..., 3]).sum())
    return 1.0 if light < 127.5 * weight else 0.0


def eight_bit(image: AnyPicture) -> NDArray[np.uint8]:
    """The same picture in uint8."""
    if image.dtype == np.uint8:
        return image
    return cv2.convertScaleAbs(np.ascontiguousarray(image), alpha=255 / 65535)


def visible_grey(image: AnyPicture, ground: float) -> NDArray[np.uint8]:
    """(H, W) luma, uint8, of the frame laid on its ground."""
    image = eight_bit(image)
    if not has_alpha(image):
        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    luma = cv2.cvtColor(np.ascontiguousarray(image[..., :3]), cv2.COLOR_RGB2GRAY).astype(np.float32)
    alpha = image[..., 3].astype(np.float32) / 255
    return np.rint(luma * alpha + 255 * ground * (1 - alpha)).astype(np.uint8)


def colour_tensor(image: AnyPicture, ground: float, device: str) -> Tensor:
    """(1, 3, H, W) float32 0-1: the frame laid on its ground."""
    if device == "cpu" and not has_alpha(image):  # each colour in one piece, as they will be warped
        return torch.from_numpy(_unit_planes(np.ascontiguousarray(image)))[None]
    tensor = _unit(image, device).permute(2, 0, 1)[None]
    if not has_alpha(image):
        return tensor
    colour, alpha = tensor[:, :3], tensor[:, 3:]
    return torch.lerp(torch.full_like(colour, ground), colour, alpha).contiguous(memory_format=torch.channels_last)


def alpha_tensor(image: AnyPicture, device: str) -> Tensor:
    """(1, 1, H, W) float32 0-1."""
    return _unit(image[..., 3], device)[None, None]


def to_picture(drawn: Tensor, alpha: Tensor | None, ground: float, kind: np.dtype[Any]) -> AnyPicture:
    """(1, 3, H, W) as drawn on the ground, and (1, 1, H, W) alpha if there is one, to (H, W, 3 or 4) of type `kind`."""
    top = np.iinfo(kind).max
    if alpha is None and kind == np.uint8 and drawn.device.type == "cpu":  # rounds, clamps and narrows in one pass
        planes = side_by_side(
            lambda plane: cv2.convertScaleAbs(np.maximum(plane, 0), alpha=255), list(drawn[0].numpy())
        )
        return cv2.merge(planes)
    if alpha is not None:
        colour = (drawn - (1 - alpha) * ground) / alpha.clamp(min=0.5 / top)
        drawn = torch.cat([colour * (alpha >= 0.5 / top), alpha], dim=1)
    pixels = drawn[0].permute(1, 2, 0).mul(top).round_().clamp_(0, top)
    wanted = torch.uint8 if kind == np.uint8 else torch.int32  # PyTorch hardly knows uint16
    return pixels.to(wanted).contiguous().cpu().numpy().astype(kind, copy=False)


def padded_side(side: int, multiple: int) -> int:
    """What `pad` makes of a side of `side` pixels."""
    return max(_MIN_PADDED, -(-side // multiple) * multiple)


def pad(tensor: Tensor, multiple: int) -> Tensor:
    """(N, C, H, W) with its right and bottom edge repeated up to a multiple and to at least 64 pixels."""
    height, width = tensor.shape[-2:]
    right, bottom = padded_side(width, multiple) - width, padded_side(height, multiple) - height
    return F.pad(tensor, (0, right, 0, bottom), mode="replicate") if right or bottom else tensor


def _unit(image: AnyPicture, device: str) -> Tensor:
    """0-1 in float32, of the same shape."""
    return torch.from_numpy(np.ascontiguousarray(image)).to(device).float().div_(float(np.iinfo(image.dtype).max))


def _unit_planes(image: AnyPicture) -> NDArray[np.float32]:
    """(H, W, C) to 0-1 in float32, (C, H, W)."""
    planes, top = np.empty((image.shape[2], *image.shape[:2]), np.float32), np.float32(np.iinfo(image.dtype).max)
    colours = list(zip(cv2.split(image), planes, strict=True))
    side_by_side(lambda pair: np.divide(pair[0], top, out=pair[1], dtype=np.float32), colours)
    return planes


def _kind(image: AnyPicture) -> str:
    colours = "RGBA" if has_alpha(image) else "RGB"
    return _("{colours} with {bits} bits").format(colours=colours, bits=8 * image.dtype.itemsize)
