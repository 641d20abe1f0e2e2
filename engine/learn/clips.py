"""Footage for training, decoded once: a clip becomes a cached block of uint8 frames plus what moves between them.

A clip comes from a folder of consecutive frames or from a video file. Its cache folder holds `frames.bin`, which is
(N, H, W, 3) RGB uint8, `motion.npy` and `clip.json`. Videos are read by `engine.video`. No torch.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import BadInputError, NoSpaceError
from ..media_types import Limits
from ..translation import gettext as _
from ..video import Reading, VideoInfo, probe, read_frames

Picture = NDArray[Any]  # RGB uint8

PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"}
VIDEO_SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".ts", ".y4m", ".mpg", ".mpeg", ".ogv", ".gif"}
LARGE = Limits(max_bytes=1 << 50, max_frames=100_000_000)  # footage comes from who runs the portal, not from uploads

CACHE_VERSION = 3
MAX_SHORT_SIDE = 720  # larger frames are shrunk by a whole factor (area filter), which also hides compression
CELL = 32  # px of the cached frame per cell of the motion map
ANALYSIS_SIDE = 320  # px, long side of the small grey pictures that motion is measured on
BLOCK = 60  # frames in a row that are taken from a video too long to keep whole
KEEP_FREE = 512 << 20  # bytes left on the disk that holds the cache

CUT_RESIDUAL = 14.0  # grey levels left after motion compensation: more, and four times the usual, is a cut
LIGHT_CHANGE = 20.0  # grey levels between two frames that lamps and exposure explain
DUPLICATE_DIFF = 0.15  # grey levels: less is the same picture again


@dataclass(frozen=True)
class ClipLimits:
    """What to take of a clip."""

    max_frames: int = 600
    include_hdr: bool = False


@dataclass
class Clip:
    """N frames of one size on disk, and what happens between frame n and n + 1.

    motion (N-1, ceil(H/32), ceil(W/32)) float16: mean displacement in each cell, pixels of the cached frame.
    peak (N-1,): 90th percentile of the displacement, pixels.  residual (N-1,): grey levels motion cannot explain.
    broken (N-1,): True where frame n + 1 does not follow n in time: cut, repeated frame, gap in the time stamps.
    """

    name: str
    folder: Path
    count: int
    height: int
    width: int
    peak: NDArray[np.float32]
    residual: NDArray[np.float32]
    broken: NDArray[np.bool_]
    motion: NDArray[np.float16]
    _frames: Picture | None = field(default=None, repr=False)

    @property
    def frames(self) -> Picture:
        """(N, H, W, 3) RGB uint8, all frames, memory-mapped and read-only; for looking at, `crop` is for training."""
        if self._frames is None:
            shape = (self.count, self.height, self.width, 3)
            self._frames = np.memmap(self.folder / "frames.bin", dtype=np.uint8, mode="r", shape=shape)
        return self._frames

    def __getstate__(self) -> dict[str, Any]:
        """For other processes: they map the file themselves instead of being sent its gigabytes."""
        return {**self.__dict__, "_frames": None}

    def crop(self, indices: Sequence[int], top: int, left: int, size: int) -> list[Picture]:
        """Square crops (size, size, 3) of the named frames.

        Read, not mapped: pages of a map would count as this process's memory, which is limited.
        """
        file, row = self.folder / "frames.bin", self.width * 3
        bands = (np.fromfile(file, np.uint8, size * row, offset=(n * self.height + top) * row) for n in indices)
        return [band.reshape(size, self.width, 3)[:, left : left + size] for band in bands]


@dataclass
class _Facts:
    """What `clip.json` says."""

    name: str
    count: int
    height: int
    width: int
    peak: list[float]
    residual: list[float]
    broken: list[bool]


def open_clip(path: Path, name: str, cache_dir: Path, limits: ClipLimits) -> Clip:
    """The cached clip of a video file or of a folder of frames; decoded now if it was not before.

    Raises:
        BadInputError: fewer than three frames, frames of different sizes, HDR (unless wanted), unreadable.
        NoSpaceError: the cache's disk is full.
    """
    files = frame_files(path) if path.is_dir() else [path]
    folder = cache_dir / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', path.name)[:40]}-{_fingerprint(files, limits)}"
    if not (folder / "clip.json").exists():
        source = _read_folder(files) if path.is_dir() else _read_video(path, limits)
        try:
            _build(source, name, folder)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise NoSpaceError(
                    _("No room left in {cache_dir} for the decoded frames of {path}.").format(
                        cache_dir=cache_dir, path=path.name
                    )
                ) from error
            raise
    return _load(folder, name)


def frame_files(folder: Path) -> list[Path]:
    """The pictures directly in `folder`, in the order of their numbers."""
    files = [file for file in folder.iterdir() if file.suffix.lower() in PICTURE_SUFFIXES and file.name[0] != "."]
    return sorted(files, key=_by_number)


def _by_number(file: Path) -> list[int | str]:
    """frame_2 before frame_10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", file.name)]


def _fingerprint(files: Sequence[Path], limits: ClipLimits) -> str:
    """Changes when a file does, or what is taken of it."""
    digest = hashlib.sha256(repr((CACHE_VERSION, MAX_SHORT_SIDE, limits.max_frames, limits.include_hdr)).encode())
    for file in files:
        stat = file.stat()
        digest.update(f"{file.resolve()}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:20]


def _load(folder: Path, name: str) -> Clip:
    facts = _Facts(**json.loads((folder / "clip.json").read_text()))
    return Clip(
        name=name,
        folder=folder,
        count=facts.count,
        height=facts.height,
        width=facts.width,
        peak=np.array(facts.peak, np.float32),
        residual=np.array(facts.residual, np.float32),
        broken=np.array(facts.broken, np.bool_),
        motion=np.load(folder / "motion.npy"),
    )


# --- reading -------------------------------------------------------------------------------------------------------


def _read_folder(files: Sequence[Path]) -> Iterator[tuple[Picture, bool]]:
    """(frame, follows the one before) of numbered pictures; a missing number is a gap."""
    numbers = [int(found[-1]) if (found := re.findall(r"\d+", file.stem)) else None for file in files]
    steps = [b - a for a, b in pairwise(numbers) if a is not None and b is not None]
    usual = min(steps, default=1)
    for index, file in enumerate(files):
        picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if picture is None:
            raise BadInputError(_("{file} cannot be read as a picture.").format(file=file))
        before, number = numbers[index - 1] if index else None, numbers[index]
        yield cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), before is None or number is None or number - before == usual


def _read_video(path: Path, limits: ClipLimits) -> Iterator[tuple[Picture, bool]]:
    """(frame, follows the one before) of a video, read as for a render: upright, whole where it is interlaced, with the
    colours of `engine.colour`. Of a long one, blocks of 60 frames spread over its length."""
    try:
        info = probe(path, LARGE)
        if info.hdr and not limits.include_hdr:
            raise BadInputError(_("it is HDR; left out: its tone curve would be learned as if it were SDR."))
        yield from _follow(_blocks(path, info, limits.max_frames))
    except BadInputError as error:
        raise BadInputError(f"{path.name}: {error}") from error


def _blocks(path: Path, info: VideoInfo, most: int) -> Iterator[tuple[Picture, Fraction]]:
    """(RGB frame, seconds) of at most `most` frames."""
    starts, length = [Fraction(0)], most
    if info.frame_count > most * 1.1:
        count = max(1, most // BLOCK)
        starts, length = [info.duration * block / count for block in range(count)], min(BLOCK, most)
    for start in starts:
        frames = read_frames(path, start=start, info=info, limits=LARGE, reading=Reading(fields=info.field_order))
        yield from ((frame.rgb, frame.pts) for frame in islice(frames, length))


def _follow(frames: Iterator[tuple[Picture, Fraction]]) -> Iterator[tuple[Picture, bool]]:
    """Turns time stamps into "follows the one before": the step is within 40 % of the smallest of the last few."""
    last: Fraction | None = None
    steps: list[Fraction] = []
    for picture, time in frames:
        if last is None:
            yield picture, True
        else:
            step = time - last
            steps = [*steps, step][-9:] if step > 0 else steps
            yield picture, step > 0 and step <= sorted(steps)[len(steps) // 2] * Fraction(14, 10)
        last = time


# --- caching -------------------------------------------------------------------------------------------------------


def _build(source: Iterator[tuple[Picture, bool]], name: str, folder: Path) -> None:
    """Writes the cache folder under a temporary name and renames it, so that it exists complete or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
    try:
        facts, motion = _write(source, name, work)
        np.save(work / "motion.npy", motion)
        (work / "clip.json").write_text(json.dumps(asdict(facts)))
        try:
            work.rename(folder)
        except OSError as error:  # another process was quicker with the same clip
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write(source: Iterator[tuple[Picture, bool]], name: str, work: Path) -> tuple[_Facts, NDArray[np.float16]]:
    """Streams the frames to `frames.bin` and measures what moves between neighbours."""
    between = Between()
    follows: list[bool] = []
    size: tuple[int, ...] | None = None
    with (work / "frames.bin").open("wb") as out:
        for picture, linked in source:
            if size is None:
                size = picture.shape
            elif picture.shape != size:
                words = _("{name}: frames of different sizes ({first} and {other}). Those of one clip must be alike.")
                first, other = (f"{width}x{height}" for height, width, *_channels in (size, picture.shape))
                raise BadInputError(words.format(name=name, first=first, other=other))
            small = shrink(picture)
            if len(follows) % 16 == 0 and shutil.disk_usage(work).free < KEEP_FREE + 16 * small.nbytes:
                raise NoSpaceError(
                    _(
                        "Less than {keep} MB would be left in {folder}. Free some space, or set INBETWEEN_FRAME_CACHE "
                        "to a larger disk."
                    ).format(keep=KEEP_FREE >> 20, folder=work.parent)
                )
            out.write(small.tobytes())
            between.add(small)
            follows.append(linked)
    if len(follows) < 3:
        raise BadInputError(
            _("{name} has {count} frames; at least 3 consecutive ones are needed for training.").format(
                name=name, count=len(follows)
            )
        )
    broken = find_breaks(np.array(between.diff), np.array(between.residual), np.array(between.peak)) | ~np.array(
        follows[1:]
    )
    height, width = small.shape[:2]
    facts = _Facts(name, len(follows), height, width, between.peak, between.residual, broken.tolist())
    return facts, np.stack(between.motion).astype(np.float16)


def shrink(picture: Picture) -> Picture:
    """By the smallest whole factor that brings the short side to 720 px or less; as it is when it is small enough."""
    height, width = picture.shape[:2]
    factor = -(-min(height, width) // MAX_SHORT_SIDE)
    if factor == 1:
        return picture
    even = picture[: height // factor * factor, : width // factor * factor]
    return cv2.resize(even, (width // factor, height // factor), interpolation=cv2.INTER_AREA)


class Between:
    """Measures each frame against the one before, on small grey pictures."""

    def __init__(self) -> None:
        self.diff: list[float] = []
        self.residual: list[float] = []
        self.peak: list[float] = []
        self.motion: list[NDArray[np.float32]] = []
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._last: Picture | None = None

    def add(self, picture: Picture) -> None:
        height, width = picture.shape[:2]
        scale = min(1.0, ANALYSIS_SIDE / max(height, width))
        small = cv2.resize(
            picture, (max(16, round(width * scale)), max(16, round(height * scale))), interpolation=cv2.INTER_AREA
        )
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        if self._last is not None:
            flow = self._flow.calc(self._last, grey, np.zeros((*grey.shape, 2), np.float32))
            shift = cv2.magnitude(flow[..., 0], flow[..., 1]) * (width / grey.shape[1])
            self.diff.append(float(cv2.absdiff(self._last, grey).mean()))
            self.residual.append(_unexplained(self._last, grey, flow))
            self.peak.append(float(np.percentile(shift, 90)))
            self.motion.append(cv2.resize(shift, (-(-width // CELL), -(-height // CELL)), interpolation=cv2.INTER_AREA))
        self._last = grey


def _unexplained(first: Picture, second: Picture, flow: NDArray[Any]) -> float:
    """Mean grey levels by which `second`, moved back along `flow`, differs from `first`; light may change a little."""
    height, width = first.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    back = cv2.remap(second, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    error = first.astype(np.float32) - back
    return float(np.abs(error - np.clip(np.median(error), -LIGHT_CHANGE, LIGHT_CHANGE)).mean())


def find_breaks(diff: NDArray[Any], residual: NDArray[Any], peak: NDArray[Any]) -> NDArray[np.bool_]:
    """True at n where frame n + 1 does not carry on the motion of frame n: a cut, or a frame shown again.

    A cut leaves a residual that is high and stands out of its neighbours'. A repeated frame has hardly any difference,
    or no motion between two neighbours that move.
    """
    count = len(diff)
    broken = np.zeros(count, np.bool_)
    for n in range(count):
        around = [k for k in range(max(0, n - 4), min(count, n + 5)) if k != n]
        usual = float(np.median(residual[around])) if around else 0.0
        cut = residual[n] > CUT_RESIDUAL and residual[n] > 4 * usual
        beside = [k for k in (n - 1, n + 1) if 0 <= k < count]
        moving = bool(beside) and min(peak[k] for k in beside) > 0.5
        stutter = moving and peak[n] < 0.15 * min(peak[k] for k in beside)
        broken[n] = cut or diff[n] < DUPLICATE_DIFF or stutter
    return broken
