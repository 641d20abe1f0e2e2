"""Members of a project, and links to one job's result."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext

from interpolation.access import Role
from interpolation.models import Job, Member, Project, ShareLink

from .errors import ServiceError, StateError

TRIES = 10  # wrong passwords of one link from one address ...
PAUSE = 15 * 60  # ... within so many seconds, until it has to wait


def member_set(*, project: Project, username: str, role: str) -> Member:
    """Share the project with somebody, or give them another role.

    Raises:
        ServiceError: there is no such user or role, or it is the one who owns the project.
    """
    if role not in Role.values:
        raise ServiceError(
            gettext('"%(role)s" is not a role. Choose of: %(choices)s.')
            % {"role": role, "choices": ", ".join(Role.values)}
        )
    user = User.objects.filter(username=username.strip(), is_active=True).first()
    if user is None:
        raise ServiceError(
            gettext('There is no user "%(username)s" here. Ask them for the name they sign in with.')
            % {"username": username.strip()}
        )
    if user.pk == project.owner_id:
        raise ServiceError(gettext("%(username)s owns this project already.") % {"username": user.username})
    member, _ = Member.objects.update_or_create(project=project, user=user, defaults={"role": role})
    return member


def member_remove(*, member: Member) -> None:
    """They do not see the project any more. What they made in it stays."""
    member.delete()


def share_link_create(*, job: Job, user: User, expires_at: datetime | None = None, password: str = "") -> ShareLink:
    """An unlisted address under which anybody sees this job's result.

    Raises:
        ServiceError: there is no result yet, or the end lies in the past.
    """
    if job.status != Job.Status.SUCCEEDED:
        raise StateError(gettext("There is no result to share yet. Wait until the job is done."))
    if expires_at is not None and expires_at <= timezone.now():
        raise ServiceError(gettext("The link would be over before it begins. Choose a later end, or none."))
    hashed = make_password(password) if password else ""
    return ShareLink.objects.create(job=job, created_by=user, expires_at=expires_at, password=hashed)


def share_link_revoke(*, link: ShareLink) -> None:
    """It shows nothing any more, also to those who have opened it."""
    ShareLink.objects.filter(pk=link.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())
    link.refresh_from_db()


def share_link_unlock(*, link: ShareLink, password: str, address: str) -> bool:
    """Whether this is its password. address: who asks, for counting wrong ones.

    Raises:
        ServiceError: too many wrong passwords from there.
    """
    if not link.password:
        return True
    key = f"inbetween:link:{link.pk}:{address}"
    if (cache.get_or_set(key, 0, PAUSE) or 0) >= TRIES:
        raise ServiceError(
            gettext("Too many wrong passwords. Try again in %(minutes)s minutes.") % {"minutes": PAUSE // 60}
        )
    if check_password(password, link.password):
        cache.delete(key)
        return True
    cache.incr(key)
    return False


def share_link_opened(*, link: ShareLink) -> None:
    with transaction.atomic():
        ShareLink.objects.filter(pk=link.pk).update(opened=F("opened") + 1, opened_at=timezone.now())
