"""Output times are exact fractions; no frame is lost, none is invented."""

from fractions import Fraction as F

import pytest

from engine.config import RenderOptions
from engine.errors import BadInputError
from engine.timeline import film_duration, picture_times, plan


def constant(count: int, fps: F) -> tuple[list[F], F]:
    return [index / fps for index in range(count)], count / fps


@pytest.mark.parametrize("inbetween", [1, 2, 4, 10])
def test_smooth_gives_n_times_m_frames_in_the_same_duration(inbetween: int) -> None:
    times, duration = constant(7, F(24000, 1001))
    timeline = plan(times, duration, RenderOptions(inbetween=inbetween))
    assert len(timeline) == len(list(timeline)) == 7 * (inbetween + 1)
    assert timeline.duration == duration
    assert timeline.fps == F(24000, 1001) * (inbetween + 1)
    assert [frame.time for frame in timeline] == [index / timeline.fps for index in range(len(timeline))]


def test_the_tail_holds_the_last_source_frame() -> None:
    timeline = plan(*constant(3, F(10)), RenderOptions(inbetween=3))
    assert [(frame.left, frame.t) for frame in timeline][-4:] == [(2, 0)] * 4
    assert timeline.end(11) == timeline.duration == F(3, 10)


def test_slow_keeps_the_rate_and_stretches_the_duration() -> None:
    timeline = plan(*constant(10, F(30)), RenderOptions(mode="slow", inbetween=2))
    assert len(timeline) == 30
    assert timeline.fps == 30
    assert timeline.duration == 1
    assert timeline.frame(4) == timeline.frame(4).__class__(4, F(4, 30), 1, F(1, 3))


def test_exact_rate_places_frame_k_at_k_over_fps() -> None:
    timeline = plan(*constant(24, F(24)), RenderOptions(mode="fps", target_fps=F(60)))
    assert len(timeline) == 60
    assert timeline.duration == 1
    assert [(frame.left, frame.t) for frame in timeline][:6] == [
        (0, 0), (0, F(2, 5)), (0, F(4, 5)), (1, F(1, 5)), (1, F(3, 5)), (2, 0),
    ]  # fmt: skip
    assert [frame.left for frame in timeline][-2:] == [23, 23]


def test_ntsc_to_ntsc_stays_exact() -> None:
    timeline = plan(*constant(1001, F(24000, 1001)), RenderOptions(mode="fps", target_fps=F(60000, 1001)))
    assert timeline.fps == F(60000, 1001)
    assert timeline.frame(5).t == 0 and timeline.frame(5).left == 2


def test_exact_rate_may_also_take_frames_away() -> None:
    timeline = plan(*constant(60, F(60)), RenderOptions(mode="fps", target_fps=F(24)))
    assert len(timeline) == 24
    assert [timeline.frame(index).left for index in range(3)] == [0, 2, 5]


def test_variable_timing_is_kept_each_gap_is_subdivided() -> None:
    times = [F(0), F(1, 10), F(4, 10), F(1, 2)]
    timeline = plan(times, F(1), RenderOptions(inbetween=1))
    assert [frame.time for frame in timeline] == [
        F(0), F(1, 20), F(1, 10), F(1, 4), F(4, 10), F(9, 20), F(1, 2), F(3, 4),
    ]  # fmt: skip
    assert timeline.duration == 1


def test_variable_timing_at_an_exact_rate_uses_the_true_t() -> None:
    timeline = plan([F(0), F(1, 10), F(4, 10)], F(1, 2), RenderOptions(mode="fps", target_fps=F(10)))
    assert [(frame.left, frame.t) for frame in timeline] == [(0, 0), (1, 0), (1, F(1, 3)), (1, F(2, 3)), (2, 0)]


@pytest.mark.parametrize("mode", ["smooth", "slow", "fps"])
def test_ranges_of_source_frames_cover_every_output_frame_once(mode: str) -> None:
    times = [F(0), F(1, 7), F(2, 7), F(5, 7), F(6, 7)]
    timeline = plan(times, F(1), RenderOptions(mode=mode, inbetween=2, target_fps=F(23)))
    parts = [*timeline.indices(0, 2), *timeline.indices(2, 3), *timeline.indices(3, 5)]
    assert parts == list(range(len(timeline)))
    assert all(2 <= timeline.frame(index).left < 3 for index in timeline.indices(2, 3))


@pytest.mark.parametrize("mode", ["smooth", "slow", "fps"])
def test_every_output_time_is_a_whole_number_of_ticks(mode: str) -> None:
    times = [F(0), F(1001, 24000), F(3003, 24000), F(4004, 24000)]
    timeline = plan(times, F(5005, 24000), RenderOptions(mode=mode, inbetween=4, target_fps=F(60000, 1001)))
    assert all((frame.time / timeline.time_base).denominator == 1 for frame in timeline)
    assert (timeline.duration / timeline.time_base).denominator == 1


def test_a_tick_too_fine_for_a_header_falls_back_to_microseconds() -> None:
    timeline = plan([F(0), F(1, 2**31 - 1)], F(1), RenderOptions())
    assert timeline.time_base == F(1, 1_000_000)


def test_one_frame_is_refused_in_words() -> None:
    with pytest.raises(BadInputError, match="only one frame"):
        plan([F(0)], F(1), RenderOptions())


def test_times_that_do_not_rise_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="rise"):
        plan([F(0), F(1), F(1)], F(2), RenderOptions())


def test_the_film_lasts_as_declared_unless_that_ends_before_the_last_frame() -> None:
    assert film_duration([F(0), F(1, 24), F(1, 2)], F(2)) == 2
    assert film_duration([F(0), F(1, 4), F(1, 2), F(1)], F(1, 2)) == F(3, 2)


def test_two_pictures_make_a_film_of_n_plus_two_frames() -> None:
    assert picture_times(3, F(50)) == ([F(0), F(1, 50), F(2, 50), F(3, 50), F(4, 50)], F(5, 50))
    assert picture_times(3, None) == ([F(0), F(1, 4), F(2, 4), F(3, 4), F(1)], F(5, 4))
