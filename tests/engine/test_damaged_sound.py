"""Damaged sound: what can be decoded is heard at its own time, and what is missing is told with its places."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction as F
from pathlib import Path

import av
import numpy as np
import pytest

from .streams import Voice, beeps, carried, film_with
from .test_bad_input_renders import changed, garbled, render

BEEPS = (0.5, 1.5, 2.5, 3.5)
TOLD = re.compile(r"Part of sound track 1 is missing or could not be decoded \(at (.+) s\)\.")


def sound_packets(path: Path) -> list[tuple[F, int, int]]:
    """(time from the first frame of the picture, place in the file, bytes) of every packet of the sound."""
    with av.open(str(path)) as source:
        first = source.streams.video[0]
        begin = (first.start_time or 0) * (first.time_base or 1)
        return [(p.pts * p.time_base - begin, p.pos, p.size) for p in source.demux(audio=0) if p.size]


def noise_over(path: Path, begin: float, end: float) -> Callable[[bytearray], None]:
    """Random bytes where the sound from `begin` to `end` lies, and the heads of the container among it."""
    inside = [(place, size) for time, place, size in sound_packets(path) if begin <= time < end]

    def change(data: bytearray) -> None:
        for place, size in inside:
            data[place : place + size] = np.random.default_rng(place).bytes(size)

    return change


def beeping(path: Path, codec: str) -> Path:
    return film_with(path, Voice(BEEPS, codec, seconds=4))


def told(notes: list[str]) -> list[tuple[float, float]]:
    places = [found[1] for note in notes if (found := TOLD.fullmatch(note))]
    assert len(places) <= 1
    return [(float(a), float(b)) for a, b in re.findall(r"([\d.]+)-([\d.]+)", places[0])] if places else []


@pytest.mark.parametrize(("name", "codec"), [("whole.mp4", "aac"), ("whole.ts", "aac"), ("whole.ts", "ac3")])
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])  # copied, and encoded anew
def test_a_hole_is_told_and_the_rest_keeps_its_time(tmp_path: Path, name: str, codec: str, suffix: str) -> None:
    whole = beeping(tmp_path / name, codec)
    damaged = changed(whole, f"a{whole.suffix}", noise_over(whole, 1.4, 1.7))
    assert told(carried(tmp_path, whole, suffix)[1]) == []
    result, notes = carried(tmp_path, damaged, suffix)
    places = told(notes)
    assert places, notes
    assert places[0][0] == pytest.approx(1.4, abs=0.15) and places[-1][1] == pytest.approx(1.7, abs=0.15)
    assert [at for at in beeps(result) if not 1.3 < at < 1.8] == pytest.approx([0.5, 2.5, 3.5], abs=0.03)


def test_of_a_part_only_its_own_holes_are_told_in_the_time_of_the_source(tmp_path: Path) -> None:
    whole = beeping(tmp_path / "whole.mp4", "aac")
    damaged = changed(whole, "a.mp4", noise_over(whole, 1.4, 1.7))
    for stretch in (1, 2):
        (place,) = told(carried(tmp_path, damaged, begin=F(1), end=F(3), stretch=stretch)[1])
        assert place == pytest.approx((1.4, 1.7), abs=0.05)
        assert told(carried(tmp_path, damaged, begin=F(2), end=F(4), stretch=stretch)[1]) == []


def test_packets_that_are_not_there_are_told(tmp_path: Path) -> None:
    """Nothing is damaged: the times alone say that sound is missing."""
    whole, path = beeping(tmp_path / "whole.mp4", "aac"), tmp_path / "a.mp4"
    with av.open(str(whole)) as source, av.open(str(path), "w") as out:
        targets = {one.index: out.add_stream_from_template(one) for one in source.streams}
        for packet in source.demux():
            gone = packet.stream.type == "audio" and packet.dts is not None and 2 < packet.dts * packet.time_base < 2.2
            if packet.dts is not None and not gone:
                packet.stream = targets[packet.stream_index]
                out.mux(packet)
    for suffix in (".mp4", ".webm"):
        result, notes = carried(tmp_path, path, suffix)
        assert told(notes) == [pytest.approx((2, 2.2), abs=0.03)]
        assert beeps(result) == pytest.approx(BEEPS, abs=0.03)


def test_a_track_of_which_nothing_can_be_decoded_is_told(tmp_path: Path) -> None:
    whole = beeping(tmp_path / "whole.mp4", "aac")
    _, notes = carried(tmp_path, changed(whole, "a.mp4", noise_over(whole, 0, 5)))
    assert notes == ["Nothing of sound track 1 could be decoded."]


def test_a_render_says_what_sound_was_lost(tmp_path: Path) -> None:
    whole = film_with(tmp_path / "whole.ts", Voice((0.1,), seconds=4, length=3.8))
    damaged = changed(whole, "a.ts", garbled(0, 0.6))
    result = render(damaged, tmp_path / "out")
    assert told(result.metrics["notes"]), result.metrics["notes"]
    assert result.certificate["ok"], result.certificate


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s24le", "libmp3lame", "ac3"])
def test_sound_behind_lost_pieces_of_an_avi_keeps_its_time(tmp_path: Path, codec: str) -> None:
    """An AVI counts its pieces: what comes after lost ones would be heard too early."""
    whole = film_with(tmp_path / "whole.avi", Voice(BEEPS, codec, "stereo", seconds=4))

    def change(data: bytearray) -> None:
        for time, place, _ in sound_packets(whole):
            if 1.6 <= time < 2.2:
                data[place - 8 : place] = bytes(8)

    assert told(carried(tmp_path, whole)[1]) == []
    result, notes = carried(tmp_path, changed(whole, "a.avi", change))
    (place,) = told(notes)
    assert place == pytest.approx((1.6, 2.2), abs=0.06)
    assert beeps(result) == pytest.approx(BEEPS, abs=0.04)
