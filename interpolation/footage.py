"""Videos of somebody's projects, for training. The training app knows this only by the setting TRAINING_UPLOADS."""

from __future__ import annotations

from django.contrib.auth.models import User

from .models import Project, Source


def of(user: User) -> list[tuple[str, str, list[str]]]:
    """(number, name, files) of every project of this user that has videos."""
    found = []
    for project in Project.objects.of(user).order_by("name").prefetch_related("sources"):
        videos = [source for source in project.sources.all() if source.kind == Source.Kind.VIDEO]
        files = [str(source.path) for source in videos if source.deleted_at is None and source.path.is_file()]
        if files:
            found.append((str(project.pk), project.name, files))
    return found
