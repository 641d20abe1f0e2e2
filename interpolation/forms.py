"""What people may type and choose; the settings of a job are in job_form.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from engine.config import MAX_INBETWEEN, parse_fps
from engine.errors import BadOptionsError

from .models import ApiToken, Preferences, Project, Source

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")


class SignUpForm(UserCreationForm):
    class Meta(UserCreationForm.Meta):
        model = get_user_model()
        fields = ("username",)


class ThemeForm(forms.Form):
    theme = forms.ChoiceField(choices=Preferences.Theme.choices)


class PreferencesForm(ThemeForm):
    email = forms.EmailField(required=False, max_length=254, label=_("E-mail address"))
    mail_when_done = forms.BooleanField(required=False)
    time_zone = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
        self.fields["time_zone"].choices = [  # type: ignore[attr-defined]
            ("", _("As this browser says")), ("UTC", "UTC"), *((name, name.replace("_", " ")) for name in zones)
        ]  # fmt: skip


class TokenForm(forms.Form):
    name = forms.CharField(required=False, max_length=80, strip=True)
    scope = forms.ChoiceField(choices=ApiToken.Scope.choices, required=False)
    days = forms.IntegerField(required=False)

    def clean_scope(self) -> str:
        return self.cleaned_data["scope"] or ApiToken.Scope.WRITE


class AccountDeleteForm(forms.Form):
    password = forms.CharField(strip=False, error_messages={"required": _("Type your password, to be sure.")})

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise forms.ValidationError(_("This is not your password."))
        return password


class ProjectForm(forms.ModelForm):
    class Meta:
        model = Project
        fields = ("name",)
        error_messages = {"name": {"required": _("Give the project a name.")}}


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
    """One video, two pictures in order, or many pictures (also as a zip): one sequence, or pairs.

    paths: JSON list of the names with their folders, where a browser was given a folder; in the order of the files.
    pair_frames: how many pictures to draw between the two of every pair at once; 0: none yet.
    """

    SEQUENCE, PAIRS = "sequence", "pairs"

    footage = ManyFilesField(
        max_length=1000,
        error_messages={
            "required": _("Choose one video, or two or more pictures."),
            "empty": _("The file is empty (0 bytes). Nothing was stored; choose another."),
        },
    )
    resize_second = forms.BooleanField(required=False)
    together = forms.ChoiceField(required=False, choices=[(SEQUENCE, _("One sequence")), (PAIRS, _("Pairs"))])
    input_fps = forms.CharField(required=False, max_length=32, initial="24")
    pair_frames = forms.IntegerField(
        required=False,
        initial=1,
        min_value=0,
        max_value=MAX_INBETWEEN,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            format_lazy(_("Choose 0 to {most} in-between pictures for each pair."), most=MAX_INBETWEEN),
        ),
    )
    paths = forms.JSONField(required=False)

    def clean_footage(self) -> list[UploadedFile]:
        files: list[UploadedFile] = self.cleaned_data["footage"]
        for file in files:
            size = file.size or 0
            if size > settings.MAX_UPLOAD_BYTES:
                limit = filesizeformat(settings.MAX_UPLOAD_BYTES)
                raise forms.ValidationError(
                    _("%(name)s is %(size)s; the most that can be uploaded is %(limit)s.")
                    % {"name": file.name, "size": filesizeformat(size), "limit": limit}
                )
        if len(files) == 1 and _is_still(files[0]):
            raise forms.ValidationError(_("One picture has nothing to lie between. Choose two pictures, or a video."))
        if len(files) > 1 and any((file.content_type or "").startswith("video/") for file in files):
            raise forms.ValidationError(_("A video goes alone. Choose one video, or two or more pictures."))
        if len(files) > 1 and any(_is_zip(file) for file in files):
            raise forms.ValidationError(_("A zip goes alone. Choose one zip, or the pictures themselves."))
        return files

    def clean_input_fps(self) -> str:
        value = self.cleaned_data["input_fps"].strip()
        if value:
            _checked(lambda: parse_fps(value))
        return value

    def clean_paths(self) -> list[str]:
        paths = self.cleaned_data["paths"] or []
        fit = isinstance(paths, list) and all(isinstance(path, str) and 0 < len(path) <= 1000 for path in paths)
        if not fit or (paths and len(paths) != len(self.cleaned_data.get("footage", paths))):
            raise forms.ValidationError(_("The names of the pictures do not fit the pictures. Choose them again."))
        return paths

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        files = data.get("footage") or []
        data["kind"] = self._kind(files, data.get("together") or "")
        if len(files) > 2 and not data["kind"]:
            self.add_error(
                "together",
                _("Say whether these %(count)d pictures are one sequence, or pairs.") % {"count": len(files)},
            )
        return data

    def _kind(self, files: list[UploadedFile], together: str) -> str:
        """A kind of source, SEQUENCE or PAIRS; "" if that has to be asked."""
        if len(files) > 2:
            return together
        if len(files) == 1 and _is_zip(files[0]):
            return together or self.SEQUENCE
        return together or Source.Kind.PICTURES if len(files) == 2 else Source.Kind.VIDEO


def _is_still(file: UploadedFile) -> bool:
    return (file.content_type or "") in ("image/png", "image/jpeg", "image/bmp", "image/tiff")


def _is_zip(file: UploadedFile) -> bool:
    if isinstance(file, TemporaryUploadedFile):
        with Path(file.temporary_file_path()).open("rb") as arrived:  # closed again: there may be a thousand of them
            return arrived.read(4) in ZIP_STARTS
    file.seek(0)
    return file.read(4) in ZIP_STARTS


def _checked(make: Any) -> Any:
    """The engine's refusal as the form's."""
    try:
        return make()
    except BadOptionsError as error:
        raise forms.ValidationError(str(error)) from error
