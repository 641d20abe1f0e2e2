"""Tokens of the API."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User

from interpolation.models import ApiToken

from .errors import ServiceError

NAME_LENGTH = 80


def token_create(
    *, user: User, name: str = "", scope: str = ApiToken.Scope.WRITE, days: int | None = None
) -> tuple[ApiToken, str]:
    """The row and the token itself, which is kept nowhere. days: how long it is good; default INBETWEEN_TOKEN_DAYS.

    Raises:
        ServiceError: a name that is too long, an unknown scope, or days out of range.
    """
    longest = settings.TOKEN_DAYS
    days = longest if days is None else days
    name = " ".join(name.split())
    if len(name) > NAME_LENGTH:
        raise ServiceError(f"The name has {len(name)} characters; the most is {NAME_LENGTH}.")
    if scope not in ApiToken.Scope.values:
        raise ServiceError(f'"{scope}" is not a scope. Choose of: {", ".join(ApiToken.Scope.values)}.')
    if not 1 <= days <= longest:
        raise ServiceError(f"A token is good for 1 to {longest} days, not for {days}.")
    made: tuple[ApiToken, str] = ApiToken.objects.create(user, expiry=timedelta(days=days), name=name, scope=scope)
    return made


def token_revoke(*, token: ApiToken) -> None:
    """Scripts that use it are refused from now on."""
    token.delete()
