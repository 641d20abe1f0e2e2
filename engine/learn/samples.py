"""Samples for the loop: scenes and footage mixed, with first flows, each decided by (seed, index) alone.

Because sample `index` never depends on what came before, a resumed run sees exactly what an uninterrupted one would.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from engine.config import TrainConfig
from engine.errors import BadInputError
from engine.interpolator import first_flows

from ..translation import gettext as _
from .data import TripletSource
from .ranks import Ranks
from .synthetic import SyntheticScenes

_PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_ALONE = Ranks()
_STRETCH = 512  # samples that are kept to be used again
_HALF_SIZE_DIS = 0.4  # share of samples whose first flow is as coarse as that of large frames


_FLOWS = ("flow_01", "flow_10", "flow_t0", "flow_t1")
_BACKWARDS = {
    "img0": "img1", "img1": "img0", "flow_01": "flow_10", "flow_10": "flow_01",
    "flow_t0": "flow_t1", "flow_t1": "flow_t0",
}  # fmt: skip


class TrainingSamples(Dataset[dict[str, Any]]):
    """Endless: any index gives a sample. Tensors are NCHW without N; pictures uint8, flows float32.

    It opens its sources where it is used, so that a worker process is handed a configuration, not pictures.
    """

    def __init__(self, config: TrainConfig) -> None:
        self._config = config
        self._prepared: dict[int, dict[str, Any]] = {}

    def __getitem__(self, index: int) -> dict[str, Any]:
        """A sample costs as much to prepare as to train on: a stretch of them is gone through several times."""
        stretch, place = divmod(index, _STRETCH)
        number = stretch // self._config.reuse * _STRETCH + place
        if number not in self._prepared:
            if self._prepared and next(iter(self._prepared)) // _STRETCH != number // _STRETCH:
                self._prepared.clear()
            self._prepared[number] = self._prepare(number)
        return turned(self._prepared[number], np.random.default_rng((self._config.seed, index, 1)))

    def _prepare(self, number: int) -> dict[str, Any]:
        rng = np.random.default_rng((self._config.seed, number))
        scenes, footage = self._sources
        share = self._config.synthetic_share if footage else 1.0
        source = scenes if scenes and rng.random() < share else footage
        assert source is not None
        return as_tensors(dict(source.sample(rng)), coarse=bool(rng.random() < _HALF_SIZE_DIS))

    @cached_property
    def _sources(self) -> tuple[SyntheticScenes | None, TripletSource | None]:
        return open_sources(self._config)


def open_sources(config: TrainConfig) -> tuple[SyntheticScenes | None, TripletSource | None]:
    """The sources the configuration asks for. Raises BadInputError where there is nothing to read."""
    scenes = SyntheticScenes(find_photos(config.photos), config.crop, config.seed) if config.synthetic else None
    footage = TripletSource(config.data_dirs, crop=config.crop, seed=config.seed) if config.data_dirs else None
    return scenes, footage


def find_photos(folder: str | None) -> list[Path] | None:
    """Every photograph under `folder`; None stays None (procedural textures)."""
    if folder is None:
        return None
    photos = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in _PICTURE_SUFFIXES)
    if not photos:
        raise BadInputError(
            _("There are no photographs in {folder}. Put JPEG or PNG files there, or leave it out.").format(
                folder=folder
            )
        )
    return photos


def batches(config: TrainConfig, start: int, stop: int, ranks: Ranks = _ALONE) -> Iterator[dict[str, torch.Tensor]]:
    """The batches of the steps from `start` to `stop`, prepared ahead by worker processes; each rank has its own."""
    loader = DataLoader(
        TrainingSamples(config),
        batch_size=config.batch_size,
        sampler=_Indices(range(start, stop), config.batch_size, ranks),
        num_workers=config.workers,
        prefetch_factor=6 if config.workers else None,
        worker_init_fn=_single_thread,
        multiprocessing_context="spawn" if config.workers else None,  # forked, OpenCV's threads hang
    )
    return iter(loader)


class _Indices(torch.utils.data.Sampler[int]):
    """Numbers of the samples of these steps: in each, one batch for every rank, one after the other."""

    def __init__(self, steps: range, batch_size: int, ranks: Ranks) -> None:
        self._steps, self._batch_size, self._ranks = steps, batch_size, ranks

    def __iter__(self) -> Iterator[int]:
        for step in self._steps:
            first = (step * self._ranks.count + self._ranks.rank) * self._batch_size
            yield from range(first, first + self._batch_size)

    def __len__(self) -> int:
        return len(self._steps) * self._batch_size


def _single_thread(_worker: int) -> None:
    """Also leaves it to the main process to stop: Ctrl-C and SIGTERM reach the whole group."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def as_tensors(sample: dict[str, Any], *, coarse: bool) -> dict[str, Any]:
    """Adds DIS flows at 1/4 size; `coarse`: found at half size, as for frames above 640x480.

    The true flows, and where their points are seen, come at half size, which is what the losses compare.
    """
    img0, img1 = sample["img0"], sample["img1"]
    height, width = img0.shape[:2]
    flow_01, flow_10 = first_flows(img0, img1, (width // 4, height // 4), coarse=coarse)
    zeros = np.zeros((height // 2, width // 2, 2), np.float32)
    known = "flow_t0" in sample
    seen = _halved(1 - np.stack([sample["occ0"], sample["occ1"]], -1).astype(np.float32)) if known else zeros
    arrays = {
        "img0": img0, "img1": img1, "gt": sample["gt"], "flow_01": flow_01, "flow_10": flow_10, "seen": seen,
        "flow_t0": _halved(sample["flow_t0"]) / 2 if known else zeros,
        "flow_t1": _halved(sample["flow_t1"]) / 2 if known else zeros,
    }  # fmt: skip
    tensors = {name: _tensor(array) for name, array in arrays.items()}
    return tensors | {"timestep": torch.tensor(sample["timestep"], dtype=torch.float32)}


def turned(sample: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """The sample flipped, transposed and run backwards at random; flows follow."""
    sideways, upside_down, transposed, backwards = rng.random(4) < 0.5
    made = dict(sample)
    for name in _FLOWS:
        signs = torch.tensor([-1.0 if sideways else 1.0, -1.0 if upside_down else 1.0]).reshape(2, 1, 1)
        made[name] = made[name] * signs
    axes = [axis for axis, flips in ((2, sideways), (1, upside_down)) if flips]
    for name, value in made.items():
        if value.ndim == 3:
            value = value.flip(axes) if axes else value
            value = value.transpose(1, 2) if transposed else value
            made[name] = value.flip(0) if transposed and name in _FLOWS else value
    if backwards:
        made = {_BACKWARDS.get(name, name): value for name, value in made.items()}
        made["seen"], made["timestep"] = made["seen"].flip(0), 1 - made["timestep"]
    return {name: value.contiguous() for name, value in made.items()}


def _halved(array: np.ndarray) -> np.ndarray:
    return cv2.resize(array, (array.shape[1] // 2, array.shape[0] // 2), interpolation=cv2.INTER_AREA)


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


def validation_set(
    scenes: SyntheticScenes | None, footage: TripletSource | None, count: int
) -> Sequence[dict[str, Any]]:
    """Fixed triplets that are never trained on: footage kept apart, and scenes of another seed, half as many."""
    kept: list[dict[str, Any]] = [dict(sample) for sample in footage.validation(count)] if footage else []
    number = 0 if scenes is None else count // 2 if kept else count
    return kept + [dict(scenes.sample(np.random.default_rng((987_654_321, n)), 0.5)) for n in range(number) if scenes]
