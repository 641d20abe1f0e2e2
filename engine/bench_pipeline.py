"""How fast a film goes through the engine: every stage alone, whole jobs, memory, and FFmpeg's minterpolate beside it.

The stages are measured in turn on the same frames, so that other work on the machine falls on all of them alike; of
each the median counts. A whole job runs in a process of its own, whose peak memory is its own.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import av
from av.filter import Graph

from .bench import machine
from .bench_clip import FPS, make_clip
from .checkpoint import ModelInfo
from .config import RenderOptions
from .draw import Pair
from .errors import BadInputError, BadOptionsError
from .interpolator import FLOW_SCALE, Interpolator, first_flows
from .motion import Picture, dis_flow
from .pixels import AnyPicture, padded_side
from .progress import Progress
from .render import render_video
from .video import probe, read_frames
from .writer import VideoWriter

SIZES = {"480p": (854, 480), "720p": (1280, 720), "1080p": (1920, 1080), "2160p": (3840, 2160)}
MCI_FRAMES = 8  # new frames that minterpolate draws at least


@dataclass
class Clock:
    """Adds up wall and processor time, seconds, of what runs inside `with`; one entry for every time."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def __enter__(self) -> None:
        self._started = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.wall.append(time.perf_counter() - self._started[0])
        self.cpu.append(time.process_time() - self._started[1])


@dataclass(frozen=True)
class Stages:
    """Seconds at the median, wall and processor: of a frame (decode, encode, new), of a pair (motion, match, unit).

    match: with the encoding of one frame and without the first motion; new: one frame between a matched pair. unit:
    OpenCV's DIS-medium flow in both directions at full size.
    """

    wall: dict[str, float]
    cpu: dict[str, float]

    def drawing(self, factor: int, *, motion: bool = True, cpu: bool = False) -> float:
        """Seconds of the network for a new frame at `factor` x; with the first motion or without."""
        seconds = self.cpu if cpu else self.wall
        pair = seconds["match"] + (seconds["motion"] if motion else 0.0)
        return pair / (factor - 1) + seconds["new"]


@dataclass(frozen=True)
class Job:
    """A render in a process of its own. Seconds.

    stages: wall time by the names of `progress.STAGES`. drawn: wall time inside the model while the film was drawn,
    evaluated: the same for the held-out frames. peak_mib: of the process, PyTorch included.
    """

    wall: float
    cpu: float
    stages: dict[str, float]
    drawn: float
    evaluated: float
    new: int
    pairs: int
    peak_mib: float

    @property
    def core(self) -> float:
        """Without what is extra by design: held-out figures, and the previews made at the end."""
        return self.wall - self.stages.get("evaluating", 0.0) - self.stages.get("previews", 0.0)


class TimedModel:
    """A model whose time is counted."""

    def __init__(self, model: Interpolator) -> None:
        self.model = model
        self.info: ModelInfo = model.info
        self.arithmetic = model.arithmetic
        self.clock = Clock()
        self.new = self.pairs = 0

    def pair(self, img0: AnyPicture, img1: AnyPicture) -> Pair:
        self.pairs += 1
        with self.clock:
            pair = self.model.pair(img0, img1)
        return _TimedPair(self, pair)

    @property
    def seconds(self) -> float:
        return sum(self.clock.wall)


class _TimedPair:
    def __init__(self, owner: TimedModel, pair: Pair) -> None:
        self._owner, self._pair = owner, pair

    def at(self, t: float | Fraction) -> AnyPicture:
        self._owner.new += 1
        with self._owner.clock:
            return self._pair.at(t)

    def flow(self, *, back: bool = False) -> Any:
        return self._pair.flow(back=back)


def measure_stages(clip: Path, folder: Path, model: Interpolator, most: int = 12) -> Stages:
    """Every stage alone, on the first `most` frames."""
    clocks = {name: Clock() for name in ("decode", "encode", "motion", "match", "new", "unit")}
    info, frames = probe(clip), list[Picture]()
    for _ in range(2):  # the first time warms up
        clocks["decode"] = Clock()
        with clocks["decode"]:
            frames = [frame.rgb for frame in islice(read_frames(clip, info=info), most)]
    model.pair(frames[0], frames[1]).at(0.5)
    coarse = tuple(padded_side(side, 8) // FLOW_SCALE for side in (info.width, info.height))
    for img0, img1 in pairwise(frames):
        with clocks["unit"]:
            dis_flow(img0, img1)
            dis_flow(img1, img0)
        with clocks["motion"]:
            first_flows(img0, img1, (coarse[0], coarse[1]))
        with clocks["match"]:
            pair = model.pair(img0, img1)
        with clocks["new"]:
            pair.at(0.5)
    with clocks["encode"], _writer(folder / "encoded.mp4", (info.width, info.height)) as writer:
        for number, frame in enumerate(frames):
            writer.write(frame, number / FPS)
    return Stages(*(_medians(clocks, len(frames), kind) for kind in ("wall", "cpu")))


def _writer(path: Path, size: tuple[int, int]) -> VideoWriter:
    return VideoWriter(path, width=size[0], height=size[1], fps=FPS)


def _medians(clocks: dict[str, Clock], frames: int, kind: str) -> dict[str, float]:
    seconds = {name: statistics.median(getattr(clock, kind)) for name, clock in clocks.items()}
    for name in ("decode", "encode"):
        seconds[name] /= frames
    seconds["match"] = max(0.0, seconds["match"] - seconds["motion"])
    return seconds


def measure_mci(frames: Sequence[Picture], factor: int) -> float:
    """Seconds of FFmpeg's minterpolate (mi_mode=mci) for a new frame."""
    frames = frames[: max(4, 3 + MCI_FRAMES // (factor - 1))]
    height, width = frames[0].shape[:2]
    graph = Graph()
    source = graph.add_buffer(width=width, height=height, format=av.VideoFormat("yuv420p"), time_base=1 / FPS)
    smooth = graph.add("minterpolate", f"fps={FPS * factor}:mi_mode=mci")
    sink = graph.add("buffersink")
    source.link_to(smooth)
    smooth.link_to(sink)
    graph.configure()
    pictures, found = [_native(frame, n) for n, frame in enumerate(frames)], 0
    started = time.perf_counter()
    for picture in (*pictures, None):
        graph.vpush(picture)
        while _pulled(graph):
            found += 1
    return (time.perf_counter() - started) / max(1, found * (factor - 1) / factor)


def _native(frame: Picture, number: int) -> av.VideoFrame:
    picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="yuv420p")
    picture.pts, picture.time_base = number, 1 / FPS
    return picture


def _pulled(graph: Graph) -> bool:
    try:
        graph.vpull()
    except (av.BlockingIOError, av.EOFError):
        return False
    return True


def measure_job(clip: Path, folder: Path, factor: int, model: str | None, device: str, threads: int | None) -> Job:
    """A whole job in a process of its own: `clip` to `factor` x its rate, with figures and previews."""
    asked = {"clip": str(clip), "folder": str(folder), "factor": factor}
    asked |= {"model": model, "device": device, "threads": threads}
    command = [sys.executable, "-m", "engine.bench_pipeline", json.dumps(asked)]
    answer = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(__file__).parent.parent, stdin=subprocess.DEVNULL, check=False
    )
    if answer.returncode:
        raise BadInputError(f"The job of the measurement broke down: {answer.stderr.strip()[-2000:]}")
    return Job(**json.loads(answer.stdout.splitlines()[-1]))


def run_job(clip: Path, folder: Path, factor: int, model: str | None, device: str, threads: int | None) -> Job:
    """The inside of `measure_job`: peak memory is that of this process."""
    interpolator = TimedModel(Interpolator.load(model, device, threads=threads))
    frames = [frame.rgb for frame in islice(read_frames(clip), 2)]
    interpolator.model.pair(*frames).at(0.5)  # a job of a warm portal does not wait for the first convolution either
    stages, marks = dict[str, float](), list[tuple[str, float, float]]()

    def on_progress(progress: Progress) -> None:
        marks.append((progress.stage, time.perf_counter(), interpolator.seconds))

    options = RenderOptions(mode="smooth", inbetween=factor - 1)
    clock = Clock()
    with clock:
        began = time.perf_counter()
        result = render_video(clip, folder, options, interpolator, on_progress=on_progress)
        marks.append(("", time.perf_counter(), interpolator.seconds))
    drawn = dict[str, float]()
    for (_, before, idle), (stage, now, busy) in pairwise([("", began, 0.0), *marks]):
        stages[stage or "previews"] = stages.get(stage or "previews", 0.0) + now - before
        drawn[stage or "previews"] = drawn.get(stage or "previews", 0.0) + busy - idle
    new = result.metrics["frames"]["new"]
    drawing, evaluated = drawn.get("interpolating", 0.0), drawn.get("evaluating", 0.0)
    pairs = new // (factor - 1)
    return Job(clock.wall[0], clock.cpu[0], stages, drawing, evaluated, new, pairs, peak_mib())


def peak_mib() -> float:
    """The most memory this process has held. Not ru_maxrss: that begins with what the process that started it held."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        from .result import peak_memory_mib

        return peak_memory_mib()


@dataclass(frozen=True)
class Row:
    """One size at one factor."""

    size: str
    factor: int
    frames: int  # of the clip
    stages: Stages
    job: Job
    mci: float | None  # seconds of minterpolate for a new frame

    def figures(self) -> dict[str, float | None]:
        """What the table shows. Ratios are of wall times, `cpu_ratio` of processor times."""
        stages, job = self.stages, self.job
        new, alone = stages.drawing(self.factor), job.new * stages.drawing(self.factor)
        network = job.new * stages.drawing(self.factor, motion=False)
        return {
            "new_ms": 1000 * new,
            "units": new / stages.wall["unit"],
            "units_cpu": stages.drawing(self.factor, cpu=True) / stages.cpu["unit"],
            "mci_ms": 1000 * self.mci if self.mci is not None else None,
            "job_s": job.wall,
            "core_s": job.core,
            "network_s": network,
            "core_over_network": job.core / network,
            "core_over_drawing": job.core / alone,
            "core_over_drawn": job.core / job.drawn,
            "job_over_drawing": job.wall / alone,
            "cpu_ratio": job.cpu / (job.new * stages.drawing(self.factor, cpu=True)),
            "peak_mib": job.peak_mib,
        }


@dataclass(frozen=True)
class Report:
    """All rows, and what they were measured on."""

    rows: list[Row]
    model: str
    machine: dict[str, Any]

    def to_markdown(self) -> str:
        stages = [
            f"{self.model}, {self.machine['processor']}, {self.machine['threads']} threads",
            "",
            *_stage_table(self.rows),
        ]
        return "\n".join([*stages, "", *_job_table(self.rows), "", *_LEGEND])

    def save(self, path: Path) -> None:
        """As JSON; seconds, MiB, ratios."""
        rows = [asdict(row) | {"figures": row.figures()} for row in self.rows]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"model": self.model, "machine": self.machine, "rows": rows}, indent=1) + "\n")


_LEGEND = [
    "unit: OpenCV's DIS-medium flow in both directions at full size. New frame: first motion and matching included.",
    "Job: without held-out figures and the previews made at its end; over drawing: over what its new frames take",
    "alone; over network: the same without the first motion; over drawn: over the time inside the model meanwhile.",
    "Whole: with figures and previews. Processor: processor time of the whole job over that of drawing alone.",
]


def _stage_table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| Size | Decode f/s | Motion pairs/s | Network pairs/s | Network new f/s | Encode f/s | Unit ms |"
    yield "|---|---|---|---|---|---|---|"
    for row in {row.size: row for row in rows}.values():
        seconds = row.stages.wall
        rates = (f"{1 / max(seconds[name], 1e-6):.1f}" for name in ("decode", "motion", "match", "new", "encode"))
        yield f"| {row.size} | {' | '.join(rates)} | {1000 * seconds['unit']:.0f} |"


def _job_table(rows: Sequence[Row]) -> Iterator[str]:
    heads = (
        "Size",
        "Factor",
        "New frame ms",
        "in units",
        "mci ms",
        "Job s",
        "over drawing",
        "over network",
        "over drawn",
    )
    yield f"| {' | '.join((*heads, 'Whole s', 'over drawing', 'Processor', 'Peak MiB'))} |"
    yield "|---" * (len(heads) + 4) + "|"
    for row in rows:
        found = row.figures()
        mci = f"{found['mci_ms']:.0f}" if found["mci_ms"] is not None else "-"
        cells = [row.size, f"{row.factor}x", f"{found['new_ms']:.0f}", f"{found['units']:.2f}", mci]
        cells += [
            f"{found['core_s']:.1f}",
            *(f"{found[f'core_over_{what}']:.2f}" for what in ("drawing", "network", "drawn")),
        ]
        cells += [f"{found['job_s']:.1f}", f"{found['job_over_drawing']:.2f}", f"{found['cpu_ratio']:.2f}"]
        yield f"| {' | '.join([*cells, f'{row.job.peak_mib:.0f}'])} |"


def run(
    sizes: Sequence[str],
    factors: Sequence[int],
    *,
    clip: Path | None = None,
    frames: int = 24,
    model: str | None = None,
    device: str = "auto",
    threads: int | None = None,
    mci: bool = True,
    say: Callable[[str], None] = lambda words: None,
) -> Report:
    """Measures all sizes (names from `SIZES`) at all factors (2-11). `say` is told in words what comes next.

    Raises:
        BadInputError, BadOptionsError, WeightsError: as rendering does, and for a size or factor that is none.
    """
    for size in sizes:
        if size not in SIZES:
            raise BadOptionsError(f'"{size}" is not a size. Choose {", ".join(SIZES)}.')
    if min(factors) < 2 or max(factors) > 11:
        raise BadOptionsError("A factor must be 2 to 11.")
    interpolator, rows = Interpolator.load(model, device, threads=threads), list[Row]()
    with tempfile.TemporaryDirectory(prefix="inbetween-bench-") as name:
        folder = Path(name)
        for size in sizes:
            film = make_clip(folder / f"{size}.mp4", SIZES[size], frames, clip)
            count = probe(film).frame_count
            say(f"{size}: {count} frames, every stage alone")
            stages = measure_stages(film, folder, interpolator)
            pictures = [frame.rgb for frame in islice(read_frames(film), 3 + MCI_FRAMES)] if mci else []
            for factor in factors:
                say(f"{size}, {factor}x: a whole job" + (", then minterpolate" if mci else ""))
                work = folder / f"{size}-{factor}x"
                job = measure_job(film, work, factor, model, device, threads)
                slow = measure_mci(pictures, factor) if mci else None
                rows.append(Row(size, factor, count, stages, job, slow))
    return Report(rows, interpolator.info.name, machine())


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    asked |= {name: Path(asked[name]) for name in ("clip", "folder")}
    sys.stdout.write(json.dumps(asdict(run_job(**asked))) + "\n")
