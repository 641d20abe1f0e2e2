"""Still pictures in and out: RGB uint8 (H, W, 3); where asked for, also with alpha and with 16 bits a channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from .errors import BadInputError
from .files import atomically
from .media_types import Limits, MediaType, sniff, sniff_bytes
from .translation import gettext as _

AnyPicture = NDArray[Any]  # (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or uint16 over its whole range

_JPEG = {"quality": 92, "subsampling": 0}
# of 8 bits a channel: 0.6 of the time of Pillow at level 2, and no larger
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
_DEEP_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 4]


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """A picture by its header. width, height: pixels, as shown. deep: 16 bits a channel are kept when it is read so.

    other_colours: it carries the profile of another colour space than sRGB, into which it is brought with 8 bits.
    """

    kind: MediaType
    width: int
    height: int
    deep: bool
    alpha: bool
    other_colours: bool


def picture_facts(source: str | Path | bytes, limits: Limits | None = None) -> PictureFacts:
    """What a picture, given as a file or as its bytes, is. No pixel is decoded.

    Raises:
        BadInputError: not a picture, or larger than `limits`.
    """
    kind, image = open_picture(source, limits or Limits())
    with image:
        size = (image.height, image.width) if _orientation(image) >= 5 else (image.width, image.height)
        coloured = _profile(image) is not None
        return PictureFacts(kind, *size, _is_deep(image) and not coloured, image.has_transparency_data, coloured)


def picture_size(path: str | Path, limits: Limits | None = None) -> tuple[int, int]:
    """(width, height) in pixels as shown (EXIF orientation applied), from the header alone.

    Raises:
        BadInputError: not a picture, or larger than `limits`.
    """
    facts = picture_facts(path, limits)
    return facts.width, facts.height


def read_picture(path: str | Path, limits: Limits | None = None) -> NDArray[np.uint8]:
    """A picture as RGB uint8 (H, W, 3).

    EXIF orientation is applied, and a colour profile (photographs of phones: Display P3), so that the numbers are sRGB.
    Transparent parts are laid on black. Of an animation, the first frame. Pictures with
    16 bits a channel are brought to 8. The size is checked from the header, before a pixel is decoded.

    Raises:
        BadInputError: not a picture, damaged, or larger than `limits`.
    """
    return read_pixels(path, limits)


def read_pixels(
    source: str | Path | bytes, limits: Limits | None = None, *, deep: bool = False, alpha: bool = False
) -> AnyPicture:
    """As `read_picture`, of a file or its bytes; deep: as uint16 over its whole range; alpha: as RGBA, (H, W, 4)."""
    image = open_picture(source, limits or Limits())[1]
    with image:
        try:
            orientation = _orientation(image)
            if _is_deep(image) and _profile(image) is None:
                pixels = _deep_pixels(source)
            else:
                image.load()
                pixels = pixels_of(image)
        except (OSError, SyntaxError, ValueError, cv2.error) as error:
            raise BadInputError(_("The picture is damaged or cut short. Send it again.")) from error
    return to_depth(_turned(with_alpha(pixels) if alpha else on_black(pixels), orientation), deep=deep)


def to_depth(pixels: AnyPicture, *, deep: bool) -> AnyPicture:
    """The same picture in uint16 or uint8."""
    if deep == (pixels.dtype == np.uint16):
        return pixels
    if deep:
        return pixels.astype(np.uint16) * np.uint16(257)
    return np.asarray(cv2.convertScaleAbs(pixels, alpha=1 / 257))


def with_alpha(pixels: AnyPicture) -> AnyPicture:
    """(H, W, 4), opaque where nothing was said."""
    if pixels.shape[2] == 4:
        return pixels
    opaque = np.full((*pixels.shape[:2], 1), np.iinfo(pixels.dtype).max, pixels.dtype)
    return np.concatenate([pixels, opaque], axis=2)


def on_black(pixels: AnyPicture) -> AnyPicture:
    """(H, W, 3): what is transparent is laid on black."""
    if pixels.shape[2] == 3:
        return pixels
    top = int(np.iinfo(pixels.dtype).max)
    alpha = pixels[..., 3:].astype(np.uint32)
    return ((pixels[..., :3] * alpha + top // 2) // top).astype(pixels.dtype)


def write_picture(path: str | Path, rgb: AnyPicture) -> Path:
    """Write RGB uint8 (H, W, 3) as PNG or JPEG, by suffix; PNG also takes RGBA and uint16.

    The file appears whole or not at all.

    Raises:
        NoSpaceError: no room on the disk.
        ValueError: another suffix, or not such a picture (a mistake of the caller).
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".png", ".jpg", ".jpeg"):
        raise ValueError(f"Pictures are written as .png or .jpg, not {path.suffix}")
    plain = rgb.dtype == np.uint8 and rgb.ndim == 3 and rgb.shape[2] == 3
    rich = suffix == ".png" and rgb.dtype in (np.uint8, np.uint16) and rgb.ndim == 3 and rgb.shape[2] in (3, 4)
    if not (plain or rich):
        raise ValueError(
            f"Expected RGB uint8 (H, W, 3), or for a PNG also RGBA and uint16, got {rgb.dtype} {rgb.shape}"
        )
    with atomically(path) as part:
        if suffix == ".png":
            part.write_bytes(_png(rgb))
        else:
            Image.fromarray(rgb).save(part, format="JPEG", **_JPEG)
    return path


def _png(pixels: AnyPicture) -> bytes:
    order = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
    settings = _PNG if pixels.dtype == np.uint8 else _DEEP_PNG
    done, packed = cv2.imencode(".png", cv2.cvtColor(pixels, order), settings)
    if not done:
        raise ValueError("OpenCV did not write the PNG")
    return packed.tobytes()


def open_picture(source: str | Path | bytes, limits: Limits) -> tuple[MediaType, Image.Image]:
    """The picture with its header read and its size checked, no pixel decoded. Raises BadInputError."""
    if isinstance(source, bytes):
        kind, size, file = sniff_bytes(source), len(source), BytesIO(source)
    else:
        kind, size, file = sniff(source), Path(source).stat().st_size, Path(source)  # type: ignore[assignment]
    if kind.picture is None:
        if kind.demuxer:
            words = _("This is a {kind} video, not a picture. Send PNG or JPEG pictures.")
        else:
            words = _("This is a {kind} file, not a picture. Send PNG or JPEG pictures.")
        raise BadInputError(words.format(kind=kind.name))
    limits.check_bytes(size)
    try:
        image = Image.open(file, formats=[kind.picture])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        most = f"{limits.max_pixels / 1e6:.0f} megapixels"
        raise BadInputError(
            _("The picture is too large; at most {most} can be processed. Make it smaller.").format(most=most)
        ) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise BadInputError(
            _(
                "The {kind} picture is damaged, or of a sort that cannot be read here. Save it as PNG and send that."
            ).format(kind=kind.name)
        ) from error
    try:
        limits.check_size(*image.size)
    except BadInputError:
        image.close()
        raise
    return kind, image


def _raw_mode(image: Image.Image) -> str:
    """How Pillow says the pixels are stored: "RGB;16B"."""
    tiles = getattr(image, "tile", None)
    args = tiles[0].args if tiles else ""
    return str(args[0] if isinstance(args, tuple) else args)


def _is_deep(image: Image.Image) -> bool:
    """16 bits a channel, in a form that OpenCV reads to the last bit."""
    return image.format in ("PNG", "TIFF") and _raw_mode(image).startswith(("RGB;16", "RGBA;16", "LA;16", "I;16"))


def _deep_pixels(source: str | Path | bytes) -> AnyPicture:
    """uint16 (H, W, 3 or 4); Pillow would cut the lower half of each number off."""
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.dtype != np.uint16:
        raise ValueError("OpenCV cannot decode this picture")
    if stored.ndim == 2:
        return np.asarray(cv2.cvtColor(stored, cv2.COLOR_GRAY2RGB))
    order = cv2.COLOR_BGRA2RGBA if stored.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(stored, order))


_TURNS: dict[int, Callable[[AnyPicture], AnyPicture]] = {  # EXIF orientation -> upright
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).transpose(1, 0, 2),
    8: np.rot90,
}


def _orientation(image: Image.Image) -> int:
    """1-8, as EXIF counts. What lies behind the pixels is not looked at: asking a PNG for it would decode them all."""
    found = Image.Image.getexif(image).get(0x0112, 1)
    return found if found in _TURNS else 1


def _turned(pixels: AnyPicture, orientation: int) -> AnyPicture:
    return np.ascontiguousarray(_TURNS[orientation](pixels)) if orientation != 1 else pixels


def _profile(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    """The profile of another colour space than sRGB, if the picture carries one that can be read."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "L", "CMYK"):
        return None
    try:
        space = ImageCms.ImageCmsProfile(BytesIO(profile))
        return None if "sRGB" in ImageCms.getProfileDescription(space) else space
    except (ImageCms.PyCMSError, OSError):  # a profile that cannot be read is passed over, as browsers do
        return None


def _to_srgb(image: Image.Image) -> Image.Image:
    """The picture in sRGB where it carries the profile of another space, else itself, to the last bit."""
    space = _profile(image)
    if space is None:
        return image
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        return ImageCms.profileToProfile(image, space, ImageCms.createProfile("sRGB"), outputMode=mode) or image
    except (ImageCms.PyCMSError, OSError):
        return image


def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
    """sRGB uint8 (H, W, 3), or (H, W, 4) where the picture has transparent parts; as stored, not turned."""
    image = _to_srgb(image)
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        deep = np.asarray(image).astype(np.float64)
        wide = image.mode.startswith("I;16") or deep.max(initial=0) > 255  # 32-bit kinds do not say what is white
        grey = np.clip(np.rint(deep / (257.0 if wide else 1.0)), 0, 255).astype(np.uint8)
        return np.array(Image.fromarray(grey).convert("RGB"))
    return np.array(image.convert("RGBA" if image.has_transparency_data else "RGB"))
