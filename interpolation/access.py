"""The one place that decides who may see and change what. Pages, API, media, queries and admin all ask here.

Everything hangs on a project, and everybody has at most one role in it:

    viewer   sees sources, jobs, results, and downloads them
    editor   also uploads, starts, cancels, tags and deletes sources and jobs
    owner    also members, links, the project's name and its deletion; who made it, and members with this role

Administrators with the permission to view projects are viewers of all, those who may change them owners of all; their
lists hold their own projects only. Who has no role learns nothing: for them it does not exist (404). Who has one that
is not enough is told so (403). A share link shows one job's result to whoever has it, and nothing else.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import MutableMapping
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet, TextChoices
from django.http import Http404
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

    from .models import Job, Project, ShareLink, Source

    Asker = User | AnonymousUser

Found = TypeVar("Found", bound=Model)
SESSION_KEY = "links"  # {id of a link: digest of the password it was opened with}


class Role(TextChoices):
    VIEWER = "viewer", _("Viewer")
    EDITOR = "editor", _("Editor")
    OWNER = "owner", _("Owner")


class Act(Enum):
    """What somebody wants to do; the value is the least role for it."""

    SEE = Role.VIEWER
    CHANGE = Role.EDITOR
    MANAGE = Role.OWNER


RANK = list(Role)
WORDS = {
    Act.SEE: _("You may not see this."),
    Act.CHANGE: _("You may look at this project but not change it. Ask its owner to make you an editor."),
    Act.MANAGE: _("Only owners of this project may do this. Ask one of them."),
}


# -- Roles -------------------------------------------------------------------------------------------------------------


def role_of(user: Asker, project: Project) -> Role | None:
    """Somebody's role in a project; None for strangers."""
    if not user.is_authenticated or not user.is_active:
        return None
    if project.owner_id == user.pk:
        return Role.OWNER
    member = project.members.filter(user=user.pk).values_list("role", flat=True).first()
    roles = [Role(member)] if member else []
    if may_administer(user):
        roles.append(Role.OWNER)
    elif may_oversee(user):
        roles.append(Role.VIEWER)
    return max(roles, key=RANK.index, default=None)


def may_oversee(user: Asker) -> bool:
    """An administrator who may look into everybody's projects."""
    return bool(user.is_staff and user.has_perm("interpolation.view_project")) or may_administer(user)


def may_administer(user: Asker) -> bool:
    return bool(user.is_staff and user.has_perm("interpolation.change_project"))


def project_of(thing: Project | Source | Job) -> Project:
    anything: Any = thing
    project: Project = getattr(anything, "project", anything)
    return project


def may(user: Asker, act: Act, thing: Project | Source | Job) -> bool:
    role = role_of(user, project_of(thing))
    return role is not None and RANK.index(role) >= RANK.index(act.value)


def require(user: Asker, act: Act, thing: Project | Source | Job) -> None:
    """Raises Http404 for who may not even see it, else PermissionDenied with words for who may not do this."""
    if may(user, act, thing):
        return
    if act is Act.SEE or not may(user, Act.SEE, thing):
        raise Http404
    raise PermissionDenied(WORDS[act])


def find(queryset: QuerySet[Found], user: Asker, act: Act, pk: UUID | str) -> Found:
    """The project, source or job with this number, for somebody who wants to do `act`. Raises as `require` does."""
    thing: Any = queryset.reachable_by(user).filter(pk=pk).first()  # type: ignore[attr-defined]
    if thing is None:
        raise Http404
    require(user, act, thing)
    found: Found = thing
    return found


# -- Queries: `QuerySet.of(user)` and `.reachable_by(user)` are made of these ------------------------------------------


def belongs_to(user: Asker, project: str = "") -> Q:
    """What stands in somebody's lists: their own, and what was shared with them. project: "" or "project__"."""
    if not user.is_authenticated or not user.is_active:
        return Q(pk__in=[])
    shared = apps.get_model("interpolation", "Member").objects.filter(user=user.pk).values("project")
    return Q(**{f"{project}owner": user.pk}) | Q(**{f"{project}pk__in": shared})


def reachable_by(user: Asker, project: str = "") -> Q:
    """What somebody may see when they know its address: as `belongs_to`, and everything for administrators."""
    return Q() if user.is_authenticated and may_oversee(user) else belongs_to(user, project)


# -- Links -------------------------------------------------------------------------------------------------------------


def link_token(link_id: UUID) -> str:
    """The secret part of a link's address. It is computed, so that who reads the database cannot use the links."""
    return _text(link_id.bytes) + _text(_signature(link_id))


def link_for(token: str) -> ShareLink | None:
    """The link with this address, if it works."""
    try:
        number = UUID(bytes=base64.urlsafe_b64decode(token[:22] + "=="))
    except ValueError:
        return None
    if not hmac.compare_digest(token.encode(), link_token(number).encode()):
        return None
    links = apps.get_model("interpolation", "ShareLink").objects.live()
    found: ShareLink | None = links.select_related("job__source", "job__project").filter(pk=number).first()
    return found


def open_link(session: MutableMapping[str, Any], link: ShareLink) -> None:
    """From now on this browser may see what the link shows, until the link ends or its password changes."""
    session[SESSION_KEY] = {**session.get(SESSION_KEY, {}), str(link.pk): _digest(link)}


def is_open(session: MutableMapping[str, Any], link: ShareLink) -> bool:
    return hmac.compare_digest(str(session.get(SESSION_KEY, {}).get(str(link.pk), "")), _digest(link))


def shown_by_link(session: MutableMapping[str, Any], job_id: UUID) -> bool:
    """Whether this browser has opened a link to this job that still works."""
    opened = session.get(SESSION_KEY)
    if not opened:
        return False
    links = apps.get_model("interpolation", "ShareLink").objects.live().filter(job=job_id, pk__in=list(opened))
    return any(is_open(session, link) for link in links)


def _signature(link_id: UUID) -> bytes:
    return salted_hmac("interpolation.access.link", link_id.bytes, algorithm="sha256").digest()[:16]


def _digest(link: ShareLink) -> str:
    return salted_hmac("interpolation.access.opened", f"{link.pk}:{link.password}", algorithm="sha256").hexdigest()


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
