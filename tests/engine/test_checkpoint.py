import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.checkpoint import UNTRAINED_NOTICE, list_models, load_checkpoint, model_info, save_checkpoint
from engine.config import OPTIONAL_PARTS, ModelConfig
from engine.errors import NoSpaceError, WeightsError
from engine.nets import build, grown

SMALL = ModelConfig(half=8, quarter=8, eighth=8)


def test_saved_weights_come_back_with_their_configuration_and_figures(tmp_path: Path):
    net = build(SMALL)
    save_checkpoint(tmp_path / "a.pth", net, step=12, metrics={"psnr": 30.5})
    loaded, carried = load_checkpoint(tmp_path / "a.pth")
    assert loaded.config == SMALL
    assert carried["step"] == 12
    assert carried["metrics"] == {"psnr": 30.5}
    for name, value in net.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_without_weights_the_default_is_the_untrained_network_with_a_notice(tmp_path: Path):
    info = model_info("default", tmp_path)
    assert (info.arch, info.trained, info.notice) == ("flow_fusion", False, UNTRAINED_NOTICE)
    assert list_models(tmp_path) == [info]


def test_the_default_is_listed_first(tmp_path: Path):
    for name in ("another", "trained_model"):
        save_checkpoint(tmp_path / f"{name}.pth", build(SMALL), step=1)
    assert [info.name for info in list_models(tmp_path)] == ["trained_model", "another"]


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(WeightsError, match=r"no weights file .*nothing\.pth"):
        load_checkpoint(tmp_path / "nothing.pth")


def test_a_damaged_file_is_named_and_listed_with_its_notice(tmp_path: Path):
    path = tmp_path / "broken.pth"
    save_checkpoint(path, build(SMALL), step=1)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsError, match=r"broken\.pth is damaged"):
        load_checkpoint(path)
    assert "broken.pth is damaged" in next(info for info in list_models(tmp_path) if info.name == "broken").notice


def test_a_pickle_that_would_run_code_is_refused_unread(tmp_path: Path):
    class Evil:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "ran",)

    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(WeightsError, match=r"evil\.pth"):
        load_checkpoint(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


def test_weights_of_another_shape_are_refused(tmp_path: Path):
    path = tmp_path / "mixed.pth"
    save_checkpoint(path, build(SMALL), step=1)
    payload = torch.load(path, weights_only=True)
    payload["config"]["quarter"] = 16
    torch.save(payload, path)
    with pytest.raises(WeightsError, match=r"mixed\.pth do not fit"):
        load_checkpoint(path)


def test_weights_from_before_a_part_was_added_draw_as_they_did_and_can_be_grown(tmp_path: Path):
    """`stem`, `detail` and `wide` are younger than the first weights: their files do not name them."""
    path, before = tmp_path / "old.pth", replace(SMALL, stem=0, detail=0, wide=0)
    torch.manual_seed(0)
    save_checkpoint(path, build(before), step=1)
    payload = torch.load(path, weights_only=True)
    for part in OPTIONAL_PARTS:
        del payload["config"][part]
    torch.save(payload, path)
    net, _ = load_checkpoint(path)
    assert net.config == before
    larger = grown(net, replace(SMALL, detail=8, wide=12))
    assert larger.config == replace(SMALL, stem=0, detail=8, wide=12)
    assert grown(net, replace(SMALL, stem=8, detail=8, wide=12)).config.stem == 0  # it sees another size: never added
    img0, img1, flow = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64), torch.rand(1, 2, 16, 16)
    with torch.no_grad():
        old, new = (one(img0, img1, flow, -flow, torch.tensor(0.5)).picture for one in (net, larger))
    assert torch.equal(old, new)


def test_a_name_cannot_leave_the_folder(tmp_path: Path):
    save_checkpoint(tmp_path / "secret.pth", build(SMALL), step=1)
    inside = tmp_path / "models"
    inside.mkdir()
    with pytest.raises(WeightsError, match="no model"):
        model_info("../secret", inside)


def test_the_folder_is_left_clean_when_saving_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def no_room(payload: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", no_room)
    with pytest.raises(NoSpaceError, match="The disk is full"):
        save_checkpoint(tmp_path / "new" / "a.pth", build(SMALL), step=1)
    assert list((tmp_path / "new").iterdir()) == []
