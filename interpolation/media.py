"""Files for those who may see them: what players and pages show, with byte ranges for seeking, and downloads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import SuspiciousFileOperation
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils._os import safe_join
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe, quote_etag
from django.utils.translation import gettext
from django.views.decorators.http import require_safe
from rest_framework.exceptions import AuthenticationFailed

from .access import shown_by_link
from .api.authentication import ScopedTokenAuthentication
from .figures import figures
from .models import Job, Preview, Source

PIECE = 256 * 1024  # bytes read at once
TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".zip": "application/zip",
    ".gz": "application/gzip",
}
RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)  # no file has 10^18 bytes


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """One file under MEDIA_ROOT. Strangers, and names that lead elsewhere, get 404."""
    kind, _, rest = path.partition("/")
    user = asker(request)
    owned = {"sources": Source.objects.reachable_by(user), "jobs": Job.objects.reachable_by(user)}.get(kind)
    if owned is None:
        raise Http404
    try:
        number = UUID(rest.partition("/")[0])
        file = Path(safe_join(settings.MEDIA_ROOT, path))
    except (ValueError, SuspiciousFileOperation) as error:
        raise Http404 from error
    home = Path(settings.MEDIA_ROOT) / kind / str(number)
    if not file.is_relative_to(home) or not file.is_file():
        raise Http404
    if not owned.filter(pk=number).exists() and not (kind == "jobs" and linked(request, number, path)):
        raise Http404
    return send(request, file)


def linked(request: HttpRequest, job_id: UUID, path: str) -> bool:
    """Whether this browser came by a link to the job, of which it may see the previews."""
    return shown_by_link(request.session, job_id) and Preview.objects.filter(job=job_id, file=path).exists()


@require_safe
def job_download(request: HttpRequest, pk: UUID, what: str) -> HttpResponseBase:
    """A result under a name that says what it is. Downloading changes nothing."""
    jobs = Job.objects.alive() if shown_by_link(request.session, pk) else Job.objects.reachable_by(asker(request))
    job = get_object_or_404(jobs.select_related("source"), pk=pk)
    if job.status != Job.Status.SUCCEEDED:
        raise Http404(gettext("This job has no result yet."))
    if what == "figures":
        return download_figures(job)
    kept = {"master": job.master, "pictures": job.pictures_zip}.get(what)
    file = Path(settings.MEDIA_ROOT) / kept if kept else None
    if file is None or not file.is_file():
        raise Http404(gettext("This file is not kept any more. Run the job again to make it anew."))
    ending = "" if what == "master" else "-pictures"
    return send(request, file, f"{result_name(job)}{ending}{file.suffix}")


def asker(request: HttpRequest) -> User | AnonymousUser:
    """Who is signed in, or, because scripts look and download as well, whose API token this is; else a stranger."""
    if request.user.is_authenticated or not request.headers.get("Authorization"):
        return request.user
    try:
        found = ScopedTokenAuthentication().authenticate(request)
    except AuthenticationFailed:
        return request.user
    return found[0] if found else request.user


def download_figures(job: Job) -> HttpResponse:
    response = HttpResponse(figures(job), content_type="application/json")
    response["Content-Disposition"] = disposition(f"{result_name(job)}-figures.json")
    response["Cache-Control"] = "private, no-cache"
    return response


def result_name(job: Job) -> str:
    """The source's name with what was made of it: "park-4x", "park-slow-4x", "park-60fps"."""
    stem = PurePosixPath(job.source.name).stem or "result"
    options = job.options
    if options.get("duplicates") == "drop":
        return f"{stem}-without-repeats"
    if options.get("mode") == "fps":
        return f"{stem}-{str(options.get('target_fps')).replace('/', '_')}fps"
    times = f"{(options.get('inbetween') or 1) + 1}x"
    return f"{stem}-slow-{times}" if options.get("mode") == "slow" else f"{stem}-{times}"


def disposition(name: str) -> str:
    return content_disposition_header(as_attachment=True, filename=name) or "attachment"


def send(request: HttpRequest, file: Path, download_as: str = "") -> HttpResponseBase:
    """The file, or the asked part of it: 200, 206, 304, 416, or handed to nginx by X-Accel-Redirect."""
    kind = TYPES.get(file.suffix.lower(), "application/octet-stream")
    if settings.ACCEL_REDIRECT:
        response: HttpResponseBase = HttpResponse(content_type=kind)
        inside = file.relative_to(Path(settings.MEDIA_ROOT)).as_posix()
        response["X-Accel-Redirect"] = f"{settings.ACCEL_REDIRECT.rstrip('/')}/{inside}"
    else:
        response = send_bytes(request, file, kind)
    response["Cache-Control"] = "private, no-cache"  # kept by the browser, asked for again: answered by 304
    if download_as or kind == "application/octet-stream":
        response["Content-Disposition"] = disposition(download_as or file.name)
    return response


def send_bytes(request: HttpRequest, file: Path, kind: str) -> HttpResponseBase:
    stat = file.stat()
    etag, modified = quote_etag(f"{stat.st_mtime_ns:x}-{stat.st_size:x}"), int(stat.st_mtime)
    unchanged: HttpResponseBase | None = get_conditional_response(request, etag=etag, last_modified=modified)
    response = unchanged or whole_or_part(request, file, kind, stat.st_size, etag, modified)
    response["ETag"], response["Last-Modified"] = etag, http_date(modified)
    response["Accept-Ranges"] = "bytes"
    return response


def whole_or_part(
    request: HttpRequest, file: Path, kind: str, size: int, etag: str, modified: int
) -> HttpResponse | FileResponse | StreamingHttpResponse:
    part = asked_part(request.headers.get("Range", ""), size)
    if part is None or request.method == "HEAD" or not still_the_same(request, etag, modified):
        return whole(request, file, kind, size)
    start, end = part
    if start > end:
        response = HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, content_type=kind)
        response["Content-Range"] = f"bytes */{size}"
        return response
    streamed = StreamingHttpResponse(pieces(file, start, end), status=HTTPStatus.PARTIAL_CONTENT, content_type=kind)
    streamed["Content-Range"] = f"bytes {start}-{end}/{size}"
    streamed["Content-Length"] = str(end - start + 1)
    return streamed


def whole(request: HttpRequest, file: Path, kind: str, size: int) -> HttpResponse | FileResponse:
    if request.method == "HEAD":
        response: HttpResponse | FileResponse = HttpResponse(content_type=kind)
    else:
        response = FileResponse(file.open("rb"), content_type=kind)
    response["Content-Length"] = str(size)
    response.headers.pop("Content-Disposition", None)
    return response


def asked_part(header: str, size: int) -> tuple[int, int] | None:
    """(first, last) byte asked for; first > last when the file has no such bytes; None for "the whole file".

    More than one range, and what is not a range, is answered with the whole file, as RFC 9110 allows.
    """
    match = RANGE.fullmatch(header.strip())
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:  # the last so many bytes
        length = int(last)
        return (max(0, size - length), size - 1) if length and size else (1, 0)
    start, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None  # not a range at all
    return (start, end) if start < size else (1, 0)


def still_the_same(request: HttpRequest, etag: str, modified: int) -> bool:
    """If-Range: the part is wanted only of the version the client has begun with."""
    known = request.headers.get("If-Range", "")
    return not known or known == etag or parse_http_date_safe(known) == modified


def pieces(file: Path, start: int, end: int) -> Iterator[bytes]:
    """Bytes start to end, both included."""
    left = end - start + 1
    with file.open("rb") as opened:
        opened.seek(start)
        while left > 0 and (piece := opened.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
