"""Recordings put one behind the other, in which time falls back in the middle: nothing of them is lost."""

from __future__ import annotations

from fractions import Fraction as F
from pathlib import Path

import av
import numpy as np
import pytest

from engine import segments as segments_module
from engine.config import RenderOptions
from engine.render import RenderResult, render_video
from engine.video import frame_times, probe, read_frames

from .clips import film, pictures
from .footage import BlendModel, decoded
from .streams import Voice, beeps, film_with

SOUND_FRAME = 1152 / 48_000  # seconds, of MP2


def together(path: Path, *recordings: Path) -> Path:
    """FLV has a head of 13 bytes, once."""
    parts = [recording.read_bytes() for recording in recordings]
    path.write_bytes(b"".join(part[13 * (number > 0 and path.suffix == ".flv") :] for number, part in enumerate(parts)))
    return path


def render(source: Path, folder: Path, **settings: object) -> RenderResult:
    options = RenderOptions(held_out=False, crf=10, **settings)  # type: ignore[arg-type]
    return render_video(source, folder, options, BlendModel())


@pytest.mark.parametrize(
    ("suffix", "codec", "format"),
    [("ts", "libx264", "mpegts"), ("mpg", "mpeg2video", "vob"), ("flv", "flv", "flv")],
)
def test_every_recording_is_shown_after_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, codec: str, format: str
) -> None:
    monkeypatch.setattr(segments_module, "SEGMENT_FRAMES", 16)
    parts = [
        film(tmp_path / f"{n}.{suffix}", pictures(count, seed=n), codec=codec, format=format, options={"g": "6"})
        for n, count in enumerate((20, 15, 30))
    ]
    source = together(tmp_path / f"a.{suffix}", *parts)
    info, alone = probe(source), [frame.rgb for part in parts for frame in read_frames(part)]
    assert (info.frame_count, info.fps, info.is_vfr, info.duration) == (65, 25, False, F(65, 25))
    assert "3 recordings were put together in this file: each is shown after the one before." in info.notes
    assert frame_times(source) == [F(number, 25) for number in range(65)]
    assert all(np.array_equal(a.rgb, b) for a, b in zip(read_frames(source, info=info), alone, strict=True))
    late = list(read_frames(source, start=F(38, 25), stop=F(41, 25), info=info))
    assert [frame.pts for frame in late] == [F(number, 25) for number in (38, 39, 40)]
    assert all(np.array_equal(a.rgb, b) for a, b in zip(late, alone[38:], strict=False))

    result = render(source, tmp_path / "out")
    assert [time for time, _ in decoded(result.master)] == [F(number, 50) for number in range(130)]
    assert not [note for note in result.metrics["notes"] if "left out" in note]
    assert result.certificate["ok"], result.certificate


@pytest.mark.parametrize("mode", [{}, {"mode": "slow", "sound": "stretch"}])
def test_their_sound_stays_with_their_pictures(tmp_path: Path, mode: dict[str, str]) -> None:
    """The sound of the first ends a tenth of a second before its picture."""
    first = film_with(tmp_path / "1.ts", Voice((0.5,), "mp2", seconds=1.9), seconds=2)
    second = film_with(tmp_path / "2.ts", Voice((1.2,), "mp2", seconds=2), seconds=2)
    factor = 2 if mode else 1
    alone = [*beeps(first), *(2 + beep for beep in beeps(second))]
    result = render(together(tmp_path / "a.ts", first, second, first), tmp_path / "out", **mode)
    alone.append(4 + alone[0])
    assert beeps(result.master) == pytest.approx([factor * beep for beep in alone], abs=factor * SOUND_FRAME)
    assert result.certificate["ok"], result.certificate


def test_a_single_packet_with_a_time_long_past_is_no_other_recording(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.ts", pictures(60), options={"bf": "0", "g": "10"})
    with av.open(str(whole)) as source, av.open(str(tmp_path / "a.flv"), "w", "flv") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(one for one in source.demux(video=0) if one.size):
            packet.stream, packet.time_base, packet.duration = stream, F(1, 1000), 40
            packet.pts = packet.dts = 40 * number
            out.mux(packet)
    data = bytearray((tmp_path / "a.flv").read_bytes())
    place, tags = 13, list[int]()
    while place < len(data):
        tags += [place] if data[place] == 9 else []
        place += 15 + int.from_bytes(data[place + 1 : place + 4], "big")
    slip = next(tag for tag in tags if int.from_bytes(data[tag + 4 : tag + 7], "big") == 40 * 45)
    data[slip + 4 : slip + 7] = (40 * 12 + 7).to_bytes(3, "big")
    (tmp_path / "a.flv").write_bytes(data)
    assert frame_times(tmp_path / "a.flv")[-1] == F(59, 25)
    assert not any("recordings" in note for note in probe(tmp_path / "a.flv").notes)


def test_an_ordinary_film_is_one_recording(tmp_path: Path) -> None:
    assert probe(film(tmp_path / "a.ts", pictures(10))).notes == []
