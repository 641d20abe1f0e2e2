"""Word that something is over, of both apps: what the pages ask for every few seconds."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from interpolation.services import notices_of
from training.notices import notices_of as runs_of


@require_safe
@login_required
def notices(request: HttpRequest) -> JsonResponse:
    """What of the asker's waits, runs, or ended in the last minutes."""
    user: Any = request.user
    return JsonResponse({"notices": [*notices_of(user), *runs_of(user)]})
