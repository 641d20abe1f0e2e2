"""Serializers that refuse what they do not know: a misspelt field would silently do nothing."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy
from rest_framework import serializers


class Strict:
    def to_internal_value(self, data: Any) -> Any:
        this: Any = self
        taken = [name for name, field in this.fields.items() if not field.read_only]
        unknown = sorted(str(name) for name in set(data) - set(taken)) if hasattr(data, "keys") else []
        if unknown:
            words = str(this.unknown_words) % {"names": ", ".join(taken)}
            raise serializers.ValidationError({name: [words] for name in unknown})
        parent: Any = super()
        return parent.to_internal_value(data)

    unknown_words = gettext_lazy("There is no such field. Choose of: %(names)s.")


class StrictSerializer(Strict, serializers.Serializer[Any]):
    """For what comes in."""
