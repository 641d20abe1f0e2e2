"""What training minimises: exact values on pictures and flows small enough to work out by hand."""

import math

import numpy as np
import pytest
import torch

from engine.learn.losses import (
    choice_loss,
    chosen_flow_loss,
    decibel_loss,
    flow_loss,
    laplacian_loss,
    mask_loss,
)
from engine.nets.flow_fusion import Choice, Match, Synthesis


def choice(weights: list[float], early: list[float], late: list[float], motions: list[float]) -> Choice:
    """Candidates that each show one plain grey to both frames and move everything by (motion, 0); 4x4 pixels."""

    def plain(values: list[float], channels: int) -> torch.Tensor:
        return torch.tensor(values).reshape(-1, 1, 1, 1, 1).expand(-1, 1, channels, 4, 4)

    vectors = plain(motions, 2) * torch.tensor([1.0, 0.0]).reshape(1, 1, 2, 1, 1)
    shares = torch.tensor(weights).reshape(1, -1, 1, 1).expand(1, -1, 4, 4)
    return Choice(shares, vectors, plain(early, 3), plain(late, 3))


def synthesis(flow_t0: torch.Tensor, flow_t1: torch.Tensor) -> Synthesis:
    nothing = torch.zeros(1)
    pair = Match(None, None, nothing, nothing, nothing, nothing, None)  # type: ignore[arg-type]
    return Synthesis(nothing, flow_t0, flow_t1, nothing, pair, None)


def test_the_laplacian_loss_of_equal_pictures_is_its_floor_and_grows_with_the_error():
    picture = torch.rand(1, 3, 32, 32)
    floor = laplacian_loss(picture, picture)
    assert floor < 0.05
    np.testing.assert_allclose(laplacian_loss(picture + 0.1, picture), floor + 0.1, atol=0.002)  # all in the coarsest


def test_the_decibel_loss_is_psnr_over_minus_ten_and_every_sample_counts_alike():
    truth = torch.zeros(2, 3, 8, 8)
    predicted = torch.stack([torch.full((3, 8, 8), 0.1), torch.full((3, 8, 8), 0.01)])
    assert decibel_loss(predicted, truth).item() == pytest.approx(-(20 + 40) / 2 / 10, abs=0.003)


def test_the_choice_loss_is_the_error_of_each_candidate_by_its_share():
    made = choice([0.75, 0.25], early=[0.5, 0.9], late=[0.5, 0.5], motions=[0, 0])
    truth = torch.full((1, 3, 4, 4), 0.5)
    assert choice_loss(made, truth).item() == pytest.approx(0.25 * 0.25 * 0.4)  # the second fits one frame only
    half_counted = choice_loss(made.__class__(*(v.repeat_interleave(2, n) for v, n in zip(
        (made.weights, made.motions, made.early, made.late), (0, 1, 1, 1), strict=True
    ))), truth.repeat(2, 1, 1, 1), torch.tensor([1.0, 0.0]))  # fmt: skip
    assert half_counted.item() == pytest.approx(0.25 * 0.25 * 0.4)
    assert choice_loss(made, truth, torch.tensor([0.0])) == 0


def test_the_chosen_flow_loss_is_half_for_half_a_pixel_and_ignores_what_is_unknown():
    made = choice([1.0, 0.0], early=[0, 0], late=[0, 0], motions=[3.0, 7.0])
    known = torch.ones(1, 1, 4, 4)
    motion = torch.tensor([3.5, 0.0]).reshape(1, 2, 1, 1).expand(1, 2, 4, 4)
    assert chosen_flow_loss(made, motion, known).item() == pytest.approx(0.5 * 16 / 17, abs=1e-4)
    assert chosen_flow_loss(made, motion, 0 * known) == 0


def test_the_flow_loss_saturates_and_ignores_what_is_hidden():
    still = torch.zeros(1, 2, 8, 8)
    true = torch.full((1, 2, 8, 8), 3.0)
    true[:, 1] = 4.0
    seen = torch.zeros(1, 2, 8, 8)
    assert flow_loss(synthesis(still, still), true, true, seen) == 0
    seen[..., :4] = 1
    assert flow_loss(synthesis(still, still), true, true, seen).item() == pytest.approx(5 / 6 * 32 / 33, abs=1e-4)


def test_the_mask_loss_is_zero_where_the_visible_frame_is_taken_and_ignores_what_both_see():
    seen = torch.tensor([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]]).reshape(1, 2, 1, 4)
    right, wrong = torch.tensor([1.0, 0.0, 0.3, 0.9]), torch.tensor([0.5, 0.5, 0.3, 0.9])

    def at_full_size(mask: torch.Tensor) -> torch.Tensor:
        return mask.repeat_interleave(2).reshape(1, 1, 1, 8).expand(1, 1, 2, 8)

    assert mask_loss(at_full_size(right), seen) == pytest.approx(0, abs=2e-4)
    assert mask_loss(at_full_size(wrong), seen) == pytest.approx(2 * math.log(2) / 3, abs=1e-5)
