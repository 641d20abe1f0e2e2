"""Still pictures in and out: RGB uint8 (H, W, 3)."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from .errors import BadInputError
from .files import atomically
from .media_types import Limits, sniff

_SAVE: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {"compress_level": 4}),
    ".jpg": ("JPEG", {"quality": 92, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 92, "subsampling": 0}),
}


def picture_size(path: str | Path, limits: Limits | None = None) -> tuple[int, int]:
    """(width, height) in pixels as shown (EXIF orientation applied), from the header alone.

    Raises:
        BadInputError: not a picture, or larger than `limits`.
    """
    with _open(Path(path), limits or Limits()) as image:
        turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        return (image.height, image.width) if turned else (image.width, image.height)


def read_picture(path: str | Path, limits: Limits | None = None) -> np.ndarray:
    """A picture as RGB uint8 (H, W, 3).

    EXIF orientation is applied, and a colour profile (photographs of phones: Display P3), so that the numbers are sRGB.
    Transparent parts are laid on black. Of an animation, the first frame. Pictures with
    16 bits a channel are brought to 8. The size is checked from the header, before a pixel is decoded.

    Raises:
        BadInputError: not a picture, damaged, or larger than `limits`.
    """
    path = Path(path)
    with _open(path, limits or Limits()) as image:
        try:
            image.load()
            return np.array(_to_rgb(_to_srgb(ImageOps.exif_transpose(image))))
        except (OSError, SyntaxError, ValueError) as error:
            raise BadInputError("The picture is damaged or cut short. Send it again.") from error


def write_picture(path: str | Path, rgb: np.ndarray) -> Path:
    """Write RGB uint8 (H, W, 3) as PNG or JPEG, by suffix. The file appears whole or not at all.

    Raises:
        NoSpaceError: no room on the disk.
        ValueError: another suffix, or not an RGB picture (a mistake of the caller).
    """
    path = Path(path)
    if path.suffix.lower() not in _SAVE:
        raise ValueError(f"Pictures are written as .png or .jpg, not {path.suffix}")
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"Expected RGB uint8 (H, W, 3), got {rgb.dtype} {rgb.shape}")
    kind, options = _SAVE[path.suffix.lower()]
    with atomically(path) as part:
        Image.fromarray(rgb).save(part, format=kind, **options)
    return path


def _open(path: Path, limits: Limits) -> Image.Image:
    """The picture with its header read and its size checked, no pixel decoded."""
    kind = sniff(path)
    if kind.picture is None:
        raise BadInputError(f"This is a {kind.name} video, not a picture. Send PNG or JPEG pictures.")
    limits.check_bytes(path.stat().st_size)
    try:
        image = Image.open(path, formats=[kind.picture])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        most = f"{limits.max_pixels / 1e6:.0f} megapixels"
        raise BadInputError(f"The picture is too large; at most {most} can be processed. Make it smaller.") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise BadInputError(f"The {kind.name} picture is damaged. Send it again.") from error
    try:
        limits.check_size(*image.size)
    except BadInputError:
        image.close()
        raise
    return image


def _to_srgb(image: Image.Image) -> Image.Image:
    """The picture in sRGB where it carries the profile of another space, else itself, to the last bit."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "L", "CMYK"):
        return image
    try:
        space = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(space):
            return image
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(image, space, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError):  # a profile that cannot be read is passed over, as browsers do
        return image
    return converted or image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        deep = np.asarray(image).astype(np.float64)
        wide = image.mode.startswith("I;16") or deep.max(initial=0) > 255  # 32-bit kinds do not say what is white
        grey = np.clip(np.rint(deep / (257.0 if wide else 1.0)), 0, 255).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        ground = Image.new("RGBA", clear.size, (0, 0, 0, 255))
        return Image.alpha_composite(ground, clear).convert("RGB")
    return image.convert("RGB")
