"""Weights files: save, load, list. A file carries its network's configuration, so it alone rebuilds it."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from .config import ModelConfig
from .errors import BadOptionsError, WeightsError
from .files import atomically
from .files import file_sha256 as file_sha256  # given on: it is how a weights file is named
from .nets import ARCHITECTURES, Network, build
from .translation import gettext as _
from .translation import gettext_noop

DEFAULT_NAME = "trained_model"
BLEND = "blend"  # no network at all: what everything is compared with
BLEND_NOTICE = gettext_noop("Plain blend: a cross-fade without motion, to compare with.")
UNTRAINED_NOTICE = gettext_noop(
    "Untrained model: no learned weights yet, so new frames come from classical motion alone."
)
_FORMAT = 1


@dataclass(frozen=True)
class ModelInfo:
    """A model one can choose. `notice` is empty, or a sentence to show to people."""

    name: str
    arch: str
    path: Path | None
    sha256: str
    step: int
    trained: bool
    notice: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)


def models_folder() -> Path:
    """INBETWEEN_MODELS, or `models/` beside this package."""
    return Path(os.environ.get("INBETWEEN_MODELS") or Path(__file__).parent.parent / "models")


def save_checkpoint(
    path: str | Path,
    net: Network,
    *,
    step: int,
    metrics: Mapping[str, Any] | None = None,
    byte_steps: Mapping[str, torch.Tensor] | None = None,
) -> str:
    """Write the weights atomically; returns the sha256 of the file. `byte_steps`: what drawing in 8 bits needs to know
    of these weights (`engine.nets.int8`)."""
    path = Path(path)
    payload = {
        "format": _FORMAT,
        "config": asdict(net.config),
        "step": step,
        "metrics": dict(metrics or {}),
        "weights": {name: value.detach().cpu().contiguous() for name, value in net.state_dict().items()},
        "byte_steps": {name: value.cpu() for name, value in (byte_steps or {}).items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomically(path) as temporary:
        torch.save(payload, temporary)
    return file_sha256(path)


def load_checkpoint(path: str | Path, device: str | torch.device = "cpu") -> tuple[Network, dict[str, Any]]:
    """The network in eval mode on `device`, and {step, metrics, config, byte_steps}; of older files the last is empty.

    Raises:
        WeightsError: missing, damaged, not ours, or weights that do not fit the architecture; names the file.
    """
    path = Path(path)
    payload = _read(path)
    try:
        net = build(ModelConfig.from_dict(payload["config"]))
        net.load_state_dict(payload["weights"])
    except (KeyError, TypeError, RuntimeError, BadOptionsError) as error:
        raise WeightsError(
            _("The weights in {path} do not fit this version's networks. Train again, or use another file.").format(
                path=path
            )
        ) from error
    carried = {key: payload[key] for key in ("step", "metrics", "config")}
    return net.to(device).eval(), carried | {"byte_steps": payload.get("byte_steps", {})}


def list_models(models_dir: Path | None = None) -> list[ModelInfo]:
    """Every weights file of the folder, the default first; the untrained network stands in while there is no default.

    A file that cannot be read is listed with a notice that says so.
    """
    folder = models_dir or models_folder()
    names = sorted((path.stem for path in folder.glob("*.pth")), key=lambda name: (name != DEFAULT_NAME, name))
    models = []
    for name in names:
        try:
            models.append(model_info(name, folder))
        except WeightsError as error:
            models.append(ModelInfo(name, "", folder / f"{name}.pth", "", 0, trained=False, notice=str(error)))
    if DEFAULT_NAME not in names:
        models.insert(0, model_info("default", folder))
    return models


def model_info(name: str = "default", models_dir: Path | None = None) -> ModelInfo:
    """What is known of the model called `name`: "default", the name of a weights file, an untrained architecture, or
    "blend".

    Raises:
        WeightsError: there is no such model (the message lists those there are), or its file cannot be read.
    """
    folder = models_dir or models_folder()
    path = folder / f"{DEFAULT_NAME if name == 'default' else name}.pth"
    if path.parent == folder and path.is_file():
        return file_info(path)
    if name == BLEND:
        return ModelInfo(BLEND, BLEND, None, "", 0, trained=False, notice=_(BLEND_NOTICE))
    if name == "default" or name in ARCHITECTURES:
        return untrained_info("flow_fusion" if name == "default" else name)
    known = ", ".join(sorted({"default", BLEND, *ARCHITECTURES, *(entry.stem for entry in folder.glob("*.pth"))}))
    raise WeightsError(
        _('There is no model "{name}" in {folder}/. Choose one of: {known}.').format(
            name=name, folder=folder.name, known=known
        )
    )


def untrained_info(arch: str) -> ModelInfo:
    if arch == "flow_fusion":
        return ModelInfo(arch, arch, None, "", 0, trained=False, notice=_(UNTRAINED_NOTICE))
    return ModelInfo(
        arch,
        arch,
        None,
        "",
        0,
        trained=False,
        notice=_("Untrained model: {arch} draws noise until it is trained.").format(arch=arch),
    )


def file_info(path: Path) -> ModelInfo:
    """Of one weights file. Raises WeightsError, naming it."""
    info = _file_info(path, path.stat().st_mtime_ns if path.is_file() else 0)
    return info if info.trained else replace(info, notice=_(UNTRAINED_NOTICE))  # in the language of who asks now


@lru_cache(maxsize=64)
def _file_info(path: Path, mtime_ns: int) -> ModelInfo:
    payload = _read(path)
    try:
        arch, step, metrics = payload["config"]["arch"], payload["step"], payload["metrics"]
    except (KeyError, TypeError) as error:
        raise WeightsError(_("{path} is not a weights file of this portal.").format(path=path)) from error
    return ModelInfo(path.stem, arch, path, file_sha256(path), step, trained=step > 0, metrics=metrics)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise WeightsError(
            _("There is no weights file {path}. Train one with manage.py train_model, or choose another model.").format(
                path=path
            )
        )
    try:
        payload = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise WeightsError(_("{path} is damaged or is not a weights file.").format(path=path)) from error
    if not isinstance(payload, dict) or payload.get("format") != _FORMAT:
        raise WeightsError(_("{path} is not a weights file of this portal.").format(path=path))
    return payload
