"""What came of a job: files, previews, flow pictures, figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from interpolation.figures import figures
from interpolation.media import download_figures, result_name, send
from interpolation.models import Job, Preview
from interpolation.services import StateError

from . import serializers as out

FILES = {
    (status, kind): OpenApiResponse(OpenApiTypes.BINARY, words)
    for status, words in ((200, "The file."), (206, "The part of it that `Range` asked for."))
    for kind in ("video/mp4", "video/webm", "video/quicktime", "image/gif", "image/webp", "application/zip")
}


class GoneError(APIException):
    status_code = 410
    problem = "gone"


def require_result(job: Job) -> None:
    if job.status != Job.Status.SUCCEEDED:
        raise StateError(_('This job is "%(status)s": there is no result.') % {"status": job.get_status_display()})


class ResultsActions:
    """Mixed into the view set of jobs."""

    @extend_schema(
        parameters=[
            OpenApiParameter("what", str, "path", enum=out.DOWNLOADS),
            OpenApiParameter("Range", str, "header", description="`bytes=0-999` for a part."),
        ],
        responses={**FILES, (200, "application/json"): OpenApiTypes.OBJECT},
        filters=False,
    )
    @action(detail=True, methods=["get"], url_path="download/(?P<what>master|pictures|figures)")
    def download(self, request: Request, pk: str, what: str) -> HttpResponseBase:
        """The finished film (`master`), its new frames (`pictures`), or all figures. Downloading changes nothing."""
        job = self._job
        require_result(job)
        if what == "figures":
            return download_figures(job)
        kept = job.master if what == "master" else job.pictures_zip
        file = Path(settings.MEDIA_ROOT) / kept
        if not kept or not file.is_file():
            raise GoneError(_("This file is not kept any more. Run the job again to make it anew."))
        ending = "" if what == "master" else "-pictures"
        return send(request._request, file, f"{result_name(job)}{ending}{file.suffix}")

    @extend_schema(
        parameters=[OpenApiParameter("kind", str, enum=Preview.Kind.values)],
        responses=out.PreviewSerializer(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def previews(self, request: Request, pk: str) -> Response:
        """Small films and pictures to look at. They are kept for ever, and answer Range requests."""
        found = self._job.previews.all()
        kind = request.query_params.get("kind")
        if kind is not None:
            if kind not in Preview.Kind.values:
                raise ValidationError(
                    {"kind": [_("Choose of: %(names)s.") % {"names": ", ".join(Preview.Kind.values)}]}
                )
            found = found.filter(kind=kind)
        return self._shown(found)

    @extend_schema(responses=out.PreviewSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def flow(self, request: Request, pk: str) -> Response:
        """The motion that was found: pictures, in which colour is direction and strength is speed, and fields.

        Fields (`motion`) belong to the in-between pictures shown at the same `time`. They are packed NumPy files,
        `numpy.load(gzip.open(path))`: float16, (height, width, 3), the longer side at most 320. The three are dx and dy
        in pixels of the result, from the frame before to the frame after, and by how many pixels the way there and
        back misses its start: large where a point is hidden in the other frame.
        """
        kinds = (Preview.Kind.FLOW_FARNEBACK, Preview.Kind.FLOW_MODEL, Preview.Kind.MOTION)
        return self._shown(self._job.previews.filter(kind__in=kinds))

    @extend_schema(responses=OpenApiTypes.OBJECT, filters=False)
    @action(detail=True, methods=["get"])
    def figures(self, request: Request, pk: str) -> Response:
        """All figures of a finished job, with its settings, model, source and certificate."""
        job = self._job
        require_result(job)
        return Response(json.loads(figures(job)))

    @extend_schema(responses=out.FramesSerializer, filters=False)
    @action(detail=True, methods=["get"])
    def frames(self, request: Request, pk: str) -> Response:
        """Figures per frame: held-out PSNR and SSIM, motion, cuts."""
        metrics = self._job.metrics
        return Response(
            {
                "held_out": (metrics.get("held_out") or {}).get("samples") or [],
                "note": metrics.get("held_out_note") or "",
                "motion": metrics.get("motion") or [],
                "cuts": metrics.get("cuts") or [],
            }
        )

    @property
    def _job(self) -> Job:
        job: Job = cast(Any, self).get_object()
        return job

    def _shown(self, found: Any) -> Response:
        context = cast(Any, self).get_serializer_context()
        return Response(out.PreviewSerializer(found, many=True, context=context).data)
