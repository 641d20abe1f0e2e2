"""Light between the frames of a steep fade: `python -m tests.engine.measure_fades FOLDER`.

Not a test: it needs clips that are not in the repository. Three frames of a clip are put into a fade; the middle one is
hidden, drawn again with the shipped model, and compared with the real one: PSNR, and how far its light is off at the
mean, in grey levels. `--sheet FILE` keeps a picture of them: first, real, drawn, last, a column for each fade.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from engine.interpolator import Interpolator
from engine.metrics import blend, psnr
from engine.video import probe, read_frames

from .measure_cuts import lit

FADES = [
    (1, 1, 0), (1, 0.5, 0), (1, 0.25, 0), (0.6, 0.2, 0), (1, 0, 0), (1, 0.5, 255), (0.3, 0.9, 255), (0, 0.8, 255),
]  # light of the first and the last, and what it fades to or from; the first is none  # fmt: skip
AT, WIDTH = 20, 640


def three_frames(path: Path) -> list[np.ndarray]:
    info = probe(path)
    size = WIDTH, round(info.height * WIDTH / info.width / 2) * 2
    found = list[np.ndarray]()
    for number, frame in enumerate(read_frames(path, resolution=size, info=info)):
        if number >= AT:
            found.append(frame.rgb)
        if len(found) == 3:
            break
    return found


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("folder", type=Path)
    given.add_argument("--sheet", type=Path)
    asked = given.parse_args()
    model = Interpolator.load(device="cpu")
    results: dict[tuple[float, float, int], list[tuple[float, float, float]]] = {fade: [] for fade in FADES}
    rows = list[np.ndarray]()
    for path in sorted(asked.folder.iterdir()):
        if path.suffix not in (".mp4", ".mov", ".avi", ".webm") or len(frames := three_frames(path)) < 3:
            continue
        columns = list[np.ndarray]()
        for first, last, colour in FADES:
            lights = (first, (first + last) / 2, last)
            img0, truth, img1 = (lit(frame, g, colour) for frame, g in zip(frames, lights, strict=True))
            new = model.pair(img0, img1).at(0.5)
            off = abs(float(new.mean()) - float(truth.mean()))
            results[first, last, colour].append((psnr(new, truth), psnr(blend(img0, img1, 0.5), truth), off))
            columns.append(np.vstack([img0, truth, new, img1]))
        rows.append(cv2.resize(np.hstack(columns), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA))
    for (first, last, colour), found in results.items():
        drawn, blended, off = np.array(found).T
        print(
            f"{first} to {last} of {'white' if colour else 'black'}: {len(found)} clips, {drawn.mean():.2f} dB (blend "
            f"{blended.mean():.2f}), light off by {off.mean():.2f}, at most {off.max():.2f}"
        )
    if asked.sheet:
        cv2.imwrite(str(asked.sheet), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
