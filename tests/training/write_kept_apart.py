"""What is never trained on, as triplet sets: `python -m tests.training.write_kept_apart FOOTAGE PHOTOS FOLDER`.

`manage.py benchmark --triplets FOLDER/*` measures on them. Not a test: it needs clips and photographs that are not in
the repository. Four sets: footage (frames two apart), scenes, and the same with large motion (footage eight frames
apart; scenes in which a thirtieth of the places or more moves by more than 50 pixels).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from engine.learn.data import ClipPool, TripletSource
from engine.learn.samples import find_photos
from engine.learn.synthetic import SyntheticScenes

SIDE, FAR_SIDE, FAR_SCENE_SIDE = 320, 640, 480
FAR_FRAMES, FAR_PX, FAR_SHARE = 8, 50, 1 / 30
FOOTAGE, SCENES = 48, 24

Three = list[np.ndarray]


def near_footage(source: TripletSource) -> Iterator[Three]:
    for sample in source.validation(FOOTAGE, SIDE):
        yield [sample["img0"], sample["gt"], sample["img1"]]


def far_footage(source: TripletSource) -> Iterator[Three]:
    rng = np.random.default_rng(8)
    pools = [pool for pool in source.kept_apart if isinstance(pool, ClipPool) and pool.short_side >= FAR_SIDE]
    while True:
        for pool in pools:
            first = int(rng.integers(pool.clip.count - FAR_FRAMES))
            if not pool.clip.broken[first : first + FAR_FRAMES].any():
                top, left = (int(rng.integers(side - FAR_SIDE + 1)) for side in (pool.clip.height, pool.clip.width))
                frames = (first, first + FAR_FRAMES // 2, first + FAR_FRAMES)
                yield list(pool.clip.crop(frames, top, left, FAR_SIDE))


def scenes(photos: list[Path] | None, side: int, seed: int, *, far: bool = False) -> Iterator[Three]:
    made, number = SyntheticScenes(photos, side, seed), 0
    while True:
        sample = made.sample(np.random.default_rng((seed, number)), 0.5)
        number += 1
        moved = np.linalg.norm(sample["flow_t1"] - sample["flow_t0"], axis=-1) > FAR_PX
        if not far or moved.mean() >= FAR_SHARE:
            yield [sample["img0"], sample["gt"], sample["img1"]]


def write(folder: Path, triplets: Iterator[Three]) -> None:
    for number, three in enumerate(triplets):
        place = folder / f"{number:03d}"
        place.mkdir(parents=True, exist_ok=True)
        for name, picture in enumerate(three, start=1):
            cv2.imwrite(str(place / f"im{name}.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def main(footage: str, photos: str, folder: str) -> None:
    source, pictures, out = TripletSource([Path(footage)], crop=SIDE), find_photos(photos), Path(folder)
    write(out / "footage", near_footage(source))
    write(out / "scenes", islice(scenes(pictures, SIDE, 31_337), SCENES))
    write(out / "far_scenes", islice(scenes(pictures, FAR_SCENE_SIDE, 31_338, far=True), SCENES))
    write(out / "far_footage", islice(far_footage(source), SCENES))


if __name__ == "__main__":
    main(*sys.argv[1:])
