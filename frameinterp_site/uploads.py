"""Uploads that cannot be kept are refused in words while they arrive, before they fill the disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from engine.disk import FULL
from interpolation.services.disk import DISK_FULL, in_words

OVERHEAD = 64 * 1024  # what a form adds around its files


class GuardedUploadHandler(TemporaryFileUploadHandler):
    """Streams to a temporary file, within the limit and while there is room. Else `request.upload_refused` says why.

    The rest of a refused upload is read and thrown away, so that the browser gets to see the answer.
    """

    chunk_size = 1024 * 1024  # bytes

    def handle_raw_input(self, input_data: Any, META: dict[str, str], content_length: int, *args: Any) -> None:
        self.refusal = refusal(content_length)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        if self.refusal:
            self.refuse(self.refusal)
        try:
            super().new_file(*args, **kwargs)
        except OSError as error:
            self.full(error)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            self.full(error)

    def full(self, error: OSError) -> None:
        if error.errno not in FULL:
            raise error
        self.upload_interrupted()
        self.refuse(DISK_FULL)

    def refuse(self, words: str) -> None:
        if self.request is not None:
            self.request.upload_refused = words  # type: ignore[attr-defined]
        raise StopUpload(connection_reset=False)


def refusal(content_length: int) -> str:
    """Why an upload of so many bytes is not taken; "" if it is."""
    if content_length > settings.MAX_UPLOAD_BYTES + OVERHEAD:
        return (
            f"The upload has {in_words(content_length)}; at most {in_words(settings.MAX_UPLOAD_BYTES)} are taken. "
            "Cut the video, or encode it smaller."
        )
    free = shutil.disk_usage(settings.FILE_UPLOAD_TEMP_DIR).free
    if free - content_length < settings.MIN_FREE_BYTES:
        return (
            f"The server's disk has no room for this: {in_words(content_length)} sent, {in_words(free)} free, "
            f"of which {in_words(settings.MIN_FREE_BYTES)} must stay free. Ask the administrator to make room."
        )
    return ""


class RefusedUploadMiddleware:
    """Answers a form whose file was refused while it arrived, whatever view it was for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        if request.content_type != "multipart/form-data" or request.path.startswith("/api/"):
            return None  # the API answers for itself
        _ = request.POST  # read the form, unless the check of its token has done so
        words = getattr(request, "upload_refused", "")
        if not words:
            return None
        if request.headers.get("Accept", "").startswith("application/json"):
            return JsonResponse({"errors": [words], "detail": words}, status=413)
        messages.error(request, words)
        back = request.headers.get("Referer", "")
        safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
        return redirect(back if safe else "/")
