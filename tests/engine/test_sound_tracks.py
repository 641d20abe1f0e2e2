"""Every sound track arrives in every kind of film: whole or cut, as long or stretched, in time, with its words."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.carry import left_out
from engine.video import probe

from .streams import Texts, Voice, beeps, carried, film_with, heard, pitch, tracks

F = Fraction
SOUND_FRAME = 1024 / 48_000  # seconds
DEFAULT, DUB, COMMENT, FORCED = 1, 2, 8, 64


@pytest.fixture(scope="module")
def two_voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds at 5 fps, its picture 0.4 s late: AAC that begins with the file, Opus that begins a second later."""
    return film_with(
        tmp_path_factory.mktemp("source") / "a.mkv",
        Voice((0.5, 1.4, 2.9), words={"language": "ger", "title": "Deutsch"}, disposition=DEFAULT),
        Voice((2.4,), "libopus", start=1.0, seconds=2.5, words={"language": "eng", "title": "Comments"}),
        first=2,
    )


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm"])
def test_all_tracks_keep_their_time_language_title_and_role(two_voices: Path, tmp_path: Path, suffix: str) -> None:
    result, _ = carried(tmp_path, two_voices, suffix)
    assert beeps(result, 0) == pytest.approx([0.1, 1.0, 2.5], abs=0.004)
    assert beeps(result, 1) == pytest.approx([2.0], abs=0.004)
    assert [track[1:] for track in tracks(result, "audio")] == [
        ("ger", "Deutsch", DEFAULT),
        ("eng", "Comments", 0),
    ]


@pytest.mark.parametrize(
    ("suffix", "codecs"),
    [(".mp4", ["aac", "opus"]), (".mov", ["aac", "pcm_s16le"]), (".webm", ["opus", "opus"])],
)
def test_sound_is_copied_where_the_film_holds_it(
    two_voices: Path, tmp_path: Path, suffix: str, codecs: list[str]
) -> None:
    result, notes = carried(tmp_path, two_voices, suffix)
    assert [track[0] for track in tracks(result, "audio")] == codecs
    said = {".webm": ["Sound track 1 (aac) does not go into WebM and was encoded as Opus."]}
    assert notes == ["Sound track 1 begins 0.4 s before the first frame: left out up to there.", *said.get(suffix, [])]


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as film:
        return [bytes(packet) for packet in film.demux(audio=0) if packet.size]


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "aac"), ("a.mp4", "ac3"), ("a.mkv", "libmp3lame"), ("a.webm", "libopus")]
)
def test_copied_sound_is_the_same_bytes(tmp_path: Path, name: str, codec: str) -> None:
    source = film_with(tmp_path / name, Voice(codec=codec, seconds=1, beeps=(0.3,)), seconds=1)
    result, _ = carried(tmp_path, source, ".webm" if codec == "libopus" else ".mp4")
    assert packets(result) == packets(source)


@pytest.mark.parametrize(
    ("codec", "kept"), [("pcm_s16le", "pcm_s16le"), ("pcm_s24le", "pcm_s24le"), ("flac", "pcm_s16le")]
)
def test_lossless_sound_stays_lossless_in_mov(tmp_path: Path, codec: str, kept: str) -> None:
    source = film_with(tmp_path / "a.mkv", Voice((0.3,), codec, "stereo", seconds=1), seconds=1)
    result, notes = carried(tmp_path, source, ".mov")
    assert (tracks(result, "audio")[0][0], notes) == (kept, [])
    assert np.array_equal(heard(result)[0], heard(source)[0])


@pytest.mark.parametrize(("suffix", "factor"), [(".webm", 2), (".mov", 5), (".mp4", 11)])
def test_slow_motion_stretches_every_track_at_its_pitch(
    two_voices: Path, tmp_path: Path, suffix: str, factor: int
) -> None:
    result, _ = carried(tmp_path, two_voices, suffix, stretch=factor)
    for track, times in enumerate([[0.1, 1.0, 2.5], [2.0]]):
        assert beeps(result, track) == pytest.approx([factor * time for time in times], abs=SOUND_FRAME)
        assert pitch(result, factor * times[-1] + 0.01, 0.05 * factor - 0.02, track) == pytest.approx(1000, rel=0.01)


@pytest.mark.parametrize("factor", range(2, 12))
def test_stretched_sound_lasts_as_long_to_one_sound_frame(tmp_path: Path, factor: int) -> None:
    voice = Voice((0.1,), "pcm_s16le", seconds=0.4, rate=44_100)
    source = film_with(tmp_path / "a.mkv", voice, seconds=1)
    samples, rate, begin = heard(carried(tmp_path, source, stretch=factor)[0])
    assert (rate, begin) == (44_100, 0)
    assert abs(len(samples) / rate - 0.4 * factor) <= 1024 / rate


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm"])
@pytest.mark.parametrize("factor", [1, 3])
def test_a_part_has_the_sound_of_that_part(two_voices: Path, tmp_path: Path, suffix: str, factor: int) -> None:
    """Picture from 0.8 s to 2.6 s after the first frame; the first beep lies before it, the last in it."""
    result, _ = carried(tmp_path, two_voices, suffix, begin=F(4, 5), end=F(13, 5), stretch=factor)
    assert beeps(result, 0) == pytest.approx([factor * 0.2, factor * 1.7], abs=SOUND_FRAME if factor > 1 else 0.004)
    assert beeps(result, 1) == pytest.approx([factor * 1.2], abs=SOUND_FRAME if factor > 1 else 0.004)
    for track in (0, 1):
        samples, rate, begin = heard(result, track)
        assert abs(begin) <= SOUND_FRAME
        assert abs(begin + len(samples) / rate - factor * 1.8) <= 2 * SOUND_FRAME


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm"])
def test_the_picture_of_a_part_begins_at_zero(two_voices: Path, tmp_path: Path, suffix: str) -> None:
    result, _ = carried(tmp_path, two_voices, suffix, begin=F(7, 5), end=F(13, 5))
    info = probe(result)
    assert (info.start, info.duration) == (0, F(6, 5))
    assert all(abs(track["start"]) <= SOUND_FRAME for track in info.audio)


def test_a_track_without_sound_in_the_part_is_left_out_and_told(tmp_path: Path) -> None:
    source = film_with(tmp_path / "a.mkv", Voice((3.2,), start=3, seconds=1))
    result, notes = carried(tmp_path, source, begin=F(0), end=F(1))
    info = probe(result)
    assert notes == ["Sound track 1 (aac) has no sound in this part and was left out."]
    assert (info.duration, info.audio) == (1, [])


def test_what_is_told_to_be_left_out_is(two_voices: Path, tmp_path: Path) -> None:
    result, notes = carried(tmp_path, two_voices, sound=False)
    assert (probe(result).audio, notes) == ([], [])


def test_six_channels_stay_six_also_when_stretched(tmp_path: Path) -> None:
    source = film_with(tmp_path / "a.mkv", Voice((0.1,), "ac3", "5.1", seconds=0.5), seconds=1)
    for factor, codec in ((1, "ac3"), (2, "aac")):
        result, notes = carried(tmp_path, source, stretch=factor)
        assert (probe(result).audio[0]["codec"], probe(result).audio[0]["channels"], notes) == (codec, 6, [])


def test_sound_that_changes_in_the_middle_is_carried_on(tmp_path: Path) -> None:
    """A broadcast goes from mono to stereo: the same track, other frames."""
    one = film_with(tmp_path / "one.ts", Voice((0.5,), "mp2", seconds=1), seconds=1)
    two = film_with(tmp_path / "two.ts", Voice((0.5,), "mp2", "stereo", seconds=1), seconds=1)
    with av.open(str(one)) as a, av.open(str(two)) as b, av.open(str(tmp_path / "a.ts"), "w") as out:
        streams = [out.add_stream_from_template(stream) for stream in (a.streams.video[0], a.streams.audio[0])]
        for number, film in enumerate((a, b)):
            for packet in film.demux():
                if packet.size:
                    shift = number * 90_000
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = streams[packet.stream_index]
                    out.mux(packet)
    for factor in (1, 2):
        result, _ = carried(tmp_path, tmp_path / "a.ts", ".mov", stretch=factor)
        assert beeps(result) == pytest.approx([0.5 * factor, 1.5 * factor], abs=2 * SOUND_FRAME)


def test_what_a_gif_leaves_out_is_told(tmp_path: Path) -> None:
    source = film_with(
        tmp_path / "a.mkv", Voice(), Voice(), Texts([(0, 1, "Hello")]), chapters=[(0, 2, "One"), (2, 4, "Two")]
    )
    assert left_out(probe(source), "GIF") == [
        "GIF holds nothing but pictures: 2 sound tracks, 1 subtitle track and 2 chapters left out."
    ]
    assert left_out(probe(film_with(tmp_path / "b.mkv", Voice())), "WebP") == [
        "WebP holds nothing but pictures: 1 sound track left out."
    ]
    assert left_out(probe(film_with(tmp_path / "c.mkv")), "WebP") == []
