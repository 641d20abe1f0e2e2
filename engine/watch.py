"""What is finished of a film, to be watched while the rest is drawn: a small copy of every segment.

They lie in `watch/` of the work folder as 00001.mp4 and 00001.json, which appears last, and are written in a thread
beside the drawing. When all are there they are joined to the preview of the whole film, so nothing is made twice.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from .disk import full_disk_in_words
from .errors import NoSpaceError, StoppedError
from .files import atomically
from .reading import Reading
from .remux import preview_size, preview_writer, write_direct
from .video import VideoFrame, probe, read_frames
from .video_info import VideoInfo

FOLDER = "watch"


@dataclass(frozen=True, slots=True)
class Part:
    """One finished part: its number from 1, its file, and when it is shown, in seconds of the result."""

    number: int
    path: Path
    start: Fraction
    end: Fraction


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment of which a part is to be made. sha256: of its file, so that a part of an older one is known as such."""

    number: int
    path: Path
    sha256: str
    start: Fraction
    end: Fraction


def ready_parts(work_dir: Path, after: int = 0) -> list[Part]:
    """The finished parts that follow part `after` without a gap. Cheap: it opens no film."""
    found: list[Part] = []
    while part := _read(work_dir / FOLDER, after + len(found) + 1):
        found.append(part)
    return found


def parts_made(work_dir: Path) -> int:
    """How many parts there are, ready or with a gap before them: to ask whether looking closer is worth it."""
    return sum(1 for _ in (work_dir / FOLDER).glob("*.json"))


def declare_part(work_dir: Path, number: int, sha256: str, start: Fraction, end: Fraction) -> Part:
    """Says that the file of a part, which is there, is finished."""
    path = _film(work_dir / FOLDER, number)
    words = {"sha256": sha256, "start": str(start), "end": str(end)}
    with atomically(path.with_suffix(".json")) as part:
        part.write_text(json.dumps(words))
    return Part(number, path, start, end)


def part_path(work_dir: Path, number: int) -> Path:
    """Where the file of a part belongs; its folder is made."""
    with full_disk_in_words():
        (work_dir / FOLDER).mkdir(exist_ok=True)
    return _film(work_dir / FOLDER, number)


class PartMaker:
    """Makes parts in a thread, in the order in which pieces are given. Use in a `with` block.

    fps, time_base, is_vfr: of the whole film, so that all parts are written alike and can be joined. A disk without
    room stops the thread and nothing else: `finish` makes what is missing.
    """

    def __init__(self, work_dir: Path, fps: Fraction, time_base: Fraction, *, is_vfr: bool) -> None:
        self.work_dir, self.fps, self.time_base, self.is_vfr = work_dir, fps, time_base, is_vfr
        self._look: VideoInfo | None = None  # colours and size, the same in all pieces
        self._queue: queue.SimpleQueue[Piece | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="parts", daemon=True)

    def __enter__(self) -> Self:
        with full_disk_in_words():
            (self.work_dir / FOLDER).mkdir(exist_ok=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._queue.put(None)
        self._thread.join()

    def add_all(self, pieces: list[Piece]) -> None:
        """These segments are finished."""
        for piece in pieces:
            self._queue.put(piece)

    def finish(self, pieces: list[Piece], on_part: Callable[[int], None]) -> list[Path]:
        """The files of all parts, those still missing made now. `on_part` gets the number so far, and may raise.

        Raises: what went wrong in the thread; NoSpaceError: call again when there is room.
        """
        self._queue.put(None)
        while self._thread.is_alive():
            on_part(len(ready_parts(self.work_dir)))
            self._thread.join(0.2)
        if self._error is not None and not isinstance(self._error, NoSpaceError):
            raise self._error
        for done, piece in enumerate(pieces, 1):
            if self._make(piece):
                on_part(done)
        on_part(len(pieces))
        wanted = {piece.number for piece in pieces}
        for path in (self.work_dir / FOLDER).iterdir():  # of a render with other options
            if path.stem.isdigit() and int(path.stem) not in wanted:
                path.unlink(missing_ok=True)
        return [_film(self.work_dir / FOLDER, piece.number) for piece in pieces]

    def _run(self) -> None:
        try:
            while (piece := self._queue.get()) is not None and not self._stopped.is_set():
                self._make(piece)
        except BaseException as error:  # noqa: BLE001 - raised again in finish()
            self._error = error

    def _make(self, piece: Piece) -> bool:
        """The part of one piece. False: it is there already."""
        folder = self.work_dir / FOLDER
        path = _film(folder, piece.number)
        if _words(path).get("sha256") == piece.sha256 and path.is_file():
            return False
        path.with_suffix(".json").unlink(missing_ok=True)
        if self._look is None:
            self._look = replace(probe(piece.path), fps=self.fps, is_vfr=self.is_vfr)
        look, size = self._look, preview_size(self._look)
        with preview_writer(path, size, look, self.time_base, piece.end - piece.start) as writer:
            for frame in self._frames(piece, size):
                write_direct(writer, frame, frame.pts)
        declare_part(self.work_dir, piece.number, piece.sha256, piece.start, piece.end)
        return True

    def _frames(self, piece: Piece, size: tuple[int, int]) -> Iterator[VideoFrame]:
        for frame in read_frames(piece.path, resolution=size, reading=Reading(direct=True)):
            if self._stopped.is_set():
                raise StoppedError("Stopped.")
            yield frame


def _film(folder: Path, number: int) -> Path:
    return folder / f"{number:05d}.mp4"


def _words(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.with_suffix(".json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _read(folder: Path, number: int) -> Part | None:
    path = _film(folder, number)
    words = _words(path)
    try:
        return Part(number, path, Fraction(words["start"]), Fraction(words["end"]))
    except (KeyError, ValueError, TypeError):
        return None
