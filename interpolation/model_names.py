"""Models as people choose them: weights that lie there under several names are one model, shown under the first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from engine.checkpoint import ModelInfo


@dataclass(frozen=True, slots=True)
class Offer:
    """A model, and the other names of the same weights."""

    info: ModelInfo
    also: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        if not self.also:
            return self.info.name
        return _("%(name)s (also %(others)s)") % {"name": self.info.name, "others": ", ".join(self.also)}


def offers(models: Iterable[ModelInfo]) -> list[Offer]:
    """Every model once, in the given order: the default comes first, so it keeps its name."""
    alike: dict[str, list[ModelInfo]] = {}
    for info in models:
        alike.setdefault(info.sha256 or info.name, []).append(info)
    return [Offer(first, tuple(other.name for other in others)) for first, *others in alike.values()]


def first_names(models: Iterable[ModelInfo]) -> dict[str, str]:
    """{another name of the same weights: the one they are shown under}."""
    return {other: offer.info.name for offer in offers(models) for other in offer.also}
