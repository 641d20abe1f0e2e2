"""Uploads that cannot be kept are refused in words while they arrive, before they fill the disk."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, gettext_noop

from engine.disk import FULL
from interpolation.services.disk import DISK_FULL, in_words
from interpolation.services.uploads import MAX_FILES

OVERHEAD = 64 * 1024  # what a form adds around its files
TOO_MANY = gettext_noop("At most %(count)s files are taken at once. Pack the pictures into one zip and send that.")


class ArrivedFile(TemporaryUploadedFile):
    """As Django's, but open only while it is written or read: a form may bring more files than a process may open."""

    def __init__(self, name: str, content_type: str, charset: str | None, extra: dict[str, bytes] | None) -> None:
        handle, self._path = tempfile.mkstemp(".upload", dir=settings.FILE_UPLOAD_TEMP_DIR)
        self._open: IO[bytes]
        self._remove = weakref.finalize(self, Path(self._path).unlink, missing_ok=True)
        UploadedFile.__init__(self, os.fdopen(handle, "w+b"), name, content_type, 0, charset, extra)

    @property
    def file(self) -> IO[bytes]:
        if self._open.closed:
            self._open = Path(self._path).open("rb")  # noqa: SIM115 - closed in `close`
        return self._open

    @file.setter
    def file(self, file: IO[bytes]) -> None:
        self._open = file

    def rest(self) -> None:
        """Everything is written; opened again by whoever reads it."""
        self._open.close()

    def temporary_file_path(self) -> str:
        return self._path

    def close(self) -> None:
        """The end of the request: removed, unless it was taken over."""
        self._open.close()
        self._remove()


class GuardedUploadHandler(TemporaryFileUploadHandler):
    """Streams to temporary files, within the limits and while there is room. Else `request.upload_refused` says why.

    The rest of a refused upload is read and thrown away, so that the browser gets to see the answer.
    """

    chunk_size = 1024 * 1024  # bytes
    file: ArrivedFile

    def handle_raw_input(self, input_data: Any, META: dict[str, str], content_length: int, *args: Any) -> None:
        self.refusal, self.count = refusal(content_length), 0
        self.announced, self.stream = content_length, getattr(input_data, "_stream", input_data)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        self.count += 1
        if self.refusal or self.count > MAX_FILES:
            self.refuse(self.refusal or gettext(TOO_MANY) % {"count": MAX_FILES})
        super(TemporaryFileUploadHandler, self).new_file(*args, **kwargs)
        try:
            self.file = ArrivedFile(
                self.file_name or "", self.content_type or "", self.charset, self.content_type_extra
            )
        except OSError as error:
            self.full(error)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            self.full(error)

    def file_complete(self, file_size: int) -> ArrivedFile | None:
        try:
            self.file.rest()
        except OSError as error:
            self.full(error)
        self.file.size = file_size
        return self.file

    def upload_complete(self) -> None:
        """A line that was closed half-way looks like the end of the form: only the count of bytes tells."""
        arrived = getattr(self.stream, "_pos", self.announced)
        if arrived < self.announced and self.request is not None and not hasattr(self.request, "upload_refused"):
            words = gettext(
                "The upload broke off: %(arrived)s of %(all)s arrived. Nothing was kept. Send it again."
            ) % {"arrived": in_words(arrived), "all": in_words(self.announced)}
            self.request.upload_refused = words  # type: ignore[attr-defined]
            self.request.upload_status = 400  # type: ignore[attr-defined]

    def full(self, error: OSError) -> None:
        if error.errno not in FULL:
            raise error
        self.upload_interrupted()
        self.refuse(gettext(DISK_FULL))

    def refuse(self, words: str) -> None:
        if self.request is not None:
            self.request.upload_refused = words  # type: ignore[attr-defined]
        raise StopUpload(connection_reset=False)


def refusal(content_length: int) -> str:
    """Why an upload of so many bytes is not taken; "" if it is."""
    if content_length > settings.MAX_UPLOAD_BYTES + OVERHEAD:
        return gettext("The upload has %(size)s; at most %(most)s are taken. Cut the video, or encode it smaller.") % {
            "size": in_words(content_length),
            "most": in_words(settings.MAX_UPLOAD_BYTES),
        }
    free = shutil.disk_usage(settings.FILE_UPLOAD_TEMP_DIR).free
    if free - content_length < settings.MIN_FREE_BYTES:
        return gettext(
            "The server's disk has no room for this: %(size)s sent, %(free)s free, of which %(least)s must stay free. "
            "Ask the administrator to make room."
        ) % {
            "size": in_words(content_length),
            "free": in_words(free),
            "least": in_words(settings.MIN_FREE_BYTES),
        }
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
            status = getattr(request, "upload_status", 413)
            return JsonResponse({"errors": [words], "detail": words}, status=status)
        messages.error(request, words)
        back = request.headers.get("Referer", "")
        safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
        return redirect(back if safe else "/")
