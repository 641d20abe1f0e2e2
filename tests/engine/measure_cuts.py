"""Precision and recall of the cut detector on real footage: `python -m tests.engine.measure_cuts FOLDER`.

Not a test: it needs clips that are not in the repository. The cuts were marked by looking at contact sheets of every
frame; a cut is the first frame of the new shot, counted from 0. Clips that are not listed have none.
"""

from __future__ import annotations

import random
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from engine.scenes import SceneScanner, small_size
from engine.video import probe, read_frames

CUTS = {
    "tears_of_steel_battle.webm": [
        52, 122, 158, 221, 309, 715, 788, 872, 901, 987, 1127, 1157, 1203, 1234, 1246, 1284, 1345, 1378, 1430, 1472,
        1525, 1571, 1618, 1650, 1689,
    ],
    "bbb_rabbit_1080p60_cg.mp4": [21],
}  # fmt: skip
STEPS = (1, 2, 3)  # every frame, every second, every third: the same footage at lower rates
SPLICES, SPLICE_FRAMES = 150, 6

Pictures = list[np.ndarray]


def small_frames(path: Path) -> Pictures:
    info = probe(path)
    return [frame.rgb for frame in read_frames(path, resolution=small_size(info.width, info.height), info=info)]


def found_cuts(frames: Pictures) -> set[int]:
    scanner = SceneScanner()
    for frame in frames:
        scanner.push(frame)
    return {index + 1 for index, gap in enumerate(scanner.finish()) if gap.cut}


def report(name: str, true: set[tuple[str, int]], found: set[tuple[str, int]]) -> None:
    hits = len(true & found)
    print(f"{name}: {len(true)} cuts, recall {hits / len(true):.3f}, precision {hits / max(1, len(found)):.3f}")
    for words, which in (("missed", true - found), ("wrong", found - true)):
        if which:
            print(f"  {words}: {', '.join(f'{clip} {index}' for clip, index in sorted(which))}")


def splices(clips: dict[str, Pictures]) -> tuple[set[tuple[str, int]], set[tuple[str, int]]]:
    """Six frames of one clip before six of another, both without cuts of their own."""
    chance, names = random.Random(1), sorted(set(clips) - set(CUTS))
    true, found = set(), set()
    for number in range(SPLICES):
        first, second = chance.sample(names, 2)
        start = chance.randrange(len(clips[first]) - SPLICE_FRAMES)
        height, width = clips[first][0].shape[:2]
        before = clips[first][start : start + SPLICE_FRAMES]
        start = chance.randrange(len(clips[second]) - SPLICE_FRAMES)
        after = [cv2.resize(frame, (width, height)) for frame in clips[second][start : start + SPLICE_FRAMES]]
        label = f"{number} {first}+{second}"
        true.add((label, SPLICE_FRAMES))
        found |= {(label, index) for index in found_cuts(before + after)}
    return true, found


def main(folder: Path) -> None:
    clips = {
        path.name: small_frames(path)
        for path in sorted(folder.iterdir())
        if path.suffix in (".mp4", ".mov", ".avi", ".webm")
    }
    print(f"{len(clips)} clips, {sum(map(len, clips.values()))} frames")
    for step in STEPS:
        true = {
            (name, int(np.ceil(Fraction(cut, step)))) for name, cuts in CUTS.items() for cut in cuts if name in clips
        }
        found = {(name, cut) for name, frames in clips.items() for cut in found_cuts(frames[::step])}
        report(f"every frame{f' of {step}' if step > 1 else ''}", true, found)
    report("splices of unlike clips", *splices(clips))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
