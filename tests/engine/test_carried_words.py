"""What a film says about itself in words comes along: title, date, place, chapters; but not which program made it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from engine.video import probe
from engine.words import film_words

from .streams import Voice, carried, film_with

F = Fraction
WORDS = {
    "title": "A walk",
    "artist": "Somebody",
    "date": "2024-05-06",
    "comment": "In the rain",
    "creation_time": "2024-05-06T07:08:09.000000Z",
    "location": "+52.5200+013.4050/",
}
CHAPTERS = [(0.0, 1.0, "One"), (1.0, 2.5, "Two"), (2.5, 4.0, "Three")]


def words_of(path: Path) -> dict[str, str]:
    with av.open(str(path)) as film:
        return {key.lower(): value for key, value in film.metadata.items()}


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm"])
@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
def test_title_date_time_and_place_come_along(tmp_path: Path, name: str, suffix: str) -> None:
    source = film_with(tmp_path / name, words=WORDS, seconds=1)
    found = words_of(carried(tmp_path, source, suffix)[0])
    assert {key: found.get(key) for key in WORDS} == WORDS


def test_what_telephones_call_by_other_names_is_known() -> None:
    found = film_words(
        {
            "com.apple.quicktime.location.ISO6709": "+52.5200+013.4050+034.0/",
            "com.apple.quicktime.creationdate": "2024-05-06T07:08:09+0200",
            "com.apple.quicktime.make": "Pear",
            "TITLE": "A walk",
        }
    )
    assert found == {
        "location": "+52.5200+013.4050+034.0/",
        "date": "2024-05-06T07:08:09+0200",
        "make": "Pear",
        "title": "A walk",
    }


def test_the_maker_of_the_source_is_not_claimed_to_have_made_the_result(tmp_path: Path) -> None:
    source = film_with(tmp_path / "a.mkv", words={"encoder": "Camera 7", "encoded_by": "Camera 7"}, seconds=1)
    assert "Camera 7" not in words_of(carried(tmp_path, source)[0]).values()
    assert "encoder" not in film_words({"encoder": "Camera 7", "ENCODER": "Camera 7", "major_brand": "isom"})


def test_the_language_of_the_picture_stays(tmp_path: Path) -> None:
    with av.open(str(film_with(tmp_path / "a.mkv", seconds=1))) as plain, av.open(str(tmp_path / "b.mkv"), "w") as out:
        stream = out.add_stream_from_template(plain.streams.video[0])
        stream.metadata["language"] = "ita"
        for packet in plain.demux(video=0):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    for suffix in (".mp4", ".mov", ".webm"):
        with av.open(str(carried(tmp_path, tmp_path / "b.mkv", suffix)[0])) as film:
            assert film.streams.video[0].language == "ita"


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm"])
def test_chapters_are_moved_stretched_and_cut_with_the_picture(tmp_path: Path, suffix: str) -> None:
    source = film_with(tmp_path / "a.mkv", Voice(), chapters=CHAPTERS, first=1)  # the picture begins 0.2 s late
    assert probe(carried(tmp_path, source, suffix)[0]).chapters == [
        {"start": 0.0, "end": 0.8, "title": "One"},
        {"start": 0.8, "end": 2.3, "title": "Two"},
        {"start": 2.3, "end": 3.8, "title": "Three"},
    ]
    assert probe(carried(tmp_path, source, suffix, begin=F(1), end=F(2), stretch=3, sound=False)[0]).chapters == [
        {"start": 0.0, "end": 3.0, "title": "Two"}
    ]
    assert probe(carried(tmp_path, source, suffix, begin=F(2), end=F(3))[0]).chapters == [
        {"start": 0.0, "end": 0.3, "title": "Two"},
        {"start": 0.3, "end": 1.0, "title": "Three"},
    ]
