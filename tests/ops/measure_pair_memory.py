"""Peak memory of drawing between two frames: `python -m tests.ops.measure_pair_memory`.

For each of `--sizes` a process of its own loads the model, draws the middle of two pairs that follow each other, as a
render does, and says the most it ever held (VmHWM: PyTorch and all else included), whole and in tiles as it comes
(INBETWEEN_TILE_MEMORY_MB).
Linux only.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from itertools import islice, pairwise
from pathlib import Path

from engine.bench_clip import moving_frames
from engine.config import parse_resolution
from engine.interpolator import Interpolator

SIZES = ["1280x720", "1920x1080", "3840x2160", "7680x4320"]
WHOLE_MB, LARGEST_WHOLE = 1_000_000, 3840 * 2160  # nobody needs 8K in one piece


def peak_mib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def draw(size: tuple[int, int], model: str, threads: int) -> None:
    interpolator = Interpolator.load(model, "cpu", threads=threads)
    frames = list(islice(moving_frames(size, 3), 3))
    Path("/proc/self/clear_refs").write_text("5")  # making the frames is not what is measured
    before = peak_mib()
    for img0, img1 in pairwise(frames):
        interpolator.pair(img0, img1).at(0.5)
    print(f"{before:.0f} MiB before it draws, {peak_mib():.0f} MiB at most", flush=True)


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--sizes", nargs="+", default=SIZES)
    given.add_argument("--model", default="default")
    given.add_argument("--threads", type=int, default=2)
    given.add_argument("--draw", help=argparse.SUPPRESS)
    asked = given.parse_args()
    if asked.draw:
        draw(parse_resolution(asked.draw), asked.model, asked.threads)
        return
    for size in asked.sizes:
        width, height = parse_resolution(size)
        for words, limit in (("whole", str(WHOLE_MB)), ("as it comes", None)):
            if limit and width * height > LARGEST_WHOLE:
                continue
            environment = {**os.environ, **({"INBETWEEN_TILE_MEMORY_MB": limit} if limit else {})}
            command = [sys.executable, "-m", __spec__.name, "--draw", size, "--model", asked.model]
            command += ["--threads", str(asked.threads)]
            print(f"{size} {words}: ", end="", flush=True)
            subprocess.run(command, env=environment, check=True)


if __name__ == "__main__":
    main()
