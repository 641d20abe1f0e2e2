"""Real footage from file to file: `python -m tests.engine.measure_real_clips FOLDER`.

Not a test: it needs clips that are not in the repository. Every clip is rendered with a model that only blends, and
source and result are then compared as a plain decoder gives them. `--what` takes one of the tables:

originals  smooth x2, written without loss: are the source frames in the result the source's own, plane by plane, at
           their own times, with the same colour tags, and sound of the same bytes?
modes      exact rates and slow motion: number of frames, times, duration of picture and sound.
formats    the odd ones among the clips in every format: is everything as the certificate promises?
"""

from __future__ import annotations

import argparse
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest import mock

import av
import numpy as np

from engine import film as film_module
from engine.config import RenderOptions
from engine.formats import FORMATS, Encoding
from engine.render import RenderResult, render_video
from engine.timeline import plan
from engine.video import VideoInfo, frame_times, probe

from .footage import BlendModel
from .planes import Planes, planes_of

ODD = ("facade_pan", "kingscross", "selfie", "tears_of_steel", "gopher", "seattle", "snow_mountain")
RATES = ("24000/1001", "60000/1001", "30", "60", "25")
TURNS: dict[tuple[int, bool], Callable[[Any], Any]] = {
    (0, False): lambda plane: plane,
    (90, False): lambda plane: np.rot90(plane, 1),
    (180, False): lambda plane: np.rot90(plane, 2),
    (270, False): lambda plane: np.rot90(plane, -1),
}


def rendered(source: Path, work: Path, **options: Any) -> RenderResult:
    return render_video(source, work, RenderOptions(held_out=False, **options), BlendModel())


def without_loss(*args: Any) -> Encoding:
    """CRF 0 is lossless with 8 bits only; this is with any."""
    encoding = ENCODING_OF(*args)
    return replace(encoding, options={"preset": "ultrafast", "qp": "0", "x265-params": "lossless=1:log-level=none"})


ENCODING_OF = film_module.encoding_of


def plain_frames(path: Path) -> Iterator[tuple[Fraction, Planes]]:
    """(seconds from the first frame, planes) as a plain decoder gives them."""
    with av.open(str(path)) as film:
        first: Fraction | None = None
        for frame in film.decode(film.streams.video[0]):
            time = frame.pts * frame.time_base
            first = time if first is None else first
            yield time - first, planes_of(frame)


def tags(path: Path) -> tuple[int, ...]:
    """(primaries, transfer, matrix, range) of the first frame, as numbers of H.273; unknown range is limited."""
    with av.open(str(path)) as film:
        frame = next(film.decode(video=0))
        full = frame.format.name.startswith("yuvj") or frame.color_range == 2
        return int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace), 2 if full else 1


def sound(path: Path, end: float) -> list[bytes]:
    """The sound packets that begin before `end`, seconds from the first frame."""
    with av.open(str(path)) as film:
        if not film.streams.audio:
            return []
        first = next(frame.pts * frame.time_base for frame in film.decode(film.streams.video[0]))
    with av.open(str(path)) as film:
        packets = film.demux(film.streams.audio[0])
        return [bytes(one) for one in packets if one.size and one.pts * one.time_base - first < end]


def originals(clips: list[Path], seconds: Fraction) -> None:
    print(f"{'clip':34}{'frames':>8}{'result':>8}{'moved ms':>10}{'unlike':>8}  tags  sound  certificate")
    for clip in clips:
        info = probe(clip)
        deep: dict[str, Any] = {"format": "mp4_h265"} if info.bit_depth > 8 else {}
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(film_module, "encoding_of", without_loss):
            result = rendered(clip, Path(folder), trim_end=seconds, **deep)
            turn = TURNS[info.rotation, info.mirrored]
            written, moved, unlike, count = plain_frames(result.master), 0.0, 0, 0
            for (time, planes), (shown, found) in zip(plain_frames(clip), written, strict=False):
                next(written, None)
                count += 1
                moved = max(moved, float(abs(time - shown)) * 1000)
                unlike += not all(np.array_equal(turn(a), b) for a, b in zip(planes, found, strict=True))
            total = probe(result.master).frame_count
            heard, original = sound(result.master, float(seconds)), sound(clip, float(seconds))
            if not original or not heard:
                voice = "none" if not original else "LOST"
            else:
                voice = "same" if set(heard) >= set(original[2:-2]) else "encoded"
            same = "same" if tags(clip) == tags(result.master) else f"{tags(clip)} {tags(result.master)}"
            ok = [check["name"] for check in result.certificate["checks"] if not check["ok"]]
        print(f"{clip.name:34}{count:8}{total:8}{moved:10.3f}{unlike:8}  {same}  {voice:7} {ok or 'ok'}", flush=True)


def modes(clips: list[Path], seconds: Fraction) -> None:
    print(f"{'clip':34}{'mode':>14}{'frames':>8}{'planned':>8}{'off ms':>8}{'late ms':>8}{'sound - picture s':>18}")
    for clip in clips:
        info = probe(clip)
        ways: list[dict[str, Any]] = [{"mode": "fps", "target_fps": rate} for rate in RATES]
        for way in [*ways, {"mode": "slow", "inbetween": 2, "sound": "stretch"}]:
            with tempfile.TemporaryDirectory() as folder:
                result = rendered(clip, Path(folder), trim_end=seconds, resolution=(320, 180), crf=30, **way)
                print(
                    f"{clip.name:34}{_way(way):>14}{_against_plan(clip, info, result.master, way, seconds)}", flush=True
                )


def _way(way: dict[str, Any]) -> str:
    return str(way["target_fps"]) if way["mode"] == "fps" else "slow x3"


def _against_plan(clip: Path, info: VideoInfo, master: Path, way: dict[str, Any], seconds: Fraction) -> str:
    """Frames found and planned; how far the worst time stamp lies off; the duration's; sound against picture."""
    whole = frame_times(clip)
    times = [time for time in whole if time < seconds]
    end = whole[len(times)] if len(times) < len(whole) else info.duration  # a part ends with its last frame
    planned = plan(times, end, RenderOptions(**way))
    shown = [time for time, _ in plain_frames(master)]
    off = max(float(abs(a - frame.time)) for a, frame in zip(shown, planned, strict=True)) * 1000
    stretch = 3 if way["mode"] == "slow" else 1
    with av.open(str(master)) as film:
        picture = film.streams.video[0]
        lasts = picture.duration * picture.time_base
        voice = next(iter(film.streams.audio), None)
        beside = f"{float(voice.duration * voice.time_base - lasts):+18.3f}" if voice is not None else f"{'-':>18}"
    late = 1000 * float(lasts - end * stretch)
    return f"{len(shown):8}{len(planned):8}{off:8.3f}{late:+8.2f}{beside}"


def formats(clips: list[Path], seconds: Fraction) -> None:
    print(f"{'clip':34}{'format':>16}{'frames':>8}{'decoded':>8}  certificate, notes")
    for clip in (clip for clip in clips if clip.name.startswith(ODD)):
        for name in FORMATS:
            with tempfile.TemporaryDirectory() as folder:
                result = rendered(clip, Path(folder), format=name, trim_end=seconds)
                wrong = [check for check in result.certificate["checks"] if not check["ok"]]
                found, planned = _count(result.master), result.metrics["frames"]["output"]
                print(
                    f"{clip.name:34}{name:>16}{planned:8}{found:8}  {wrong or 'ok'} {result.metrics['notes']}",
                    flush=True,
                )


def _count(path: Path) -> int:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return len(archive.namelist())
    if path.suffix == ".webp":
        return probe(path).frame_count
    with av.open(str(path)) as film:
        return sum(1 for _ in film.decode(video=0))


TABLES = {"originals": originals, "modes": modes, "formats": formats}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--what", choices=TABLES, default="originals")
    parser.add_argument("--seconds", type=Fraction, default=Fraction(1))
    parser.add_argument("--only", default="", help="clips whose names begin so, with commas between")
    asked = parser.parse_args()
    kinds = (".mp4", ".mov", ".webm", ".avi")
    only = tuple(asked.only.split(","))
    clips = [path for path in sorted(asked.folder.iterdir()) if path.suffix in kinds and path.name.startswith(only)]
    TABLES[asked.what](clips, asked.seconds)


if __name__ == "__main__":
    main()
