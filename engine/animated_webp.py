"""Animated WebP: when its pictures are shown, from its chunks, and the pictures, by Pillow. FFmpeg leaves it out."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from .errors import BadInputError
from .media_types import Limits
from .pictures import AnyPicture, on_black, open_picture, pixels_of, with_alpha
from .timing import constant_rate, likely_rates

UNIT = Fraction(1, 1000)  # seconds: WebP counts in milliseconds
UNSAID = 100  # milliseconds: what browsers take where the file says 0
HEAD_BYTES = 24


@dataclass(frozen=True, slots=True)
class WebpFacts:
    """times: seconds from the first picture. rate: exact, None if it varies. missing: bytes declared beyond the end."""

    width: int
    height: int
    alpha: bool
    times: list[Fraction]
    duration: Fraction
    rate: Fraction | None
    missing: int


def webp_facts(path: Path, limits: Limits) -> WebpFacts:
    """Walks the chunks; no pixel is decoded.

    Raises:
        BadInputError: damaged at its beginning, or larger than `limits`.
    """
    durations, size, alpha, missing = list[int](), (0, 0), False, 0
    end = path.stat().st_size
    with path.open("rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            kind, length = struct.unpack("<4sI", head)
            after = file.tell() + length + length % 2
            body = file.read(min(length, HEAD_BYTES))
            if kind == b"VP8X" and len(body) >= 10:
                alpha = bool(body[0] & 0x10)
                size = (1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"))
                limits.check_size(*size)
            elif kind == b"ANMF" and len(body) >= 16 and after <= end + length % 2:
                durations.append(int.from_bytes(body[12:15], "little") or UNSAID)
            missing = max(missing, after - end - length % 2)
            file.seek(after)
    if not durations:
        raise BadInputError("There is no whole picture in this animated WebP. It is damaged; send it again.")
    if len(durations) > limits.max_frames:
        raise BadInputError(f"The animation has more than {limits.max_frames} pictures. Cut it into parts.")
    return _facts(size, alpha, durations, missing)


def _facts(size: tuple[int, int], alpha: bool, durations: list[int], missing: int) -> WebpFacts:
    stamps = [0]
    for duration in durations:
        stamps.append(stamps[-1] + duration)
    measured = len(durations) / (stamps[-1] * UNIT)
    rate = constant_rate(stamps, UNIT, [*likely_rates(measured), measured])
    if rate is not None:
        times = [index / rate for index in range(len(durations))]
        return WebpFacts(*size, alpha, times, len(durations) / rate, rate, missing)
    return WebpFacts(*size, alpha, [stamp * UNIT for stamp in stamps[:-1]], stamps[-1] * UNIT, None, missing)


def webp_pictures(path: Path, limits: Limits, *, alpha: bool) -> Iterator[AnyPicture]:
    """All pictures in order, uint8 (H, W, 4) with `alpha`, else (H, W, 3) laid on black.

    Raises:
        BadInputError: damaged; the pictures before have been given.
    """
    _, image = open_picture(path, limits)
    with image:
        for number in range(getattr(image, "n_frames", 1)):
            try:
                image.seek(number)
                image.load()
                pixels = pixels_of(image)
            except (OSError, EOFError, ValueError, SyntaxError) as error:
                raise BadInputError("The animated WebP is damaged.") from error
            yield np.ascontiguousarray(with_alpha(pixels) if alpha else on_black(pixels))
