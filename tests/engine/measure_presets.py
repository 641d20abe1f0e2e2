"""What x264's presets cost at equal quality: `python -m tests.engine.measure_presets FILM ...`.

Not a test: it needs films of doubled rate, hardly compressed (`manage.py interpolate CLIP FILM --crf 4`). Every film is
encoded by one thread with a few CRFs. A line tells of one preset, against "fast" at the CRF of quality 80: the CRF that
gives the same PSNR or SSIM, and there the bytes and the processor time as shares of those of "fast".
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import av
import numpy as np

from engine.metrics import ssim

PRESETS = ("fast", "faster", "veryfast")
CRF, AROUND = 18, (-4, -2, 0, 2)
Frames = list[av.VideoFrame]


@dataclass(frozen=True, slots=True)
class Coded:
    seconds: float
    size: int
    psnr: float
    ssim: float


def codec(name: str, mode: str, **settings: object) -> av.VideoCodecContext:
    context = av.CodecContext.create(name, mode)  # type: ignore[call-overload]
    assert isinstance(context, av.VideoCodecContext)
    context.thread_count = 1
    for key, value in settings.items():
        setattr(context, key, value)
    return context


def coded(frames: Frames, preset: str, crf: int) -> Coded:
    first = frames[0]
    encoder = codec(
        "libx264", "w", width=first.width, height=first.height, pix_fmt="yuv420p", time_base=first.time_base,
        options={"preset": preset, "crf": str(crf)},
    )  # fmt: skip
    started = time.process_time()
    packets = [packet for frame in [*frames, None] for packet in encoder.encode(frame)]
    seconds = time.process_time() - started
    decoder = codec("h264", "r")
    shown = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    error, alike = list[float](), list[float]()
    for found, wanted in zip(shown, frames, strict=True):
        a, b = (frame.to_ndarray() for frame in (found, wanted))
        error.append(float(np.square(np.subtract(a, b, dtype=np.float32)).mean()))
        alike.append(ssim(a[: first.height, :, None], b[: first.height, :, None]))
    return Coded(
        seconds, sum(packet.size for packet in packets), 10 * np.log10(255**2 / np.mean(error)), np.mean(alike)
    )


def main(paths: list[str]) -> None:
    for path in paths:
        with av.open(path) as film:
            frames = list(film.decode(video=0))
        for frame in frames:
            frame.pict_type = av.video.frame.PictureType.NONE
        fast = coded(frames, PRESETS[0], CRF)
        print(f"{path}: fast {fast.seconds:.2f} s, {fast.size} bytes, {fast.psnr:.2f} dB, {fast.ssim:.4f}", flush=True)
        for preset in PRESETS[1:]:
            runs = [coded(frames, preset, CRF + step) for step in AROUND]
            for name in ("psnr", "ssim"):
                reached = [getattr(run, name) for run in runs][::-1]  # ascending
                at = {
                    key: np.interp(getattr(fast, name), reached, values[::-1])
                    for key, values in (
                        ("crf", [float(CRF + step) for step in AROUND]),
                        ("size", [run.size for run in runs]),
                        ("seconds", [run.seconds for run in runs]),
                    )
                }
                print(
                    f"  {preset}, same {name}: CRF {at['crf']:.1f}, {at['size'] / fast.size:.2f} of the bytes, "
                    f"{at['seconds'] / fast.seconds:.2f} of the time",
                    flush=True,
                )


if __name__ == "__main__":
    main(sys.argv[1:])
