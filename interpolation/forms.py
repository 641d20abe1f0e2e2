"""What people may type and choose. Limits are the engine's own, so pages, API and command line say the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UserCreationForm
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from engine.checkpoint import ModelInfo
from engine.config import MAX_INBETWEEN, RenderOptions, parse_fps, parse_resolution
from engine.errors import BadOptionsError

from .models import Project, Source

PRESET_HEIGHTS = (2160, 1440, 1080, 720, 540, 360)
CUSTOM = "custom"


class SignUpForm(UserCreationForm):
    class Meta(UserCreationForm.Meta):
        model = get_user_model()
        fields = ("username",)


class ProjectForm(forms.ModelForm):
    class Meta:
        model = Project
        fields = ("name",)
        error_messages = {"name": {"required": "Give the project a name."}}


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """A file input that takes several; cleans to a list of uploads."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        given = data if isinstance(data, (list, tuple)) else [data]
        return (
            [super(ManyFilesField, self).clean(item, initial) for item in given]
            if given
            else super().clean(None, initial)
        )


class UploadForm(forms.Form):
    """One video, or two pictures in order."""

    footage = ManyFilesField(
        max_length=1000,
        error_messages={
            "required": "Choose one video, or two pictures.",
            "empty": "The file is empty (0 bytes). Nothing was stored; choose another.",
        },
    )
    resize_second = forms.BooleanField(required=False)

    def clean_footage(self) -> list[UploadedFile]:
        files: list[UploadedFile] = self.cleaned_data["footage"]
        for file in files:
            size = file.size or 0
            if size > settings.MAX_UPLOAD_BYTES:
                limit = filesizeformat(settings.MAX_UPLOAD_BYTES)
                raise forms.ValidationError(
                    f"{file.name} is {filesizeformat(size)}; the most that can be uploaded is {limit}."
                )
        if len(files) > 2:
            raise forms.ValidationError(f"That is {len(files)} files. Choose one video, or two pictures.")
        if len(files) == 1 and _is_still(files[0]):
            raise forms.ValidationError("One picture has nothing to lie between. Choose two pictures, or a video.")
        if len(files) == 2 and any((file.content_type or "").startswith("video/") for file in files):
            raise forms.ValidationError("A video goes alone. Choose one video, or two pictures.")
        return files

    @property
    def kind(self) -> str:
        return Source.Kind.PICTURES if len(self.cleaned_data["footage"]) == 2 else Source.Kind.VIDEO


def _is_still(file: UploadedFile) -> bool:
    return (file.content_type or "") in ("image/png", "image/jpeg", "image/bmp", "image/tiff")


class JobForm(forms.Form):
    """Settings of a job. `options()` gives what the engine takes."""

    mode = forms.ChoiceField(
        initial="smooth",
        choices=[("smooth", "Smooth"), ("slow", "Slow motion"), ("fps", "Exact frame rate")],
        widget=forms.RadioSelect,
    )
    inbetween = forms.IntegerField(
        initial=1,
        required=False,
        error_messages={"invalid": f"The number of in-between frames must be a whole number, 1 to {MAX_INBETWEEN}."},
    )
    target_fps = forms.CharField(required=False, max_length=32)
    resolution = forms.CharField(required=False, max_length=32)
    custom_resolution = forms.CharField(required=False, max_length=32)
    cut = forms.ChoiceField(
        initial="hold",
        choices=[("hold", "Hold the last frame of the shot"), ("crossfade", "Cross-fade to the next shot")],
        required=False,
    )
    crf = forms.ChoiceField(
        initial="18",
        choices=[("12", "Finest"), ("18", "High"), ("23", "Balanced"), ("28", "Small file")],
        required=False,
    )
    model = forms.ChoiceField(required=False)
    held_out = forms.BooleanField(initial=True, required=False)

    def __init__(self, *args: Any, source: Source, models: Sequence[ModelInfo], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.source = source
        self.models = models
        self.presets = resolution_presets(source)
        self.fields["model"].choices = [(info.name, info.name) for info in models]  # type: ignore[attr-defined]
        self.fields["model"].initial = models[0].name
        if source.kind == Source.Kind.PICTURES:
            self.fields["inbetween"].initial = 5
        size = self.initial.get("resolution")
        if size and size not in dict(self.presets):
            self.initial.update(resolution=CUSTOM, custom_resolution=size)

    def clean_inbetween(self) -> int:
        value = self.cleaned_data.get("inbetween")
        if value is None:
            if self.data.get("mode") == "fps":
                return 1  # not used: the rate says how many
            raise forms.ValidationError(f"Say how many in-between frames to draw, 1 to {MAX_INBETWEEN}.")
        if self.data.get("mode") == "fps" and self.source.kind == Source.Kind.VIDEO:
            return min(max(value, 1), MAX_INBETWEEN)
        return _checked(lambda: RenderOptions(inbetween=value).inbetween)

    def clean_target_fps(self) -> str | None:
        value = self.cleaned_data["target_fps"].strip()
        wanted = self.data.get("mode") == "fps"
        if not wanted and not (value and self.source.kind == Source.Kind.PICTURES):
            return None
        if not value:
            raise forms.ValidationError("Say which frame rate to reach, for example 60 or 60000/1001.")
        return str(_checked(lambda: parse_fps(value)))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        chosen = data.get("resolution", "")
        field = "custom_resolution" if chosen == CUSTOM else "resolution"
        text = (data.get("custom_resolution") or "").strip() if chosen == CUSTOM else chosen
        data["size"] = None
        if chosen == CUSTOM and not text:
            self.add_error(field, "Write the size as WIDTHxHEIGHT, for example 1280x720.")
        elif text:
            try:
                data["size"] = parse_resolution(text.replace("×", "x").replace(" ", ""))
            except BadOptionsError as error:
                self.add_error(field, str(error))
        return data

    def options(self) -> dict[str, Any]:
        """engine RenderOptions.to_dict() of what was chosen. Call after is_valid()."""
        data = self.cleaned_data
        return RenderOptions(
            mode=data["mode"],
            inbetween=data["inbetween"],
            target_fps=parse_fps(data["target_fps"]) if data["target_fps"] else None,
            resolution=data["size"],
            model=data["model"] or "default",
            cut=data["cut"] or "hold",
            crf=int(data["crf"] or 18),
            held_out=data["held_out"],
        ).to_dict()


def _checked(make: Any) -> Any:
    """The engine's refusal as the form's."""
    try:
        return make()
    except BadOptionsError as error:
        raise forms.ValidationError(str(error)) from error


def resolution_presets(source: Source) -> list[tuple[str, str]]:
    """(value, label) of the sizes offered, in the source's own shape, even sides, none larger than twice the source."""
    width, height = source.info.get("width") or 16, source.info.get("height") or 9
    presets = [("", f"Keep, {width} × {height}")]
    for side in PRESET_HEIGHTS:
        wide = round(side * width / height / 2) * 2
        if side != height and side <= 2 * height and wide <= 8192:
            presets.append((f"{wide}x{side}", f"{wide} × {side}"))
    return [*presets, (CUSTOM, "Another size…")]
