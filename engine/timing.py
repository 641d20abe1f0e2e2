"""When the frames of a video are shown: from its packets, without decoding, wherever the file says it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from .avi import index_of, lost_frames
from .config import parse_seconds
from .damage import Damage
from .decode import decoded
from .demux import is_undated, open_input, packets, shown, tolerance, video_stream
from .errors import BadInputError, BadOptionsError
from .media_types import Limits
from .translation import gettext as _

STANDARD_RATES = tuple(
    Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60", "120")
)
ANIMATIONS = ("gif", "apng")  # FFmpeg's names of files that say how long every picture is shown, the last one too


@dataclass(frozen=True, slots=True)
class Timing:
    """times: of every frame in seconds, ascending from 0. origin: of the first, in units of the file.

    rate: exact, None if it varies. duration: seconds, to the end of the last frame.
    """

    times: list[Fraction]
    origin: int
    rate: Fraction | None
    duration: Fraction


def timing_of(path: Path, limits: Limits, damage: Damage) -> Timing:
    """When the frames are shown, from the packets."""
    with open_input(path, limits) as container:
        stream = video_stream(container, limits)
        entries = (
            _in_order(container, stream, damage) if is_undated(container, stream) else shown(container, stream, damage)
        )
        found, unstamped = list[tuple[int, int]](), 0
        for stamp, length in entries:
            if stamp is not None:
                found.append((stamp, length))
            unstamped += stamp is None
            if len(found) + unstamped > limits.max_frames:
                raise BadInputError(
                    _("The video has more than {max_frames} frames. Cut it into parts.").format(
                        max_frames=limits.max_frames
                    )
                )
        if not found:
            raise BadInputError(_("There is no frame in this video that can be read. Send it again."))
        stamps = sorted({stamp for stamp, _ in found})
        time_base = stream.time_base or Fraction(1, 90000)
        rate = constant_rate(stamps, time_base, _candidates(stream, stamps, time_base), unstamped)
        if rate is not None and not (
            container.format.name in ANIMATIONS and _last_is_held(stamps, max(found)[1], time_base, rate)
        ):
            count = len(stamps) + unstamped
            return Timing([index / rate for index in range(count)], stamps[0], rate, count / rate)
        times = [(stamp - stamps[0]) * time_base for stamp in stamps]
        step = _last_step(stream, stamps, max(found)[1]) * time_base
        return Timing(times, stamps[0], None, times[-1] + step)


def _last_is_held(stamps: list[int], duration: int, time_base: Fraction, rate: Fraction) -> bool:
    """Whether the last picture, shown for `duration` units of the file, is shown longer or shorter than others."""
    off = abs((stamps[-1] + duration - stamps[0]) * time_base - len(stamps) / rate)
    return duration > 0 and off > max(time_base / 2, tolerance(time_base, rate))


def _last_step(stream: VideoStream, stamps: list[int], duration: int) -> int:
    """How long the last frame is shown, in units of the file; `duration` is what its packet says.

    Where frames are reordered, MP4 packets tell the time to the next decoding, not to the next picture; then the
    length of the track tells it, unless the file is cut short. In WebM and MKV it stands among the words of the track.
    """
    steps = sorted(after - before for before, after in pairwise(stamps)) or [duration or 1]
    if not duration and (ends := _said_end(stream)) is not None and 0 < ends - stamps[-1] <= 4 * steps[-1]:
        return ends - stamps[-1]
    left = (stream.duration or 0) - (stamps[-1] - stamps[0])
    if stream.codec_context.reorder_depth and 0 < left <= 4 * steps[-1]:
        return left
    return duration or steps[len(steps) // 2]


def _said_end(stream: VideoStream) -> int | None:
    """When a track ends by its own word "DURATION", in units of the file."""
    try:
        return round(parse_seconds(stream.metadata["DURATION"]) / (stream.time_base or 1))
    except (KeyError, BadOptionsError):
        return None


def _in_order(container: InputContainer, stream: VideoStream, damage: Damage) -> Iterator[tuple[int, int]]:
    """(time stamp, duration) of frames that only decoding puts in order."""
    time_base = stream.time_base or Fraction(1, 90000)
    step = round(1 / (stream.guessed_rate or stream.average_rate or Fraction(25)) / time_base) or 1
    index, found = index_of(container), set[int]()

    def walked() -> Iterator[av.Packet[Any]]:
        for packet in packets(container, stream, damage):
            found.add(packet.pos or 0)
            yield packet

    for number, _frame in enumerate(decoded(walked(), stream, damage)):
        yield number * step, step
    damage.gone = len(lost_frames(index, found))


def _candidates(stream: VideoStream, stamps: list[int], time_base: Fraction) -> list[Fraction]:
    """Rates the file may have, the likeliest first."""
    declared = [rate for rate in (stream.guessed_rate, stream.base_rate, stream.average_rate) if rate]
    if len(stamps) < 2:
        return declared or [Fraction(25)]
    measured = (len(stamps) - 1) / ((stamps[-1] - stamps[0]) * time_base)
    return [*declared[:1], *likely_rates(measured), *declared[1:], measured]


def likely_rates(measured: Fraction) -> list[Fraction]:
    """The usual rates within 2 % of one that was measured."""
    return [rate for rate in STANDARD_RATES if abs(rate - measured) < measured / 50]


def constant_rate(
    stamps: list[int], time_base: Fraction, candidates: list[Fraction], unstamped: int = 0
) -> Fraction | None:
    """The first rate whose grid all time stamps (in units of `time_base` s) keep, but for rounding, if there is one.

    unstamped: frames without a time stamp; they fill the places on the grid that are left free.
    """
    for rate in candidates:
        unit = time_base * rate  # frames per time stamp unit
        up, down = unit.numerator, unit.denominator
        slack = up if tolerance(time_base, rate) else 0
        places = [(2 * (stamp - stamps[0]) * up + down) // (2 * down) for stamp in stamps]
        if places[-1] >= len(stamps) + unstamped or any(after <= before for before, after in pairwise(places)):
            continue
        if all(
            abs((stamp - stamps[0]) * up - place * down) <= slack for stamp, place in zip(stamps, places, strict=True)
        ):
            return rate
    return None
