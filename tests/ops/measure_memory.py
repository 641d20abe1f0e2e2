"""Does memory stay flat in the length of a film? `python -m tests.ops.measure_memory CLIP`.

CLIP is repeated without encoding it again until there are `--minutes` of `--size` at `--fps`, and `manage.py
interpolate` renders that at twice the rate. For every minute of the film that is drawn the peak of its memory is
printed (VmHWM, set back at each minute by /proc/PID/clear_refs), and in the end the last minute beside the first.
Without CLIP the film is made up. Linux only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import islice
from pathlib import Path

from engine.bench_clip import moving_frames
from engine.config import parse_resolution
from engine.errors import BadInputError
from engine.remux import join_segments
from engine.video import probe, read_frames
from engine.writer import VideoWriter

ROOT = Path(__file__).parents[2]
SIZE = (1280, 720)
CLIP_FRAMES = 240  # of the clip that is repeated, at most


def long_film(path: Path, clip: Path | None, fps: Fraction, minutes: Fraction, size: tuple[int, int] = SIZE) -> Path:
    """`minutes` of `clip`, shown again and again at `fps`, at a small bit rate."""
    once = path.with_name("once.mp4")
    frames = moving_frames(size, 48) if clip is None else (f.rgb for f in read_frames(clip, resolution=size))
    with VideoWriter(once, width=size[0], height=size[1], fps=fps, crf=28, preset="veryfast") as writer:
        for number, frame in enumerate(islice(frames, CLIP_FRAMES)):
            writer.write(frame, number / fps)
    times = max(1, round(minutes * 60 / probe(once).duration))
    join_segments([once] * times, path)
    return path


def peaks_by_minute(film: Path, output: Path, arguments: list[str]) -> Iterator[tuple[int, float, float]]:
    """Renders, and gives (minute of the film, its peak MiB, its MiB at the end) as each is drawn; minute 0 is what
    comes before the first frame, -1 all that comes after the last.

    Raises: BadInputError: the render failed; with its words.
    """
    command = [sys.executable, str(ROOT / "manage.py"), "interpolate", str(film), str(output), *arguments]
    with tempfile.TemporaryFile("w+") as words:
        child = subprocess.Popen(command, stdout=words, stderr=words, stdin=subprocess.DEVNULL, cwd=ROOT)
        segments, drawn, minute = output.with_name(f".{output.name}.inbetween") / "segments", 0, 0
        total, peak, last = probe(film).duration, 0.0, 0.0
        while child.poll() is None:
            peak, last = _memory(child.pid) or (peak, last)
            drawn, end = _newest(segments, drawn)
            begins = minute == 0 and any(segments.glob(".seg_*"))
            if begins or (minute > 0 and (end >= 60 * minute or end >= total)):
                yield (minute, peak, last)
                minute = -1 if end >= total else minute + 1
                _set_peak_back(child.pid)
            time.sleep(0.2)
        if child.returncode:
            words.seek(0)
            raise BadInputError(f"The render failed: {words.read().strip()[-2000:]}")
        yield (minute, peak, last)


def _newest(segments: Path, number: int) -> tuple[int, Fraction]:
    """(number, end in seconds) of the last finished segment; `number`: that known before."""
    while (segments / f"seg_{number + 1:05d}.json").is_file():
        number += 1
    try:
        return number, Fraction(json.loads((segments / f"seg_{number:05d}.json").read_text())["end"])
    except OSError:
        return number, Fraction(0)


def _memory(pid: int) -> tuple[float, float] | None:
    """(peak, now) in MiB; None when the process is ending."""
    try:
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
        peak, now = (int(lines[name].split()[0]) / 1024 for name in ("VmHWM", "VmRSS"))
    except (OSError, KeyError):
        return None
    return peak, now


def _set_peak_back(pid: int) -> None:
    with suppress(ProcessLookupError):  # it has just ended
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("clip", nargs="?", type=Path)
    given.add_argument("--fps", type=Fraction, default=Fraction(12))
    given.add_argument("--minutes", type=Fraction, default=Fraction(30))
    given.add_argument("--size", type=parse_resolution, default=SIZE, metavar="WxH")
    given.add_argument("--model", default="default")
    given.add_argument("--folder", type=Path, help="for the films; default: a temporary one")
    asked = given.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        film = long_film(Path(name) / "film.mp4", asked.clip, asked.fps, asked.minutes, asked.size)
        found = probe(film)
        print(f"{found.width}x{found.height}, {float(found.duration):.1f} s, {found.frame_count} frames", flush=True)
        peaks = dict[int, float]()
        for minute, peak, now in peaks_by_minute(film, Path(name) / "result.mp4", ["--model", asked.model]):
            words = {0: "before", -1: "after"}.get(minute, f"minute {minute}")
            print(f"{words}: peak {peak:.0f} MiB, {now:.0f} at its end", flush=True)
            peaks[minute] = peak
        last = max(peaks)
        print(f"minute {last} over minute 1: {peaks[last] / peaks[1]:.3f}; highest {max(peaks.values()):.0f} MiB")


if __name__ == "__main__":
    main()
