"""Which weights are the default: only ever replaced by such as the benchmark says are better."""

from __future__ import annotations

import json
import logging
import shutil
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .models import TrainingRun
from .services import ServiceError, StateError

if TYPE_CHECKING:
    from engine.checkpoint import ModelInfo

log = logging.getLogger(__name__)
LOSS_DB = 0.1  # on no set of triplets may the new weights be worse than the old by more
HOW = gettext_lazy("Measure it first: manage.py benchmark --triplets DIR")


@dataclass(frozen=True)
class Gate:
    """Whether a model may become the default, and why."""

    open: bool
    words: str
    default: bool = False  # it is the default already
    gain: float | None = None  # dB, mean over the sets


def read_benchmark() -> dict[str, Any]:
    """models/benchmark.json; empty while nothing was measured. Raises ServiceError for a damaged file."""
    from engine.bench import benchmark_path

    path = benchmark_path()
    try:
        found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        return found
    except ValueError as error:
        raise ServiceError(_("%(path)s is damaged. %(how)s") % {"path": path, "how": HOW}) from error


def gate(name: str) -> Gate:
    """The benchmark on the weights called `name` against the present default. They are known by their SHA-256."""
    from engine.checkpoint import model_info

    new, old = model_info(name), model_info()
    if new.path is None or not new.trained:
        return Gate(False, _("It has no learned weights."))
    if new.sha256 == old.sha256:
        return Gate(False, _("It is the default already."), default=True)
    figures = read_benchmark()
    theirs, ours = _psnr(figures, new.sha256, new.name), _psnr(figures, old.sha256, old.name)
    if not theirs or not ours or theirs.keys() != ours.keys():
        return Gate(False, " ".join([_("The benchmark does not hold it together with the present default."), str(HOW)]))
    gains = {name: theirs[name] - ours[name] for name in theirs}
    gain, worst = statistics.mean(gains.values()), min(gains, key=gains.__getitem__)
    told = {"gain": gain, "loss": gains[worst], "set": worst}
    if gain <= 0:
        words = _("The benchmark says %(gain)+.2f dB against the present default: not better.")
    elif gains[worst] < -LOSS_DB:
        words = _("Better by %(gain)+.2f dB on the whole, but %(loss)+.2f dB on %(set)s.")
    else:
        return Gate(True, _("%(gain)+.2f dB against the present default.") % told, gain=gain)
    return Gate(False, words % told, gain=gain)


def _psnr(figures: dict[str, Any], sha256: str, name: str) -> dict[str, float]:
    """{set: PSNR} of the weights with this SHA-256 (of an untrained network: of that name)."""
    methods = figures.get("methods", [])
    key = next((one["name"] for one in methods if one["sha256"] == sha256 and (sha256 or one["name"] == name)), None)
    return {place: scores[key]["psnr"] for place, scores in figures.get("scores", {}).items() if key in scores}


def model_promote(*, name: str, user: User) -> Gate:
    """Make the weights called `name` the default. The earlier ones are kept beside, under their date.

    Whatever door it comes through, it is in the audit log.

    Raises:
        ServiceError: the benchmark does not say that they are better. WeightsError: there are none.
    """
    from engine.checkpoint import model_info

    found = gate(name)
    if not found.open:
        raise StateError(found.words)
    new = model_info(name)
    with transaction.atomic():  # no entry where the files could not be put in place
        _audit(user, name, new.sha256, f"made {name} the default model: {found.words}")
        _put_in_place(new, {"from": name, "sha256": new.sha256, "gain_db": found.gain, "by": user.username})
    log.info("%s made %s the default model: %s", user.username, name, found.words)
    return found


def _audit(user: User, name: str, sha256: str, words: str) -> None:
    """With the run that learned the weights, where it is known."""
    run = TrainingRun.objects.filter(model_sha256=sha256).order_by("-created_at").first()
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(TrainingRun),
        object_id=str(run.pk) if run else None,
        object_repr=str(run or name)[:200],
        action_flag=CHANGE,
        change_message=words,
    )


def _put_in_place(new: ModelInfo, said: dict[str, Any]) -> None:
    from engine.checkpoint import DEFAULT_NAME, models_folder

    folder = models_folder()
    assert new.path
    target = folder / f"{DEFAULT_NAME}.pth"
    if target.is_file():
        earlier = free_name(folder / f"{DEFAULT_NAME}_until_{timezone.now():%Y%m%d}.pth")
        shutil.copy2(target, earlier)
        _keep_history(target, earlier)
    unfinished = folder / f".{DEFAULT_NAME}.part"
    shutil.copy2(new.path, unfinished)
    unfinished.replace(target)
    _keep_history(new.path, target)
    (folder / f"{DEFAULT_NAME}_promoted.json").write_text(json.dumps(said | {"at": timezone.now().isoformat()}))


def _keep_history(weights: Path, copy: Path) -> None:
    """What the weights learned from goes with them; what stood there of other weights does not stay."""
    history, beside = (path.with_name(f"{path.stem}_history.json") for path in (weights, copy))
    if history.is_file():
        unfinished = beside.with_name(f".{beside.name}.part")
        shutil.copy2(history, unfinished)
        unfinished.replace(beside)  # a name may be a link to a file elsewhere: that one stays as it is
    else:
        beside.unlink(missing_ok=True)


def free_name(path: Path) -> Path:
    """The path, or one with a number behind it that is not taken."""
    number = 1
    found = path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}_{number}{path.suffix}")
    return found
