"""Trials and bake-offs while they are drawn: how far they are, stopping them, drawing again what was not finished."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from .. import services
from ..access import Act, may, require
from ..models import BakeOff, Trial
from ..services.pairs import Pair
from .common import REFUSALS, MemberRequest

P = TypeVar("P", Trial, BakeOff)


def find_pair(model: type[P], request: MemberRequest, pk: UUID) -> P:
    """One's own, while both films may be seen. Raises Http404."""
    return get_object_or_404(services.pairs_of(model, request.user), pk=pk)


def watched(request: MemberRequest, pair: Pair) -> dict[str, Any]:
    """What the page of one says while it is not done."""
    return {
        "pair": pair,
        "source": pair.source,
        "project": pair.source.project,
        "progress": services.pair_progress(pair),
        "may_change": may(request.user, Act.CHANGE, pair.source),
    }


@require_POST
@login_required
def trial_cancel(request: MemberRequest, pk: UUID) -> HttpResponse:
    return _change(request, find_pair(Trial, request, pk), services.pair_cancel)


@require_POST
@login_required
def trial_retry(request: MemberRequest, pk: UUID) -> HttpResponse:
    return _change(request, find_pair(Trial, request, pk), services.pair_retry)


@require_POST
@login_required
def bakeoff_cancel(request: MemberRequest, pk: UUID) -> HttpResponse:
    return _change(request, find_pair(BakeOff, request, pk), services.pair_cancel)


@require_POST
@login_required
def bakeoff_retry(request: MemberRequest, pk: UUID) -> HttpResponse:
    return _change(request, find_pair(BakeOff, request, pk), services.pair_retry)


def _change(request: MemberRequest, pair: Pair, service: Callable[..., None]) -> HttpResponse:
    require(request.user, Act.CHANGE, pair.source)
    try:
        service(pair=pair)
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect(pair)
