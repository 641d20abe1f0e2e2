"""What a render leaves behind, and the small files of it: stills, flow pictures, figures."""

from __future__ import annotations

import json
import resource
import shutil
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Any

import cv2

from .canvas import Canvas, scaled
from .checkpoint import ModelInfo
from .disk import full_disk_in_words
from .draw import Pair, Picture
from .evidence import HeldOutPictures
from .files import atomically
from .motion import farneback_flow, flow_to_picture, resize_flow
from .pictures import write_picture

POSTER_WIDTH = 960  # pixels
Stills = tuple[Path, Path, Path]  # poster, frame0, frame1
FLOW_SIDE = 1920  # pixels: at 8K Farneback would take a minute and 2 GB, and nobody sees more of a flow


@dataclass(frozen=True, slots=True)
class RenderResult:
    """Files of a finished render, all in its work folder. Times are seconds of the result.

    frame0, frame1: the pictures for the comparison slider: both sources, or of a video a pair of neighbours from a busy
    moment. frames: in-between pictures with their times: all of them for two pictures, up to 12 for a video.
    flow_model: None when the model knows no motion. motions: motion fields, timed (`evidence.write_motion`).
    worst: pictures of the held-out frames that came out worst. metrics, certificate: see docs/video.md.
    """

    master: Path
    preview: Path
    source_preview: Path | None
    poster: Path
    frame0: Path | None
    frame1: Path | None
    frames: list[tuple[Path, float]]
    flow_farneback: Path
    flow_model: Path | None
    pictures_zip: Path
    metrics: dict[str, Any]
    certificate: dict[str, Any]
    model: ModelInfo
    motions: list[tuple[Path, float]] = field(default_factory=list)
    worst: list[HeldOutPictures] = field(default_factory=list)


def write_stills(work_dir: Path, canvas: Canvas, img0: Picture, img1: Picture) -> Stills:
    """poster.jpg (of img0), frame0.png and frame1.png."""
    first, second = canvas.place(img0), canvas.place(img1)
    frame0 = write_picture(work_dir / "frame0.png", first)
    frame1 = write_picture(work_dir / "frame1.png", second)
    return write_poster(work_dir, first), frame0, frame1


def write_poster(work_dir: Path, picture: Picture) -> Path:
    """poster.jpg, at most 960 pixels wide."""
    height, width = picture.shape[:2]
    if width > POSTER_WIDTH:
        size = (POSTER_WIDTH, max(1, round(height * POSTER_WIDTH / width)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return write_picture(work_dir / "poster.jpg", picture)


def write_flows(work_dir: Path, img0: Picture, img1: Picture, pair: Pair) -> tuple[Path, Path | None]:
    """flow_farneback.png and, if the model has one, flow_model.png."""
    return write_farneback(work_dir, img0, img1), write_model_flow(work_dir, pair)


def write_farneback(work_dir: Path, img0: Picture, img1: Picture) -> Path:
    """flow_farneback.png: motion img0 -> img1, hue is direction. Neither side is longer than FLOW_SIDE."""
    size = _flow_size(*img0.shape[:2])
    flow = farneback_flow(scaled(img0, size), scaled(img1, size))
    return write_picture(work_dir / "flow_farneback.png", flow_to_picture(flow))


def write_model_flow(work_dir: Path, pair: Pair) -> Path | None:
    """flow_model.png: the same as the model found it, or None if it knows no motion."""
    flow = pair.flow()
    if flow is None:
        return None
    picture = flow_to_picture(resize_flow(flow, _flow_size(*flow.shape[:2])))
    return write_picture(work_dir / "flow_model.png", picture)


def _flow_size(height: int, width: int) -> tuple[int, int]:
    shrink = min(1.0, FLOW_SIDE / max(width, height))
    return max(1, round(width * shrink)), max(1, round(height * shrink))


def write_zip(work_dir: Path, entries: Sequence[tuple[Path, str]]) -> Path:
    """pictures.zip from (file, name in the zip). PNGs are packed already, so they are only stored."""
    path = work_dir / "pictures.zip"
    with atomically(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for file, name in entries:
            archive.write(file, name)
    return path


def write_json(path: Path, data: dict[str, Any]) -> None:
    with atomically(path) as part:
        part.write_text(json.dumps(data, indent=1, allow_nan=False))


def remove_halves(work_dir: Path) -> None:
    """Deletes the unfinished files (".master.123.mp4") that a killed attempt could not take back."""
    films, stills = (
        ("master", "preview", "source_preview", "slower", "only"),
        ("poster", "frame0", "frame1", "flow_*", "motion"),
    )
    for name in (*films, *stills, "pictures", "metrics", "certificate", "analysis"):
        for path in work_dir.glob(f".{name}.*"):
            path.unlink(missing_ok=True)


def fresh_folder(path: Path) -> Path:
    """An empty folder, whatever was there."""
    shutil.rmtree(path, ignore_errors=True)
    with full_disk_in_words():
        path.mkdir(parents=True)
    return path


def timing(total_s: float, drawing_s: float, new_ms: Sequence[float]) -> dict[str, Any]:
    """total_s: the whole job; drawing_s: reading, drawing and encoding alone; new_ms: of every frame the model drew."""
    return {
        "total_s": round(total_s, 3),
        "per_new_frame_ms": round(median(new_ms), 3) if new_ms else None,
        "per_new_frame_ms_mean": round(fmean(new_ms), 3) if new_ms else None,
        "new_frames_per_second": round(len(new_ms) / drawing_s, 3) if new_ms and drawing_s > 0 else None,
        "peak_memory_mib": round(peak_memory_mib(), 1),
    }


def peak_memory_mib() -> float:
    """The most memory this process has held since it started."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
