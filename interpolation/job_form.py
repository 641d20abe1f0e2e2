"""The settings of a new job. What a source cannot have is not in its form; limits and their words are the engine's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from engine.checkpoint import ModelInfo
from engine.config import MAX_INBETWEEN, RenderOptions, parse_fps, parse_resolution, parse_seconds
from engine.errors import BadOptionsError
from engine.formats import FORMATS, QUALITIES

from . import services
from .model_names import first_names, offers
from .models import Source

PRESET_HEIGHTS = (2160, 1440, 1080, 720, 540, 360)
CUSTOM = "custom"
DEFAULTS = RenderOptions()
FORMAT_CHOICES = [
    (
        gettext_lazy("Film"),
        [
            ("mp4_h264", gettext_lazy("MP4, H.264: plays everywhere")),
            ("mp4_h265", gettext_lazy("MP4, H.265: smaller; Apple devices, newer TVs and phones")),
            ("mp4_av1", gettext_lazy("MP4, AV1: smallest; newer browsers and devices")),
            ("webm_vp9", gettext_lazy("WebM, VP9: for web pages")),
            ("webm_av1", gettext_lazy("WebM, AV1: for web pages, newer browsers")),
        ],
    ),
    (
        gettext_lazy("For editing"),
        [
            ("mov_prores", gettext_lazy("MOV, ProRes 422: editing programs, 10 bits, large")),
            ("mov_prores4444", gettext_lazy("MOV, ProRes 4444: the same, with transparency")),
        ],
    ),
    (
        gettext_lazy("Animated picture"),
        [
            ("gif", gettext_lazy("GIF: shows everywhere; 256 colours, no sound")),
            ("webp", gettext_lazy("WebP: all browsers; all colours, no sound")),
        ],
    ),
    (gettext_lazy("Single pictures"), [("png", gettext_lazy("PNG pictures in a zip: nothing lost, no sound"))]),
]
QUALITY_WORDS = {
    0: gettext_lazy("Small file"),
    30: gettext_lazy("Balanced"),
    60: gettext_lazy("High"),
    90: gettext_lazy("Finest"),
}  # from which quality on
VIDEO_ONLY = ("cut", "duplicates", "deinterlace", "sound", "trim_start", "trim_end", "held_out")
MORE = ("model", "sound", "trim_start", "trim_end", "loop", "duplicates", "cut", "deinterlace", "bit_depth", "encoder",
        "crf", "held_out")  # fmt: skip


class ModelField(forms.ChoiceField):
    """Takes any name of the weights that are offered, and goes on with the one they are offered under."""

    models: Sequence[ModelInfo] = ()

    def offer(self, models: Sequence[ModelInfo]) -> None:
        self.models = models
        self.choices = [(one.info.name, one.words) for one in offers(models)]
        self.initial = models[0].name

    def prepare_value(self, value: Any) -> Any:
        if value == DEFAULTS.model:
            return self.initial
        return first_names(self.models).get(value, value)

    def to_python(self, value: Any) -> str:
        return str(self.prepare_value(super().to_python(value) or DEFAULTS.model))


class JobForm(forms.Form):
    """Settings of a job. `options()` gives what the engine takes."""

    mode = forms.ChoiceField(
        initial=DEFAULTS.mode,
        choices=[
            ("smooth", gettext_lazy("Smooth")),
            ("slow", gettext_lazy("Slow motion")),
            ("fps", gettext_lazy("Exact frame rate")),
        ],
        widget=forms.RadioSelect,
    )
    inbetween = forms.IntegerField(
        initial=DEFAULTS.inbetween,
        required=False,
        error_messages={
            "invalid": format_lazy(
                gettext_lazy("The number of in-between frames must be a whole number, 1 to {most}."), most=MAX_INBETWEEN
            )
        },
    )
    target_fps = forms.CharField(required=False, max_length=32)
    resolution = forms.CharField(required=False, max_length=32)
    custom_resolution = forms.CharField(required=False, max_length=32)
    format = forms.ChoiceField(initial=DEFAULTS.format, choices=FORMAT_CHOICES, required=False)
    quality = forms.IntegerField(
        initial=DEFAULTS.quality,
        required=False,
        error_messages={
            "invalid": gettext_lazy("The quality must be a whole number, 0 (smallest file) to 100 (best).")
        },
    )

    sound = forms.ChoiceField(
        initial=DEFAULTS.sound,
        choices=[
            ("keep", gettext_lazy("Keep it")),
            ("stretch", gettext_lazy("Stretch it, same pitch")),
            ("drop", gettext_lazy("Leave it out")),
        ],
        required=False,
        help_text=gettext_lazy("In slow motion sound is left out, unless it is stretched."),
    )
    trim_start = forms.CharField(label=gettext_lazy("From"), required=False, max_length=32)
    trim_end = forms.CharField(label=gettext_lazy("To"), required=False, max_length=32)
    loop = forms.BooleanField(
        label=gettext_lazy("Make it a loop"),
        required=False,
        help_text=gettext_lazy("Also draws the way from the last frame back to the first. For GIFs and screens."),
    )
    duplicates = forms.ChoiceField(
        label=gettext_lazy("Repeated frames"),
        initial=DEFAULTS.duplicates,
        choices=[
            ("keep", gettext_lazy("Keep them as pauses")),
            ("retime", gettext_lazy("Even the motion out")),
            ("drop", gettext_lazy("Take them out, draw nothing new")),
        ],
        required=False,
        help_text=gettext_lazy("Even out: for drawings on twos and threes, and film made into video."),
    )
    cut = forms.ChoiceField(
        label=gettext_lazy("Where the shot changes"),
        initial=DEFAULTS.cut,
        choices=[
            ("hold", gettext_lazy("Hold the last frame of the shot")),
            ("crossfade", gettext_lazy("Cross-fade to the next shot")),
        ],
        required=False,
    )
    deinterlace = forms.ChoiceField(
        label=gettext_lazy("Interlaced lines"),
        initial=DEFAULTS.deinterlace,
        choices=[("auto", gettext_lazy("Make whole frames of them")), ("off", gettext_lazy("Leave them as they are"))],
        required=False,
        help_text=gettext_lazy("This source is interlaced: without this, motion shows combs."),
    )
    bit_depth = forms.ChoiceField(
        label=gettext_lazy("Bit depth"),
        initial=DEFAULTS.bit_depth,
        choices=[
            ("auto", gettext_lazy("As the source has it")),
            ("8", gettext_lazy("8 bits")),
            ("10", gettext_lazy("10 bits (PNG: 16)")),
        ],
        required=False,
        help_text=gettext_lazy("More bits: smoother skies and shadows, fewer players."),
    )
    encoder = forms.ChoiceField(
        initial=DEFAULTS.encoder,
        choices=[
            ("auto", gettext_lazy("Automatic")),
            ("software", gettext_lazy("Processor")),
            ("nvenc", gettext_lazy("Graphics card (NVENC)")),
        ],
        required=False,
        help_text=gettext_lazy("Automatic: the graphics card, where there is one."),
    )
    crf = forms.IntegerField(
        label="CRF",
        required=False,
        error_messages={
            "invalid": gettext_lazy("The CRF must be a whole number. Leave it empty to use the quality above.")
        },
    )
    model = ModelField(required=False)
    held_out = forms.BooleanField(initial=DEFAULTS.held_out, required=False)

    def __init__(self, *args: Any, source: Source, models: Sequence[ModelInfo], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.source = source
        self.offers = offers(models)
        self.models = [one.info for one in self.offers]
        self.presets = resolution_presets(source)
        self.fields["model"].offer(models)  # type: ignore[attr-defined]
        for name in unfit_fields(source):
            del self.fields[name]
        if source.kind == Source.Kind.PICTURES:
            self.fields["inbetween"].initial = 5
        size = self.initial.get("resolution")
        if size and size not in dict(self.presets):
            self.initial.update(resolution=CUSTOM, custom_resolution=size)

    @property
    def open_more(self) -> bool:
        """Whether something in the "More" part is wrong, or is not what it is for everybody."""
        shown = [self[name] for name in MORE if name in self.fields]
        return any(field.errors or str(field.value() or "") != str(field.field.initial or "") for field in shown)

    @property
    def facts(self) -> dict[str, Any]:
        """What the script of the page must know to show only what fits: formats by name, and words for qualities."""
        formats = {
            name: {
                "quality": entry.kind != "png",
                "crf": entry.crf,
                "curve": entry.curve,
                "depths": entry.writable_depths,
                "nvenc": bool(entry.nvenc),
                "sound": bool(entry.sound_encoder),
            }
            for name, entry in FORMATS.items()
        }
        return {"formats": formats, "qualities": QUALITIES, "words": list(QUALITY_WORDS.items())}

    def clean_inbetween(self) -> int:
        value = self.cleaned_data.get("inbetween")
        if value is None:
            if self.data.get("mode") == "fps":
                return 1  # not used: the rate says how many
            raise forms.ValidationError(
                _("Say how many in-between frames to draw, 1 to %(most)s.") % {"most": MAX_INBETWEEN}
            )
        if self.data.get("mode") == "fps" and self.source.kind == Source.Kind.VIDEO:
            return min(max(value, 1), MAX_INBETWEEN)
        return value

    def clean_target_fps(self) -> str | None:
        value = self.cleaned_data["target_fps"].strip()
        wanted = self.data.get("mode") == "fps"
        if not wanted and not (value and self.source.kind == Source.Kind.PICTURES):
            return None
        if not value:
            raise forms.ValidationError(_("Say which frame rate to reach, for example 60 or 60000/1001."))
        return str(_checked(lambda: parse_fps(value)))

    def clean_trim_start(self) -> str | None:
        return _seconds(self.cleaned_data["trim_start"])

    def clean_trim_end(self) -> str | None:
        return _seconds(self.cleaned_data["trim_end"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self._read_size(data)
        for name, words in services.wrong_options(self.source, self._values()).items():
            if name not in self.errors:
                self.add_error(name, words)
        return data

    def _read_size(self, data: dict[str, Any]) -> None:
        chosen = data.get("resolution", "")
        field = "custom_resolution" if chosen == CUSTOM else "resolution"
        text = (data.get("custom_resolution") or "").strip() if chosen == CUSTOM else chosen
        data["size"] = None
        if chosen == CUSTOM and not text:
            self.add_error(field, _("Write the size as WIDTHxHEIGHT, for example 1280x720."))
        elif text:
            try:
                data["size"] = parse_resolution(text.replace("×", "x").replace(" ", ""))
            except BadOptionsError as error:
                self.add_error(field, str(error))

    def _values(self) -> dict[str, Any]:
        """What was chosen, by the engine's names; what was left empty or is not in this form has its default."""
        data = self.cleaned_data
        values = {name: data[name] for name in DEFAULTS.to_dict() if name in data and data[name] not in (None, "")}
        values.pop("resolution", None)
        return values | ({"resolution": data["size"]} if data.get("size") else {})

    def options(self) -> dict[str, Any]:
        """engine RenderOptions.to_dict() of what was chosen. Call after is_valid()."""
        return RenderOptions.from_dict(self._values()).to_dict()

    def settings_so_far(self) -> RenderOptions | None:
        """What the form says now: sent, or as it begins. None while it does not hold together."""
        if self.is_bound:
            if self.errors:
                return None
            values = self._values()
        else:
            size = self["custom_resolution" if self["resolution"].value() == CUSTOM else "resolution"].value()
            shown = {name: self[name].value() for name in DEFAULTS.to_dict() if name in self.fields}
            values = {name: value for name, value in shown.items() if value not in (None, "")} | {"resolution": None}
            values["resolution"] = parse_resolution(size) if size else None
        try:
            return RenderOptions.from_dict(values)
        except BadOptionsError:
            return None


def first_values(options: dict[str, Any]) -> dict[str, Any]:
    """The settings of an earlier job (RenderOptions.to_dict()) as a form begins with them."""
    size = options.get("resolution")
    times = {name: time_text(options[name]) for name in ("trim_start", "trim_end") if options.get(name)}
    return options | {"resolution": f"{size[0]}x{size[1]}" if size else ""} | times


def time_text(seconds: str) -> str:
    """Exact seconds ("125/2") as people write them ("1:02.5"); what has no end as a decimal stays a fraction."""
    value = Fraction(seconds)
    if 10**9 % value.denominator:
        return str(value)
    minutes, rest = divmod(value, 60)
    text = f"{rest.numerator / rest.denominator:.9f}".rstrip("0").rstrip(".")
    return f"{minutes}:{text if rest >= 10 else f'0{text}'}" if minutes else text


def unfit_fields(source: Source) -> set[str]:
    """The settings that mean nothing for this source."""
    if source.kind == Source.Kind.PICTURES:
        return set(VIDEO_ONLY)
    unfit = set() if source.info.get("audio") else {"sound"}
    return unfit if source.info.get("interlaced") else unfit | {"deinterlace"}


def _seconds(text: str) -> str | None:
    """A time as it was typed, also with a decimal comma, as an exact fraction of a second."""
    text = text.strip().replace(",", ".")
    return str(_checked(lambda: parse_seconds(text))) if text else None


def _checked(make: Callable[[], Fraction]) -> Fraction:
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
    return [*presets, (CUSTOM, _("Another size…"))]
