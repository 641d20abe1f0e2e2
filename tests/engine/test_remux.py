"""Segments become one film without a change; sound stays where it was against the picture; previews play anywhere."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.carry import Carry
from engine.damage import mp4_boxes
from engine.errors import BadInputError
from engine.remux import join_segments, make_preview, make_source_preview, preview_size
from engine.video import frame_times, probe, read_frames
from engine.writer import VideoWriter

from .clips import beep, film, pictures

F = Fraction
AAC_PACKET = 1024 / 48000  # seconds


def segments(folder: Path, times: list[Fraction], end: Fraction, cut: int, fps: Fraction, **more: object) -> list[Path]:
    """The frames at `times`, in files of `cut` frames."""
    frames, paths = pictures(len(times)), []
    for first in range(0, len(times), cut):
        last = min(first + cut, len(times))
        paths.append(folder / f"seg_{first:05d}.mp4")
        stop = times[last] if last < len(times) else end
        with VideoWriter(paths[-1], width=64, height=48, fps=fps, start=times[first], end=stop, **more) as writer:  # type: ignore[arg-type]
            for index in range(first, last):
                writer.write(frames[index], times[index])
    return paths


def even(count: int, fps: Fraction) -> list[Fraction]:
    return [index / fps for index in range(count)]


@pytest.mark.parametrize("fps", [F(24), F(60000, 1001), F(25, 3)])
@pytest.mark.parametrize("cut", [1, 2, 7, 20, 100])
def test_a_join_has_every_frame_of_its_segments_once_and_in_time(tmp_path: Path, fps: Fraction, cut: int) -> None:
    times = even(41, fps)
    parts = segments(tmp_path, times, 41 / fps, cut, fps)
    assert join_segments(parts, tmp_path / "whole.mp4") == []
    info, read = probe(tmp_path / "whole.mp4"), list(read_frames(tmp_path / "whole.mp4"))
    single = [frame.rgb for part in parts for frame in read_frames(part)]
    assert (info.frame_count, info.fps, info.duration, info.is_vfr) == (41, fps, 41 / fps, False)
    assert [frame.pts for frame in read] == times
    assert all(np.array_equal(frame.rgb, rgb) for frame, rgb in zip(read, single, strict=True))


def test_times_of_decoding_ascend_across_seams(tmp_path: Path) -> None:
    parts = segments(tmp_path, even(50, F(25)), F(2), 9, F(25))
    join_segments(parts, tmp_path / "whole.mp4")
    with av.open(str(tmp_path / "whole.mp4")) as source:
        stamps = [(packet.dts, packet.pts) for packet in source.demux(video=0) if packet.size]
    decoding = [dts for dts, _ in stamps]
    assert decoding == sorted(set(decoding))
    assert all(dts <= pts for dts, pts in stamps)


def test_uneven_times_survive_a_join(tmp_path: Path) -> None:
    rng, unit = np.random.default_rng(0), F(1, 90000)
    times = [unit * int(tick) for tick in np.cumsum([0, *rng.choice([1500, 3000, 3003, 45000], 40)])]
    end = times[-1] + F(1, 3)
    parts = segments(tmp_path, times, end, 7, len(times) / end, time_base=unit)
    join_segments(parts, tmp_path / "whole.mp4")
    assert frame_times(tmp_path / "whole.mp4") == times
    assert probe(tmp_path / "whole.mp4").duration == end


def test_segments_can_be_given_their_times(tmp_path: Path) -> None:
    parts = segments(tmp_path, even(8, F(25)), F(8, 25), 4, F(25))
    join_segments(parts, tmp_path / "whole.mp4", starts=[F(0), F(1)])
    assert frame_times(tmp_path / "whole.mp4") == [*even(4, F(25)), *(1 + time for time in even(4, F(25)))]
    with pytest.raises(BadInputError, match="begins before"):
        join_segments(parts, tmp_path / "whole.mp4", starts=[F(0), F(1, 25)])


def test_segments_of_other_settings_are_refused(tmp_path: Path) -> None:
    good = segments(tmp_path, even(4, F(25)), F(4, 25), 4, F(25))
    with VideoWriter(tmp_path / "other.mp4", width=32, height=48, fps=F(25)) as writer:
        writer.write(pictures(1, 32, 48)[0], F(0))
    with pytest.raises(BadInputError, match=r"other\.mp4 was made with other settings"):
        join_segments([*good, tmp_path / "other.mp4"], tmp_path / "whole.mp4")
    assert not (tmp_path / "whole.mp4").exists()


def test_a_damaged_segment_is_named(tmp_path: Path) -> None:
    parts = segments(tmp_path, even(60, F(25)), F(60, 25), 30, F(25), crf=1)
    parts[1].write_bytes(parts[1].read_bytes()[:-2000])
    with pytest.raises(BadInputError, match=r"seg_00030\.mp4 is damaged"):
        join_segments(parts, tmp_path / "whole.mp4")


def master_of(tmp_path: Path, source: Path, **more: object) -> Path:
    """What a render does at the same rate: every frame once, and the source's sound."""
    info = probe(source)
    count = info.frame_count
    parts = segments(tmp_path, even(count, info.fps), count / info.fps, 10, info.fps)
    join_segments(parts, tmp_path / "whole.mp4", carry=Carry(source, **more))  # type: ignore[arg-type]
    return tmp_path / "whole.mp4"


@pytest.mark.parametrize(
    ("name", "sound", "first_frame"),
    [
        ("a.mp4", "aac", 0),
        ("a.mkv", "aac", 0),
        ("a.mkv", "aac", 5),
        ("a.mkv", "libopus", 5),
        ("a.mp4", "libmp3lame", 0),
    ],
)
def test_sound_is_copied_and_stays_in_time(tmp_path: Path, name: str, sound: str, first_frame: int) -> None:
    ticks = [first_frame + index for index in range(25)]
    source = film(tmp_path / name, pictures(25), ticks=ticks, beep_at=0.6, sound=sound)
    master = master_of(tmp_path, source)
    expected = 0.6 - first_frame / 25
    assert beep(master) == pytest.approx(expected, abs=0.03)
    assert beep(master) == pytest.approx(beep(source), abs=0.001 if name == "a.mp4" else 0.03)
    assert probe(master).audio[0]["codec"] == probe(source).audio[0]["codec"]


@pytest.mark.parametrize(("name", "sound"), [("a.mkv", "pcm_s16le"), ("a.avi", "pcm_s16le"), ("a.mkv", "mp2")])
def test_sound_that_mp4_cannot_hold_becomes_aac_in_time_and_is_told(tmp_path: Path, name: str, sound: str) -> None:
    source = film(tmp_path / name, pictures(25), codec="mpeg4", beep_at=0.6, sound=sound)
    info = probe(source)
    parts = segments(tmp_path, even(25, info.fps), F(1), 10, info.fps)
    notes = join_segments(parts, tmp_path / "whole.mp4", carry=Carry(source))
    codec = info.audio[0]["codec"]
    assert notes == [f"Sound track 1 ({codec}) does not go into MP4 and was encoded as AAC."]
    assert probe(tmp_path / "whole.mp4").audio[0]["codec"] == "aac"
    assert beep(tmp_path / "whole.mp4") == pytest.approx(0.6, abs=AAC_PACKET)


def test_a_hole_in_the_sound_stays_a_hole_when_it_is_encoded(tmp_path: Path) -> None:
    """Sound packets are missing for half a second; what follows must not move forward."""
    whole = film(tmp_path / "whole.mkv", pictures(25), beep_at=0.8, sound="pcm_s16le")
    holed = tmp_path / "a.mkv"
    with av.open(str(whole)) as source, av.open(str(holed), "w") as out:
        streams = {
            one.index: out.add_stream_from_template(one) for one in (*source.streams.video, *source.streams.audio)
        }
        for packet in source.demux():
            if packet.size and not (packet.stream.type == "audio" and 0.2 <= packet.pts * packet.time_base < 0.7):
                packet.stream = streams[packet.stream_index]
                out.mux(packet)
    join_segments(segments(tmp_path, even(25, F(25)), F(1), 25, F(25)), tmp_path / "out.mp4", carry=Carry(holed))
    assert beep(tmp_path / "out.mp4") == pytest.approx(0.8, abs=AAC_PACKET)
    with av.open(str(tmp_path / "out.mp4")) as result:  # silence, not a jump in time, which not all players follow
        assert sum(frame.samples for frame in result.decode(audio=0)) == pytest.approx(48000, abs=2 * 1024)


def test_channels_that_aac_has_no_layout_for_are_mixed_down_and_told(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as out:
        picture = out.add_stream("mpeg4", rate=25, width=64, height=48)
        voice = out.add_stream("pcm_s16le", rate=48000, layout="4.0")
        for rgb in pictures(5):
            out.mux(picture.encode(av.VideoFrame.from_ndarray(rgb)))
        out.mux(picture.encode(None))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4 * 4800), np.int16), format="s16", layout="4.0")
        frame.sample_rate, frame.pts = 48000, 0
        out.mux(voice.encode(frame))
    parts = segments(tmp_path, even(5, F(25)), F(5, 25), 5, F(25))
    notes = join_segments(parts, tmp_path / "out.mp4", carry=Carry(path))
    assert notes[0].endswith("encoded as AAC, its 4 channels mixed down to stereo.")
    assert probe(tmp_path / "out.mp4").audio[0]["channels"] == 2


def test_all_sound_tracks_and_their_languages_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as out:
        picture = out.add_stream("libx264", rate=25, width=64, height=48)
        picture.pix_fmt = "yuv420p"
        voices = [out.add_stream("aac", rate=48000, layout="mono") for _ in range(2)]
        for voice, language in zip(voices, ("ger", "fre"), strict=True):
            voice.metadata["language"] = language
        out.metadata["title"] = "Two tongues"
        for rgb in pictures(10):
            out.mux(picture.encode(av.VideoFrame.from_ndarray(rgb)))
        out.mux(picture.encode(None))
        for voice in voices:
            for number in range(10):
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
                frame.sample_rate, frame.pts = 48000, number * 1024
                out.mux(voice.encode(frame))
            out.mux(voice.encode(None))
    master = master_of(tmp_path, path)
    assert [track["language"] for track in probe(master).audio] == ["ger", "fre"]
    with av.open(str(master)) as result:
        assert result.metadata["title"] == "Two tongues"


def test_chapters_are_kept(tmp_path: Path) -> None:
    path = film(tmp_path / "plain.mkv", pictures(25))
    with av.open(str(path)) as source, av.open(str(tmp_path / "a.mkv"), "w") as out:
        out.set_chapters(
            [
                {"id": 1, "start": 0, "end": 400, "time_base": F(1, 1000), "metadata": {"title": "One"}},
                {"id": 2, "start": 400, "end": 1000, "time_base": F(1, 1000), "metadata": {"title": "Two"}},
            ]
        )
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    assert probe(master_of(tmp_path, tmp_path / "a.mkv")).chapters == [
        {"start": 0.0, "end": 0.4, "title": "One"},
        {"start": 0.4, "end": 1.0, "title": "Two"},
    ]


def test_the_index_is_in_front_and_nothing_else_is_left(tmp_path: Path) -> None:
    join_segments(segments(tmp_path, even(4, F(25)), F(4, 25), 4, F(25)), tmp_path / "whole.mp4")
    kinds = [box.kind for box in mp4_boxes(tmp_path / "whole.mp4")]
    assert kinds.index("moov") < kinds.index("mdat")
    assert list(tmp_path.glob("*whole*")) == [tmp_path / "whole.mp4"]


def test_a_preview_has_the_frames_of_the_master_at_a_size_for_the_browser(tmp_path: Path) -> None:
    master = film(tmp_path / "a.mp4", pictures(10, 128, 96), tags=(1, 1, 1, 1), beep_at=0.1)
    seen = list[int]()
    assert make_preview(master, tmp_path / "p.mp4", 48, on_frame=seen.append) == []
    info = probe(tmp_path / "p.mp4")
    assert (info.width, info.height, info.pix_fmt, info.codec) == (64, 48, "yuv420p", "h264")
    assert (info.frame_count, info.duration, info.colour) == (10, F(10, 25), probe(master).colour)
    assert info.audio[0]["codec"] == "aac"
    assert seen == list(range(1, 11))
    assert list(tmp_path.glob("*p*mp4*")) == [tmp_path / "p.mp4"]


def test_a_preview_of_odd_rotated_stretched_footage_is_upright_even_and_square(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", pictures(3, 96, 64), rotation=90, sar=F(3, 2), beep_at=0.02, sound="libmp3lame")
    make_source_preview(source, tmp_path / "p.mp4")
    info = probe(tmp_path / "p.mp4")
    assert (info.width, info.height, info.sar, info.rotation) == (64, 144, F(1), 0)


def test_a_preview_of_an_odd_master_is_even(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", width=53, height=31, fps=F(25)) as writer:
        writer.write(pictures(1, 53, 31)[0], F(0))
    make_preview(tmp_path / "a.mp4", tmp_path / "p.mp4")
    info = probe(tmp_path / "p.mp4")
    assert (info.width % 2, info.height % 2, info.pix_fmt) == (0, 0, "yuv420p")


def test_sound_the_browser_does_not_play_becomes_aac_in_previews(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", pictures(25), beep_at=0.6, sound="ac3")
    assert make_source_preview(source, tmp_path / "p.mp4") == []
    assert probe(tmp_path / "p.mp4").audio[0]["codec"] == "aac"
    assert beep(tmp_path / "p.mp4") == pytest.approx(0.6, abs=AAC_PACKET)


def test_a_preview_keeps_uneven_times(tmp_path: Path) -> None:
    ticks = [0, 3000, 4500, 12000, 15003, 60000]
    source = film(tmp_path / "a.mp4", pictures(6), ticks=ticks, time_base=F(1, 90000), options={"bf": "0"})
    make_source_preview(source, tmp_path / "p.mp4")
    assert frame_times(tmp_path / "p.mp4") == [F(tick, 90000) for tick in ticks]


@pytest.mark.parametrize(
    ("size", "sar", "expected"),
    [
        ((1920, 1080), F(1), (1280, 720)),
        ((1080, 1920), F(1), (720, 1280)),
        ((640, 360), F(1), (640, 360)),
        ((3840, 1600), F(1), (1280, 534)),
        ((720, 576), F(16, 15), (768, 576)),
        ((853, 481), F(1), (852, 480)),
    ],
)
def test_previews_fit_into_720p_either_way_up(
    tmp_path: Path, size: tuple[int, int], sar: Fraction, expected: tuple[int, int]
) -> None:
    info = probe(film(tmp_path / "a.mp4", pictures(1)))
    other = type(info).from_dict({**info.to_dict(), "width": size[0], "height": size[1], "sar": str(sar)})
    assert preview_size(other) == expected
