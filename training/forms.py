"""What people may type to start a training run. Limits are the engine's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from engine.checkpoint import ModelInfo, list_models
from engine.config import ModelConfig, TrainConfig
from engine.nets import ARCHITECTURES

from . import services

DEFAULTS = TrainConfig(synthetic=True)
NUMBERS = ("epochs", "steps_per_epoch", "batch_size", "crop", "lr", "validation_triplets")
WORDS = {
    "flow_fusion": _("Flow fusion: motion, warping, correction. What the portal uses."),
    "encoder_decoder": _("Encoder-decoder: a plain network without motion. The baseline."),
}


class TrainingForm(forms.Form):
    """`config()` gives what the engine takes. Call after is_valid()."""

    name = forms.CharField(
        max_length=60, error_messages={"required": _("Give the run a name. The model is called after it.")}
    )
    source = forms.ChoiceField(
        initial="synthetic",
        choices=[
            ("synthetic", _("Scenes made on the fly")),
            ("uploads", _("Uploads of a project")),
            ("footage", _("Footage on the server")),
            ("both", _("Both")),
        ],
        widget=forms.RadioSelect,
    )
    project = forms.ChoiceField(required=False)
    data_dir = forms.CharField(required=False, max_length=1000)
    photos = forms.CharField(required=False, max_length=1000)
    arch = forms.ChoiceField(initial=DEFAULTS.model.arch, widget=forms.RadioSelect)
    init = forms.ChoiceField(required=False)
    epochs = forms.IntegerField(initial=20)
    steps_per_epoch = forms.IntegerField(initial=200)
    batch_size = forms.IntegerField(initial=DEFAULTS.batch_size)
    crop = forms.IntegerField(initial=128)
    lr = forms.FloatField(initial=DEFAULTS.lr)
    validation_triplets = forms.IntegerField(initial=DEFAULTS.validation_triplets)
    max_minutes = forms.FloatField(required=False, initial=60)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.uploads = {number: (name, files) for number, name, files in services.uploads_of(user)}
        self.fields["project"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose")), *((number, f"{name} ({len(files)})") for number, (name, files) in self.uploads.items())
        ]  # fmt: skip
        self.folders = offered_folders()
        self.root = settings.TRAINING_DATA
        self.fields["arch"].choices = [(name, WORDS.get(name, name)) for name in ARCHITECTURES]  # type: ignore[attr-defined]
        starts = offered_weights()
        self.fields["init"].choices = [("", _("Nothing: from scratch")), *starts]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("source") in ("footage", "both") and not data.get("data_dir"):
            self.add_error("data_dir", _("Say which folder on the server holds the frames or videos."))
        if data.get("source") == "uploads" and not data.get("project"):
            self.add_error("project", _("Say which project’s videos to learn from."))
        return data

    @property
    def own_files(self) -> tuple[str, ...]:
        """The videos of the chosen project."""
        if self.cleaned_data["source"] != "uploads":
            return ()
        return tuple(self.uploads[self.cleaned_data["project"]][1])

    def config(self) -> TrainConfig:
        """Raises BadOptionsError for values out of range, ServiceError for a name that cannot be used."""
        data = self.cleaned_data
        footage, synthetic = data["source"] in ("footage", "both"), data["source"] in ("synthetic", "both")
        return TrainConfig(
            model_path=str(services.new_model_path(data["name"])),
            data_dirs=(data["data_dir"],) if footage else self.own_files,
            photos=data["photos"] or None if synthetic else None,
            synthetic=synthetic,
            model=ModelConfig(arch=data["arch"]),
            init=data["init"] or None,
            device=settings.JOB_DEVICE,
            threads=settings.TRAINING_THREADS,
            workers=settings.TRAINING_WORKERS,
            max_minutes=data["max_minutes"],
            **{name: data[name] for name in NUMBERS},
        )


def offered_weights() -> list[tuple[str, str]]:
    """(path, words) of all that was trained. Weights that lie there under several names are offered once, by the first
    of them: the default comes first, so it keeps its name."""
    alike: dict[str, list[ModelInfo]] = {}
    for info in list_models():
        if info.trained:
            alike.setdefault(info.sha256, []).append(info)
    return [(str(first.path), _with_others(first.name, [one.name for one in others]))
            for first, *others in alike.values()]  # fmt: skip


def _with_others(name: str, others: list[str]) -> str:
    return gettext("%(name)s (also %(others)s)") % {"name": name, "others": ", ".join(others)} if others else name


def offered_folders() -> list[Path]:
    """Folders and videos directly in the place for training data, and the place itself when it holds something."""
    root = Path(settings.TRAINING_DATA)
    inside = sorted(root.iterdir()) if root.is_dir() else []
    return [root, *inside][:200] if inside else []
