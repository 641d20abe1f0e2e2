"""Tokens of the API: what one may do is decided here and nowhere else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS

from interpolation.models import ApiToken

USED = timedelta(minutes=1)  # how exactly the last use is kept: not a write with every request
READ_ONLY = gettext_noop('This token may only read. Make one with the scope "write" on your account page.')


class ScopedTokenAuthentication(TokenAuthentication):
    """A token with the scope "read" looks and downloads; all else needs "write"."""

    def authenticate(self, request: Any) -> tuple[Any, Any] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        token: ApiToken = found[1]
        now = timezone.now()
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - USED)
        if token.last_used_at is None or token.last_used_at < now - USED:
            ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
        if token.scope != ApiToken.Scope.WRITE and request.method not in SAFE_METHODS:
            raise PermissionDenied(gettext(READ_ONLY))
        return found


class ScopedTokenScheme(KnoxTokenScheme):
    """How the schema describes it; found by drf-spectacular because it is defined."""

    target_class = "interpolation.api.authentication.ScopedTokenAuthentication"
    name = "token"
