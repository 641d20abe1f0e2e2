"""How much of a damaged film is still shown: `python -m tests.engine.measure_damage FOLDER`.

Not a test: it needs clips that are not in the repository. Three holes of 4000 random bytes each are put into a copy of
each clip, at a quarter, the middle and three quarters of the file, and it is read as a render reads it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from engine.errors import BadInputError
from engine.scenes import small_size
from engine.video import probe, read_frames

CLIPS = ("cups_720p.mp4", "seattle_pan.avi", "tears_of_steel_battle.webm", "lamp_phone_720p.mov")
HOLES, HOLE_BYTES = (0.25, 0.5, 0.75), 4000


def with_holes(path: Path, folder: Path) -> Path:
    data, noise = bytearray(path.read_bytes()), np.random.default_rng(1)
    for part in HOLES:
        begin = int(len(data) * part)
        data[begin : begin + HOLE_BYTES] = noise.bytes(HOLE_BYTES)
    copy = folder / path.name
    copy.write_bytes(data)
    return copy


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as work:
        for path in (folder / name for name in CLIPS):
            whole, notices = probe(path).frame_count, list[str]()
            try:
                copy = with_holes(path, Path(work))
                info = probe(copy)
                size = small_size(info.width, info.height)
                count = sum(1 for _ in read_frames(copy, resolution=size, info=info, on_notice=notices.append))
            except BadInputError as error:
                print(f"{path.name}: refused: {error}")
                continue
            print(f"{path.name}: {count} of {whole} frames.", *info.notes, *notices, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
