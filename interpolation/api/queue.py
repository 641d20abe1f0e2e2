"""The queue: everybody's place in it, but only one's own jobs by name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from interpolation import services
from interpolation.models import Job


class QueueEntrySerializer(serializers.Serializer[Any]):
    place = serializers.IntegerField(help_text="0: it runs. 1: it is the next one.")
    mine = serializers.BooleanField()
    job = serializers.UUIDField(allow_null=True, help_text="Null for jobs of others.")
    status = serializers.ChoiceField(choices=[Job.Status.QUEUED, Job.Status.RUNNING])
    percent = serializers.IntegerField(allow_null=True, help_text="Of one's own.")
    starts_in_seconds = serializers.IntegerField(allow_null=True, help_text="Of one's own that waits, as far as known.")
    done_in_seconds = serializers.IntegerField(allow_null=True)
    eta_seconds = serializers.IntegerField(
        allow_null=True, help_text="Of one's own that runs, until its stage is done."
    )


class QueueSerializer(serializers.Serializer[Any]):
    held = serializers.CharField(help_text='"" while work is taken, `drain` or `pause` while administrators hold it.')
    running = serializers.IntegerField()
    waiting = serializers.IntegerField()
    my_next_place = serializers.IntegerField(allow_null=True, help_text="Of one's own waiting jobs the first.")
    entries = QueueEntrySerializer(many=True)


class QueueView(APIView):
    @extend_schema(responses=QueueSerializer, operation_id="queue_retrieve")
    def get(self, request: Request) -> Response:
        """What runs and what waits, in the order in which it is taken; of others' jobs only that they are there."""
        ahead = services.outlooks()
        places = {pk: outlook.place for pk, outlook in ahead.items()}
        running = Job.objects.alive().filter(status=Job.Status.RUNNING).order_by("started_at")
        waiting = Job.objects.alive().filter(status=Job.Status.QUEUED, pk__in=places)
        rows = [
            *((0, job) for job in running.without_figures().select_related("project")),
            *((places[job.pk], job) for job in waiting.without_figures().select_related("project")),
        ]
        entries = [entry(place, job, request.user.pk, ahead) for place, job in sorted(rows, key=lambda row: row[0])]
        mine = [row["place"] for row in entries if row["mine"] and row["place"]]
        return Response(
            {
                "held": services.held_back(),
                "running": sum(not row["place"] for row in entries),
                "waiting": sum(bool(row["place"]) for row in entries),
                "my_next_place": min(mine, default=None),
                "entries": entries,
            }
        )


def entry(place: int, job: Job, user: int | None, ahead: dict[UUID, services.Outlook]) -> dict[str, Any]:
    mine = user in (job.created_by_id, job.project.owner_id)
    progress = services.job_progress_view(job, outlooks_now=ahead) if mine else {}
    return {
        "place": place,
        "mine": mine,
        "job": str(job.pk) if mine else None,
        "status": job.status,
        "percent": progress.get("percent"),
        "eta_seconds": progress.get("eta_seconds"),
        "starts_in_seconds": progress.get("starts_in_seconds"),
        "done_in_seconds": progress.get("done_in_seconds"),
    }
