"""Synthetic training scenes: what they promise is exact, so most of these tests are."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import BadInputError, BadOptionsError
from engine.learn.degrade import Camera, Light, add_noise, jpeg
from engine.learn.motions import Motion, Rigid, Waves
from engine.learn.scene import NO_MAP, Layer, Scene, pixel_grid
from engine.learn.synthetic import Plan, SyntheticScenes, film, random_time
from engine.learn.textures import fractal

SIDE = 96
KEYS = {"img0": np.uint8, "img1": np.uint8, "gt": np.uint8, "occ0": np.uint8, "occ1": np.uint8}


@pytest.fixture(scope="module")
def scenes() -> SyntheticScenes:
    return SyntheticScenes(None, SIDE, seed=3)


@pytest.fixture(scope="module")
def clean(scenes: SyntheticScenes) -> SyntheticScenes:
    twin = SyntheticScenes.__new__(SyntheticScenes)  # the same textures, drawn only once
    twin.__dict__.update(scenes.__dict__, clean=True)
    return twin


def smooth_picture(side: int = 3 * SIDE) -> np.ndarray:
    rng = np.random.default_rng(1)
    channels = [255 * fractal(rng, side, side, 12, 2) for _ in range(3)]
    return np.stack(channels, -1).astype(np.uint8)


def backdrop(motion: Motion, picture: np.ndarray | None = None) -> Layer:
    return Layer(smooth_picture() if picture is None else picture, (-float(SIDE), -float(SIDE)), 1.0, motion)


def square(x: int, y: int, size: int, motion: Motion) -> Layer:
    return Layer(np.full((size, size, 4), 255, np.uint8), (float(x), float(y)), 1.0, motion)


def shift(dx: float, dy: float, **more: object) -> Rigid:
    return Rigid(centre=(SIDE / 2, SIDE / 2), shift=(dx, dy), **more)  # type: ignore[arg-type]


def film_clean(*layers: Layer, time: float = 0.5) -> dict[str, np.ndarray]:
    return dict(film(np.random.default_rng(0), Plan(Scene(layers, SIDE)), time))  # type: ignore[arg-type]


def test_a_sample_has_the_promised_shapes_and_types(scenes: SyntheticScenes) -> None:
    sample = dict(scenes.sample(np.random.default_rng(0)))
    assert set(sample) == {*KEYS, "timestep", "flow_t0", "flow_t1"}
    for name, dtype in KEYS.items():
        assert sample[name].dtype == dtype
        assert sample[name].shape == ((SIDE, SIDE) if name.startswith("occ") else (SIDE, SIDE, 3))
    for name in ("flow_t0", "flow_t1"):
        assert sample[name].dtype == np.float32
        assert sample[name].shape == (SIDE, SIDE, 2)
    assert isinstance(sample["timestep"], float)


def test_the_same_random_state_gives_the_same_sample_and_another_gives_another(scenes: SyntheticScenes) -> None:
    first, again, other = (scenes.sample(np.random.default_rng(seed)) for seed in (11, 11, 12))
    for name in first:
        assert np.array_equal(first[name], again[name]), name  # type: ignore[literal-required]
    assert not np.array_equal(first["img0"], other["img0"])


def test_two_generators_of_one_seed_agree(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "one.png"), smooth_picture(80))
    one, two = (SyntheticScenes([tmp_path / "one.png"], 64, seed=5) for _ in range(2))
    for _ in range(3):
        assert np.array_equal(one.sample()["gt"], two.sample()["gt"])
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(one.bank.drawn, two.bank.drawn, strict=True))


@pytest.mark.parametrize("seed", range(6))
def test_time_0_gives_img0_and_time_1_gives_img1(clean: SyntheticScenes, seed: int) -> None:
    start, end = (clean.sample(np.random.default_rng(seed), t) for t in (0.0, 1.0))
    assert np.array_equal(start["gt"], start["img0"])
    assert np.array_equal(end["gt"], end["img1"])
    assert not start["flow_t0"].any()
    assert not end["flow_t1"].any()
    assert not start["occ0"].any()
    assert not end["occ1"].any()


def test_without_motion_the_three_pictures_are_the_same_and_nothing_is_hidden() -> None:
    tilted = Rigid(centre=(40.0, 50.0), angle=0.3, tilt=(5e-4, -3e-4))
    sample = film_clean(backdrop(Motion((tilted,))), square(20, 30, 25, Motion((tilted,))))
    assert np.array_equal(sample["img0"], sample["gt"])
    assert np.array_equal(sample["img1"], sample["gt"])
    assert np.abs(sample["flow_t0"]).max() < 1e-4
    assert sample["occ0"].sum() == 0


def test_a_whole_pixel_shift_is_exact_in_picture_and_flow() -> None:
    sample = film_clean(backdrop(Motion((shift(8, -4),))))
    assert np.array_equal(sample["gt"][:-2, 4:], sample["img0"][2:, :-4])
    assert np.array_equal(sample["gt"][2:, :-4], sample["img1"][:-2, 4:])
    assert np.abs(sample["flow_t0"] - np.float32([-4, 2])).max() < 1e-4
    assert np.abs(sample["flow_t1"] - np.float32([4, -2])).max() < 1e-4


def test_what_leaves_the_picture_is_marked_hidden() -> None:
    sample = film_clean(backdrop(Motion((shift(8, 0),))))  # seen at x - 4 in img0, at x + 4 in img1
    assert sample["occ0"].sum() == 4 * SIDE
    assert sample["occ0"][:, :4].all()
    assert sample["occ1"].sum() == 4 * SIDE
    assert sample["occ1"][:, -4:].all()


def test_what_a_moving_thing_covers_is_marked_hidden_and_keeps_its_true_flow() -> None:
    sample = film_clean(backdrop(Motion()), square(40, 30, 20, Motion((shift(16, 0),))))
    assert sample["occ0"].sum() == 20 * 8
    assert sample["occ0"][30:50, 32:40].all()
    assert sample["occ1"].sum() == 20 * 8
    assert sample["occ1"][30:50, 60:68].all()
    assert not sample["flow_t0"][30:50, 32:40].any()
    assert np.abs(sample["flow_t0"][30:50, 40:60] - np.float32([-8, 0])).max() < 1e-4


def test_an_overlay_stands_still_whatever_the_camera_does() -> None:
    sample = film_clean(backdrop(Motion((shift(20, 5, turn=0.2),))), square(10, 10, 30, Motion()))
    for name in ("img0", "gt", "img1"):
        assert (sample[name][10:40, 10:40] == 255).all()
    assert not sample["flow_t1"][10:40, 10:40].any()


WAVES = Waves(
    amplitude=np.array([[2.0], [1.5]]),
    k=np.array([[[0.06, 0.05]], [[-0.04, 0.07]]]),
    phase=np.array([[0.4], [1.9]]),
    speed=np.array([[1.5], [-2.0]]),
)
MOTIONS = {
    "shift": Motion((shift(7.3, -3.8),)),
    "turn and zoom": Motion((shift(4, 2, turn=0.15, zoom=(0.1, -0.05), shear=0.05),)),
    "perspective": Motion((shift(3, -6, tilt=(3e-4, 5e-4), tilting=(6e-4, -4e-4)),)),
    "accelerating": Motion((shift(9, 0, bend=(8, -6)),)),
    "waves": Motion((shift(3, 3, turn=0.05),), WAVES),
}


@pytest.mark.parametrize("time", [0.5, 0.2])
@pytest.mark.parametrize("name", MOTIONS)
def test_img0_and_img1_warped_by_the_flow_give_gt(name: str, time: float) -> None:
    sample = film_clean(backdrop(MOTIONS[name]), time=time)
    for image, flow, hidden in (("img0", "flow_t0", "occ0"), ("img1", "flow_t1", "occ1")):
        place = pixel_grid(SIDE) + sample[flow]
        warped = cv2.remap(sample[image], place, NO_MAP, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)
        error = np.abs(warped.astype(float) - sample["gt"])[cv2.dilate(sample[hidden], np.ones((3, 3))) == 0]
        unmoved = np.abs(sample[image].astype(float) - sample["gt"]).mean()
        assert error.mean() < 0.6
        assert unmoved > 3 * error.mean()  # else the test would prove nothing


@pytest.mark.parametrize("name", MOTIONS)
def test_a_carried_point_is_the_same_point_of_the_surface(name: str) -> None:
    motion, grid = MOTIONS[name], pixel_grid(SIDE)
    for start, end in ((0.5, 0.0), (0.3, 1.0), (1.0, 0.0)):
        carried = motion.carry(grid, start, end)
        assert np.abs(motion.to_surface(carried, end) - motion.to_surface(grid, start)).max() < 2e-3
        assert np.abs(motion.carry(carried, end, start) - grid).max() < 4e-3


def test_an_accelerating_layer_follows_a_parabola() -> None:
    place = np.zeros((1, 1, 2), np.float32)
    moved = [MOTIONS["accelerating"].carry(place, 0.5, time)[0, 0] for time in (0.0, 0.75, 1.0)]
    assert np.allclose(moved, [[-4.5 + 1, -0.75], [2.25 + 0.25, -0.1875], [4.5 + 1, -0.75]], atol=1e-4)


def test_edges_blend_with_what_is_behind_without_a_seam() -> None:
    patch = np.full((40, 40, 4), 200, np.uint8)
    patch[..., :3] = 80  # 80 / 200 of white: a premultiplied grey of 102, covering 200 / 255
    white = np.full((3 * SIDE, 3 * SIDE, 3), 255, np.uint8)
    sample = film_clean(backdrop(Motion(), white), Layer(patch, (20.0, 20.0), 1.0, Motion()))
    assert (sample["gt"][25:55, 25:55] == 80 + 55).all()


def test_noise_is_in_the_inputs_and_not_in_the_target() -> None:
    grey = np.full((3 * SIDE, 3 * SIDE, 3), 128, np.uint8)
    plan = Plan(Scene((backdrop(Motion(), grey),), SIDE), camera=Camera(noise=5.0))
    sample = film(np.random.default_rng(0), plan, 0.5)
    assert (sample["gt"] == 128).all()
    noise0, noise1 = (sample[name].astype(float) - 128 for name in ("img0", "img1"))  # type: ignore[literal-required]
    assert abs(noise0.mean()) < 0.3
    assert 4.5 < noise0.std() < 5.5
    assert abs(np.corrcoef(noise0.ravel(), noise1.ravel())[0, 1]) < 0.05


@pytest.mark.parametrize("coarse", [False, True])
def test_noise_keeps_its_strength_in_both_grains(coarse: bool) -> None:
    grey = np.full((SIDE, SIDE, 3), 128, np.uint8)
    noise = add_noise(np.random.default_rng(4), grey, 4.0, coarse=coarse).astype(float) - 128
    assert 3.5 < noise.std() < 4.5


def test_jpeg_harms_the_target_less_than_the_inputs() -> None:
    still = Scene((backdrop(Motion()),), SIDE)
    sample, truth = film(np.random.default_rng(0), Plan(still, camera=Camera(quality=60)), 0.5), still.draw(0.5)[0]
    harm = {name: np.abs(sample[name].astype(float) - truth).mean() for name in ("img0", "gt")}  # type: ignore[literal-required]
    assert 0 < harm["gt"] < 0.8 * harm["img0"]
    assert np.array_equal(sample["gt"], jpeg(truth, 80))


def test_motion_blur_smears_what_moves_and_leaves_the_rest() -> None:
    scene = Scene((backdrop(Motion()), square(40, 30, 20, Motion((shift(12, 0),)))), SIDE)
    sharp, blurred = scene.draw(0.5)[0], scene.exposed(0.5, 0.5, 7)
    changed = np.any(sharp != blurred, axis=(0, 2)).nonzero()[0]
    assert (changed.min(), changed.max()) == (37, 62)  # 3 pixels to either side of its edges at 40 and 60
    assert np.array_equal(blurred[:30], sharp[:30])


def test_light_changes_evenly_with_time() -> None:
    grey = np.full((8, 8, 3), 100, np.uint8)
    light = Light(gain=(1.0, 1.5))
    assert [int(light.apply(grey, time)[0, 0, 0]) for time in (0.0, 0.5, 1.0)] == [100, 125, 150]
    wide = np.full((SIDE, SIDE, 3), 100, np.uint8)
    sloped = Light(slope=((0.2, 0.0), (0.2, 0.0))).apply(wide, 0.5)
    assert [int(value) for value in sloped[4, [0, -1], 0]] == [80, 120]


def test_a_shadow_moves_over_a_scene_that_does_not() -> None:
    shadow = np.ones((24, 24), np.float32)
    shadow[:, :12] = 0.5
    light = Light(shadow=shadow, path=((0.0, 0.0), (6.0, 0.0)))
    grey = np.full((SIDE, SIDE, 3), 200, np.uint8)
    dark = [int((light.apply(grey, time)[50, :, 0] < 150).sum()) for time in (0.0, 0.5, 1.0)]
    assert dark == [48, 60, 72]


def test_times_are_mostly_the_middle_and_never_outside_a_tenth_from_the_ends() -> None:
    rng = np.random.default_rng(0)
    times = np.array([random_time(rng) for _ in range(2000)])
    assert 0.68 < (times == 0.5).mean() < 0.76
    assert times.min() >= 0.1
    assert times.max() <= 0.9
    assert len(np.unique(times)) > 200


def test_motion_is_small_in_most_scenes_and_large_in_some(clean: SyntheticScenes) -> None:
    fastest = []
    for seed in range(150):
        scene = clean.plan(np.random.default_rng(seed)).scene
        flow = scene.flow(scene.draw(0.0)[1], 0.0, 1.0)
        assert np.isfinite(flow).all()
        fastest.append(np.percentile(np.hypot(*flow.transpose(2, 0, 1)), 95))
    quarter, half, most = np.percentile(fastest, [25, 50, 90])
    assert quarter < 3.5
    assert 2 < half < 9
    assert most > SIDE / 10
    assert max(fastest) < SIDE  # nothing flies through the camera


def test_layers_hide_parts_in_most_scenes(clean: SyntheticScenes) -> None:
    hidden = [clean.sample(np.random.default_rng(seed))["occ0"].mean() for seed in range(40)]
    assert 0.005 < np.median(hidden) < 0.2


def test_photographs_are_used_as_textures(tmp_path: Path) -> None:
    red = np.zeros((150, 200, 3), np.uint8)
    red[..., 2] = 250  # cv2 writes BGR
    cv2.imwrite(str(tmp_path / "red.png"), red)
    bank = SyntheticScenes([tmp_path / "red.png"], 64).bank
    assert [level.shape for level in bank.photos[0]] == [(150, 200, 3), (75, 100, 3), (38, 50, 3)]
    assert (bank.photos[0][0] == [250, 0, 0]).all()
    picked = [bank.pick(np.random.default_rng(seed)) is bank.photos[0] for seed in range(50)]
    assert 35 < sum(picked) < 50  # now and then a drawn texture


def test_a_crop_larger_than_the_picture_is_mirrored_on(scenes: SyntheticScenes) -> None:
    ramp = np.repeat(25 * np.arange(10, dtype=np.uint8)[None, :, None], 10, 0).repeat(3, 2)
    crop = scenes.bank.crop(np.random.default_rng(1), 30, 20, [ramp])
    assert crop.shape == (20, 30, 3)
    assert np.array_equal(crop[:, :10], crop[:, 19:9:-1])
    assert np.array_equal(crop[:5], crop[9:4:-1])
    assert len(np.unique(crop[..., 0])) == 10


def test_a_photograph_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "holiday.jpg"
    broken.write_text("not a picture")
    with pytest.raises(BadInputError, match=r"holiday\.jpg"):
        SyntheticScenes([broken], 64)
    with pytest.raises(BadInputError, match=r"gone\.jpg"):
        SyntheticScenes([tmp_path / "gone.jpg"], 64)


@pytest.mark.parametrize("size", [16, 2000])
def test_a_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(BadOptionsError, match="32 to 1024"):
        SyntheticScenes(None, size)
