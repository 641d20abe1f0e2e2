"""Pictures of a run: what it draws of the same few triplets, epoch by epoch, as files under MEDIA_ROOT/training/RUN."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from PIL import Image

if TYPE_CHECKING:
    from engine.learn.showing import Shown

KEPT = 40  # epochs with pictures; of longer runs every second, fourth, ...
GIVEN = ("img0", "img1", "truth")  # the same in every epoch
DRAWN = ("drawn", "error", "flow")
QUALITY = 88


def folder_of(run_id: UUID | str) -> Path:
    return Path(settings.MEDIA_ROOT) / "training" / str(run_id)


def keep(run_id: UUID | str, epoch: int, shown: Iterable[Shown]) -> None:
    """Writes what an epoch draws. Older epochs are thinned out; the first and the newest always stay."""
    folder = folder_of(run_id)
    place = folder / f"{epoch:06d}"
    place.mkdir(parents=True, exist_ok=True)
    figures = []
    for number, one in enumerate(shown):
        for name in GIVEN:
            write(folder / f"{number}_{name}.jpg", getattr(one, name))
        for name in DRAWN:
            if getattr(one, name) is not None:
                write(place / f"{number}_{name}.jpg", getattr(one, name))
        figures.append(round(one.psnr, 3))
    (place / "psnr.json").write_text(json.dumps(figures))
    thin(folder)


def write(path: Path, picture: Any) -> None:
    unfinished = path.with_suffix(".part")
    Image.fromarray(picture).save(unfinished, "JPEG", quality=QUALITY)
    unfinished.replace(path)


def thin(folder: Path) -> None:
    epochs = epochs_of(folder)
    step = 1
    while len([epoch for epoch in epochs if epoch % step == 0]) > KEPT:
        step *= 2
    for epoch in epochs[1:-1]:
        if epoch % step:
            shutil.rmtree(folder / f"{epoch:06d}", ignore_errors=True)


def epochs_of(folder: Path) -> list[int]:
    """Those with pictures, in order."""
    return sorted(int(place.name) for place in folder.glob("[0-9]" * 6) if (place / "psnr.json").is_file())


def pictures(run_id: UUID | str, wanted: int | None = None) -> dict[str, Any]:
    """For the page: {"epochs", "epoch", "rows": [{"psnr", "pictures": [(name, file)]}]}; the newest unless asked."""
    folder = folder_of(run_id)
    epochs = epochs_of(folder)
    if not epochs:
        return {"epochs": [], "epoch": None, "rows": []}
    epoch = wanted if wanted in epochs else epochs[-1]
    figures = json.loads((folder / f"{epoch:06d}" / "psnr.json").read_text())
    rows = []
    for number, psnr in enumerate(figures):
        files = [(name, f"{number}_{name}.jpg") for name in GIVEN]
        files += [(name, f"{epoch:06d}/{number}_{name}.jpg") for name in DRAWN]
        rows.append({"psnr": psnr, "pictures": [(name, file) for name, file in files if (folder / file).is_file()]})
    return {"epochs": epochs, "epoch": epoch, "rows": rows}
