import cv2
import numpy as np
import torch

from engine.fusion import fuse_warped, without_detail
from engine.motion import (
    backward_warp,
    dis_flow,
    farneback_flow,
    flow_to_picture,
    inconsistency,
    project_backward,
    resize_flow,
    warp_picture,
)


def textured(height: int = 96, width: int = 128, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)


def shifted(image: np.ndarray, dx: int, dy: int) -> np.ndarray:
    return cv2.warpAffine(
        image, np.float32([[1, 0, dx], [0, 1, dy]]), image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE
    )


def constant_flow(dx: float, dy: float, height: int = 24, width: int = 32) -> torch.Tensor:
    return torch.tensor([dx, dy], dtype=torch.float32).reshape(1, 2, 1, 1).expand(1, 2, height, width).contiguous()


def test_zero_flow_is_identity_with_and_without_gradients():
    image = torch.rand(2, 5, 24, 32)
    flow = torch.zeros(2, 2, 24, 32)
    torch.testing.assert_close(backward_warp(image, flow), image, atol=1e-5, rtol=0)
    with torch.no_grad():
        assert torch.equal(backward_warp(image, flow), image)


def test_an_integer_shift_is_exact_and_samples_at_x_plus_flow():
    image = torch.rand(1, 3, 24, 32)
    with torch.no_grad():
        warped = backward_warp(image, constant_flow(3, -2))
    assert torch.equal(warped[..., 2:, :-3], image[..., :-2, 3:])


def test_opencv_and_torch_warps_agree_on_fractions_of_a_pixel():
    image = torch.rand(1, 4, 24, 32)
    flow = torch.rand(1, 2, 24, 32) * 6 - 3
    with torch.no_grad():
        fast = backward_warp(image, flow)
    assert (fast - backward_warp(image, flow)).abs().max() < 0.04  # 1/32 pixel of a picture of pure noise


def test_outside_the_border_the_edge_is_repeated():
    image = torch.rand(1, 3, 24, 32)
    with torch.no_grad():
        warped = backward_warp(image, constant_flow(100, 0))
    assert torch.equal(warped, image[..., -1:].expand_as(image))


def test_gradients_reach_image_and_flow():
    image = torch.rand(1, 3, 24, 32, requires_grad=True)
    flow = constant_flow(0.3, 0.2).requires_grad_()
    backward_warp(image, flow).square().sum().backward()
    assert image.grad.abs().sum() > 0
    assert flow.grad.abs().sum() > 0


def test_dis_and_farneback_find_a_shift():
    image = textured()
    moved = shifted(image, 4, -2)
    for flow in (dis_flow(image, moved), farneback_flow(image, moved)):
        inner = flow[24:-24, 24:-24]
        assert np.abs(np.median(inner, axis=(0, 1)) - (4, -2)).max() < 0.3


def test_dis_takes_pictures_smaller_than_its_patches_like():
    assert dis_flow(textured(16, 18), textured(16, 18)).shape == (16, 18, 2)


def test_warping_the_second_frame_by_the_flow_gives_the_first():
    image = textured()
    moved = shifted(image, 4, -2)
    back = warp_picture(moved, dis_flow(image, moved))
    assert np.abs(back[16:-16, 16:-16].astype(int) - image[16:-16, 16:-16]).mean() < 2


def test_resizing_a_flow_rescales_its_vectors():
    flow = np.full((20, 40, 2), (8, 4), np.float32)
    np.testing.assert_allclose(resize_flow(flow, (20, 5)), np.full((5, 20, 2), (4, 1)))


def test_consistent_flows_miss_by_nothing_and_others_by_their_difference():
    with torch.no_grad():
        assert inconsistency(constant_flow(2, 1), constant_flow(-2, -1)).max() < 1e-5
        torch.testing.assert_close(inconsistency(constant_flow(2, 1), constant_flow(1, 3)).max(), torch.tensor(5.0))


def test_projection_points_back_to_where_the_point_came_from():
    flow = torch.zeros(1, 2, 24, 32)
    flow[:, 0, :, 8:16] = 4  # a bar moves to the right, the rest stands still
    offset = project_backward(flow, 0.5)
    assert torch.all(offset[0, 0, :, 12:16] == -2)
    assert torch.all(offset[0, 0, :, :6] == 0)


def test_flow_picture_is_white_where_nothing_moves_and_has_one_colour_for_each_direction():
    flow = np.zeros((2, 2, 2), np.float32)
    flow[0, 0] = (5, 0)
    flow[0, 1] = (-5, 0)
    picture = flow_to_picture(flow, max_px=5)
    assert picture.dtype == np.uint8
    assert tuple(picture[1, 1]) == (255, 255, 255)
    assert tuple(picture[0, 0]) == (255, 0, 0)
    assert tuple(picture[0, 1]) == (0, 255, 255)


def test_fusing_colour_by_colour_gives_what_fusing_with_gradients_gives():
    img0, img1 = (torch.from_numpy(textured(48, 64, seed)).permute(2, 0, 1)[None] / 255 for seed in (1, 2))
    flows = [constant_flow(1, -2), constant_flow(-2, 1)]  # whole pixels, where both ways of warping are exact
    mask, less = torch.rand(1, 1, 48, 64), torch.rand(1, 2, 48, 64)
    for part in (None, less):
        with torch.no_grad():
            fast = fuse_warped(img0, img1, *flows, mask, part)
        torch.testing.assert_close(fast, fuse_warped(img0, img1, *flows, mask, part), atol=1e-4, rtol=0)


def test_detail_left_out_takes_fine_noise_and_leaves_what_is_flat_or_coarse():
    noise, coarse = torch.rand(1, 3, 48, 64), torch.from_numpy(textured(48, 64)).permute(2, 0, 1)[None] / 255
    nothing, everything = torch.zeros(1, 2, 48, 64), torch.ones(1, 2, 48, 64)
    assert torch.equal(without_detail(noise, nothing), noise)
    assert without_detail(noise, everything).std() < 0.3 * noise.std()
    assert without_detail(coarse, everything).std() > 0.8 * coarse.std()
    torch.testing.assert_close(without_detail(torch.full_like(noise, 0.4), everything), torch.full_like(noise, 0.4))
