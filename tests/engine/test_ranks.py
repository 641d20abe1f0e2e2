"""Several processes train one network, as torchrun starts them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine.config import ModelConfig, TrainConfig
from engine.learn import loop, textures
from engine.learn.ranks import Ranks
from engine.learn.samples import _Indices

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import json, sys
from engine.config import TrainConfig
from engine.learn import loop, textures
if __name__ == "__main__":
    textures.DRAWN_WITHOUT_PHOTOS = 3
    steps = loop.train(TrainConfig.from_dict(json.loads(sys.argv[1]))).steps
    sys.stdout.write(f"{steps}\\n")  # at once, so that the lines of two processes do not mix
"""


def config(path: Path, batch_size: int) -> TrainConfig:
    return TrainConfig(
        model_path=str(path), synthetic=True, model=ModelConfig(half=8, quarter=8, eighth=8), epochs=1,
        steps_per_epoch=2, batch_size=batch_size, crop=64, workers=0, device="cpu", warmup_steps=1, threads=1, seed=5,
        bf16=False, flow_weight=0, mask_weight=0, validation_triplets=1,
    )  # fmt: skip


def test_two_processes_with_a_sample_each_train_as_one_with_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    script = tmp_path / "go.py"
    script.write_text(SCRIPT)
    two = config(tmp_path / "two.pth", batch_size=1)
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", str(script),
         json.dumps(two.to_dict())],
        cwd=ROOT, capture_output=True, text=True, timeout=280,
        env={**os.environ, "PYTHONPATH": str(ROOT), "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["2", "2"]

    one = config(tmp_path / "one.pth", batch_size=2)
    monkeypatch.setattr(textures, "DRAWN_WITHOUT_PHOTOS", 3)
    loop.train(one)
    ours, theirs = (torch.load(tmp_path / f"{name}.last.pt")["net"] for name in ("one", "two"))
    for name, value in ours.items():
        torch.testing.assert_close(value, theirs[name], rtol=1e-3, atol=2e-5)


def test_every_sample_goes_to_one_process_only():
    steps, count = range(3, 6), 3
    taken = [list(_Indices(steps, 4, Ranks(rank, count))) for rank in range(count)]
    assert sorted(index for part in taken for index in part) == list(range(3 * 12, 6 * 12))
    assert taken[1][:4] == [40, 41, 42, 43]


def test_without_torchrun_there_is_one_process(monkeypatch: pytest.MonkeyPatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    alone = Ranks.from_environment()
    assert (alone.first, alone.count, alone.device("cuda")) == (True, 1, "cuda")
    assert Ranks(1, 2, 1).device("cuda") == "cuda:1"
