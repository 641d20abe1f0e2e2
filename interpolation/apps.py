from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class InterpolationConfig(AppConfig):
    name = "interpolation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_q.signals import post_spawn

        post_spawn.connect(_worker_begins, dispatch_uid="interpolation: a warm child for every worker")


def _worker_begins(**given: Any) -> None:
    """A worker of the queue for jobs has been forked: its first job shall find a child that is ready, too."""
    from django_q.conf import Conf

    if Conf.CLUSTER_NAME == "interpolation":
        from .tasks import prepare

        prepare()
