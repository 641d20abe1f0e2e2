"""Single pictures are put in order by the numbers in their names, and gaps between the numbers are seen."""

from __future__ import annotations

import random

import pytest

from engine.errors import BadInputError
from engine.numbering import by_folder, listed, natural_key, number


def ordered(*names: str) -> tuple[list[str], list[int], list[str]]:
    shuffled = list(names)
    random.Random(3).shuffle(shuffled)
    found = number(shuffled)
    return [shuffled[place] for place in found.order], found.ticks, found.notes


def test_frame_2_comes_before_frame_10() -> None:
    assert ordered("frame_1.png", "frame_2.png", "frame_10.png", "frame_3.png")[0] == [
        "frame_1.png", "frame_2.png", "frame_3.png", "frame_10.png",
    ]  # fmt: skip


def test_leading_zeros_and_endings_change_nothing() -> None:
    names, ticks, notes = ordered("f_08.png", "f_9.JPG", "f_010.tif")
    assert (names, ticks, notes) == (["f_08.png", "f_9.JPG", "f_010.tif"], [0, 1, 2], [])


def test_a_missing_number_keeps_its_time_and_is_told() -> None:
    names, ticks, notes = ordered("a7.png", "a8.png", "a10.png", "a11.png")
    assert (names[2], ticks) == ("a10.png", [0, 1, 3, 4])
    assert notes == ["Number 9 is missing. Its time is kept: what moved there takes as long as it took."]


def test_many_missing_numbers_are_told_as_ranges() -> None:
    _, ticks, notes = ordered(*(f"a{n:03}.png" for n in (0, 1, 4, 5, 6, 8, 9)))
    assert ticks == [0, 1, 4, 5, 6, 8, 9]
    assert notes[0].startswith("3 numbers are missing (2-3, 7).")


def test_numbers_in_tens_are_a_step_and_no_gap() -> None:
    assert ordered("x0010.png", "x0020.png", "x0030.png", "x0040.png")[1:] == ([0, 1, 2, 3], [])


def test_numbers_that_count_something_else_are_only_an_order() -> None:
    names, ticks, notes = ordered("IMG_20240101_115958.jpg", "IMG_20240101_115959.jpg", "IMG_20240101_120007.jpg")
    assert (names[2], ticks) == ("IMG_20240101_120007.jpg", [0, 1, 2])
    assert "leave out more than they count" in notes[0]


def test_the_number_may_stand_anywhere_in_the_name() -> None:
    assert ordered("v2_9_final.png", "v2_10_final.png", "v2_12_final.png")[1] == [0, 1, 3]


def test_names_that_share_no_pattern_are_sorted_and_evenly_spaced() -> None:
    assert ordered("a.png", "a1.png", "b.png", "c9.png")[:2] == (["a.png", "a1.png", "b.png", "c9.png"], [0, 1, 2, 3])


def test_folders_follow_each_other() -> None:
    names, ticks, notes = ordered("shot10/1.png", "shot2/1.png", "shot2/2.png")
    assert (names, ticks, notes) == (["shot2/1.png", "shot2/2.png", "shot10/1.png"], [0, 1, 2], [])
    assert by_folder(["b/2.png", "a/1.png", "b/1.png"]) == [[1], [2, 0]]


@pytest.mark.parametrize("names", [("f1.png", "f01.png"), ("f1.png", "f1.jpg"), ("f1.png", "f2.png", "f02.png")])
def test_two_pictures_with_one_number_are_refused_by_name(names: tuple[str, ...]) -> None:
    with pytest.raises(BadInputError, match=r'Two pictures have the same place in the order: "f'):
        number(names)


def test_an_endless_number_does_no_harm() -> None:
    assert natural_key("9" * 60_000 + ".png") > natural_key("1.png")


def test_of_many_words_a_few_are_named() -> None:
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
