"""Many pairs at once: which pictures belong together, and that one bad pair spoils nothing."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import interpolate_pairs
from engine.errors import BadInputError, BadOptionsError, StoppedError
from engine.metrics import blend
from engine.pairing import find_pairs
from engine.pictures import read_picture, write_picture
from engine.progress import Progress

from .footage import BlendModel, shot


def found(*labels: str) -> tuple[list[tuple[str, str, str]], list[str]]:
    pairs, lonely = find_pairs(labels)
    return [(pair.name, labels[pair.first], labels[pair.second]) for pair in pairs], [labels[n] for n in lonely]


def test_names_that_differ_in_their_number_are_pairs() -> None:
    assert found("b_2.png", "a_1.png", "b_1.png", "a_2.jpg") == (
        [("a", "a_1.png", "a_2.jpg"), ("b", "b_1.png", "b_2.png")],
        [],
    )


def test_a_folder_of_a_training_set_is_a_pair_of_its_outer_pictures() -> None:
    assert found("s/0001/im1.png", "s/0001/im3.png", "s/0002/im1.png", "s/0002/im2.png", "s/0002/im3.png") == (
        [("s_0001", "s/0001/im1.png", "s/0001/im3.png"), ("s_0002", "s/0002/im1.png", "s/0002/im3.png")],
        [],
    )


def test_a_list_is_paired_two_by_two_in_the_order_of_its_numbers() -> None:
    pairs, lonely = found("f9.png", "f10.png", "f11.png", "f12.png", "f13.png")
    assert pairs == [("f9-f10", "f9.png", "f10.png"), ("f11-f12", "f11.png", "f12.png")]
    assert lonely == ["f13.png"]


def test_names_without_numbers_are_paired_in_their_order() -> None:
    assert found("dog.png", "cat after.png", "dog after.png", "cat.png")[0] == [
        ("cat-cat_after", "cat.png", "cat after.png"),
        ("dog-dog_after", "dog.png", "dog after.png"),
    ]


def test_a_picture_that_lost_its_partner_does_not_take_that_of_another() -> None:
    assert found("a_1.png", "b_1.png", "b_2.png", "c_2.png") == (
        [("b", "b_1.png", "b_2.png")],
        ["a_1.png", "c_2.png"],
    )


def test_pairs_never_cross_folders_and_have_names_of_their_own() -> None:
    pairs, lonely = found("x/1.png", "y/1.png", "y/2.png", "x_/1.png", "x_/2.png", "y_/3.png", "y_/4.png")
    assert [name for name, _, _ in pairs] == ["x", "y", "y_2"]
    assert lonely == ["x/1.png"]


def two(folder: Path, name: str, seed: int = 1, size: tuple[int, int] = (64, 48)) -> list[np.ndarray]:
    folder.mkdir(exist_ok=True)
    frames = shot(seed, 2, size)
    for number, rgb in enumerate(frames, 1):
        write_picture(folder / f"{name}_{number}.png", rgb)
    return frames


def test_every_pair_gets_a_folder_with_what_lies_between(tmp_path: Path) -> None:
    a, b = two(tmp_path / "in", "a"), two(tmp_path / "in", "b", 2, (80, 64))
    seen: list[Progress] = []
    results = interpolate_pairs(
        tmp_path / "in", tmp_path / "out", 3, interpolator=BlendModel(), on_progress=seen.append
    )
    assert [(one.name, [path.name for path in one.frames], one.error) for one in results] == [
        (name, ["frame_01.png", "frame_02.png", "frame_03.png"], "") for name in ("a", "b")
    ]
    assert np.array_equal(read_picture(tmp_path / "out/a/frame_02.png"), blend(*a, 0.5))
    assert np.array_equal(read_picture(tmp_path / "out/b/frame_01.png"), blend(*b, 0.25))
    assert [(one.frames_done, one.frames_total) for one in seen] == [(0, 2), (1, 2), (2, 2)]


def test_a_bad_pair_is_told_and_the_others_are_drawn(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for name in "abcd":
        two(folder, name)
    write_picture(folder / "b_2.png", shot(1, 1, (80, 64))[0])
    (folder / "c_2.png").write_bytes((folder / "c_2.png").read_bytes()[:300])
    (folder / "notes.txt").write_text("not a picture")
    Image.fromarray(shot(1, 1)[0]).save(folder / "e_1.png")
    results = {one.name: one for one in interpolate_pairs(folder, tmp_path / "out", interpolator=BlendModel())}
    assert [name for name, one in results.items() if one.frames] == ["a", "d"]
    assert results["b"].error == "The two pictures differ in size: 64x48 and 80x64."
    assert results["c"].error.startswith('"c_2.png": The picture is damaged or cut short.')
    assert results["e_1.png"].error == "It has no partner."
    assert results["notes.txt"].error.startswith("This is a text")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a", "d"]


def test_the_second_picture_is_resized_when_that_is_asked_for(tmp_path: Path) -> None:
    two(tmp_path / "in", "a")
    write_picture(tmp_path / "in/a_2.png", shot(1, 1, (80, 64))[0])
    (result,) = interpolate_pairs(tmp_path / "in", tmp_path / "out", resize_second=True, interpolator=BlendModel())
    assert read_picture(result.frames[0]).shape == (48, 64, 3)


def test_a_zip_of_pairs_is_taken_as_well(tmp_path: Path) -> None:
    two(tmp_path / "in", "a")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for number in (1, 2):
            archive.write(tmp_path / f"in/a_{number}.png", f"deep/er/im{2 * number - 1}.png")
    (result,) = interpolate_pairs(tmp_path / "in.zip", tmp_path / "out", interpolator=BlendModel())
    assert (result.name, len(result.frames)) == ("deep_er", 1)


class Keeps(BlendModel):
    """Gives back what it was given, so that depth and alpha can be seen."""

    def pair(self, img0: np.ndarray, img1: np.ndarray) -> Keeps:  # type: ignore[override]
        assert (img0.shape, img0.dtype) == (img1.shape, img1.dtype)
        self.last = img0
        return self

    def at(self, t: object) -> np.ndarray:
        return self.last


def test_depth_and_alpha_are_kept_and_brought_together(tmp_path: Path) -> None:
    deep = np.random.default_rng(1).integers(0, 65536, (48, 64, 4)).astype(np.uint16)
    write_picture(tmp_path / "a_1.png", deep)
    write_picture(tmp_path / "a_2.png", shot(1, 1)[0])
    from engine.pictures import read_pixels

    (result,) = interpolate_pairs([tmp_path / "a_1.png", tmp_path / "a_2.png"], tmp_path / "out", interpolator=Keeps())
    assert np.array_equal(read_pixels(result.frames[0], deep=True, alpha=True), deep)


def test_without_any_pair_the_reasons_are_told(tmp_path: Path) -> None:
    write_picture(tmp_path / "a_1.png", shot(1, 1)[0])
    with pytest.raises(BadInputError, match=r'no two pictures that belong together.*"a_1\.png": It has no partner'):
        interpolate_pairs(tmp_path, tmp_path / "out", interpolator=BlendModel())
    with pytest.raises(BadOptionsError, match="Choose 1 to 10"):
        interpolate_pairs(tmp_path, tmp_path / "out", 11, interpolator=BlendModel())


def test_it_can_be_stopped_between_pairs(tmp_path: Path) -> None:
    for name in "abc":
        two(tmp_path / "in", name)
    model = BlendModel()
    with pytest.raises(StoppedError):
        interpolate_pairs(
            tmp_path / "in", tmp_path / "out", interpolator=model, should_stop=lambda: len(model.pairs) == 2
        )
    assert len(model.pairs) == 2
