"""What people do with their account: how the portal shall be, taking everything along, leaving."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.translation import gettext as _

from interpolation.models import ApiToken, Member, Preferences, Project

from .errors import ServiceError
from .projects import project_purge


def preferences_of(user: User) -> Preferences:
    """Theirs, or those of somebody who has chosen nothing (not saved)."""
    return Preferences.objects.filter(user=user.pk).first() or Preferences(user=user)


def preferences_set(*, user: User, time_zone: str, theme: str, email: str, mail_when_done: bool) -> Preferences:
    """Raises ServiceError for mail without an address."""
    if mail_when_done and not email:
        raise ServiceError(_("Give an e-mail address, so that there is somewhere to write to."))
    if user.email != email:
        user.email = email
        user.save(update_fields=["email"])
    values = {"time_zone": time_zone, "theme": theme, "mail_when_done": mail_when_done}
    return Preferences.objects.update_or_create(user=user, defaults=values)[0]


def theme_set(*, user: User, theme: str) -> Preferences:
    """The theme alone; the rest of what they prefer stays."""
    return Preferences.objects.update_or_create(user=user, defaults={"theme": theme})[0]


def account_export(*, user: User) -> dict[str, Any]:
    """All that is kept about somebody, and where their files can be downloaded. Plain values, for JSON."""
    tokens = ApiToken.objects.filter(user=user.pk)
    preferences = preferences_of(user)
    return {
        "account": {
            "name": user.username,
            "email": user.email,
            "joined_at": user.date_joined.isoformat(),
            "last_sign_in_at": user.last_login.isoformat() if user.last_login else None,
            "preferences": {
                name: getattr(preferences, name) for name in ("time_zone", "theme", "mail_when_done")
            },
        },
        "tokens": [
            {"name": token.name, "scope": token.scope, "begins_with": token.token_key[:8],
             "made_at": token.created.isoformat(), "ends_at": token.expiry.isoformat() if token.expiry else None}
            for token in tokens
        ],
        "memberships": [
            {"project": str(member.project_id), "role": member.role} for member in Member.objects.filter(user=user.pk)
        ],
        "projects": [_project(project) for project in user.projects.prefetch_related("sources")],
    }  # fmt: skip


def _project(project: Project) -> dict[str, Any]:
    jobs = project.jobs.select_related("source").prefetch_related("tags", "previews")
    return {
        "id": str(project.pk),
        "name": project.name,
        "made_at": project.created_at.isoformat(),
        "deleted_at": project.deleted_at.isoformat() if project.deleted_at else None,
        "sources": [
            {"id": str(source.pk), "name": source.name, "kind": source.kind, "bytes": source.size_bytes,
             "info": source.info, "files": [_media(name) for name in (source.file, source.file2) if name]}
            for source in project.sources.all()
        ],
        "jobs": [
            {"id": str(job.pk), "source": str(job.source_id), "status": job.status, "options": job.options,
             "model": {"name": job.model_name, "sha256": job.model_sha256}, "figures": job.metrics,
             "certificate": job.certificate, "tags": [tag.name for tag in job.tags.all()], "notes": job.notes,
             "made_at": job.created_at.isoformat(),
             "files": [_media(name) for name in (job.master, job.pictures_zip) if name]
             + [_media(preview.file) for preview in job.previews.all()]}
            for job in jobs
        ],
    }  # fmt: skip


def _media(name: str) -> str:
    return reverse("media", args=[name])


def account_delete(*, user: User) -> None:
    """The account, its projects with all their files, its tokens. There is no way back.

    Raises:
        ServiceError: nobody else could administer the portal.
    """
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if user.is_superuser and not others.exists():
        raise ServiceError(_("You are the only administrator. Make somebody else one first."))
    for project in user.projects.all():
        project_purge(project=project)
    user.delete()
