"""Interpolation without the web: `manage.py interpolate SOURCE... OUTPUT`. Needs no database."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from engine.config import RenderOptions, parse_fps, parse_resolution
from engine.errors import BadOptionsError, EngineError, PictureSizesDifferError
from engine.formats import FORMATS, format_for
from engine.interpolator import Interpolator
from engine.media_types import ZIP, sniff
from engine.pairs import interpolate_pairs
from engine.render import Progress, RenderResult, render_pictures, render_video
from engine.sequence import as_film

AS_THEY_ARE = ("sound", "trim_start", "trim_end", "loop", "duplicates", "deinterlace")  # as RenderOptions has them
FILMS_ONLY = {"trim_start": None, "trim_end": None, "sound": "keep", "duplicates": "keep", "deinterlace": "auto"}


class Command(BaseCommand):
    help = "Draw the frames between the frames of a video, or between two pictures."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "paths",
            nargs="+",
            metavar="SOURCE... OUTPUT",
            help="a video, two pictures, or a folder, a zip or a list of numbered pictures; then the file to write",
        )
        parser.add_argument(
            "--pairs", action="store_true", help="SOURCE is a folder or zip of many pairs of pictures, OUTPUT a folder"
        )
        parser.add_argument(
            "--input_fps", metavar="RATE", help="frames per second of a folder or zip of pictures; default 24"
        )
        parser.add_argument("--frames", metavar="N", help="N in-between frames, same duration, fps x (N+1); default 1")
        parser.add_argument(
            "--fps", metavar="RATE", help="exactly this frame rate, e.g. 60 or 60000/1001, same duration"
        )
        parser.add_argument(
            "--slow", metavar="N", help="N in-between frames at the source's fps: N+1 times as long; see --sound"
        )
        parser.add_argument(
            "--sound",
            default="keep",
            help="keep (default; slow motion drops it), stretch (to slow motion, at its pitch) or drop",
        )
        parser.add_argument("--trim_start", metavar="TIME", help="use the video from here on: seconds, or 1:02.5")
        parser.add_argument("--trim_end", metavar="TIME", help="use the video up to here")
        parser.add_argument("--loop", action="store_true", help="also draw the way from the last frame to the first")
        parser.add_argument(
            "--duplicates",
            default="keep",
            help="repeated frames: keep (default) as pauses, retime (even motion) or drop (and draw nothing)",
        )
        parser.add_argument("--deinterlace", default="auto", help="auto (default: interlaced video) or off")
        parser.add_argument("--resolution", metavar="WxH", help="size of the result; default the source's")
        parser.add_argument("--model", default="default", help="name of a model in models/, or a .pth file")
        parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
        parser.add_argument(
            "--format", metavar="NAME", help=f"{', '.join(FORMATS)}; default what the name of OUTPUT ends in"
        )
        parser.add_argument("--quality", default="80", metavar="N", help="0 smallest file - 100 best; default 80")
        parser.add_argument("--crf", metavar="N", help="the codec's own scale instead: 0 best, 51 or 63 worst")
        parser.add_argument(
            "--bit_depth", default="auto", help="auto (the source's where the format holds it), 8 or 10"
        )
        parser.add_argument(
            "--encoder", default="auto", help="auto (the graphics card's if there is one), software, nvenc"
        )
        parser.add_argument("--cut", default="hold", help="across a cut: hold (default) or crossfade")
        parser.add_argument("--no-held-out", action="store_true", help="do not hide real frames to measure the quality")
        parser.add_argument("--resize-second", action="store_true", help="scale the second picture to the first")
        parser.add_argument("--truth", metavar="PICTURE", help="the real picture in the middle of two, to compare with")
        parser.add_argument("--force", action="store_true", help="replace OUTPUT if it exists")

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            if not getattr(self, "_called_from_command_line", False):  # a test or another program catches it itself
                raise
            self.stderr.write(str(error), self.style.ERROR)
            sys.exit(error.returncode)

    def handle(self, *args: Any, **given: Any) -> None:
        *sources, output = (Path(path) for path in given["paths"])
        try:
            if given["pairs"]:
                return self.pairs(sources, output, given)
            options = read_options(given, output, pictures=len(sources) == 2)
            check_paths(sources, output, force=given["force"])
            check_input_fps(sources, given["input_fps"])
            with stop_on_interrupt() as stopped, progress_bar(self.stderr) as bar:
                result = self.render(sources, output, options, given, bar, stopped)
        except PictureSizesDifferError as error:
            raise CommandError(f"{error} --resize-second does that.") from error
        except EngineError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(summary(output, result))

    def render(
        self,
        sources: list[Path],
        output: Path,
        options: RenderOptions,
        given: dict[str, Any],
        bar: ProgressBar,
        stopped: list[int],
    ) -> RenderResult:
        """Renders beside the output, so that nothing is copied and an interrupted call can go on; then cleans up."""
        work_dir = output.with_name(f".{output.name}.inbetween")
        rate = parse_fps(given["input_fps"]) if given["input_fps"] else None
        film = as_film(sources[0] if len(sources) == 1 else sources, work_dir, rate) if len(sources) != 2 else None
        model = self.load(given)
        common: dict[str, Any] = {"on_progress": bar.show, "should_stop": lambda: bool(stopped)}
        if film is None:
            truth = Path(given["truth"]) if given["truth"] else None
            common |= {"truth": truth, "resize_second": given["resize_second"]}
            first, second = sources
            result = render_pictures(first, second, work_dir, options, model, **common)
        else:
            result = render_video(film, work_dir, options, model, **common)
        result.master.replace(output)
        shutil.rmtree(work_dir)
        return result

    def load(self, given: dict[str, Any]) -> Interpolator:
        """The model; what must be known of it goes to stderr."""
        model = Interpolator.load(given["model"], given["device"])
        if model.info.notice:
            self.stderr.write(model.info.notice)
        return model

    def pairs(self, sources: list[Path], output: Path, given: dict[str, Any]) -> None:
        """Every pair into a folder of its own. Raises CommandError at the end if one could not be drawn."""
        check_pairs(sources, output, given)
        count = whole(given["frames"] or 1, "in-between frames")
        model = self.load(given)
        with stop_on_interrupt() as stopped, progress_bar(self.stderr) as bar:
            results = interpolate_pairs(
                sources[0] if len(sources) == 1 else sources,
                output,
                count,
                resize_second=given["resize_second"],
                interpolator=model,
                on_progress=bar.show,
                should_stop=lambda: bool(stopped),
            )
        failed = [result for result in results if result.error]
        done = len(results) - len(failed)
        self.stdout.write(f"{output}: {done} {'pair' if done == 1 else 'pairs'}, {count} new each")
        for result in failed:
            self.stderr.write(f"{result.name}: {result.error}")
        if failed:
            raise CommandError(f"{len(failed)} of {len(results)} could not be drawn; they are named above.")


def check_pairs(sources: list[Path], output: Path, given: dict[str, Any]) -> None:
    """Raises BadOptionsError: settings that pairs do not have, or paths that cannot be used."""
    of_films = dict.fromkeys(("fps", "slow", "resolution", "truth", "input_fps")) | FILMS_ONLY | {"loop": False}
    refuse(given, of_films, "does not go with --pairs: every pair gives pictures of its own size.")
    for source in sources:
        if not source.exists():
            raise BadOptionsError(f"There is no file or folder {source}.")
    if not sources:
        raise BadOptionsError("Give a folder or a zip of pairs, and the folder to write to.")
    if output.is_file():
        raise BadOptionsError(f"{output} is a file. With --pairs the last name is a folder.")
    if output.is_dir() and any(output.iterdir()) and not given["force"]:
        raise BadOptionsError(f"{output} is not empty. Give another folder, or --force to write into it.")
    if any(source.is_dir() and output.resolve().is_relative_to(source.resolve()) for source in sources):
        raise BadOptionsError(f"{output} lies in the folder of the pairs. Give a folder elsewhere.")


def refuse(given: dict[str, Any], defaults: dict[str, Any], why: str) -> None:
    """Raises BadOptionsError for the first of these settings that was given another value than its default."""
    for name, default in defaults.items():
        if given[name] != default:
            raise BadOptionsError(f"--{name} {why}")


def check_input_fps(sources: list[Path], rate: str | None) -> None:
    """Raises BadOptionsError: a rate for what has one of its own, or none at all."""
    if rate is None:
        return
    parse_fps(rate)
    if len(sources) == 2 or (len(sources) == 1 and sources[0].is_file() and sniff(sources[0]) != ZIP):
        raise BadOptionsError("--input_fps is for a folder, a zip or a list of pictures. A video has its own rate.")


def read_options(given: dict[str, Any], output: Path, *, pictures: bool) -> RenderOptions:
    """The settings; for two pictures --fps may go with --frames, for a video the three modes exclude each other.

    Raises:
        BadOptionsError: modes that do not go together, or a value out of range.
    """
    modes = [name for name in ("frames", "fps", "slow") if given[name] is not None]
    if len(modes) > 1 and not (pictures and "slow" not in modes):
        raise BadOptionsError(f"--{modes[0]} and --{modes[1]} exclude each other. Choose one.")
    if pictures and "slow" in modes:
        raise BadOptionsError("--slow is for videos. For two pictures give --frames and, if you like, --fps.")
    if pictures:
        refuse(given, FILMS_ONLY, "is for videos, not for two pictures.")
    count = given["slow"] if given["slow"] is not None else given["frames"]
    return RenderOptions(
        mode="slow" if given["slow"] is not None else "fps" if given["fps"] is not None else "smooth",
        inbetween=whole(count, "in-between frames") if count is not None else 1,
        target_fps=parse_fps(given["fps"]) if given["fps"] is not None else None,
        resolution=parse_resolution(given["resolution"]) if given["resolution"] else None,
        model=given["model"],
        cut=given["cut"],
        crf=whole(given["crf"], "the CRF") if given["crf"] is not None else None,
        held_out=not given["no_held_out"],
        format=format_of(given["format"], output),
        quality=whole(given["quality"], "the quality"),
        bit_depth=given["bit_depth"],
        encoder=given["encoder"],
        **{name: given[name] for name in AS_THEY_ARE},
    )


def format_of(name: str | None, output: Path) -> Any:
    """What to write: as asked, else by the name of the file.

    Raises:
        BadOptionsError: the name of the file says something else, or nothing that is known.
    """
    by_suffix = format_for(output)
    if name is None or name not in FORMATS:  # an unknown name is refused by RenderOptions, with those there are
        return name or by_suffix
    if FORMATS[name].suffix != FORMATS[by_suffix].suffix:
        raise BadOptionsError(f"{name} gives {FORMATS[name].suffix} files: let {output.name} end in that.")
    return name


def whole(text: str | int, what: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise BadOptionsError(f'"{text}" is not a number for {what}. Give a whole number.') from error


def check_paths(sources: list[Path], output: Path, *, force: bool) -> None:
    """What would fail later fails now, before the model is loaded.

    Raises:
        BadOptionsError: a path that cannot be read or written, or would be overwritten. BadInputError: not a video or
        picture at all.
    """
    if not sources:
        raise BadOptionsError("Give a video and the file to write, or two pictures and the file to write.")
    for source in sources:
        if not source.is_file() and not (source.is_dir() and len(sources) == 1):
            raise BadOptionsError(f"There is no file {source}.")
        if source.is_file():
            sniff(source)
    if any(output.exists() and output.samefile(source) for source in sources):
        raise BadOptionsError(f"{output} is the source itself. Give another name for the result.")
    if output.exists() and not force:
        raise BadOptionsError(f"{output} exists already. Give another name, or --force to replace it.")
    if not output.parent.is_dir():
        raise BadOptionsError(f"There is no folder {output.parent}. Make it first.")


@contextmanager
def stop_on_interrupt() -> Iterator[list[int]]:
    """A list that is filled when Ctrl-C or a termination asks to stop; finished parts are kept."""
    received: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class ProgressBar:
    """One line on a terminal: stage, bar, frames, frames per second, time left. Elsewhere a line per stage."""

    WIDTH = 24

    def __init__(self, out: Any) -> None:
        self.out: TextIO = getattr(out, "_out", out)
        self.live = self.out.isatty()
        self.stage, self.started, self.first, self.shown = "", 0.0, 0, 0.0

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.stage != self.stage:
            self.end_line()
            self.stage, self.started, self.first = progress.stage, now, progress.frames_done
            if not self.live:
                self.out.write(f"{progress.stage}\n")
                self.out.flush()
        elif now - self.shown < 0.1 and progress.frames_done < progress.frames_total:
            return
        self.shown = now
        if self.live:
            self.out.write(f"\r{self.line(progress, now - self.started)}\x1b[K")
            self.out.flush()

    def line(self, progress: Progress, seconds: float) -> str:
        """For example "interpolating [######------] 120/240  12.3 fps  0:10 left"."""
        done, total = progress.frames_done, max(progress.frames_total, 1)
        filled = self.WIDTH * done // total
        text = f"{progress.stage:<13} [{'#' * filled}{'-' * (self.WIDTH - filled)}] {done}/{progress.frames_total}"
        new = done - self.first
        if seconds > 0.5 and new > 0:
            text += f"  {new / seconds:.1f} fps  {clock((total - done) * seconds / new)} left"
        return text

    def end_line(self) -> None:
        if self.live and self.stage:
            self.out.write("\n")


@contextmanager
def progress_bar(out: Any) -> Iterator[ProgressBar]:
    bar = ProgressBar(out)
    try:
        yield bar
    finally:
        bar.end_line()


def clock(seconds: float) -> str:
    """65 -> "1:05", 3700 -> "1:01:40"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def summary(output: Path, result: RenderResult) -> str:
    """A few lines: what was made, how long it took, how good it is where that is known."""
    frames, timing, quality = (result.metrics[key] for key in ("frames", "timing", "held_out"))
    lines = [
        f"{output}: {frames['output']} frames, {frames['new']} of them new",
        f"{clock(timing['total_s'])} in all, {timing['peak_memory_mib']:.0f} MiB at most",
    ]
    if timing["per_new_frame_ms"] is not None:
        lines[1] += f", {timing['per_new_frame_ms']:.0f} ms per new frame"
    if quality:
        psnr = f"PSNR {quality['psnr']:.2f} dB (blend {quality['blend_psnr']:.2f})"
        lines.append(f"{quality['label']}: {psnr}, SSIM {quality['ssim']:.4f}")
    else:
        lines.append(result.metrics["held_out_note"])
    lines += result.metrics["notes"]
    failed = [check for check in result.certificate.get("checks", []) if not check["ok"]]
    lines += [f"Not as expected: {check['name']} is {check['found']}, not {check['expected']}" for check in failed]
    return "\n".join(lines)
