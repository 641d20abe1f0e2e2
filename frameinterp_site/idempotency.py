"""A POST with an `Idempotency-Key` that is made again, because its answer was lost, makes nothing twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from interpolation.media import asker
from interpolation.models import KeptAnswer
from interpolation.services.answers import answer_begin, answer_keep

from .problems import ROOT, problem_response

HEADER = "Idempotency-Key"
LONGEST = 200
NEVER_KEPT = (f"{ROOT}token", f"{ROOT}uploads/")  # secrets; and tus has its own way to go on
PIECE = 1 << 20


class IdempotencyMiddleware:
    """Innermost, so that who asks is known. Keys are each user's own and are kept for 24 hours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        key = request.headers.get(HEADER, "")
        meant = request.method == "POST" and request.path.startswith(ROOT) and key
        if not meant or request.path.startswith(NEVER_KEPT):
            return self.get_response(request)
        said = {"header": HEADER, "most": LONGEST}
        if len(key) > LONGEST or not key.isprintable():
            return problem_response(
                request, "refused", _("%(header)s: choose up to %(most)s printable characters.") % said
            )
        user = asker(request)
        if isinstance(user, AnonymousUser):
            return self.get_response(request)  # which says that a token is missing
        try:
            mark = fingerprint(request)
        except (RequestDataTooBig, UnreadablePostError, MultiPartParserError):
            return self.get_response(request)  # which says what is wrong with the body
        return self.once(request, user, key, mark)

    def once(self, request: HttpRequest, user: User, key: str, mark: str) -> HttpResponseBase:
        kept = answer_begin(user=user, key=key, fingerprint=mark)
        if kept is not None:
            return again(request, kept, mark)
        status, kind, body = 500, "", ""
        try:
            response = self.get_response(request)
            if isinstance(response, HttpResponse):
                status, kind, body = response.status_code, response.headers["Content-Type"], response.content.decode()
            return response
        finally:
            answer_keep(user=user, key=key, status=status, content_type=kind, body=body)


def again(request: HttpRequest, kept: KeptAnswer, mark: str) -> HttpResponse:
    if kept.fingerprint != mark:
        words = _("This %(header)s was used for another call in the last 24 hours. Take a new one for a new call.")
        return problem_response(request, "key-reused", words % {"header": HEADER})
    if kept.status is None:
        response = problem_response(request, "in-progress", _("The first call with this key is not answered yet."))
        response["Retry-After"] = "2"
        return response
    response = HttpResponse(kept.body, status=kept.status, content_type=kept.content_type)
    response["Idempotent-Replayed"] = "true"
    return response


def fingerprint(request: HttpRequest) -> str:
    """Of what is asked for. Forms are made of parts whose boundary differs from call to call, so they are read."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type != "multipart/form-data":
        digest.update(request.body)
        return digest.hexdigest()
    for name, values in sorted(request.POST.lists()):
        digest.update(repr((name, values)).encode())
    files: Any = request.FILES
    for name, uploads in sorted(files.lists()):
        for upload in uploads:
            digest.update(repr((name, upload.name, upload.size)).encode())
            for piece in upload.chunks(PIECE):
                digest.update(piece)
            getattr(upload, "rest", lambda upload=upload: upload.seek(0))()  # open only while it is read
    return digest.hexdigest()
