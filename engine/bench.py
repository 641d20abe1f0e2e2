"""Methods against each other on triplets with a known middle frame: PSNR, SSIM, time per frame.

A triplet is a folder with im1.png, im2.png, im3.png; im2 is drawn from im1 and im3 and compared. A set is the folder
around triplets. The unit of time is OpenCV's DIS-medium flow in both directions at full size, measured on the same
pictures in the same run, so that figures from different machines can be compared. Speed is measured on a film as well,
since there every frame is encoded once, and large frames are matched at half size.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import torch

from .bench_clip import moving_frames
from .checkpoint import list_models, models_folder
from .errors import BadInputError
from .interpolator import Interpolator
from .metrics import blend, psnr, ssim
from .motion import Flow, Picture, dis_flow, farneback_flow, warp_picture
from .pictures import read_picture

Draw = Callable[[Picture, Picture], Picture]  # the frame in the middle of two, RGB uint8 (H, W, 3)
FlowOf = Callable[[Picture, Picture], Flow]

CLASSICAL = ("blend", "dis", "farneback")
LABELS = {"blend": "Blend", "dis": "DIS warp", "farneback": "Farneback warp"}
VIDEO_SIZE = (1280, 720)  # of the film that speed is measured on
SURE_PX = 1.0  # forward and backward motion that disagree by this much halve (nearly: 1/e) the trust in them
FAINT = 1e-3  # trust that remains where both sides disagree, so that there are no holes


@dataclass(frozen=True)
class Triplet:
    """One folder with im1, im2, im3."""

    set_name: str
    name: str
    folder: Path

    def read(self) -> tuple[Picture, Picture, Picture]:
        """Raises BadInputError naming the file that is missing or of another size."""
        first, truth, last = (read_picture(self.folder / f"im{n}.png") for n in (1, 2, 3))
        if not first.shape == truth.shape == last.shape:
            raise BadInputError(f"{self.folder}: im1, im2 and im3 differ in size.")
        return first, truth, last


@dataclass(frozen=True)
class Method:
    """Something that draws the middle frame. `notice`: what people must know of it, such as "untrained"."""

    name: str
    label: str
    draw: Draw
    arch: str = ""
    sha256: str = ""
    step: int = 0
    notice: str = ""


@dataclass
class Score:
    """One method on one set. PSNR in dB and SSIM are means over triplets; times are medians."""

    psnr: float
    ssim: float
    ms: float  # per new frame, motion included
    units: float  # the same, in DIS-medium flows of both directions at full size


@dataclass
class Speed:
    """Milliseconds for a new frame in the middle of every pair of a film, medians; `unit`: DIS-medium flow of both
    directions at full size alone."""

    width: int
    height: int
    unit: float
    ms: dict[str, float]


@dataclass
class Benchmark:
    """`scores[set][method]`; `counts[set]` triplets."""

    made_at: str
    machine: dict[str, Any]
    methods: list[dict[str, Any]]
    speed: Speed | None = None
    counts: dict[str, int] = field(default_factory=dict)
    scores: dict[str, dict[str, Score]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: {made_at, machine, methods: [{name, label, arch, sha256, step, notice}], speed, counts, scores};
        speed: {width, height, unit, ms: {method: ms}}."""
        return asdict(self)

    def to_markdown(self) -> str:
        """One row per method, one group of columns per set."""
        sets = list(self.scores)
        head = ["method", *(f"{name} ({self.counts[name]}) {what}" for name in sets for what in ("PSNR", "SSIM", "ms"))]
        lines = [_row([*head, "x DIS flow"]), _row(["---", *["---:"] * len(head)])]
        for method in self.methods:
            cells = [method["label"] + (" (untrained)" if method["notice"] else "")]
            scores = [self.scores[name][method["name"]] for name in sets]
            for score in scores:
                cells += [f"{score.psnr:.2f}", f"{score.ssim:.4f}", f"{score.ms:.1f}"]
            cells.append(f"{statistics.mean(score.units for score in scores):.2f}")
            lines.append(_row(cells))
        if self.speed:
            lines += ["", *_speed_rows(self.speed)]
        return "\n".join(lines)

    def save(self, path: Path) -> None:
        """Atomic."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(json.dumps(self.to_dict(), indent=1) + "\n")
        temporary.replace(path)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _speed_rows(speed: Speed) -> list[str]:
    lines = [
        _row(["method", f"ms for a new frame, {speed.width}x{speed.height}", "x DIS flow"]),
        _row(["---", "---:", "---:"]),
    ]
    return lines + [_row([name, f"{ms:.1f}", f"{ms / speed.unit:.2f}"]) for name, ms in speed.ms.items()]


def benchmark_path() -> Path:
    """Where the models page looks: `benchmark.json` beside the weights."""
    return models_folder() / "benchmark.json"


def find_triplets(folders: Sequence[Path | str]) -> list[Triplet]:
    """Every folder with an im1.png at or under `folders`.

    Raises:
        BadInputError: a folder is missing or holds no triplet.
    """
    found: list[Triplet] = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise BadInputError(f"There is no folder {folder}.")
        places = sorted(file.parent for file in folder.rglob("im1.png"))
        if not places:
            raise BadInputError(f"{folder} holds no triplets. Each is a folder with im1.png, im2.png and im3.png.")
        found += [Triplet(place.resolve().parent.name, place.name, place) for place in places]
    return found


def make_methods(names: Sequence[str] = (), *, device: str = "auto", threads: int | None = None) -> list[Method]:
    """By name: blend, dis, farneback, or a model. Without names: all of these, encoder_decoder, every weights file.

    Raises:
        WeightsError: there is no such model; says which there are.
    """
    if not names:
        models = [info.name for info in list_models() if info.arch]
        names = list(dict.fromkeys([*CLASSICAL, "encoder_decoder", *models]))
    return [_method(name, device, threads) for name in names]


def _method(name: str, device: str, threads: int | None) -> Method:
    if name in CLASSICAL:
        classical: dict[str, Draw] = {
            "blend": partial(blend, t=0.5),
            "dis": partial(draw_by_flow, flow_of=dis_flow),
            "farneback": partial(draw_by_flow, flow_of=farneback_flow),
        }
        return Method(name, LABELS[name], classical[name])
    model = Interpolator.load(name, device, threads=threads)
    info = model.info
    return Method(name, name, partial(_draw_by_model, model), info.arch, info.sha256, info.step, info.notice)


def _draw_by_model(model: Interpolator, img0: Picture, img1: Picture) -> Picture:
    return model.pair(img0, img1).at(0.5)


def draw_by_flow(img0: Picture, img1: Picture, flow_of: FlowOf, t: float = 0.5) -> Picture:
    """Classical interpolation: both flows projected to time t, joined by how far they agree, both pictures warped.

    A place that is hidden in one frame is taken from the other.
    """
    flow_01, flow_10 = flow_of(img0, img1), flow_of(img1, img0)
    from0, from1 = _project(flow_01, t), _project(flow_10, 1 - t)
    trust0 = (1 - t) * _trust(flow_01, flow_10, from0)
    trust1 = t * _trust(flow_10, flow_01, from1)
    total = trust0 + trust1
    motion = (warp_picture(flow_01, from0) * trust0 - warp_picture(flow_10, from1) * trust1) / total
    early = warp_picture(img0.astype(np.float32), -t * motion, cv2.INTER_CUBIC)
    late = warp_picture(img1.astype(np.float32), (1 - t) * motion, cv2.INTER_CUBIC)
    return np.rint((early * trust0 + late * trust1) / total).clip(0, 255).astype(np.uint8)


def _project(flow: Flow, fraction: float) -> Flow:
    """Where the point now at x came from: d with d(x) = -fraction * flow(x + d(x)), by fixed-point iteration."""
    offset = -fraction * flow
    for _ in range(3):
        offset = -fraction * warp_picture(flow, offset)
    return offset


def _trust(flow: Flow, back: Flow, offset: Flow) -> Flow:
    """(H, W, 1), 1 where going there and back ends where it began, near 0 where it does not (hidden)."""
    away = flow + warp_picture(back, flow)
    miss = cv2.magnitude(away[..., 0], away[..., 1])
    return (np.exp(-warp_picture(miss, offset) / np.float32(SURE_PX)) + np.float32(FAINT))[..., None]


def run(
    triplets: Sequence[Triplet], methods: Sequence[Method], *, on_triplet: Callable[[int, int], None] | None = None
) -> Benchmark:
    """Draw every triplet by every method, the methods taking turns, so that a busy moment hits all alike."""
    figures: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    unit: dict[str, list[float]] = {}
    for number, triplet in enumerate(triplets, 1):
        img0, truth, img1 = triplet.read()
        unit.setdefault(triplet.set_name, []).append(_milliseconds(partial(_both_flows, img0, img1))[1])
        for method in methods:
            picture, spent = _milliseconds(partial(method.draw, img0, img1))
            row = (psnr(picture, truth), ssim(picture, truth), spent)
            figures.setdefault((triplet.set_name, method.name), []).append(row)
        if on_triplet:
            on_triplet(number, len(triplets))
    described = [{key: value for key, value in vars(method).items() if key != "draw"} for method in methods]
    result = Benchmark(datetime.now(UTC).isoformat(timespec="seconds"), machine(), described)
    for name, units in unit.items():
        result.counts[name] = len(units)
        result.scores[name] = {m.name: _score(figures[name, m.name], statistics.median(units)) for m in methods}
    return result


def measure_speed(methods: Sequence[Method], size: tuple[int, int] = VIDEO_SIZE, rounds: int = 7) -> Speed:
    """Every method on the pairs of a made-up film, taking turns with the unit; the first pair warms up."""
    frames = list(moving_frames(size, rounds + 2))
    spent: dict[str, list[float]] = {}
    for img0, img1 in pairwise(frames):
        works: dict[str, Callable[[], Any]] = {"": partial(_both_flows, img0, img1)}
        works |= {method.name: partial(method.draw, img0, img1) for method in methods}
        for name, work in works.items():
            spent.setdefault(name, []).append(_milliseconds(work)[1])
    medians = {name: round(statistics.median(times[1:]), 2) for name, times in spent.items()}
    return Speed(*size, medians.pop(""), medians)


def _both_flows(img0: Picture, img1: Picture) -> tuple[Flow, Flow]:
    return dis_flow(img0, img1), dis_flow(img1, img0)


def _score(figures: Sequence[tuple[float, float, float]], unit: float) -> Score:
    ms = statistics.median(spent for _, _, spent in figures)
    means = [statistics.mean(column) for column in list(zip(*figures, strict=True))[:2]]
    return Score(round(means[0], 4), round(means[1], 6), round(ms, 2), round(ms / unit, 3))


T = TypeVar("T")


def _milliseconds(work: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - started) * 1000


def machine() -> dict[str, Any]:
    """What the times were measured on."""
    return {
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "torch": torch.__version__,
        "opencv": cv2.__version__,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
