"""What holds for every time plan, whatever the rate, the mode, the timing of the source, retiming and loops."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction as F
from itertools import pairwise

import pytest

from engine.config import RenderOptions, parse_fps
from engine.retime import Key, keys, times_of
from engine.scenes import Gap
from engine.timeline import Timeline, plan

RATES = [F(1, 2), F(8), F(12), F(15), F(24000, 1001), F(24), F(25), F(30000, 1001), F(30), F(48), F(50), F(60000, 1001),
         F(60), F(120), F(240), F(2997, 100), F(847457, 30000)]  # fmt: skip
TARGETS = [F(24000, 1001), F(24), F(25), F(30000, 1001), F(30), F(50), F(60000, 1001), F(60), F(120), F(480), F(1, 10)]
COUNTS = [2, 3, 24, 61]


def constant(count: int, fps: F) -> tuple[list[F], F]:
    return [index / fps for index in range(count)], count / fps


def uneven(seed: int) -> tuple[list[F], F]:
    """A phone's timing: 90 kHz ticks, gaps of all lengths, some frames lost."""
    chance, times = random.Random(seed), [F(0)]
    for _ in range(chance.randrange(1, 60)):
        times.append(
            times[-1] + F(chance.choice([1500, 2997, 3000, 3003, 3754, 9000, chance.randrange(1, 20000)]), 90000)
        )
    return times, times[-1] + F(chance.randrange(1, 9000), 90000)


def sources() -> Iterator[tuple[list[F], F]]:
    yield from (constant(count, rate) for rate in RATES for count in COUNTS)
    yield from (uneven(seed) for seed in range(40))


def retimed(times: list[F], duration: F, seed: int) -> list[F]:
    """Keys of a film with repeated frames and cuts at random."""
    chance = random.Random(seed)
    gaps = [Gap(chance.random() < 0.05, chance.random() < 0.5, 1.0) for _ in times[1:]]
    gaps = [Gap(gap.cut, gap.duplicate and not gap.cut, 1.0) for gap in gaps]
    found: list[Key] = keys(gaps, times, duration)
    return times_of(found, times, duration)


def in_order(timeline: Timeline) -> None:
    """Frames follow each other from 0 to the end, without a hole, each between its keys."""
    frames = list(timeline)
    assert len(frames) == len(timeline)
    assert frames[0].time == 0
    assert all(before.time < after.time for before, after in pairwise(frames))
    assert all(timeline.end(frame.index) == after.time for frame, after in pairwise(frames))
    assert timeline.end(len(frames) - 1) == timeline.duration > frames[-1].time
    ends = [*timeline.keys[1:], timeline.source_duration]
    for frame in frames:
        assert 0 <= frame.t < 1
        start, end = timeline.keys[frame.left], ends[frame.left]
        moves = frame.left + 1 < len(timeline.keys) or timeline.loop
        assert frame.time / timeline.stretch == (
            start + frame.t * (end - start) if moves else frame.time / timeline.stretch
        )
        assert start <= frame.time / timeline.stretch


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("mode", ["smooth", "slow"])
def test_n_frames_at_multiplier_m_give_n_times_m_in_exactly_the_duration(mode: str, loop: bool) -> None:
    for times, duration in sources():
        for inbetween in (1, 4, 10):
            timeline = plan(times, duration, RenderOptions(mode=mode, inbetween=inbetween, loop=loop))
            multiplier = inbetween + 1
            assert len(timeline) == len(times) * multiplier
            assert timeline.duration == duration * (multiplier if mode == "slow" else 1)
            assert [timeline.frame(index * multiplier).t for index in range(len(times))] == [0] * len(times)
            assert all(timeline.frame(n * multiplier).time == time * timeline.stretch for n, time in enumerate(times))
            in_order(timeline)


def test_an_exact_rate_is_exact_and_ends_within_half_a_frame_of_the_source() -> None:
    for times, duration in sources():
        for target in TARGETS:
            if duration * target > 600:
                continue
            timeline = plan(times, duration, RenderOptions(mode="fps", target_fps=target))
            assert timeline.fps == target
            assert [frame.time for frame in timeline] == [index / target for index in range(len(timeline))]
            assert abs(timeline.duration - duration) <= 1 / target / 2 or len(timeline) == 1
            in_order(timeline)


@pytest.mark.parametrize(
    ("source", "target", "pattern"),
    [
        ("24", "60", [(0, 0), (0, F(2, 5)), (0, F(4, 5)), (1, F(1, 5)), (1, F(3, 5)), (2, 0)]),
        ("23.976", "59.94", [(0, 0), (0, F(2, 5)), (0, F(4, 5)), (1, F(1, 5)), (1, F(3, 5)), (2, 0)]),
        ("25", "30", [(0, 0), (0, F(5, 6)), (1, F(2, 3)), (2, F(1, 2)), (3, F(1, 3)), (4, F(1, 6)), (5, 0)]),
        ("24", "30", [(0, 0), (0, F(4, 5)), (1, F(3, 5)), (2, F(2, 5)), (3, F(1, 5)), (4, 0)]),
        ("29.97", "60", [(0, 0), (0, F(500, 1001))]),
    ],
)
def test_the_usual_conversions_are_exact_for_an_hour(source: str, target: str, pattern: list[tuple[int, F]]) -> None:
    fps, wanted = parse_fps(source), parse_fps(target)
    count = int(3600 * fps)
    timeline = plan(*constant(count, fps), RenderOptions(mode="fps", target_fps=wanted))
    assert [(timeline.frame(index).left, timeline.frame(index).t) for index in range(len(pattern))] == pattern
    last = len(timeline) - 1
    assert timeline.frame(last).time == last / wanted
    assert abs(timeline.duration - count / fps) <= 1 / wanted / 2
    for index in random.Random(1).sample(range(last), 200):
        frame = timeline.frame(index)
        assert frame.left == index * fps // wanted
        assert frame.left + frame.t == index * fps / wanted or frame.left == count - 1


@pytest.mark.parametrize("mode", ["smooth", "slow", "fps"])
@pytest.mark.parametrize("loop", [False, True])
def test_retimed_films_keep_their_frames_and_duration_too(mode: str, loop: bool) -> None:
    for seed, (times, duration) in enumerate([constant(90, F(24)), constant(90, F(60)), *map(uneven, range(30))]):
        options = RenderOptions(mode=mode, inbetween=2, target_fps=F(50), duplicates="retime", loop=loop)
        plain = plan(times, duration, options)
        timeline = plan(times, duration, options, retimed(times, duration, seed))
        assert [frame.time for frame in timeline] == [frame.time for frame in plain]
        assert timeline.duration == plain.duration
        in_order(timeline)


@pytest.mark.parametrize("mode", ["smooth", "slow", "fps"])
def test_ranges_of_keys_hold_every_frame_once(mode: str) -> None:
    for seed, (times, duration) in enumerate([constant(60, F(24)), *map(uneven, range(30))]):
        options = RenderOptions(mode=mode, inbetween=3, target_fps=F(23), duplicates="retime")
        timeline = plan(times, duration, options, retimed(times, duration, seed))
        ranges = [timeline.indices(key, key + 1) for key in range(len(timeline.keys))]
        assert [index for frames in ranges for index in frames] == list(range(len(timeline)))
        assert all(timeline.frame(index).left == key for key, frames in enumerate(ranges) for index in frames)


def test_without_repeated_frames_the_rest_is_shown_when_it_was() -> None:
    for seed in range(30):
        times, duration = uneven(seed)
        kept = sorted({0, *random.Random(seed).sample(range(len(times)), len(times) // 2 + 1)})
        timeline = plan(times, duration, RenderOptions(duplicates="drop"), [times[number] for number in kept])
        assert [frame.time for frame in timeline] == [times[number] for number in kept]
        assert {frame.t for frame in timeline} == {0}
        assert timeline.duration == duration
