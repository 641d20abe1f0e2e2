"""Precision and recall of the cut detector on real footage: `python -m tests.engine.measure_cuts FOLDER`.

Then what is no cut: flashes, fades and dissolves put into the clips that have none.

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

EFFECT_AT, EFFECT_CLIP = 12, 48  # the frame an effect begins at, and how many frames it is put into
FLASH_FRAMES, FADE_FRAMES, DISSOLVE_FRAMES = (1, 2, 3), (2, 3, 4, 8, 24), (6, 12)

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


def lit(frame: np.ndarray, gain: float, colour: float) -> np.ndarray:
    """`gain` of the frame over one grey level."""
    return np.rint(frame * gain + colour * (1 - gain)).astype(np.uint8)


def with_effects(frames: Pictures, other: Pictures) -> dict[str, list[Pictures]]:
    """The clip with every kind of change that is no cut."""
    made: dict[str, list[Pictures]] = {"flashes": [], "fades": [], "dissolves": []}
    for length in FLASH_FRAMES:
        for gain, colour in ((0.4, 255), (0.1, 255), (0.3, 0)):
            lights = [gain if 0 <= index - EFFECT_AT < length else 1 for index in range(len(frames))]
            made["flashes"].append([lit(frame, g, colour) for frame, g in zip(frames, lights, strict=True)])
    for length in FADE_FRAMES:
        for colour in (0, 255):
            out = [1 - min(1, max(0, (index - EFFECT_AT) / length)) for index in range(len(frames))]
            for lights in (out, out[::-1]):
                made["fades"].append([lit(frame, g, colour) for frame, g in zip(frames, lights, strict=True)])
    for length in DISSOLVE_FRAMES:
        shares = [min(1, max(0, (index - EFFECT_AT) / length)) for index in range(len(frames))]
        mixed = zip(frames, other, shares, strict=True)
        made["dissolves"].append([np.rint(a * (1 - s) + b * s).astype(np.uint8) for a, b, s in mixed])
    return made


def report_effects(clips: dict[str, Pictures]) -> None:
    """In how many of them a cut was found, and where."""
    names = [name for name in sorted(set(clips) - set(CUTS)) if len(clips[name]) >= EFFECT_CLIP]
    counts = dict[str, int]()
    wrong = dict[str, list[str]]()
    for name, follower in zip(names, names[1:] + names[:1], strict=True):
        frames = clips[name][:EFFECT_CLIP]
        size = frames[0].shape[1::-1]
        other = [cv2.resize(frame, size) for frame in clips[follower][:EFFECT_CLIP]]
        for kind, variants in with_effects(frames, other).items():
            counts[kind] = counts.get(kind, 0) + len(variants)
            found = (f"{name} {number} {found_cuts(each)}" for number, each in enumerate(variants) if found_cuts(each))
            wrong.setdefault(kind, []).extend(found)
    for kind, count in counts.items():
        print(f"{kind}: {len(wrong[kind])} of {count} hold a cut", *wrong[kind], sep="\n  ")


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
    report_effects(clips)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
