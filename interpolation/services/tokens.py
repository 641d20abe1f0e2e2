"""Tokens of the API."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import gettext as _

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
        raise ServiceError(
            _("The name has %(count)s characters; the most is %(most)s.") % {"count": len(name), "most": NAME_LENGTH}
        )
    if scope not in ApiToken.Scope.values:
        raise ServiceError(
            _('"%(scope)s" is not a scope. Choose of: %(choices)s.')
            % {"scope": scope, "choices": ", ".join(ApiToken.Scope.values)}
        )
    if not 1 <= days <= longest:
        raise ServiceError(
            _("A token is good for 1 to %(longest)s days, not for %(days)s.") % {"longest": longest, "days": days}
        )
    made: tuple[ApiToken, str] = ApiToken.objects.create(user, expiry=timedelta(days=days), name=name, scope=scope)
    return made


def token_revoke(*, token: ApiToken) -> None:
    """Scripts that use it are refused from now on."""
    token.delete()
