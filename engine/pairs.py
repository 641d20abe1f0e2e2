"""What lies between the two of many pairs of pictures. One load of the model, and one bad pair spoils nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from .album import Picture, naming, open_album
from .canvas import scaled
from .config import MIN_SIDE, RenderOptions
from .disk import check_room
from .draw import PairMaker
from .errors import BadInputError, PictureSizesDifferError
from .media_types import Limits
from .pairing import find_pairs, only_pictures
from .pictures import AnyPicture, picture_facts, read_pixels, write_picture
from .progress import Progress, Reporter
from .translation import gettext as _


@dataclass(frozen=True, slots=True)
class PairResult:
    """frames: the pictures drawn, in order. error: why there are none, in words, else ""."""

    name: str
    frames: list[Path] = field(default_factory=list)
    error: str = ""


def interpolate_pairs(
    source: str | Path | Sequence[str | Path],
    output_dir: str | Path,
    num_interpolations: int = 1,
    *,
    resize_second: bool = False,
    model: str = "default",
    device: str = "auto",
    interpolator: PairMaker | None = None,
    limits: Limits | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[PairResult]:
    """Draws 1 to 10 pictures between the two of every pair; the model is loaded once.

    source: a folder (folders in it count), a zip, or the pictures; `find_pairs` says which belong together.
    output_dir: gets a folder for every pair with frame_01.png and so on, of the pair's own size, with 16 bits and alpha
        where the pair has them.
    A pair that cannot be drawn has its `error`, and the others are drawn all the same. So have pictures without a
    partner, and files that are no pictures.

    Raises:
        EngineError: there is no pair at all, no model, no room on the disk, or `should_stop` said so.
    """
    limits, report = limits or Limits(), Reporter(on_progress, should_stop)
    RenderOptions(inbetween=num_interpolations)  # says in words what is out of range
    given = Path(source) if isinstance(source, (str, Path)) else [Path(path) for path in source]
    with open_album(given, limits, nested=True) as album:
        pictures, others = only_pictures(album)
        failed = [PairResult(name, error=reason) for name, reason in others]
        pairs, lonely = find_pairs([picture.label for picture in pictures])
        failed += [PairResult(pictures[place].label, error=_("It has no partner.")) for place in lonely]
        if not pairs:
            raise BadInputError(" ".join([_("There are no two pictures that belong together."), *_reasons(failed)]))
        if interpolator is None:
            from .interpolator import Interpolator  # imports torch

            interpolator = Interpolator.load(model, device)
        results = list[PairResult]()
        for done, pair in enumerate(pairs):
            report("interpolating", done, len(pairs))
            two = pictures[pair.first], pictures[pair.second]
            folder = Path(output_dir) / pair.name
            try:
                frames = _draw(two, folder, num_interpolations, interpolator, limits, resize_second=resize_second)
                results.append(PairResult(pair.name, frames))
            except BadInputError as error:
                results.append(PairResult(pair.name, error=str(error)))
        report("interpolating", len(pairs), len(pairs))
    return results + failed


def _reasons(failed: Sequence[PairResult]) -> list[str]:
    return [f'"{one.name}": {one.error}' for one in failed[:3]]


def _draw(
    two: tuple[Picture, Picture],
    folder: Path,
    count: int,
    model: PairMaker,
    limits: Limits,
    *,
    resize_second: bool,
) -> list[Path]:
    img0, img1 = read_two(two, limits, resize_second=resize_second)
    folder.mkdir(parents=True, exist_ok=True)
    check_room(folder)
    drawn = model.pair(img0, img1)
    return [
        write_picture(folder / f"frame_{step:02d}.png", drawn.at(Fraction(step, count + 1)))
        for step in range(1, count + 1)
    ]


def read_two(
    two: tuple[Picture, Picture], limits: Limits, *, resize_second: bool = False
) -> tuple[AnyPicture, AnyPicture]:
    """Both of one size and kind: with 16 bits, or with alpha, if one of them has that.

    Raises:
        BadInputError: what cannot be read, by its name, or is too small. PictureSizesDifferError.
    """
    data, facts = [picture.read(-1) for picture in two], []
    for picture, one in zip(two, data, strict=True):
        with naming(picture.label):
            facts.append(picture_facts(one, limits))
    sizes = [(found.width, found.height) for found in facts]
    if min(*sizes[0], *sizes[1]) < MIN_SIDE:
        raise BadInputError(
            _("The pictures are too small: each side must be at least {min_side} pixels.").format(min_side=MIN_SIDE)
        )
    if sizes[0] != sizes[1] and not resize_second:
        (w0, h0), (w1, h1) = sizes
        raise PictureSizesDifferError(
            _("The two pictures differ in size: {w0}x{h0} and {w1}x{h1}.").format(w0=w0, h0=h0, w1=w1, h1=h1)
        )
    deep, alpha = any(found.deep for found in facts), any(found.alpha for found in facts)
    pixels = []
    for picture, one in zip(two, data, strict=True):
        with naming(picture.label):
            pixels.append(read_pixels(one, limits, deep=deep, alpha=alpha))
    return pixels[0], scaled(pixels[1], sizes[0])
