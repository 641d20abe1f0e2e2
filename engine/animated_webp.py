"""Animated WebP: when its pictures are shown, from its chunks, and the pictures, by Pillow. FFmpeg leaves it out."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np

from .errors import BadInputError
from .media_types import Limits
from .pictures import AnyPicture, on_black, open_picture, pixels_of, with_alpha
from .timing import constant_rate, likely_rates
from .translation import gettext as _

UNIT = Fraction(1, 1000)  # seconds: WebP counts in milliseconds
UNSAID = 100  # milliseconds: what browsers take where the file says 0
HEAD_BYTES = 24
CLEARED, REPLACED = 1, 2  # flags of a picture: cleared away after it was shown; put in the place of what was there


@dataclass(frozen=True, slots=True)
class WebpFacts:
    """times: seconds from the first picture. rate: exact, None if it varies.

    alpha: as the file says, which is also so where transparent points stand only for what has not changed; `is_opaque`
    looks. clears: a picture after the first may make something transparent.
    missing: bytes declared beyond the end of the file. whole: where its last whole chunk ends, in bytes.
    """

    width: int
    height: int
    alpha: bool
    clears: bool
    times: list[Fraction]
    duration: Fraction
    rate: Fraction | None
    missing: int
    whole: int


def webp_facts(path: Path, limits: Limits) -> WebpFacts:
    """Walks the chunks; no pixel is decoded.

    Raises:
        BadInputError: damaged at its beginning, or larger than `limits`.
    """
    durations, size, alpha, clears, missing, whole = list[int](), (0, 0), False, False, 0, 12
    end = path.stat().st_size
    with path.open("rb") as file:
        file.seek(whole)
        while len(head := file.read(8)) == 8:
            kind, length = struct.unpack("<4sI", head)
            body, after = file.read(min(length, HEAD_BYTES)), whole + 8 + length
            if kind == b"VP8X" and len(body) >= 10:
                alpha = bool(body[0] & 0x10)
                size = (1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"))
                limits.check_size(*size)
            missing = max(0, after - end)
            if missing:
                break
            if kind == b"ANMF" and len(body) >= 16:
                clears |= bool(body[15] & (CLEARED if not durations else CLEARED | REPLACED))
                durations.append(int.from_bytes(body[12:15], "little") or UNSAID)
            whole = min(after + length % 2, end)  # chunks have an even length
            file.seek(whole)
    if not durations:
        raise BadInputError(_("There is no whole picture in this animated WebP. It is damaged; send it again."))
    if len(durations) > limits.max_frames:
        raise BadInputError(
            _("The animation has more than {max_frames} pictures. Cut it into parts.").format(
                max_frames=limits.max_frames
            )
        )
    times, duration, rate = _timing(durations)
    return WebpFacts(*size, alpha, clears, times, duration, rate, missing, whole)


def is_opaque(path: Path, limits: Limits, facts: WebpFacts) -> bool:
    """Whether nothing in it can be seen through. Decodes the first picture, and the others where they may differ."""
    found = webp_pictures(path, limits, alpha=True)
    try:
        return all(picture[..., 3].min() == 255 for picture in (found if facts.clears else islice(found, 1)))
    except BadInputError:
        return False


def _timing(durations: list[int]) -> tuple[list[Fraction], Fraction, Fraction | None]:
    """(times, duration, constant rate or None) of pictures shown for so many milliseconds each."""
    stamps = [0]
    for duration in durations:
        stamps.append(stamps[-1] + duration)
    measured = len(durations) / (stamps[-1] * UNIT)
    usual = sorted(likely_rates(measured), key=lambda rate: abs(rate - measured))
    rate = constant_rate(stamps, UNIT, [*usual, measured])
    if rate is None:
        return [stamp * UNIT for stamp in stamps[:-1]], stamps[-1] * UNIT, None
    return [index / rate for index in range(len(durations))], len(durations) / rate, rate


def webp_pictures(path: Path, limits: Limits, *, alpha: bool) -> Iterator[AnyPicture]:
    """All pictures in order, uint8 (H, W, 4) with `alpha`, else (H, W, 3) laid on black.

    Raises:
        BadInputError: damaged; the pictures before have been given.
    """
    image = open_picture(_whole_part(path, limits), limits)[1]
    with image:
        for number in range(getattr(image, "n_frames", 1)):
            try:
                image.seek(number)
                image.load()
                pixels = pixels_of(image)
            except (OSError, EOFError, ValueError, SyntaxError) as error:
                raise BadInputError(_("The animated WebP is damaged.")) from error
            yield np.ascontiguousarray(with_alpha(pixels) if alpha else on_black(pixels))


def _whole_part(path: Path, limits: Limits) -> Path | bytes:
    """The file; of one that is cut short the part before, as a file of its own: the decoder would refuse all of it."""
    facts = webp_facts(path, limits)
    if not facts.missing and facts.whole == path.stat().st_size:
        return path
    with path.open("rb") as file:
        data = file.read(facts.whole)
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]
