"""Held-out evaluation: hide a real frame, draw it again from its neighbours, compare with the real one.

Between two frames of a video there is no truth to compare with. But every second frame can play the truth: the model
gets only the frames before and after it, twice as far apart as in the job itself, so the figures are on the safe side.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from statistics import fmean
from typing import Any

from .analysis import Analysis
from .draw import Frames, PairMaker, Picture
from .evidence import Worst
from .metrics import blend, psnr, ssim
from .pipeline import ReadAhead
from .sampling import most_samples
from .translation import gettext as _


def sample_frames(analysis: Analysis, within: tuple[Fraction, Fraction] | None = None) -> list[int]:
    """The frames to hide, spread over the film, or over what is shown `within` (start, end) seconds of the source;
    never beside a cut or a duplicate, and no two in a row."""
    gaps = analysis.gaps
    possible, last = list[int](), -1
    for number in range(1, len(gaps)):
        if not gaps[number - 1].still and not gaps[number].still and number > last + 1:
            last = number
            if within is None or within[0] <= analysis.times[number] < within[1]:
                possible.append(number)
    count = min(len(possible), most_samples(len(gaps)))
    return [possible[(2 * index + 1) * len(possible) // (2 * count)] for index in range(count)]


def held_out(
    frames: Frames,
    analysis: Analysis,
    model: PairMaker,
    on_sample: Callable[[int, int], None],
    stretch: int = 1,
    within: tuple[Fraction, Fraction] | None = None,
    worst: Worst | None = None,
) -> tuple[dict[str, Any] | None, str]:
    """(figures, "") or (None, why there are none). Times, also `within`, are seconds of the result; frames are numbers
    in the source.

    `on_sample(done, total)` is called before every sample and at the end, and may raise to stop. `worst` sees all
    frames.
    """
    numbers = sample_frames(analysis, (within[0] / stretch, within[1] / stretch) if within else None)
    if not numbers:
        return None, _why_none(analysis) if within is None else _("In this part there is no frame that can be hidden.")
    times, judged = analysis.times, list[Future[dict[str, Any]]]()
    with (
        ReadAhead((frames.some(range(number - 1, number + 2)) for number in numbers), depth=1) as threes,
        ThreadPoolExecutor(1, "judge") as judge,  # figures are worked out while the next frame is drawn
    ):
        for number, (before, truth, after) in zip(numbers, threes, strict=False):
            on_sample(len(judged), len(numbers))
            t = (times[number] - times[number - 1]) / (times[number + 1] - times[number - 1])
            drawn = model.pair(before, after).at(t)
            if judged:
                judged[-1].result()  # no more than one waits
            sample = {"time": round(float(times[number] * stretch), 4), "frame": analysis.numbers[number]}
            judged.append(judge.submit(_judge, sample, drawn, (before, truth, after), float(t), worst))
    samples = [one.result() for one in judged]
    on_sample(len(numbers), len(numbers))
    return summary("held-out", samples), ""


def _judge(
    sample: dict[str, Any], drawn: Picture, three: tuple[Picture, Picture, Picture], t: float, worst: Worst | None
) -> dict[str, Any]:
    """`sample` with its figures; three: the frames before, at and after `t`."""
    before, truth, after = three
    figures = compare(drawn, truth, before, after, t)
    if worst is not None:
        worst.look(sample["frame"], sample["time"], figures["psnr"], drawn, truth)
    return sample | figures


def compare(drawn: Picture, truth: Picture, before: Picture, after: Picture, t: float) -> dict[str, float]:
    """PSNR and SSIM of a drawn frame against the true one, and the PSNR a plain blend of its neighbours reaches."""
    return {
        "psnr": round(psnr(drawn, truth), 3),
        "ssim": round(ssim(drawn, truth), 5),
        "blend_psnr": round(psnr(blend(before, after, t), truth), 3),
    }


def summary(label: str, samples: list[dict[str, Any]]) -> dict[str, Any]:
    """The samples with the mean of each figure."""
    means = {key: fmean(sample[key] for sample in samples) for key in ("psnr", "ssim", "blend_psnr")}
    return {
        "label": label,
        "psnr": round(means["psnr"], 3),
        "ssim": round(means["ssim"], 5),
        "blend_psnr": round(means["blend_psnr"], 3),
        "samples": samples,
    }


def _why_none(analysis: Analysis) -> str:
    if len(analysis.pts) < 3:
        return _("The video is too short: a frame can be hidden and drawn again only between two others.")
    return _("Every frame lies beside a cut or repeats its neighbour, so none can be hidden and drawn again.")
