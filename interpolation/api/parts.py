"""The parts of a job's film: those that can be watched already, and drawing some anew."""

from __future__ import annotations

from typing import Any, cast

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from engine.watch import Part, ready_parts
from interpolation import services
from interpolation.services.running import under_media

from . import serializers as out
from .strict import StrictSerializer


class PartSerializer(serializers.Serializer[Part]):
    """A finished part of the film, as a small H.264 file without sound."""

    number = serializers.IntegerField()
    start = serializers.FloatField(help_text="When it is shown, in seconds of the result.")
    end = serializers.FloatField()
    file = serializers.SerializerMethodField()

    def get_file(self, part: Part) -> str:
        address = reverse("media", args=[under_media(part.path)])
        return str(self.context["request"].build_absolute_uri(address))


class RedrawSerializer(StrictSerializer):
    start = serializers.CharField(max_length=40, help_text='Seconds of the result: "12.5", or "1:02.5".')
    end = serializers.CharField(max_length=40)
    options = serializers.DictField(
        default=dict, help_text=f"What is to be different: {', '.join(services.REDRAWABLE)}. All else stays."
    )


class PartsActions:
    """Mixed into the view set of jobs."""

    @extend_schema(
        parameters=[OpenApiParameter("after", int, description="Number of the last part that is known already.")],
        responses=PartSerializer(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def parts(self, request: Request, pk: str) -> Response:
        """The parts that can be watched while the rest is drawn, in order and without a gap."""
        after = request.query_params.get("after", "0")
        found = ready_parts(
            self._view.get_object().directory, int(after) if after.isdecimal() and len(after) < 9 else 0
        )
        return Response(PartSerializer(cast(Any, found), many=True, context={"request": request}).data)

    @extend_schema(request=RedrawSerializer, responses={201: out.JobSerializer})
    @action(detail=True, methods=["post"])
    def redraw(self, request: Request, pk: str) -> Response:
        """A new job: the film of this one, of which a part is drawn anew with other settings.

        All parts that the range touches are drawn (they last up to four seconds); `range_start` and `range_end` of the
        answer say which. It is possible until `parts_until`.
        """
        given = RedrawSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        job = services.job_redraw(job=self._view.get_object(), user=self._view.user, **given.validated_data)
        return Response(self._view.get_serializer(job).data, status.HTTP_201_CREATED)

    @property
    def _view(self) -> Any:
        return cast(Any, self)
