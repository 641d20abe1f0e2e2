"""What people may type and choose; the settings of a job are in job_form.py."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UserCreationForm
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from .models import Project, Source


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
