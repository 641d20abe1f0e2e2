"""Tags and notes: what people write on their jobs."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from interpolation.models import Job, Tag

from .errors import ServiceError

TAG_LENGTH = 40
MOST_TAGS = 20
NOTE_LENGTH = 4000


def job_tag(*, job: Job, tags: Iterable[str]) -> None:
    """These are its tags now. Capitals make no difference: a tag of the project is used again as it is written there.

    Raises:
        ServiceError: too many, or too long.
    """
    words = {" ".join(tag.split()).lstrip("#").casefold(): " ".join(tag.split()).lstrip("#") for tag in tags}
    words.pop("", None)
    if len(words) > MOST_TAGS:
        raise ServiceError(
            _("A job has at most %(most)s tags; these are %(count)s.") % {"most": MOST_TAGS, "count": len(words)}
        )
    for word in words.values():
        if len(word) > TAG_LENGTH:
            raise ServiceError(
                _("The tag “%(word)s…” has %(count)s characters; the most is %(most)s.")
                % {"word": word[:TAG_LENGTH], "count": len(word), "most": TAG_LENGTH}
            )
    with transaction.atomic():
        known = {tag.name.casefold(): tag for tag in job.project.tags.all()}
        for key, word in words.items():
            if key not in known:
                known[key] = Tag.objects.get_or_create(project=job.project, name=word)[0]
        job.tags.set([known[key] for key in words])
        Tag.objects.filter(project=job.project, jobs__isnull=True).delete()


def job_note(*, job: Job, notes: str) -> None:
    """Raises ServiceError for more than one can read."""
    notes = notes.strip()
    if len(notes) > NOTE_LENGTH:
        raise ServiceError(
            _("The note has %(count)s characters; the most is %(most)s.") % {"count": len(notes), "most": NOTE_LENGTH}
        )
    job.notes = notes
    job.save(update_fields=["notes"])
