"""Models and help."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from engine.checkpoint import list_models

from .common import MemberRequest


@login_required
def models(request: MemberRequest) -> HttpResponse:
    return render(
        request, "interpolation/models.html", {"models": [(info, figures(info.metrics)) for info in list_models()]}
    )


def figures(metrics: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """The plain numbers of a model's metrics, as (name, value)."""
    found: list[tuple[str, str]] = []
    for key, value in metrics.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, dict):
            found += figures(value, f"{name}: ")
        elif isinstance(value, float):
            found.append((name, f"{value:.4g}"))
        elif isinstance(value, (int, str)) and not isinstance(value, bool):
            found.append((name, str(value)))
    return found


def help_page(request: HttpRequest) -> HttpResponse:
    return render(request, "interpolation/help.html")
