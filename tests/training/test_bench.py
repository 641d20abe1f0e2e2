"""The benchmark compares what is drawn with what is true, on known shifts."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from engine import bench
from engine.bench import draw_by_flow, find_triplets, make_methods, run
from engine.errors import BadInputError
from engine.metrics import psnr
from engine.motion import dis_flow, farneback_flow

from .footage import sliding


def write_triplet(folder: Path, frames: list[np.ndarray]) -> None:
    folder.mkdir(parents=True)
    for n, frame in enumerate(frames, 1):
        cv2.imwrite(str(folder / f"im{n}.png"), frame[..., ::-1])


@pytest.fixture
def triplets(tmp_path: Path) -> Path:
    for name, seed in (("a", 1), ("b", 2)):
        write_triplet(tmp_path / "sets" / "slides" / name, sliding(3, seed=seed))
    still = sliding(1, seed=3)[0]
    write_triplet(tmp_path / "sets" / "still" / "c", [still] * 3)
    return tmp_path / "sets"


def test_sets_are_found_by_their_folders(triplets: Path) -> None:
    found = find_triplets([triplets])
    assert [(triplet.set_name, triplet.name) for triplet in found] == [("slides", "a"), ("slides", "b"), ("still", "c")]
    assert [triplet.set_name for triplet in find_triplets([triplets / "still"])] == ["still"]


def test_a_still_triplet_scores_100_db_and_ssim_1_by_blending(triplets: Path) -> None:
    result = run(find_triplets([triplets / "still"]), make_methods(["blend"]))
    assert result.counts == {"still": 1}
    assert (result.scores["still"]["blend"].psnr, result.scores["still"]["blend"].ssim) == (100.0, 1.0)


def test_figures_are_means_over_triplets(triplets: Path) -> None:
    found = find_triplets([triplets / "slides"])
    single = [run([triplet], make_methods(["blend"])).scores["slides"]["blend"].psnr for triplet in found]
    assert run(found, make_methods(["blend"])).scores["slides"]["blend"].psnr == pytest.approx(
        np.mean(single), abs=2e-3
    )


@pytest.mark.parametrize("flow_of", [dis_flow, farneback_flow])
def test_a_warp_follows_a_slide_that_blending_smears(flow_of: bench.FlowOf) -> None:
    img0, truth, img1 = sliding(3, step=3)
    inside = np.s_[8:-8, 12:-12]
    warped = draw_by_flow(img0, img1, flow_of)
    assert psnr(warped[inside], truth[inside]) > psnr(((img0.astype(int) + img1) // 2)[inside], truth[inside]) + 10


def test_the_warp_places_a_shift_where_the_time_says() -> None:
    frames = sliding(5, step=1)
    warped = draw_by_flow(frames[0], frames[4], dis_flow, t=0.25)
    inside = np.s_[8:-8, 12:-12]
    scores = [psnr(warped[inside], frame[inside]) for frame in frames]
    assert int(np.argmax(scores)) == 1


def test_untrained_models_say_so_in_table_and_json(triplets: Path) -> None:
    result = run(find_triplets([triplets / "still"]), make_methods(["encoder_decoder"], threads=1))
    assert "encoder_decoder (untrained)" in result.to_markdown()
    assert result.to_dict()["methods"][0]["notice"]


def test_an_unreadable_triplet_is_named(triplets: Path) -> None:
    (triplets / "slides" / "b" / "im3.png").unlink()
    with pytest.raises(BadInputError):
        run(find_triplets([triplets]), make_methods(["blend"]))


def test_the_command_prints_a_table_and_writes_json(
    triplets: Path, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.measure_speed, "__defaults__", ((256, 192), 9))
    call_command("benchmark", triplets=[triplets], methods="blend,dis", json=tmp_path / "out.json", limit=1)
    table = capsys.readouterr().out.splitlines()
    assert table[0].startswith("| method | slides (1) PSNR | slides (1) SSIM | slides (1) ms | still (1) PSNR")
    assert table[3].startswith("| DIS warp |")
    data = json.loads((tmp_path / "out.json").read_text())
    assert data["scores"]["still"]["blend"]["psnr"] == 100.0
    assert data["counts"] == {"slides": 1, "still": 1}
    assert table[-2].startswith("| blend |") and "new frame, 256x192" in table[-4]
    speed = data["speed"]
    assert speed["ms"]["dis"] > speed["unit"] > 0  # the warp needs both flows first


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"methods": "nonsense"}, "nonsense"),
        ({"limit": 0}, "1 or more"),
        ({"triplets": [Path("/nowhere")]}, "no folder /nowhere"),
    ],
)
def test_the_command_refuses_in_words(triplets: Path, options: dict, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("benchmark", **{"triplets": [triplets], **options})
