"""How the views of the API ask interpolation.access: who finds a thing must have the right to what is done with it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from rest_framework.permissions import SAFE_METHODS

from interpolation.access import Act, require


class AccessMixin:
    """For view sets of projects, sources and jobs. Changes need Act.CHANGE where `acts` says nothing else."""

    acts: dict[str, Act] = {}  # by the name of the action

    @property
    def user(self) -> User:
        """Who is signed in: the default permission lets nobody else in."""
        view: Any = self
        user: User = view.request.user
        return user

    def visible(self, manager: Any) -> Any:
        """Lists hold one's own and what is shared; one thing by its address may be more, for administrators."""
        view: Any = self
        user = view.request.user
        return manager.all().reachable_by(user) if view.detail else manager.all().of(user)

    def get_object(self) -> Any:
        parent: Any = super()
        thing = parent.get_object()
        view: Any = self
        usual = Act.SEE if view.request.method in SAFE_METHODS else Act.CHANGE
        require(view.request.user, self.acts.get(view.action, usual), thing)
        return thing
