"""Resumable uploads: tus 1.0.0 (https://tus.io/protocols/resumable-upload) with creation, creation-with-upload,
expiration, termination and checksum. The pages send their files here as well.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, UnreadablePostError
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date
from django.utils.text import format_lazy
from django.utils.translation import gettext, gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.exceptions import APIException, MethodNotAllowed, ParseError, UnsupportedMediaType, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from engine.errors import EngineError
from interpolation import services
from interpolation.access import Act, find, require
from interpolation.models import Project, ResumableUpload
from interpolation.services.resumable import ALGORITHMS

REFUSALS = (EngineError, services.ServiceError)
VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,termination,checksum"
BYTES = "application/offset+octet-stream"
PIECE = 256 * 1024  # bytes read and written at once
IDLE = 30.0  # seconds without a byte until the line counts as broken: it holds the upload's lock
LONGEST = 4096  # characters of Upload-Metadata
MOST_BYTES = 1 << 60


class PreconditionFailed(APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = format_lazy(
        gettext_lazy("Send the header Tus-Resumable: {version}, which is the version of the protocol spoken here."),
        version=VERSION,
    )


class Unread(BaseParser):
    """Bytes are for the disk. (The check of a form's token would have them parsed.)"""

    media_type = BYTES

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> dict[str, Any]:
        return {}


class UploadSerializer(serializers.ModelSerializer[ResumableUpload]):
    """A file that arrives in pieces, and what has become of it."""

    offset = serializers.IntegerField(read_only=True, help_text="How many bytes are here.")
    error = serializers.CharField(read_only=True, help_text="Why it was refused, or cannot be taken yet.")

    class Meta:
        model = ResumableUpload
        fields = (
            "id",
            "project",
            "name",
            "modified",
            "size_bytes",
            "offset",
            "status",
            "error",
            "source",
            "created_at",
            "expires_at",
        )
        read_only_fields = fields


def header(name: str, words: str, kind: Any = str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, required=required, description=words)


TUS = header("Tus-Resumable", f"Always `{VERSION}`.")
LENGTH = header("Upload-Length", "Bytes of the whole file.", int)
METADATA = header(
    "Upload-Metadata",
    "Pairs of a name and a value in Base64, with commas between: `project` (its ID; needed), `filename`, and for a zip "
    "of pictures `fps`, such as `24000/1001`. `modified`, such as the time of the file, lets you know it again. Other "
    "names are kept and given back.",
)
OFFSET = header("Upload-Offset", "Where these bytes begin: as many as are here already.", int)
CHECKSUM = header("Upload-Checksum", f"`sha1 BASE64` of these bytes; also {', '.join(ALGORITHMS[1:])}.")
NO_CONTENT = OpenApiResponse(description="`Upload-Offset` says how many bytes are here now.")


class UploadViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ResumableUpload]):
    queryset = ResumableUpload.objects.none()
    serializer_class = UploadSerializer
    parser_classes = [Unread]

    @property
    def throttle_scope(self) -> str:
        """Scripts begin only so many an hour. Somebody at a page may drop two hundred clips on it."""
        return "upload" if self.action == "create" and self.request.auth else ""

    def get_queryset(self) -> QuerySet[ResumableUpload]:
        """One's own. A stranger's is not there, whatever the project."""
        mine = ResumableUpload.objects.of(self.request.user).select_related("project__owner", "user")
        return mine.unfinished() if self.action == "list" else mine

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        made = super().finalize_response(request, response, *args, **kwargs)
        made["Tus-Resumable"] = VERSION
        if made.status_code == status.HTTP_412_PRECONDITION_FAILED:
            made["Tus-Version"] = VERSION
        return made

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """What of the protocol is spoken here."""
        user: Any = request.user
        said = {
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
            "Tus-Max-Size": str(services.limits_of(user).upload_bytes),
        }
        return Response(status=status.HTTP_204_NO_CONTENT, headers=said)

    @extend_schema(
        parameters=[TUS, LENGTH, METADATA, CHECKSUM],
        request={BYTES: OpenApiTypes.BINARY},
        responses={201: UploadSerializer},
    )
    def create(self, request: Request) -> Response:
        """Announce a file. `Location` is where its bytes go, with PATCH; the first may come along with this call.
        What the file becomes, and what is refused, is as with `POST /sources/`."""
        spoken(request)
        size = number(request, "Upload-Length")
        metadata = request.headers.get("Upload-Metadata", "")
        given = parsed(metadata)
        try:
            project = find(Project.objects.all(), request.user, Act.CHANGE, given.get("project", ""))
        except DjangoValidationError as error:
            raise ParseError(gettext("The project in Upload-Metadata is no number of a project.")) from error
        first = body_length(request)
        checksum = checksum_of(request)
        if first:
            wanted_type(request)
        user: Any = request.user
        upload = services.upload_create(
            project=project,
            user=user,
            size=size,
            name=given.get("filename") or given.get("name", ""),
            fps=given.get("fps", ""),
            metadata=metadata,
            modified=given.get("modified", ""),
        )
        if first:
            begin(upload, request, first, checksum)
        address = request.build_absolute_uri(reverse("api-upload-detail", args=[upload.pk]))
        return Response(
            self.get_serializer(upload).data, status.HTTP_201_CREATED, headers=standing(upload) | {"Location": address}
        )

    def head(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """How many bytes are here: where to go on."""
        spoken(request)
        upload = self.get_object()
        if upload.expires_at < timezone.now():
            raise services.GoneError(gettext("This upload is not kept any more. Begin a new one."))
        said = {"Upload-Length": str(upload.size_bytes), "Cache-Control": "no-store"}
        if upload.metadata:
            said["Upload-Metadata"] = upload.metadata
        return Response(headers=standing(upload) | said)

    @extend_schema(
        parameters=[TUS, OFFSET, CHECKSUM], request={BYTES: OpenApiTypes.BINARY}, responses={204: NO_CONTENT}
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """The next bytes. What arrives before the line breaks stays: HEAD says how far it is. With the last byte the
        file becomes a source, whose ID is in `Inbetween-Source`, and under `source` of the upload; if there was no
        room for it then, an empty PATCH at the end tries again. Another connection that still sends: 423."""
        spoken(request)
        upload = self.get_object()
        require(request.user, Act.CHANGE, upload.project)
        wanted_type(request)
        checksum, length = checksum_of(request), body_length(request)
        services.upload_append(
            upload=upload,
            offset=number(request, "Upload-Offset"),
            pieces=pieces(request),
            length=length,
            checksum=checksum,
        )
        return Response(status=status.HTTP_204_NO_CONTENT, headers=standing(upload))

    @extend_schema(parameters=[TUS], responses={204: OpenApiResponse(description="Removed.")})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove an upload and what is here of it. A source that it has become stays."""
        spoken(request)
        services.upload_remove(upload=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(exclude=True)
    def overridden(self, request: Request, pk: str) -> Response:
        """For clients that cannot send PATCH and DELETE: POST with `X-HTTP-Method-Override`."""
        method = request.headers.get("X-HTTP-Method-Override", "").upper()
        if method == "PATCH":
            return self.partial_update(request, pk)
        if method == "DELETE":
            return self.destroy(request, pk)
        raise MethodNotAllowed("POST")


def begin(upload: ResumableUpload, request: Request, length: int, checksum: tuple[str, bytes] | None) -> None:
    """The first bytes, which came with the announcement. If they are refused, nothing was announced."""
    try:
        services.upload_append(upload=upload, offset=0, pieces=pieces(request), length=length, checksum=checksum)
    except REFUSALS:
        services.upload_remove(upload=upload)
        raise


def spoken(request: Request) -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise PreconditionFailed


def refuse(name: str, words: str) -> NoReturn:
    raise ValidationError({name: [words]})


def number(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal()) or int(text) > MOST_BYTES:
        refuse(name, gettext("Send this header: a whole number of bytes."))
    return int(text)


def wanted_type(request: Request) -> None:
    if request.content_type != BYTES:
        raise UnsupportedMediaType(
            request.content_type, gettext("Bytes go as Content-Type: %(type)s.") % {"type": BYTES}
        )


def body_length(request: Request) -> int:
    if request.headers.get("Transfer-Encoding"):
        refuse("Content-Length", gettext("Send this header, and the bytes without Transfer-Encoding."))
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdecimal() else 0


def parsed(metadata: str) -> dict[str, str]:
    """The pairs of Upload-Metadata."""
    if len(metadata) > LONGEST:
        refuse("Upload-Metadata", gettext("At most %(count)s characters are taken.") % {"count": LONGEST})
    found: dict[str, str] = {}
    for pair in metadata.split(","):
        name, _, value = pair.strip().partition(" ")
        if not name:
            continue
        try:
            found[name] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            refuse("Upload-Metadata", gettext("The value of %(name)s is not text in Base64.") % {"name": name})
    if "project" not in found:
        refuse("Upload-Metadata", gettext("Say which project the file is for: project, a space, and its ID in Base64."))
    return found


def checksum_of(request: Request) -> tuple[str, bytes] | None:
    text = request.headers.get("Upload-Checksum", "")
    if not text:
        return None
    name, _, value = text.partition(" ")
    if name not in ALGORITHMS:
        words = gettext("There is no algorithm %(name)s. Choose of: %(names)s.")
        refuse("Upload-Checksum", words % {"name": name, "names": ", ".join(ALGORITHMS)})
    try:
        return name, base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        refuse("Upload-Checksum", gettext("Send the algorithm, a space, and the checksum in Base64."))


def standing(upload: ResumableUpload) -> dict[str, str]:
    """How far an upload is, in headers."""
    said = {"Upload-Offset": str(upload.offset), "Upload-Expires": http_date(upload.expires_at.timestamp())}
    if upload.source_id:
        said["Inbetween-Source"] = str(upload.source_id)
    return said


def pieces(request: Request) -> Iterator[bytes]:
    """The body bit by bit, until it ends or the line breaks: what came by then is good."""
    asked = request._request
    with patience(asked):
        while True:
            try:
                piece = asked.read(PIECE)
            except UnreadablePostError:
                return
            if not piece:
                return
            yield piece


@contextmanager
def patience(request: HttpRequest) -> Iterator[None]:
    """A line on which nothing comes is broken: a laptop that was closed says no goodbye."""
    line = request.META.get("gunicorn.socket")
    if line is None:  # another server, which has its own
        yield
        return
    before = line.gettimeout()
    line.settimeout(IDLE)
    try:
        yield
    finally:
        line.settimeout(before)
