"""Repeated frames: kept as pauses, evened out so that motion is even, or taken out; where the thing is, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction as F
from itertools import chain, cycle, islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.checkpoint import ModelInfo
from engine.config import RenderOptions
from engine.errors import BadOptionsError
from engine.render import RenderResult, render_video
from engine.retime import cadence, drawings, keys, merged, times_of
from engine.scenes import Gap
from tests.engine.clips import film
from tests.engine.footage import Picture, decoded

RATE = 24
STEP = 4  # pixels the thing moves from one drawing to the next
SIZE = (160, 64)  # width, height

TWOS, THREES, TELECINE, PULLDOWN = (2,), (3,), (1, 1, 1, 2), (2, 3)


def gaps_of(holds: Sequence[int], cuts: Sequence[int] = ()) -> list[Gap]:
    """Gaps of drawings held so long; cuts: the drawings that begin a new shot."""
    found = list[Gap]()
    for number, hold in enumerate(holds):
        if number:
            found.append(Gap(number in cuts, False, 1.0))
        found += [Gap(False, True, 0.0)] * (hold - 1)
    return found


def evened(holds: Sequence[int], cuts: Sequence[int] = (), rate: int = RATE) -> list[tuple[int, F]]:
    gaps = gaps_of(holds, cuts)
    times = [F(index, rate) for index in range(len(gaps) + 1)]
    found = keys(gaps, times, F(len(times), rate))
    moments = times_of(found, times, F(len(times), rate))
    assert moments == [key.place / rate for key in found]
    return [(key.number, key.place) for key in found]


@pytest.mark.parametrize("hold", [1, 2, 3, 4])
def test_drawings_in_an_even_rhythm_stay_where_they_are(hold: int) -> None:
    assert evened([hold] * 10) == [(hold * index, hold * index) for index in range(10)]


def test_one_repeated_frame_in_five_is_spread_over_the_others() -> None:
    assert evened([1, 1, 1, 2] * 3) == [
        (number, F(5 * index, 4)) for index, number in enumerate([0, 1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13])
    ]


def test_twos_and_threes_in_turn_become_even() -> None:
    assert [place for _, place in evened([2, 3] * 4)] == [F(5 * index, 2) for index in range(8)]


def test_a_frame_repeated_once_a_second_is_found_as_a_rhythm() -> None:
    assert [place for _, place in evened(([1] * 23 + [2]) * 3)] == [F(25 * index, 24) for index in range(72)]


def test_ones_then_twos_stay_where_they_were_drawn() -> None:
    assert [place for _, place in evened([1] * 8 + [2] * 8)] == [*range(8), *range(8, 24, 2)]


def test_an_uneven_mix_stays_where_it_was_drawn() -> None:
    holds = [2, 1, 3, 2, 4, 1, 1, 3]
    assert evened(holds) == [(sum(holds[:index]), sum(holds[:index])) for index in range(8)]


@pytest.mark.parametrize("holds", [[1, 1, 1, 2] * 9, [2, 3] * 9, [3, 3, 2] * 9 + [1] * 9, [4, 3, 4, 4] * 5 + [2] * 7])
def test_no_drawing_moves_by_a_frame_or_more_and_all_stay_in_order(holds: list[int]) -> None:
    found = evened(holds)
    assert all(abs(place - number) < 1 for number, place in found)
    assert all(after > before for (_, before), (_, after) in pairwise(found))


def test_a_pause_stays_a_pause_and_ends_as_long_before_the_next_drawing_as_the_rhythm_has_it() -> None:
    found = evened([2, 2, 2, 9, 2, 2, 2])
    assert [number for number, _ in found] == [0, 2, 4, *range(6, 14), 15, 17, 19]
    assert all(number == place for number, place in found)


def test_a_hold_of_five_frames_is_a_pause_at_24_but_a_rhythm_at_60() -> None:
    assert [number for number, _ in evened([5] * 4, rate=24)] == list(range(20))
    assert [number for number, _ in evened([5] * 4, rate=60)] == [0, 5, 10, 15]


def test_a_new_shot_begins_when_it_did() -> None:
    """The last frame before a cut stays, so a held drawing is not shown late and the cut does not move."""
    assert evened([2, 2, 3, 1, 1, 1, 2, 1], cuts=[3]) == [
        (0, 0), (2, 2), (4, 4), (6, 6), (7, 7), (8, 8), (9, 9), (10, 10), (12, 12),
    ]  # fmt: skip


def test_what_lies_between_two_drawings_is_their_motion() -> None:
    gaps = [Gap(False, True, 0.0), Gap(False, True, 0.1), Gap(True, False, 5.0, True)]
    assert merged(gaps, 0, 3) == Gap(True, False, 5.0, True)
    assert merged(gaps, 0, 2) == Gap(False, True, 0.1)


def test_a_variable_rate_keeps_its_timing() -> None:
    gaps = gaps_of([1, 1, 1, 2] * 2)
    times = [F(index * index, 10) for index in range(10)]
    found = keys(gaps, times, F(10))
    assert times_of(found, times, F(10))[:3] == [0, times[1] + (times[2] - times[1]) / 4, (times[2] + times[3]) / 2]


@pytest.mark.parametrize(
    ("holds", "label", "share"),
    [
        ([1] * 20, "on ones", 1.0),
        ([2] * 20, "on twos", 1.0),
        ([3] * 20, "on threes", 1.0),
        ([4] * 9, "on fours", 1.0),
        ([1, 1, 1, 2] * 6, "4 drawings in 5 frames", 1.0),
        ([2, 3] * 6, "2 drawings in 5 frames", 1.0),
        ([2] * 24 + [1, 1], "on twos", 0.96),
        ([2] * 10 + [40] + [2] * 10, "on twos", 1.0),
    ],
)
def test_the_rhythm_has_a_name_and_a_share(holds: list[int], label: str, share: float) -> None:
    gaps = gaps_of(holds)
    times = [F(index, RATE) for index in range(len(gaps) + 1)]
    found = cadence(gaps, times, F(len(times), RATE))
    assert found is not None
    assert (found["label"], found["share"]) == (label, share)
    assert found["repeated"] == sum(holds) - len(holds)


def test_a_still_film_has_no_rhythm() -> None:
    assert cadence(gaps_of([30]), [F(index) for index in range(30)], F(30)) is None
    assert drawings(gaps_of([30])) == [0]


class Tracker:
    """A model that knows the scene: it finds the thing in both frames and draws it where it is between them."""

    arithmetic = ""

    def __init__(self) -> None:
        self.info = ModelInfo("tracker", "tracker", None, "tracker-1", 0, trained=False)

    def pair(self, img0: Picture, img1: Picture) -> Tracked:
        return Tracked(place(img0), place(img1), img0.shape)


class Tracked:
    def __init__(self, start: float, end: float, shape: tuple[int, ...]) -> None:
        self.start, self.end, self.shape = start, end, shape

    def at(self, t: float | F) -> Picture:
        return scene(self.start + float(t) * (self.end - self.start))

    def flow(self, *, back: bool = False) -> None:
        return None


def scene(x: float) -> Picture:
    """A bright bar over a soft ground; its centre is at column x, to a tenth of a pixel."""
    columns = np.arange(SIZE[0])
    bar = np.clip(10.5 - np.abs(columns - x), 0, 1)
    ground = 70 + 20 * np.sin(columns / 17)
    row = ground + bar * (230 - ground)
    return np.repeat(np.rint(np.tile(row, (SIZE[1], 1)))[..., None], 3, axis=2).astype(np.uint8)


def place(picture: Picture) -> float:
    """The column the bar is at."""
    weight = np.clip(picture[..., 1].astype(float).mean(0) - 110, 0, None)
    return float((weight * np.arange(SIZE[0])).sum() / weight.sum())


def animation(path: Path, holds: Sequence[int], rate: F | int = RATE) -> Path:
    """Drawing number n has the bar at 20 + 4n. Compressed as films are: repeated frames are not the same any more."""
    pictures = chain.from_iterable([scene(20 + STEP * number)] * hold for number, hold in enumerate(holds))
    return film(path, list(pictures), rate=rate, options={"crf": "24", "preset": "veryfast"})


def render(source: Path, folder: Path, **given: Any) -> RenderResult:
    return render_video(source, folder, RenderOptions(crf=4, held_out=False, **given), Tracker())


def places(result: RenderResult) -> list[tuple[F, float]]:
    return [(time, place(rgb)) for time, rgb in decoded(result.master)]


EVERY_RHYTHM = [(rhythm, {"inbetween": 1}) for rhythm in ((1,), TWOS, THREES, (4,), TELECINE, PULLDOWN)]
EVERY_MODE = [(PULLDOWN, {"inbetween": 3}), (TWOS, {"mode": "slow"}), (TELECINE, {"mode": "fps", "target_fps": 60})]


@pytest.mark.parametrize(("rhythm", "given"), [*EVERY_RHYTHM, *EVERY_MODE])
def test_evened_out_the_thing_is_where_even_motion_puts_it(
    tmp_path: Path, rhythm: tuple[int, ...], given: dict[str, Any]
) -> None:
    holds = list(islice(cycle(rhythm), 12))
    result = render(animation(tmp_path / "a.mp4", holds), tmp_path / "out", duplicates="retime", **given)
    stretch = 2 if given.get("mode") == "slow" else 1
    drawing = F(sum(rhythm), len(rhythm) * RATE) * stretch  # seconds
    found = places(result)
    assert [x for _, x in found] == pytest.approx([20 + STEP * min(float(t / drawing), 11) for t, _ in found], abs=0.35)
    assert result.certificate["ok"], result.certificate
    frames = sum(holds) * (given.get("inbetween", 1) + 1)
    assert len(found) == (round(F(sum(holds), RATE) * 60) if "target_fps" in given else frames)
    duration = next(check for check in result.certificate["checks"] if check["name"] == "duration")
    assert abs(F(duration["found"]) - F(sum(holds), RATE) * stretch) <= F(1, 120)


def test_kept_the_thing_stops_with_every_drawing(tmp_path: Path) -> None:
    result = render(animation(tmp_path / "a.mp4", [2] * 10), tmp_path / "out")
    expected = [20 + STEP * (index // 4 + (0.5 if index % 4 == 3 and index < 36 else 0)) for index in range(40)]
    assert [x for _, x in places(result)] == pytest.approx(expected, abs=0.35)
    assert result.metrics["cadence"]["label"] == "on twos"
    assert result.metrics["cadence"]["share"] == 1.0


def test_a_pause_in_animation_on_twos_is_a_pause_of_the_same_length(tmp_path: Path) -> None:
    holds = [2] * 6 + [12] + [2] * 6
    result = render(animation(tmp_path / "a.mp4", holds), tmp_path / "out", duplicates="retime")
    found = [x for _, x in places(result)]
    assert found[24:45] == pytest.approx([20 + STEP * 6] * 21, abs=0.35)  # frames 12 to 22: the drawing and its pause
    assert found[44:49] == pytest.approx([20 + STEP * (6 + step / 4) for step in range(5)], abs=0.35)


def test_taken_out_the_rest_keeps_its_times_and_nothing_is_drawn(tmp_path: Path) -> None:
    holds = [2, 3, 1, 2, 6, 2]
    result = render(animation(tmp_path / "a.mp4", holds), tmp_path / "out", duplicates="drop")
    shown = [F(sum(holds[:index]), RATE) for index in range(6)]
    assert [time for time, _ in places(result)] == shown
    assert [x for _, x in places(result)] == pytest.approx([20 + STEP * index for index in range(6)], abs=0.35)
    assert result.metrics["frames"] == {"source": 16, "output": 6, "new": 0, "held": 0}
    assert result.certificate["ok"], result.certificate


def test_taking_out_draws_nothing_so_it_goes_with_no_other_mode() -> None:
    for given in ({"mode": "slow"}, {"mode": "fps", "target_fps": 60}, {"loop": True}):
        with pytest.raises(BadOptionsError, match="draws nothing"):
            RenderOptions(duplicates="drop", **given)


def test_held_out_frames_are_named_by_their_number_in_the_source(tmp_path: Path) -> None:
    source = animation(tmp_path / "a.mp4", [2] * 10)
    options = RenderOptions(crf=4, duplicates="retime")
    figures = render_video(source, tmp_path / "out", options, Tracker()).metrics["held_out"]
    assert [sample["frame"] for sample in figures["samples"]] == [2, 6, 10, 14]
    assert [sample["time"] for sample in figures["samples"]] == [round(f / RATE, 4) for f in (2, 6, 10, 14)]
    assert figures["psnr"] > 35
