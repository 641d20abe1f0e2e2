"""Through a whole render: sound, subtitles, chapters, words, pixel shape and rotation, in every kind of film."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from engine.config import RenderOptions
from engine.render import RenderResult, render_video
from engine.video import probe

from .footage import BlendModel
from .streams import Texts, Voice, beeps, cues, film_with, pitch, tracks

F = Fraction
SOUND_FRAME = 1024 / 48_000  # seconds
FILMS = ("mp4_h264", "webm_vp9", "mov_prores")
DEFAULT, FORCED = 1, 64


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds at 5 fps whose picture begins 0.2 s late, with two voices, two texts and two chapters; the pixels are
    a third wider than high, and the picture is to be turned by 90 degrees."""
    folder = tmp_path_factory.mktemp("source")
    plain = film_with(
        folder / "plain.mkv",
        Voice((0.5, 1.7), seconds=2.2, words={"language": "ger", "title": "Deutsch"}, disposition=DEFAULT),
        Voice((1.2,), "libopus", seconds=2.2, words={"language": "eng"}),
        Texts([(0.4, 1.0, "Hello"), (1.2, 2.0, "<i>you</i>")], words={"language": "fre", "title": "Songs"}),
        Texts([(1.4, 1.8, "there")], words={"language": "swe"}, disposition=FORCED),
        seconds=2,
        first=1,
        words={"title": "A walk", "date": "2024-05-06", "location": "+52.5200+013.4050/"},
        chapters=[(0.2, 1.2, "One"), (1.2, 2.2, "Two")],
        sar=F(4, 3),
    )
    with av.open(str(plain)) as opened, av.open(str(folder / "a.mkv"), "w") as out:
        out.metadata.update(opened.metadata)
        out.set_chapters(opened.chapters())
        streams = [out.add_stream_from_template(stream) for stream in opened.streams]
        for old, new in zip(opened.streams, streams, strict=True):
            new.metadata.update(old.metadata)
            new.disposition = old.disposition
        streams[0].set_display_rotation(90)
        for packet in opened.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                out.mux(packet)
    return folder / "a.mkv"


def rendered(source: Path, work: Path, **options: Any) -> RenderResult:
    result = render_video(source, work, RenderOptions(held_out=False, **options), BlendModel())
    assert [check for check in result.certificate["checks"] if not check["ok"]] == []
    return result


@pytest.mark.parametrize("format", FILMS)
def test_everything_comes_along(source: Path, tmp_path: Path, format: Any) -> None:
    master = rendered(source, tmp_path, format=format).master
    info = probe(master)
    shape = (48, 64, F(3, 4)) if format == "mp4_h264" else (48, 86, F(1))  # other films have square pixels
    assert (info.width, info.height, info.sar, info.rotation) == (*shape, 0)
    assert (info.frame_count, info.duration, info.fps) == (20, 2, 10)
    assert beeps(master, 0) == pytest.approx([0.3, 1.5], abs=0.004)
    assert beeps(master, 1) == pytest.approx([1.0], abs=0.004)
    assert [(language, title) for _, language, title, _ in tracks(master, "audio")] == [("ger", "Deutsch"), ("eng", "")]
    assert [cue[:2] for cue in cues(master, 0)] == [(0.2, 0.8), (1.0, 1.8)]
    assert cues(master, 1) == [(1.2, 1.6, "there")]
    forced = 0 if format == "mov_prores" else FORCED  # told by another mark there
    assert [track[1:] for track in tracks(master, "subtitle")] == [("fre", "Songs", 0), ("swe", "", forced)]
    assert info.chapters == [{"start": 0, "end": 1, "title": "One"}, {"start": 1, "end": 2, "title": "Two"}]
    with av.open(str(master)) as film:
        words = {key.lower(): value for key, value in film.metadata.items()}
    assert {key: words.get(key) for key in ("title", "date", "location")} == {
        "title": "A walk",
        "date": "2024-05-06",
        "location": "+52.5200+013.4050/",
    }


@pytest.mark.parametrize("format", FILMS)
def test_in_slow_motion_everything_is_stretched_if_sound_is(source: Path, tmp_path: Path, format: Any) -> None:
    master = rendered(source, tmp_path, format=format, mode="slow", inbetween=2, sound="stretch").master
    info = probe(master)
    assert (info.duration, len(info.audio)) == (6, 2)
    assert beeps(master, 0) == pytest.approx([0.9, 4.5], abs=SOUND_FRAME)
    assert beeps(master, 1) == pytest.approx([3.0], abs=SOUND_FRAME)
    assert pitch(master, 0.91, 0.13) == pytest.approx(1000, rel=0.01)
    assert [cue[:2] for cue in cues(master, 0)] == [(0.6, 2.4), (3.0, 5.4)]
    assert [(one["start"], one["end"]) for one in info.chapters] == [(0, 3), (3, 6)]


def test_slow_motion_without_stretching_has_no_sound_but_its_subtitles(source: Path, tmp_path: Path) -> None:
    master = rendered(source, tmp_path, mode="slow").master
    assert probe(master).audio == []
    assert cues(master, 1) == [(2.4, 3.2, "there")]


@pytest.mark.parametrize("mode", [{"mode": "smooth"}, {"mode": "fps", "target_fps": F(25, 2)}])
def test_sound_can_be_dropped_and_stretching_changes_nothing_where_time_is_not(
    source: Path, tmp_path: Path, mode: dict[str, Any]
) -> None:
    dropped = rendered(source, tmp_path / "dropped", sound="drop", **mode).master
    assert (probe(dropped).audio, len(probe(dropped).subtitles)) == ([], 2)
    stretched = rendered(source, tmp_path / "stretched", sound="stretch", **mode).master
    assert beeps(stretched) == pytest.approx([0.3, 1.5], abs=0.004)
    assert [track[0] for track in tracks(stretched, "audio")] == ["aac", "opus"]


@pytest.mark.parametrize("format", FILMS)
@pytest.mark.parametrize("factor", [1, 2])
def test_a_part_has_its_own_sound_subtitles_and_chapters(
    source: Path, tmp_path: Path, format: Any, factor: int
) -> None:
    """From 0.8 s to 1.8 s after the first frame."""
    slow = {"mode": "slow", "sound": "stretch"} if factor == 2 else {}
    result = rendered(source, tmp_path, format=format, trim_start=F(4, 5), trim_end=F(9, 5), **slow)
    info = probe(result.master)
    assert info.duration == factor
    assert beeps(result.master, 0) == pytest.approx([0.7 * factor], abs=SOUND_FRAME)
    assert beeps(result.master, 1) == pytest.approx([0.2 * factor], abs=SOUND_FRAME)
    assert [cue[:2] for cue in cues(result.master, 0)] == [(0.2 * factor, 1.0 * factor)]
    assert [(one["start"], one["end"]) for one in info.chapters] == [(0, 0.2 * factor), (0.2 * factor, factor)]


def test_a_loop_keeps_the_sound_as_it_is(source: Path, tmp_path: Path) -> None:
    master = rendered(source, tmp_path, loop=True).master
    assert beeps(master, 0) == pytest.approx([0.3, 1.5], abs=0.004)
    assert probe(master).duration == 2


def test_a_track_that_is_silent_in_the_part_is_left_out_and_told(tmp_path: Path) -> None:
    source = film_with(
        tmp_path / "a.mkv",
        Voice((2.5,), start=2, seconds=1, words={"language": "ger"}),
        Voice((0.5,), seconds=3, words={"language": "swe"}),
        Texts([(2.1, 2.9, "late")], words={"language": "fre"}),
        Texts([(0.5, 0.9, "early")], words={"language": "fin"}),
        seconds=3,
    )
    result = rendered(source, tmp_path / "work", trim_end=F(1))
    assert beeps(result.master) == pytest.approx([0.5], abs=0.004)
    assert tracks(result.master, "audio")[0][1] == "swe"
    assert tracks(result.master, "subtitle")[0][1] == "fin"
    assert [note for note in result.metrics["notes"] if "left out" in note] == [
        "Sound track 1 (aac) has no sound in this part and was left out.",
        "Subtitle track 1 (subrip) has no text in this part and was left out.",
    ]


@pytest.mark.parametrize(("format", "label"), [("gif", "GIF"), ("webp", "WebP"), ("png", "PNG pictures (zip)")])
def test_formats_of_pictures_only_say_what_they_leave_out(
    source: Path, tmp_path: Path, format: Any, label: str
) -> None:
    notes = rendered(source, tmp_path, format=format).metrics["notes"]
    words = "2 sound tracks, 2 subtitle tracks and 2 chapters left out."
    assert f"{label} holds nothing but pictures: {words}" in notes


def test_sound_that_begins_long_before_the_picture_is_cut_there_and_told(tmp_path: Path) -> None:
    source = film_with(tmp_path / "a.mkv", Voice((0.3, 1.5), seconds=3), first=5, seconds=2)
    result = rendered(source, tmp_path / "work")
    assert beeps(result.master) == pytest.approx([0.5], abs=0.004)
    words = "Sound track 1 begins 1.0 s before the first frame: left out up to there."
    assert words in result.metrics["notes"]
    part = rendered(source, tmp_path / "part", trim_start=F(1, 5))
    assert words not in part.metrics["notes"]


def test_a_file_with_sound_only_before_its_picture_gives_no_track(tmp_path: Path) -> None:
    source = film_with(tmp_path / "a.mkv", Voice((0.1,), seconds=0.3), first=5, seconds=1)
    result = rendered(source, tmp_path / "work")
    assert probe(result.master).audio == []
