"""Subtitles come along: text as the text the film holds, in time, with its language, title and role; or a note."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest

from engine.mp4_marks import ALL_FORCED
from engine.subtitles import OneByOne

from .streams import Texts, Voice, carried, cues, film_with, tracks

F = Fraction
DEFAULT, FORCED = 1, 64
LINES = [(0.5, 1.5, "Hello"), (2.0, 3.0, "you"), (3.0, 3.8, "there")]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm"])
@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mkv", "subrip"), ("a.mkv", "ass"), ("a.mkv", "webvtt"), ("a.webm", "webvtt"), ("a.mp4", "mov_text")],
)
def test_texts_keep_their_words_and_times(tmp_path: Path, name: str, codec: str, suffix: str) -> None:
    source = film_with(tmp_path / name, Texts(LINES, codec))
    result, _ = carried(tmp_path, source, suffix)
    assert cues(result) == LINES
    assert tracks(result, "subtitle")[0][0] == ("webvtt" if suffix == ".webm" else "mov_text")


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm"])
def test_times_are_stretched_with_the_picture_and_cut_with_it(tmp_path: Path, suffix: str) -> None:
    source = film_with(tmp_path / "a.mkv", Texts(LINES), Voice(), first=1)  # the picture begins 0.2 s late
    slow, _ = carried(tmp_path, source, suffix, stretch=3, sound=False)
    assert cues(slow) == [(0.9, 3.9, "Hello"), (5.4, 8.4, "you"), (8.4, 10.8, "there")]
    part, _ = carried(tmp_path, source, suffix, begin=F(4, 5), end=F(12, 5))
    assert cues(part) == [(0.0, 0.5, "Hello"), (1.0, 1.6, "you")]
    both, _ = carried(tmp_path, source, suffix, begin=F(4, 5), end=F(12, 5), stretch=2)
    assert cues(both) == [(0.0, 1.0, "Hello"), (2.0, 3.2, "you")]


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_bold_and_italic_stay(tmp_path: Path, suffix: str) -> None:
    source = film_with(tmp_path / "a.mkv", Texts([(0, 1, "<b>bold</b> and <i>italic</i>")]))
    result, notes = carried(tmp_path, source, suffix)
    end = r"{\b0}" if suffix == ".webm" else r"{\r}"
    text = cues(result)[0][2].removesuffix(r"{\i0}")
    assert (text, notes) == (rf"{{\b1}}bold{end} and {{\i1}}italic", [])


def test_places_that_are_lost_are_told_once(tmp_path: Path) -> None:
    placed = Texts([(0, 1, r"{\an8}above"), (1, 2, r"{\an8}above"), (2, 3, "below")])
    styled = Texts([(0, 1, "plain")], "ass")
    result, notes = carried(tmp_path, film_with(tmp_path / "a.mkv", placed, styled))
    assert sorted(notes) == [
        "Subtitle track 1 (subrip) lost places, effects and the like: MP4 holds little more than text.",
        "Subtitle track 2 (ass) lost places, effects and the like: MP4 holds little more than text.",
    ]
    assert [text for _, _, text in cues(result)] == ["above", "above", "below"]


def test_what_is_shown_together_stands_below_each_other_in_mp4(tmp_path: Path) -> None:
    source = film_with(tmp_path / "a.mkv", Texts([(0.5, 2.0, "one"), (1.0, 3.0, "two"), (1.0, 1.5, "three")]))
    assert cues(carried(tmp_path, source)[0]) == [
        (0.5, 1.0, "one"),
        (1.0, 1.5, r"one\Ntwo\Nthree"),
        (1.5, 2.0, r"one\Ntwo"),
        (2.0, 3.0, "two"),
    ]
    assert cues(carried(tmp_path, source, ".webm")[0]) == [(0.5, 2.0, "one"), (1.0, 3.0, "two"), (1.0, 1.5, "three")]


def test_a_subtitle_that_comes_late_does_not_turn_time_back() -> None:
    shown = OneByOne()
    found = [cue for cue in [(F(2), F(3), "a"), (F(1), F(4), "b"), (F(0), F(1), "c")] for cue in shown.add(cue)]
    assert [*found, *shown.rest()] == [(2, 3, r"a\Nb"), (3, 4, "b")]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm"])
@pytest.mark.parametrize("roles", [(0, 0), (0, DEFAULT), (DEFAULT, FORCED), (DEFAULT | FORCED, 0)])
def test_language_title_and_role_stay(tmp_path: Path, suffix: str, roles: tuple[int, int]) -> None:
    """FFmpeg's muxer of MP4 would switch the first track on, and knows no Swedish in MOV."""
    source = film_with(
        tmp_path / "a.mkv",
        Texts(LINES, words={"language": "swe", "title": "Svenska"}, disposition=roles[0]),
        Texts(LINES, words={"language": "fre", "title": "Songs"}, disposition=roles[1]),
    )
    result, _ = carried(tmp_path, source, suffix)
    wanted = [role & DEFAULT if suffix == ".mov" else role for role in roles]  # MOV has its own mark: below
    assert [track[1:] for track in tracks(result, "subtitle")] == [
        ("swe", "Svenska", wanted[0]),
        ("fre", "Songs", wanted[1]),
    ]


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_forced_subtitles_have_the_mark_players_of_apple_look_for(tmp_path: Path, suffix: str) -> None:
    source = film_with(tmp_path / "a.mkv", Texts(LINES, disposition=FORCED), Texts(LINES))
    result, _ = carried(tmp_path, source, suffix)
    with av.open(str(result)) as film:
        flags = [struct.unpack(">I", stream.codec_context.extradata[:4])[0] for stream in film.streams.subtitles]
    assert flags == [ALL_FORCED, 0]


@pytest.mark.parametrize("codec", ["hdmv_pgs_subtitle", "dvb_subtitle"])
@pytest.mark.parametrize(("suffix", "name"), [(".mp4", "MP4"), (".mov", "MOV"), (".webm", "WebM")])
def test_subtitles_made_of_pictures_are_left_out_with_a_note(
    tmp_path: Path, codec: str, suffix: str, name: str
) -> None:
    source = film_with(tmp_path / "a.mkv", Texts([(0, 1, b"\x16\0\1")], codec), Texts(LINES))
    result, notes = carried(tmp_path, source, suffix)
    assert notes == [f"Subtitle track 1 ({codec}) consists of pictures, which {name} does not hold, and was left out."]
    assert cues(result) == LINES


def test_dvd_subtitles_are_copied_into_mp4(tmp_path: Path) -> None:
    source = film_with(tmp_path / "a.mkv", Texts([(0.5, 1.5, b"\0\6\0\4\0\0")], "dvd_subtitle"))
    result, notes = carried(tmp_path, source)
    assert (cues(result), notes) == ([(0.5, 1.5, "000600040000")], [])


def test_a_subtitle_that_does_not_say_how_long_is_shown_four_seconds(tmp_path: Path) -> None:
    source = film_with(tmp_path / "a.mkv", Texts([(0.5, 0.5, "Hello")]), seconds=6)
    assert cues(carried(tmp_path, source)[0]) == [(0.5, 4.5, "Hello")]


def test_subtitles_can_be_left_at_home(tmp_path: Path) -> None:
    source = film_with(tmp_path / "a.mkv", Texts(LINES), Texts([(0, 1, b"\x16\0\1")], "hdmv_pgs_subtitle"))
    result, notes = carried(tmp_path, source, subtitles=False)
    assert (tracks(result, "subtitle"), notes) == ([], [])
