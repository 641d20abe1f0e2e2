"""Triplets that are drawn for training are in order, varied, repeatable, and never from the footage kept apart."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import BadInputError
from engine.learn.data import Split, TripletSource, augmented

from .footage import sliding, texture, write_frames


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INBETWEEN_FRAME_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    return write_frames(tmp_path / "footage" / "walk", sliding(24))


def numbered(folder: Path, count: int, height: int = 64, width: int = 64) -> Path:
    """A sliding clip whose lower left pixel block tells the number of the frame: 10 grey levels each."""
    frames = sliding(count, height, width, step=1)
    for number, frame in enumerate(frames):
        frame[:] = frame // 4 + 10 * number
    return write_frames(folder, frames)


def test_samples_have_the_shape_type_and_time_that_were_promised(walk: Path) -> None:
    sample = TripletSource([walk], crop=48).sample(np.random.default_rng(0))
    for key in ("img0", "img1", "gt"):
        picture = sample[key]  # type: ignore[literal-required]
        assert picture.shape == (48, 48, 3) and picture.dtype == np.uint8 and picture.flags["C_CONTIGUOUS"]
    assert 0 < sample["timestep"] < 1


def test_the_middle_frame_lies_where_its_time_says(tmp_path: Path) -> None:
    source = TripletSource([numbered(tmp_path / "n", 12)], crop=64, augment=False)
    rng = np.random.default_rng(0)
    times = set()
    for _ in range(80):
        sample = source.sample(rng)
        shade0, shade, shade1 = (float(sample[key].mean()) for key in ("img0", "gt", "img1"))  # type: ignore[literal-required]
        assert (shade - shade0) / (shade1 - shade0) == pytest.approx(sample["timestep"], abs=0.06)
        times.add(round(sample["timestep"], 3))
    assert times == {0.5, 0.333, 0.667, 0.25, 0.75}


def test_one_seed_gives_one_sequence(walk: Path) -> None:
    first, second, other = (TripletSource([walk], crop=48, seed=seed) for seed in (3, 3, 4))
    for _ in range(5):
        a, b, c = first.sample(), second.sample(), other.sample()
        assert np.array_equal(a["gt"], b["gt"]) and a["timestep"] == b["timestep"]
        assert not np.array_equal(a["gt"], c["gt"])


def test_augmentation_treats_the_three_pictures_alike_and_reverses_time() -> None:
    pictures = [texture(40, 40, seed) for seed in range(3)]
    reversals = 0
    for seed in range(40):
        out, timestep = augmented(pictures, 0.25, np.random.default_rng(seed))
        alone, _ = augmented([pictures[1]] * 3, 0.25, np.random.default_rng(seed))
        assert np.array_equal(out[1], alone[0])
        first, _ = augmented([pictures[0]] * 3, 0.25, np.random.default_rng(seed))
        reversed_ = timestep == 0.75
        assert np.array_equal(out[2 if reversed_ else 0], first[0])
        reversals += reversed_
    assert 10 < reversals < 30


def test_triplets_never_span_a_cut(tmp_path: Path) -> None:
    dark = [frame // 4 for frame in sliding(8, seed=1)]
    light = [frame // 4 + 190 for frame in sliding(8, seed=2)]
    folder = write_frames(tmp_path / "cut", dark + light)
    source = TripletSource([folder], crop=64, augment=False)
    rng = np.random.default_rng(0)
    for _ in range(60):
        sample = source.sample(rng)
        assert abs(float(sample["img0"].mean()) - float(sample["img1"].mean())) < 20


def test_moving_frames_are_drawn_far_more_often_than_still_ones(tmp_path: Path) -> None:
    moving = [frame // 4 for frame in sliding(10, step=3)]
    still = [texture(72, 96, 5) // 4 + 190] * 10
    noisy = [
        np.clip(s + np.random.default_rng(n).integers(-1, 2, s.shape), 0, 255).astype(np.uint8)
        for n, s in enumerate(still)
    ]
    source = TripletSource([write_frames(tmp_path / "mixed", moving + noisy)], crop=48, augment=False)
    rng = np.random.default_rng(0)
    drawn_still = sum(source.sample(rng)["gt"].mean() > 128 for _ in range(300))
    assert drawn_still < 30


def test_validation_clips_are_whole_clips_never_trained_on(tmp_path: Path) -> None:
    for name in "abcd":
        write_frames(tmp_path / "footage" / name, [frame // 4 + 60 * "abcd".index(name) for frame in sliding(6)])
    source = TripletSource([tmp_path / "footage"], crop=48, split=Split(names=("c",)))
    assert [pool.name for pool in source.kept_apart] == ["c"]
    assert [pool.name for pool in source.train] == ["a", "b", "d"]
    assert [pool.name for pool in TripletSource([tmp_path / "footage"], crop=48, split=Split(every=2)).kept_apart] == [
        "b",
        "d",
    ]


def test_validation_triplets_are_the_same_at_every_call_and_in_the_middle(walk: Path) -> None:
    first = TripletSource([walk], crop=48, seed=0).validation(3, size=64)
    second = TripletSource([walk], crop=48, seed=9).validation(3, size=64)
    for a, b in zip(first, second, strict=True):
        assert a["timestep"] == 0.5
        assert a["gt"].shape == (64, 64, 3)
        assert np.array_equal(a["gt"], b["gt"]) and np.array_equal(a["img0"], b["img0"])


def test_of_a_single_clip_the_last_tenth_is_kept_apart(tmp_path: Path) -> None:
    source = TripletSource([numbered(tmp_path / "n", 20)], crop=64, augment=False)
    rng = np.random.default_rng(0)
    trained = max(float(source.sample(rng)["img1"].mean()) for _ in range(100))
    kept = min(float(sample["img0"].mean()) for sample in source.validation(10))
    assert kept > trained + 5


def test_three_frames_train_without_validation_and_say_so(tmp_path: Path) -> None:
    source = TripletSource([write_frames(tmp_path / "three", sliding(3))], crop=48)
    assert source.sample()["timestep"] == 0.5
    assert source.validation(4) == []
    assert "no validation figures" in source.notes[-1]


def test_vimeo_layout_trains_on_its_list_and_validates_on_the_other(tmp_path: Path) -> None:
    for line, shade in (("00001/0001", 0), ("00001/0002", 120)):
        folder = tmp_path / "vimeo" / "sequences" / line
        folder.mkdir(parents=True)
        for n, frame in enumerate(sliding(3), 1):
            cv2.imwrite(str(folder / f"im{n}.png"), frame // 4 + shade)
    (tmp_path / "vimeo" / "tri_trainlist.txt").write_text("00001/0001\n\n")
    (tmp_path / "vimeo" / "tri_testlist.txt").write_text("00001/0002\n")
    source = TripletSource([tmp_path / "vimeo"], crop=48, augment=False)
    assert source.sample()["gt"].max() < 100
    assert source.validation(1, size=64)[0]["gt"].min() >= 100


def test_samples_of_a_shrunk_crop_are_still_whole(tmp_path: Path) -> None:
    source = TripletSource([write_frames(tmp_path / "walk", sliding(12, 128, 128))], crop=64)
    shapes = {source.sample()["gt"].shape for _ in range(30)}
    assert shapes == {(64, 64, 3)}


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"There is no folder or video .*nowhere"):
        TripletSource([tmp_path / "nowhere"])


def test_an_empty_folder_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="holds no pictures and no videos"):
        TripletSource([tmp_path])


def test_footage_smaller_than_the_crop_says_so(walk: Path) -> None:
    with pytest.raises(BadInputError, match="walk: 72 pixels on its short side, smaller than the crop of 192"):
        TripletSource([walk], crop=192)


def test_one_bad_clip_among_good_ones_is_left_out_with_a_note(tmp_path: Path, walk: Path) -> None:
    write_frames(tmp_path / "footage" / "short", sliding(2))
    (tmp_path / "footage" / "broken.mp4").write_bytes(b"not a video")
    source = TripletSource([tmp_path / "footage"], crop=48)
    assert [pool.name for pool in source.train] == ["walk"]
    assert any("short has 2 frames" in note for note in source.notes)
    assert any("broken.mp4" in note for note in source.notes)
