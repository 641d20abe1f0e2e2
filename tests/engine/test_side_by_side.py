"""What runs on all cores gives what one core gives, and what training's way through PyTorch gives."""

import threading

import pytest
import torch

from engine import fusion
from engine.cores import side_by_side
from engine.fusion import fuse_warped
from engine.matching import seen_along
from engine.motion import planar
from engine.nets.layers import correction_head


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_results_come_in_order_and_errors_come_out(threads):
    threads(3)
    assert side_by_side(lambda n: n * n, range(50)) == [n * n for n in range(50)]
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda n: 1 // n, [2, 1, 0])


def test_with_one_thread_no_other_is_used(threads):
    threads(1)
    assert set(side_by_side(lambda _: threading.get_ident(), range(8))) == {threading.get_ident()}
    threads(2)
    assert threading.get_ident() not in side_by_side(lambda _: threading.get_ident(), range(8))


@torch.no_grad()
def test_strips_of_a_picture_meet_without_a_seam(threads, monkeypatch):
    img0, img1 = torch.rand(2, 1, 3, 96, 64)
    flows = torch.randn(2, 1, 2, 48, 32) * 3
    mask, less = torch.rand(1, 1, 96, 64), torch.rand(1, 2, 96, 64)
    for part in (None, less):
        whole = fuse_warped(img0, img1, *flows, mask, part)
        with monkeypatch.context() as patch:
            patch.setattr(fusion, "_STRIP_PIXELS", 64 * 22)
            for count in (1, 2):
                threads(count)
                torch.testing.assert_close(fuse_warped(img0, img1, *flows, mask, part), whole, atol=1e-6, rtol=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_motions_are_compared_by_opencv_as_by_pytorch(channels):
    pictures = torch.rand(2, 1, channels, 24, 32)
    motions = torch.randint(-4, 5, (6, 1, 2, 24, 32)).float() * 2  # whole pixels, where both ways of warping are exact
    early, late, costs = seen_along(list(motions), *pictures, 0.5)
    with torch.no_grad():
        fast_early, fast_late, fast = seen_along(list(motions), *pictures, 0.5)
    torch.testing.assert_close(fast, costs, atol=1e-5, rtol=0)
    torch.testing.assert_close(fast_early, early[:1], atol=1e-5, rtol=0)
    torch.testing.assert_close(fast_late, late[:1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_head_that_doubles_gives_the_same_without_gradients(channels):
    head = correction_head(8, channels, doubling=True)
    torch.nn.init.normal_(head.weight)
    torch.nn.init.normal_(head.bias)
    x = torch.randn(1, 8, 6, 10).contiguous(memory_format=torch.channels_last)
    slow = head(x)
    with torch.no_grad():
        torch.testing.assert_close(head(x), slow.detach(), atol=1e-5, rtol=0)


@torch.no_grad()
def test_channels_apart_are_the_same_picture():
    image = torch.rand(1, 5, 8, 12)
    apart = planar(image.contiguous(memory_format=torch.channels_last))
    assert apart.is_contiguous()
    assert torch.equal(apart, image)
