"""The settings of a job as the API takes and shows them."""

from __future__ import annotations

from typing import Any

from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from engine.config import CHOICES, MAX_INBETWEEN, RenderOptions
from engine.formats import FORMATS
from engine.translation import any_of

from .strict import StrictSerializer

DEFAULTS = RenderOptions()
LARGEST_CRF = max(entry.crf[1] for entry in FORMATS.values() if entry.crf)
HELP = {
    "mode": "`smooth`: same duration, more frames a second. `slow`: same rate, longer. `fps`: exactly `target_fps`.",
    "cut": "Where the shot changes: `hold` the last frame of the shot, or `crossfade`.",
    "sound": "`keep` (in slow motion it is left out), `stretch` to the new duration at the same pitch, or `drop`.",
    "duplicates": "Repeated frames: `keep` as pauses, `retime` so that motion is even (drawings on twos and threes), "
    "or `drop`: write the source without them and draw nothing new.",
    "format": "Container and codec of the result.",
    "bit_depth": "Of the file; `auto`: the source's where the format holds it. `10` is 16 in PNG.",
    "deinterlace": "`auto`: interlaced video is made into whole frames. `off`: left as it is.",
    "encoder": "`auto`: the graphics card's where there is one.",
}


LABELS = {"format": [(name, f"{entry.label}, {entry.suffix}") for name, entry in FORMATS.items()]}


def _choice(name: str) -> serializers.ChoiceField:
    choices = CHOICES[name]
    words = format_lazy(
        _('"{input}" is not known. Choose {choices}.'), input="{input}", choices=lazy(any_of, str)(choices)
    )
    text = f"{HELP[name]} Default `{getattr(DEFAULTS, name)}`."
    return serializers.ChoiceField(
        LABELS.get(name, choices), required=False, help_text=text, error_messages={"invalid_choice": words}
    )


def _whole(low: int, high: int, help_text: str, unfit: Any, *, allow_null: bool = False) -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False,
        allow_null=allow_null,
        min_value=low,
        max_value=high,
        help_text=help_text,
        error_messages={"min_value": unfit, "max_value": unfit},
    )


def _text(help_text: str) -> serializers.CharField:
    return serializers.CharField(required=False, allow_null=True, max_length=40, help_text=help_text)


class OptionsSerializer(StrictSerializer):
    """Settings of a job. All may be left out. What is wrong is said in words, under the name of the setting."""

    mode = _choice("mode")
    inbetween = _whole(
        1,
        MAX_INBETWEEN,
        f"New frames in every gap, 1-{MAX_INBETWEEN}. Default 1.",
        format_lazy(_("Choose 1 to {most} in-between frames."), most=MAX_INBETWEEN),
    )
    target_fps = _text('The rate to reach: "60" or "60000/1001". Needed by mode `fps`.')
    resolution = serializers.ListField(
        child=serializers.IntegerField(),
        required=False,
        allow_null=True,
        min_length=2,
        max_length=2,
        help_text="[width, height] in pixels; null keeps the source's.",
    )
    format = _choice("format")
    quality = _whole(
        0,
        100,
        f"0 smallest file - 100 best, whatever the format. Default {DEFAULTS.quality}. PNG has none.",
        _("Choose 0 (smallest file) to 100 (best)."),
    )
    crf = _whole(
        0,
        LARGEST_CRF,
        "For experts, instead of `quality`: the codec's own scale, 0 best; to 51 for H.264 and H.265, to 63 for AV1 "
        "and VP9. Others have none.",
        format_lazy(_("Choose 0 (best) to 51 (H.264, H.265) or {most} (AV1, VP9)."), most=LARGEST_CRF),
        allow_null=True,
    )
    bit_depth = _choice("bit_depth")
    encoder = _choice("encoder")
    sound = _choice("sound")
    duplicates = _choice("duplicates")
    cut = _choice("cut")
    deinterlace = _choice("deinterlace")
    trim_start = _text(
        'Where the part to use begins: seconds of the source, "12.5", "1:02.5" or "25/2". Shown as exact seconds.'
    )
    trim_end = _text("Where it ends, likewise. What lies outside is left out, with its sound.")
    loop = serializers.BooleanField(
        required=False, help_text="Also draw the way from the last frame back to the first. Default false."
    )
    model = serializers.CharField(required=False, max_length=80, help_text="A name of `GET /models/`.")
    held_out = serializers.BooleanField(
        required=False, help_text="Also hide real frames, draw them again, compare. Default true."
    )

    unknown_words = _("There is no such setting. Choose of: %(names)s.")


class CheckSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="`frame_count`, `duration`, `codec_tag`, `bit_depth`, and so on.")
    expected = serializers.JSONField(allow_null=True, help_text='What was promised; fractions as "n/d".')
    found = serializers.JSONField(allow_null=True, help_text="What the finished file says.")
    ok = serializers.BooleanField()


class CertificateSerializer(serializers.Serializer[Any]):
    """The finished file, opened again and compared with what was promised. Empty until then."""

    ok = serializers.BooleanField(required=False, help_text="Whether all checks are.")
    checks = CheckSerializer(many=True, required=False)


_SOURCE = "00000000-0000-0000-0000-000000000000"


def _example(name: str, **options: object) -> OpenApiExample:
    return OpenApiExample(name, request_only=True, value={"source": _SOURCE, "options": options})


EXAMPLES = [
    _example("Twice the frame rate", mode="smooth", inbetween=1),
    _example("24 to 60 fps, H.265", mode="fps", target_fps="60", format="mp4_h265", quality=70),
    _example("Slow motion with sound", mode="slow", inbetween=3, sound="stretch"),
    _example("Part of a film for editing", trim_start="1:02.5", trim_end="1:10", format="mov_prores"),
    _example("Animation on twos", mode="fps", target_fps="24", duplicates="retime"),
    _example("A looping GIF", inbetween=3, loop=True, format="gif", resolution=[480, 270]),
]
