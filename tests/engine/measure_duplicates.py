"""Precision and recall of repeated frames on real footage: `python -m tests.engine.measure_duplicates FOLDER`.

Not a test: it needs clips that are not in the repository. Of every clip whose own frames all move, some are repeated
as animation on twos and threes, 24 frames a second shown at 30 and at 60 do it; the truth is then known for each gap.
Measured on the pictures as they are, and after they were encoded with H.264 (CRF 23 and 30), which leaves no repeated
frame quite the same. Also counted: whether the rhythm was told right, and what `retime` makes of it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from itertools import chain, cycle, islice
from pathlib import Path

import numpy as np

from engine.retime import keys
from engine.scenes import Gap, SceneScanner, small_size
from engine.video import probe, read_frames
from engine.writer import VideoWriter

RHYTHMS = {"twos": (2,), "threes": (3,), "24 in 30": (1, 1, 1, 2), "24 in 60": (2, 3)}
CRFS = (None, 23, 30)
DRAWINGS, SIDE = 24, 640  # of a clip, and pixels of the longer side they are encoded at
MOVES = 0.6  # grey levels, mean difference on small copies: with less the clip hardly moves, and has no truth

Pictures = list[np.ndarray]


def moving(path: Path) -> Pictures:
    """The longest run of frames from the beginning in which each differs from the one before; at most DRAWINGS."""
    info = probe(path)
    scale = min(1.0, SIDE / max(info.width, info.height))
    size = round(info.width * scale / 2) * 2, round(info.height * scale / 2) * 2
    found: Pictures = []
    for frame in read_frames(path, resolution=size, info=info):
        if found and np.abs(frame.rgb.astype(int) - found[-1]).mean() < MOVES:
            found.clear()
        found.append(frame.rgb)
        if len(found) == DRAWINGS:
            return found
    return []


def repeated(frames: Pictures, holds: Sequence[int]) -> tuple[Pictures, list[bool]]:
    """Each frame held as often as the rhythm says, and for every gap whether it repeats."""
    counts = list(islice(cycle(holds), len(frames)))
    shown = list(chain.from_iterable([frame] * count for frame, count in zip(frames, counts, strict=True)))
    truth = list(chain.from_iterable([False] + [True] * (count - 1) for count in counts))
    return shown, truth[1:]


def scanned(frames: Pictures, crf: int | None) -> list[Gap]:
    """What the scanner says of them; with a CRF, after they were encoded."""
    height, width = frames[0].shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.mp4"
        with VideoWriter(path, width=width, height=height, fps=Fraction(24), crf=crf or 0) as writer:
            for number, frame in enumerate(frames):
                writer.write(frame, Fraction(number, 24))
        scanner = SceneScanner()
        for seen in read_frames(path, resolution=small_size(width, height)):
            scanner.push(seen.rgb)
    return scanner.finish()


def main(folder: Path) -> None:
    clips = {
        path.name: frames
        for path in sorted(folder.iterdir())
        if path.suffix in (".mp4", ".mov", ".avi", ".webm") and (frames := moving(path))
    }
    print(f"{len(clips)} clips that move, {DRAWINGS} frames of each")
    for crf in CRFS:
        for name, holds in {"every frame once": (1,), **RHYTHMS}.items():
            hits = wrong = true = kept = drawings = 0
            for frames in clips.values():
                shown, truth = repeated(frames, holds)
                gaps = scanned(shown, crf)
                found = [gap.duplicate for gap in gaps]
                true += sum(truth)
                hits += sum(a and b for a, b in zip(truth, found, strict=True))
                wrong += sum(b and not a for a, b in zip(truth, found, strict=True))
                times = [Fraction(number, 24) for number in range(len(shown))]
                left = {key.number for key in keys(gaps, times, Fraction(len(shown), 24))}
                starts = {0} | {number + 1 for number, repeats in enumerate(truth) if not repeats}
                kept, drawings = kept + len(left & starts), drawings + len(starts)
            recall = f"recall {hits / true:.3f}, precision {hits / max(1, hits + wrong):.3f}, " if true else ""
            words = "without loss" if crf is None else f"CRF {crf}"
            print(
                f"{words}, {name}: {true} repeat, {recall}{wrong} of the others taken for one; "
                f"{kept} of {drawings} drawings are left after retiming",
                flush=True,
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
