"""What a job will cost and what should be known before it starts: time and room, learned from the jobs done here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.utils.translation import gettext as _

from engine.config import RenderOptions
from engine.formats import FORMATS, crf_for
from interpolation.models import Job, Source

from .disk import free_bytes, in_words
from .errors import LimitError
from .jobs import expected_bytes
from .limits import require_job, require_storage
from .outlook import KEPT, Estimate, estimate, guess
from .prediction import Prediction, predict

LEARNED_FROM = 40  # jobs of the same format, the latest
ENOUGH = 2  # jobs of the same source; with fewer, those of all sources count
NEW_SHARE = 0.45  # of the bytes of a source frame that one between takes, where only differences are told
# Bytes per megapixel of a frame, measured on the sample clip at the default quality; where nothing was done here yet.
FIRST_GUESS = {
    "mp4_h264": 150_000, "mp4_h265": 100_000, "mp4_av1": 70_000, "webm_vp9": 80_000, "webm_av1": 70_000,
    "mov_prores": 440_000, "mov_prores4444": 650_000, "gif": 500_000, "webp": 110_000, "png": 1_700_000,
}  # fmt: skip
MANY_GIF_FRAMES = 400
USUAL_SCREEN = 60
LONG = 1800  # seconds of rendering from which on a trial pays


@dataclass(frozen=True, slots=True)
class FileSize:
    """bytes: of the finished file. jobs: of how many finished ones it was learned; 0: a rule of thumb."""

    bytes: int
    jobs: int


@dataclass(frozen=True, slots=True)
class Advice:
    """kind: "stop" (it would be refused), "warning" or "tip". change: the setting that would put it right, and how."""

    kind: str
    words: str
    change: tuple[str, str] | None = None
    button: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """time: None for what cannot be reckoned. learned: whether the time rests on jobs of this portal."""

    time: Estimate | None
    learned: bool
    size: FileSize


@dataclass(frozen=True, slots=True)
class Preflight:
    made: Prediction
    cost: Cost
    ahead: int  # jobs that run or wait already
    warnings: list[Advice]


def preflight(source: Source, options: RenderOptions, user: User) -> Preflight:
    made = predict(source, options)
    price = cost(source, options)
    ahead = Job.objects.alive().filter(status__in=Job.LIVE).count()
    return Preflight(made, price, ahead, list(_warnings(source, options, user, made, price)))


def cost(source: Source, options: RenderOptions) -> Cost:
    learned = estimate(source, options)
    return Cost(learned or guess(source, options), learned is not None, file_size(source, options))


# -- The file ----------------------------------------------------------------------------------------------------------


def file_size(source: Source, options: RenderOptions) -> FileSize:
    """About how large the finished file will be."""
    weight = _weight(source, options)
    points = _learned(options.format)
    same = [per for pk, per in points if pk == source.pk]
    known = same if len(same) >= ENOUGH else same or [per for _pk, per in points]
    per = median(known) if known else FIRST_GUESS[options.format] * _finer(RenderOptions(format=options.format))
    return FileSize(round(per * weight / _finer(options)), len(known))


def _learned(format_name: str) -> list[tuple[Any, float]]:
    key = f"inbetween:sizes:{format_name}"
    known: list[tuple[Any, float]] | None = cache.get(key)
    if known is None:
        known = list(_points(format_name))
        cache.set(key, known, KEPT)
    return known


def _points(format_name: str) -> Iterator[tuple[Any, float]]:
    """(source, bytes per megapixel at the finest quality) of finished jobs of this format."""
    done = (
        Job.objects.filter(status=Job.Status.SUCCEEDED, master_bytes__gt=0, options__format=format_name)
        .select_related("source")
        .only("options", "master_bytes", "source__info", "source__kind")
        .order_by("-finished_at")[:LEARNED_FROM]
    )
    for job in done:
        try:
            options = RenderOptions.from_dict(job.options)
            yield job.source_id, job.master_bytes / _weight(job.source, options) * _finer(options)
        except (ValueError, TypeError, ZeroDivisionError):
            continue  # an option of before, or a source without a size: it says nothing


def _weight(source: Source, options: RenderOptions) -> float:
    """Megapixels of all frames; those between count less where only their differences are written."""
    made = predict(source, options)
    megapixels = made.size[0] * made.size[1] / 1e6
    share = NEW_SHARE if FORMATS[options.format].crf else 1.0
    return max(1e-6, megapixels * (made.frames - made.new_frames + share * made.new_frames))


def _finer(options: RenderOptions) -> float:
    """How many times smaller than at CRF 0: six steps of x264 halve a file, of the longer scales nine."""
    entry = FORMATS[options.format]
    if entry.crf is None:
        return 1.0
    level = options.crf if options.crf is not None else crf_for(entry, options.quality)
    return float(2 ** (level / (6 if entry.crf[1] == 51 else 9)))


# -- What should be known ----------------------------------------------------------------------------------------------


def repeats(source: Source) -> str:
    """The rhythm in which frames repeat: "on twos"; "" where there is none, or nobody has looked."""
    return str((source.info.get("glance") or {}).get("cadence") or "")


def _warnings(source: Source, options: RenderOptions, user: User, made: Prediction, price: Cost) -> Iterator[Advice]:
    yield from _refusals(source, options, user)
    yield from _of_source(source, options)
    yield from _of_picture(source, options, made)
    yield from _of_file(options, made, price)
    if price.time is not None and price.time.seconds > LONG and options.trim_end is None:
        yield Advice("tip", _("This takes long. Three seconds of it show within a minute whether the settings fit."))


def _refusals(source: Source, options: RenderOptions, user: User) -> Iterator[Advice]:
    needed = expected_bytes(source, options)
    try:
        require_job(user, options)
        require_storage(source.project.owner, needed)
    except LimitError as error:
        yield Advice("stop", str(error))
    free = free_bytes()
    if free - needed < settings.MIN_FREE_BYTES:
        yield Advice(
            "stop",
            _("The disk of the server has no room for this: it may need %(needed)s, and %(free)s are free.")
            % {"needed": in_words(needed), "free": in_words(free)},
        )
    elif needed > free / 2:
        yield Advice(
            "warning",
            _("This may need %(needed)s of the %(free)s that are free on the server.")
            % {"needed": in_words(needed), "free": in_words(free)},
        )


def _of_source(source: Source, options: RenderOptions) -> Iterator[Advice]:
    info, rhythm = source.info, repeats(source)
    if rhythm and options.duplicates == "keep":
        yield Advice(
            "warning",
            _("Frames repeat here (%(rhythm)s). As it is, the motion stays jerky: even it out.") % {"rhythm": rhythm},
            ("duplicates", "retime"),
            _("Even it out"),
        )
    if info.get("interlaced") and options.deinterlace == "off":
        yield Advice(
            "warning",
            _("The source is interlaced and stays so: motion will show combs."),
            ("deinterlace", "auto"),
            _("Make whole frames"),
        )
    if info.get("is_vfr") and options.mode == "smooth":
        yield Advice("tip", _("Its frame rate varies, and the result's will. For an even one choose an exact rate."))
    slow = options.mode == "slow" and source.kind == Source.Kind.VIDEO
    if info.get("audio") and slow and options.sound == "keep":
        yield Advice("tip", _("In slow motion the sound is left out."), ("sound", "stretch"), _("Stretch it"))


def _of_picture(source: Source, options: RenderOptions, made: Prediction) -> Iterator[Advice]:
    width, height = made.size
    entry = FORMATS[options.format]
    if (width % 2 or height % 2) and entry.kind == "film":
        yield Advice(
            "warning",
            _("%(width)s × %(height)s has an odd side: some players show such films badly. Even sides are safer.")
            % {"width": width, "height": height},
        )
    own = (source.info.get("width") or 0) * (source.info.get("height") or 0)
    if own and width * height > 1.1 * own:
        yield Advice("tip", _("Larger than the source: it takes longer, and shows no more than there is."))
    if source.info.get("hdr") and (entry.depths == (8,) or options.bit_depth == "8" or entry.auto_depths == (8,)):
        yield Advice(
            "warning",
            _("The source is HDR, and 8 bits show bands in skies and shadows. H.265, AV1 and ProRes hold 10."),
            ("format", "mp4_h265"),
            _("Use H.265"),
        )


def _of_file(options: RenderOptions, made: Prediction, price: Cost) -> Iterator[Advice]:
    if options.format == "gif" and made.frames > MANY_GIF_FRAMES:
        yield Advice(
            "warning",
            _("A GIF of %(frames)s frames, about %(size)s, is slow to load. WebP is much smaller.")
            % {"frames": f"{made.frames:,}", "size": in_words(price.size.bytes)},
            ("format", "webp"),
            _("Use WebP"),
        )
    entry = FORMATS[options.format]
    if too_fast := entry.too_fast(made.fps):
        yield Advice("stop", too_fast, ("format", "mp4_h264"), _("Use MP4"))
    elif entry.most_fps and made.fps > entry.most_fps:
        yield Advice(
            "warning",
            _(
                "%(label)s is shown with at most %(most)s frames a second, and these are %(fps)s: some are left out. "
                "Its length stays right."
            )
            % {"label": entry.label, "most": entry.most_fps, "fps": f"{float(made.fps):.6g}"},
            ("format", "mp4_h264"),
            _("Use MP4"),
        )
    if made.fps > Fraction(USUAL_SCREEN) + 1 and options.mode != "slow":
        yield Advice("tip", _("Most screens show %(rate)s frames a second, not more.") % {"rate": USUAL_SCREEN})
