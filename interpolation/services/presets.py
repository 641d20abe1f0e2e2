"""Settings that fit a kind of footage or a purpose, and a person's own."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from engine.config import MAX_FPS, MAX_INBETWEEN, RenderOptions
from interpolation.models import Preset, Source

from .errors import ServiceError
from .prediction import as_fraction

MOST = 50  # of one person
OF_A_FILM = ("trim_start", "trim_end")  # not kept: another film is cut elsewhere
DRAFT_HEIGHT = 540
DRAFT_MODEL = "flow_fusion_fast"
FAST = 100  # frames a second that fast motion should reach


@dataclass(frozen=True, slots=True)
class Setup:
    """A preset as it is offered. options: those it changes, by the engine's names. own: number of a person's own."""

    key: str
    group: str  # "content", "quality" or "own"
    name: str
    why: str
    options: dict[str, Any]
    own: int | None = None

    def on(self, options: dict[str, Any]) -> dict[str, Any]:
        """These settings on top of others (RenderOptions.to_dict())."""
        return options | self.options


def setups(source: Source, user: User) -> list[Setup]:
    """What is offered for a source: by content, by quality, own ones."""
    film = _by_content(source) if source.kind == Source.Kind.VIDEO else []
    own = [
        Setup(f"own-{preset.pk}", "own", preset.name, "", _fit(preset.options, source), preset.pk)
        for preset in Preset.objects.filter(user=user)
    ]
    return [*film, *_by_quality(source), *own]


def _by_content(source: Source) -> list[Setup]:
    rate = as_fraction(source.info.get("fps")) or Fraction(25)
    odd = rate.denominator == 1001  # 23.976 becomes 59.94, so that no frame has to be drawn that need not be
    sixty = str(Fraction(60000, 1001) if odd else Fraction(60))
    even: dict[str, Any] = {"mode": "fps", "duplicates": "keep", "cut": "hold"}
    return [
        Setup("film", "content", _("Film to 60"), _("24 or 25 frames a second, shown at 60"),
              even | {"target_fps": sixty}),
        Setup("animation", "content", _("Animation"), _("Drawn on twos or threes: repeated frames are evened out"),
              even | {"target_fps": str(min(MAX_FPS, rate)), "duplicates": "retime"}),
        Setup("sports", "content", _("Sports"), _("Fast motion: as many frames as make it flow"),
              {"mode": "smooth", "inbetween": _fast(rate), "duplicates": "keep", "cut": "hold", "quality": 85}),
        Setup("old-film", "content", _("Old film"), _("Hand-cranked or telecine: evened out, to 60"),
              even | {"target_fps": sixty, "duplicates": "retime"}),
        Setup("screen", "content", _("Screen recording"), _("Even 60, pauses stay, sharp letters"),
              even | {"target_fps": sixty, "quality": 90}),
    ]  # fmt: skip


def _fast(rate: Fraction) -> int:
    return min(3, MAX_INBETWEEN, max(1, -(-FAST // max(1, round(rate))) - 1))


def _by_quality(source: Source) -> list[Setup]:
    width, height = source.info.get("width") or 16, source.info.get("height") or 9
    small = None if height <= DRAFT_HEIGHT else [round(DRAFT_HEIGHT * width / height / 2) * 2, DRAFT_HEIGHT]
    usual, quick = _models()
    plain: dict[str, Any] = {"bit_depth": "auto", "crf": None, "resolution": None, "model": usual}
    drawn = "" if quick == usual else _(", drawn by %(model)s") % {"model": quick}
    return [
        Setup("draft", "quality", _("Draft"), _("Small and quick, nothing measured") + drawn,
              plain | {"format": "mp4_h264", "quality": 50, "resolution": small, "held_out": False, "model": quick}),
        Setup("good", "quality", _("Good"), _("Plays everywhere, quality measured"),
              plain | {"format": "mp4_h264", "quality": 80, "held_out": True}),
        Setup("best", "quality", _("Best"), _("H.265 of 10 bits, for keeping"),
              plain | {"format": "mp4_h265", "quality": 92, "bit_depth": "10", "held_out": True}),
    ]  # fmt: skip


def _models() -> tuple[str, str]:
    """Names of the default model and of the one for drafts; the default again where there is no quicker one here."""
    from engine.checkpoint import list_models  # imports torch, which workers that only watch do not need

    usual, *others = list_models()
    quick = [one for one in others if one.name == DRAFT_MODEL and one.trained and one.sha256 != usual.sha256]
    return usual.name, quick[0].name if quick else usual.name


def _fit(options: dict[str, Any], source: Source) -> dict[str, Any]:
    """What of kept settings a source can have: two pictures have no repeated frames."""
    if source.kind == Source.Kind.VIDEO:
        return options
    return {name: value for name, value in options.items() if name not in ("duplicates", "mode", "sound", "cut")}


def preset_save(*, user: User, name: str, options: dict[str, Any]) -> Preset:
    """Keep settings under a name; the same name again replaces them.

    Raises:
        ServiceError: no name, too long a one, or too many presets. BadOptionsError: a setting is wrong.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= 60:
        raise ServiceError(_("Give the preset a name of 1 to 60 letters."))
    kept = RenderOptions.from_dict({key: value for key, value in options.items() if key not in OF_A_FILM}).to_dict()
    kept = {key: value for key, value in kept.items() if key not in OF_A_FILM}
    known = Preset.objects.filter(user=user)
    if not known.filter(name=name).exists() and known.count() >= MOST:
        raise ServiceError(_("You have %(most)s presets already. Delete one that you no longer need.") % {"most": MOST})
    preset, _made = Preset.objects.update_or_create(user=user, name=name, defaults={"options": kept})
    return preset
