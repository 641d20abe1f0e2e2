"""Moving pictures that FFmpeg does not read, with the face of a video: sequences of pictures, and animated WebP.

`engine.video` comes here by itself; the frames have exact times, and alpha and 16 bits where they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from .animated_webp import UNIT, is_opaque, webp_facts, webp_pictures
from .canvas import scaled
from .errors import BadInputError
from .media_types import ANIMATED_WEBP, Limits, sniff
from .numbering import listed
from .pictures import AnyPicture, read_pixels
from .sequence import Facts, open_sequence
from .translation import gettext as _
from .video_info import VideoInfo

Timed = tuple[Fraction, AnyPicture]
SEQUENCE = "picture sequence"
_PIX_FMT = {(False, False): "rgb24", (False, True): "rgba", (True, False): "rgb48le", (True, True): "rgba64le"}


def is_flipbook(path: Path) -> bool:
    """Raises BadInputError as `sniff` does."""
    return sniff(path).flipbook


def probe_flipbook(path: Path, limits: Limits) -> VideoInfo:
    """Raises BadInputError: damaged, no sequence of ours, or larger than `limits`."""
    limits.check_bytes(path.stat().st_size)
    if sniff(path) == ANIMATED_WEBP:
        return _probe_webp(path, limits)
    with open_sequence(path) as (facts, _):
        limits.check_size(facts.width, facts.height)
        return _probe_sequence(path, facts)


def _probe_sequence(path: Path, facts: Facts) -> VideoInfo:
    even = facts.pages[-1].tick == len(facts.pages) - 1
    return _info(
        path,
        SEQUENCE,
        "/".join(kind.lower() for kind in facts.kinds),
        (facts.width, facts.height),
        times=facts.times,
        duration=facts.duration,
        rate=facts.fps if even else None,
        time_base=1 / facts.fps,
        pix_fmt=_PIX_FMT[facts.deep, facts.alpha],
        notes=list(facts.notes),
    )


def _probe_webp(path: Path, limits: Limits) -> VideoInfo:
    facts, notes = webp_facts(path, limits), list[str]()
    if facts.missing:
        notes.append(
            _("The file is cut short by {missing} bytes: {count} frames can be read.").format(
                missing=facts.missing, count=len(facts.times)
            )
        )
    if facts.rate is None:
        notes.append(_("The frame rate varies; the timing of every frame is kept."))
    return _info(
        path,
        ANIMATED_WEBP.name,
        "webp",
        (facts.width, facts.height),
        times=facts.times,
        duration=facts.duration,
        rate=facts.rate,
        time_base=UNIT,
        pix_fmt=_PIX_FMT[False, facts.alpha and not is_opaque(path, limits, facts)],
        notes=notes,
    )


def _info(
    path: Path,
    container: str,
    codec: str,
    size: tuple[int, int],
    *,
    times: list[Fraction],
    duration: Fraction,
    rate: Fraction | None,
    time_base: Fraction,
    pix_fmt: str,
    notes: list[str],
) -> VideoInfo:
    if len(times) == 1:
        notes.append(_("There is a single frame: there is nothing to interpolate between."))
    return VideoInfo(
        container=container,
        codec=codec,
        width=size[0],
        height=size[1],
        rotation=0,
        mirrored=False,
        sar=Fraction(1),
        frame_count=len(times),
        duration=duration,
        fps=rate or len(times) / duration,
        is_vfr=rate is None,
        time_base=time_base,
        start=Fraction(0),
        pix_fmt=pix_fmt,
        bit_depth=16 if "48" in pix_fmt or "64" in pix_fmt else 8,
        color_primaries="bt709",
        color_transfer="iec61966-2-1",
        color_matrix="gbr",
        color_range="pc",
        interlaced=False,
        size_bytes=path.stat().st_size,
        alpha="a" in pix_fmt,
        notes=notes,
    )


def flipbook_times(path: Path, limits: Limits) -> list[Fraction]:
    """When each frame is shown, seconds from the first."""
    if sniff(path) == ANIMATED_WEBP:
        return webp_facts(path, limits).times
    with open_sequence(path) as (facts, _):
        return facts.times


def read_flipbook(
    path: Path,
    limits: Limits,
    *,
    start: Fraction | None = None,
    stop: Fraction | None = None,
    resolution: tuple[int, int] | None = None,
    deep: bool = False,
    alpha: bool = False,
    on_notice: Callable[[str], None] | None = None,
) -> Iterator[Timed]:
    """(seconds, picture) of what is shown at start <= time < stop, in order.

    deep: uint16, else uint8. alpha: (H, W, 4), else (H, W, 3) laid on black. resolution: (width, height) to scale to.
    A picture that cannot be decoded is left out and told to `on_notice` in words, at the end.

    Raises:
        BadInputError: as `probe_flipbook`, or nothing at all can be decoded.
    """
    begin, end = start or Fraction(0), stop
    lost, found = list[str](), False
    reader = _webp_frames if sniff(path) == ANIMATED_WEBP else _sequence_frames
    for time, pixels in reader(path, limits, begin, end, deep, alpha, lost):
        found = True
        yield time, scaled(pixels, resolution) if resolution else pixels
    if lost and not found and not begin:
        raise BadInputError(_("No picture of it can be decoded: {names}. Send it again.").format(names=listed(lost)))
    if lost and on_notice is not None:
        on_notice(_("{names} could not be decoded: left out.").format(names=listed(lost)))


def _sequence_frames(
    path: Path, limits: Limits, begin: Fraction, end: Fraction | None, deep: bool, alpha: bool, lost: list[str]
) -> Iterator[Timed]:
    with open_sequence(path) as (facts, read):
        for page, time in zip(facts.pages, facts.times, strict=True):
            if time < begin or (end is not None and time >= end):
                continue
            try:
                pixels = read_pixels(read(page), limits, deep=deep, alpha=alpha)
            except BadInputError:
                lost.append(f'"{page.label}"')
                continue
            if pixels.shape[:2] != (facts.height, facts.width):
                lost.append(f'"{page.label}"')
                continue
            yield time, pixels


def _webp_frames(
    path: Path, limits: Limits, begin: Fraction, end: Fraction | None, deep: bool, alpha: bool, lost: list[str]
) -> Iterator[Timed]:
    """From its beginning, whatever is asked for: each picture is painted over the one before."""
    times = webp_facts(path, limits).times
    pictures = webp_pictures(path, limits, alpha=alpha)
    try:
        for time, pixels in zip(times, pictures, strict=False):  # of a file that is cut short there may be fewer
            if end is not None and time >= end:
                return
            if time >= begin:
                yield time, pixels * np.uint16(257) if deep else pixels
    except BadInputError:
        lost.append(_("A part of the animation"))
