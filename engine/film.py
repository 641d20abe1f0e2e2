"""What is settled of a film before its first frame is drawn: sizes, format, which frames there are, what is kept."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from .analysis import Analysis, analyse_once
from .canvas import Canvas
from .carry import Carry
from .config import RenderOptions
from .draw import Frames, PairMaker
from .errors import BadOptionsError
from .files import file_sha256
from .formats import FORMATS, Encoding
from .masters import encoding_of
from .media_types import Limits
from .progress import Reporter
from .reading import Reading, reading_for
from .redraw import Redraw, read_redraw
from .segments import Segment, SegmentStore, fingerprint, split
from .timeline import Timeline, plan
from .translation import gettext as _
from .video import VideoInfo, probe

MAX_PICTURES = 12  # in-between frames of a video kept as PNG


@dataclass(frozen=True, slots=True)
class Film:
    """All that is known before the first frame is drawn."""

    source: Path
    info: VideoInfo
    options: RenderOptions
    model: PairMaker
    canvas: Canvas
    encoding: Encoding
    reading: Reading
    whole: Analysis  # all frames of the part that is used
    analysis: Analysis  # those that are drawn between
    timeline: Timeline
    even: bool  # every frame of the result is shown as long as any other
    segments: list[Segment]
    store: SegmentStore
    keep: dict[int, str]  # output frame -> name of the PNG to keep
    redraw: Redraw | None  # set when only a part is drawn anew

    @property
    def sar(self) -> Fraction:
        """Shape of the result's pixels: a chosen resolution and most formats have square ones. x264 keeps terms up to
        4096."""
        if self.options.resolution is not None or not self.encoding.format.pixel_shape:
            return Fraction(1)
        wide = self.info.sar > 1
        shape = (1 / self.info.sar if wide else self.info.sar).limit_denominator(4096)
        return 1 / shape if wide else shape

    @property
    def is_whole(self) -> bool:
        """Whether all of the source is used."""
        return self.options.trim_start is None and self.options.trim_end is None

    @property
    def keeps_sound(self) -> bool:
        return self.options.sound == "stretch" or (self.options.sound == "keep" and self.timeline.stretch == 1)

    @property
    def carry(self) -> Carry:
        """What comes along besides the picture."""
        begin = self.analysis.origin
        end = begin + self.analysis.duration if self.options.trim_end is not None else None
        return Carry(self.source, begin, end, stretch=self.timeline.stretch, sound=self.keeps_sound)

    @property
    def frames(self) -> Frames:
        return Frames(self.source, self.info, self.analysis.pts, self.canvas.inner, self.reading)


def prepare(
    source: Path,
    work_dir: Path,
    options: RenderOptions,
    model: PairMaker,
    limits: Limits | None,
    report: Reporter,
) -> Film:
    info = probe(source, limits or Limits())
    canvas = _canvas(info, options)
    encoding = encoding_of(options, canvas.outer, info.bit_depth, info)
    reading = reading_for(info, options, encoding, canvas)
    report("reading", 0, _expected_frames(info, options))
    identity = file_sha256(source)
    kept, expected = work_dir / "analysis.json", _expected_frames(info, options)
    whole = analyse_once(
        source, info, kept, identity, options, lambda done: report("reading", min(done, expected), expected)
    )
    report("reading", len(whole.pts), len(whole.pts))
    analysis = whole.edited(options.duplicates)
    timeline = plan(whole.times, whole.duration, options, analysis.times)
    if words := encoding.format.too_fast(timeline.most_fps):
        raise BadOptionsError(words)
    redraw = read_redraw(work_dir)
    segments = redraw.segments(timeline) if redraw else split(analysis, timeline)
    name = fingerprint(identity, options, model.info.sha256, model.info.arch, encoding.identity())
    store = SegmentStore(work_dir, name, encoding.format.segment, redraw.fingerprints if redraw else None)
    keep = _pictures_to_keep(analysis, timeline)
    if redraw:  # beside the pictures of the parts that are kept
        keep = {index: f"{name[:8]}_{file}" for index, file in keep.items()}
    return Film(
        source,
        info,
        options,
        model,
        canvas,
        encoding,
        reading,
        whole,
        analysis,
        timeline,
        timeline.is_even,
        segments,
        store,
        keep,
        redraw,
    )


def shape_notes(film: Film) -> list[str]:
    if film.info.sar == film.sar or film.options.resolution is not None or film.encoding.format.pixel_shape:
        return []
    width, height = film.canvas.outer
    return [
        _("This format has square pixels only: the picture is written with {width}x{height} of them.").format(
            width=width, height=height
        )
    ]


def compared_times(film: Film) -> dict[str, float]:
    """When frame0 and frame1 are shown, in seconds of the result."""
    gap, times = compared_gap(film.analysis), film.analysis.times
    start, end = (round(float(times[index] * film.timeline.stretch), 4) for index in (gap, gap + 1))
    return {"start": start, "end": end}


def _expected_frames(info: VideoInfo, options: RenderOptions) -> int:
    """About how many frames the part to use has."""
    end = min(options.trim_end or info.duration, info.duration)
    return max(2, round(info.frame_count * (end - (options.trim_start or 0)) / info.duration))


def _canvas(info: VideoInfo, options: RenderOptions) -> Canvas:
    """As chosen, else that of the source; with square pixels where the format holds no others."""
    size = (info.width, info.height)
    if options.resolution is None and not FORMATS[options.format].pixel_shape:
        return Canvas.square(size, info.sar)
    return Canvas.fit(size, options.resolution, info.sar)


def _pictures_to_keep(analysis: Analysis, timeline: Timeline) -> dict[int, str]:
    """Up to 12 frames near the middle of busy gaps over the whole film, as {output frame: file name}.

    One of them lies between the two frames that are kept for comparison.
    """
    chosen = list[int]()
    gaps = {compared_gap(analysis), *analysis.spread_gaps(MAX_PICTURES - 1)} if analysis.moving() else set()
    for gap in sorted(gaps):
        between = [index for index in timeline.indices(gap, gap + 1) if timeline.frame(index).t]
        if between:
            chosen.append(min(between, key=lambda index: abs(timeline.frame(index).t - Fraction(1, 2))))
    return {index: f"frame_{number:04d}.png" for number, index in enumerate(chosen, 1)}


def compared_gap(analysis: Analysis) -> int:
    """The gap whose two frames become frame0 and frame1."""
    return analysis.busy_gap() or 0
