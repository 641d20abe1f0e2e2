"""Every error of the API is a problem of RFC 9457, `application/problem+json`: type, title, status, detail, instance,
and `errors` where single fields are wrong. `code` is the last part of `type`, for programs.

`handler` answers for the views of REST framework; `ProblemMiddleware` for whatever does not come that far: addresses
that do not exist, forms of a stranger, bodies that are too large, what broke down.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from engine.errors import EngineError, NoSpaceError
from interpolation import services as jobs
from training import services as training

ROOT = "/api/v1/"
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its answer's status, its title, and when it is given."""

    status: int
    title: str
    when: str


KINDS = {
    "malformed": Kind(
        400,
        gettext_noop("The body cannot be read"),
        gettext_noop("The body is not what its content type says, or broke off."),
    ),
    "invalid": Kind(
        400,
        gettext_noop("Something that was sent is wrong"),
        gettext_noop("`errors` names every field, with what to do."),
    ),
    "refused": Kind(
        400,
        gettext_noop("This cannot be done"),
        gettext_noop("All fields are good, but not together, or not with this source."),
    ),
    "sizes-differ": Kind(
        400,
        gettext_noop("The pictures differ in size"),
        gettext_noop("Send `resize_second` to take them all the same."),
    ),
    "not-authenticated": Kind(
        401,
        gettext_noop("Who is asking?"),
        gettext_noop("There is no token, or it is wrong, over, or revoked."),
    ),
    "forbidden": Kind(
        403,
        gettext_noop("You may not do this"),
        gettext_noop("Your role in the project, or the scope of your token."),
    ),
    "limit-reached": Kind(
        403,
        gettext_noop("This is more than you may have"),
        gettext_noop("A limit of your account; see `GET /account/`."),
    ),
    "not-found": Kind(
        404,
        gettext_noop("There is no such thing"),
        gettext_noop("It does not exist, is deleted, or is somebody else's."),
    ),
    "method-not-allowed": Kind(
        405,
        gettext_noop("This address does not take this method"),
        gettext_noop("`Allow` names those it takes."),
    ),
    "conflict": Kind(
        409,
        gettext_noop("Not in this state"),
        gettext_noop("A job that is over cannot be cancelled, one that runs not downloaded."),
    ),
    "in-progress": Kind(
        409,
        gettext_noop("The first call is still at work"),
        gettext_noop("Another call with the same `Idempotency-Key`."),
    ),
    "gone": Kind(
        410,
        gettext_noop("This is not kept any more"),
        gettext_noop("The file was removed. Run the job, or upload the file, again."),
    ),
    "precondition-failed": Kind(
        412,
        gettext_noop("A condition of the call does not hold"),
        gettext_noop("A header such as `Tus-Resumable`."),
    ),
    "too-large": Kind(
        413,
        gettext_noop("This is too much"),
        gettext_noop("More bytes or files than are taken, or than the disk has room for."),
    ),
    "unsupported-media-type": Kind(
        415,
        gettext_noop("This content type is not taken"),
        gettext_noop("The description of the call names those."),
    ),
    "range-not-satisfiable": Kind(
        416,
        gettext_noop("The file has no such bytes"),
        gettext_noop("`Content-Range` says how many it has."),
    ),
    "key-reused": Kind(
        422,
        gettext_noop("The key was used for another call"),
        gettext_noop("An `Idempotency-Key` belongs to one call and body."),
    ),
    "locked": Kind(
        423,
        gettext_noop("Somebody else is at it"),
        gettext_noop("Another connection sends the same upload. Try again in seconds."),
    ),
    "too-many-requests": Kind(
        429,
        gettext_noop("Too many calls"),
        gettext_noop("`Retry-After` says in how many seconds to come back."),
    ),
    "checksum-mismatch": Kind(
        460,
        gettext_noop("These are other bytes"),
        gettext_noop("Not those of `Upload-Checksum`. Send them again."),
    ),
    "internal-error": Kind(
        500,
        gettext_noop("Something broke inside"),
        gettext_noop("The administrator finds it in the log."),
    ),
    "unavailable": Kind(
        503,
        gettext_noop("Not at the moment"),
        gettext_noop("Come back later."),
    ),
    "disk-full": Kind(
        507,
        gettext_noop("The server's disk is full"),
        gettext_noop("Nothing was kept. The administrator has to make room."),
    ),
}
# What is said where nothing better is known: the first kind of the status.
BY_STATUS = {kind.status: code for code, kind in reversed(KINDS.items())} | {400: "malformed", 403: "forbidden"}
BY_ERROR: tuple[tuple[type[Exception], str], ...] = (  # the first that fits
    (jobs.PictureSizesDifferError, "sizes-differ"),
    (jobs.NoRoomError, "disk-full"),
    (NoSpaceError, "disk-full"),
    (jobs.TooLargeError, "too-large"),
    (jobs.LimitError, "limit-reached"),
    (jobs.LockedError, "locked"),
    (jobs.GoneError, "gone"),
    (jobs.ChecksumError, "checksum-mismatch"),
    (jobs.StateError, "conflict"),
    (training.StateError, "conflict"),
    (jobs.ServiceError, "refused"),
    (training.ServiceError, "refused"),
    (EngineError, "refused"),
    (RequestDataTooBig, "too-large"),
    (UnreadablePostError, "malformed"),
    (RecursionError, "malformed"),
)
DETAILS = {
    "too-large": gettext_noop("The body is larger than the server takes."),
    "malformed": gettext_noop("The body cannot be read. Send it again, whole, as its content type says."),
    "internal-error": gettext_noop(
        "Something broke inside. Nothing is known to be lost; the administrator finds it in the log."
    ),
}


def problem(
    request: HttpRequest, code: str, detail: str = "", errors: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """The body of an error answer."""
    kind = KINDS[code]
    body: dict[str, Any] = {
        "type": f"{ROOT}problems/{code}/",
        "title": _(kind.title),
        "status": kind.status,
        "detail": detail or _(DETAILS.get(code, kind.when)),
        "instance": request.path,
        "code": code,
    }
    return body | {"errors": errors} if errors else body


# -- From exceptions of views ------------------------------------------------------------------------------------------


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler. None: it broke down, which Django logs and the middleware answers."""
    request: HttpRequest = context["request"]._request
    code = next((code for kind, code in BY_ERROR if isinstance(error, kind)), "")
    if code:
        quiet = isinstance(error, (RequestDataTooBig, UnreadablePostError, RecursionError))
        return answer(problem(request, code, "" if quiet else str(error)))
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(*error.args)
    response = exception_handler(error, context)
    if response is None or not isinstance(error, exceptions.APIException):
        return None
    return answer(_of_framework(request, error, response.status_code), dict(response.items()))


def answer(body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    kept = {name: value for name, value in (headers or {}).items() if name.lower() not in ("content-type", "vary")}
    return Response(body, body["status"], headers=kept, content_type=MEDIA_TYPE)


def _of_framework(request: HttpRequest, error: exceptions.APIException, status: int) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        errors = list(field_errors(error.detail))
        return problem(request, "invalid", in_one_sentence(errors), errors)
    if isinstance(error, exceptions.Throttled):
        seconds = getattr(error, "wait", None)
        words = _("These are more calls than are taken.")
        if seconds:
            count = math.ceil(seconds)
            back = ngettext("Come back in %(count)s second.", "Come back in %(count)s seconds.", count)
            words = f"{words} {back % {'count': count}}"
        return problem(request, "too-many-requests", words)
    if isinstance(error, exceptions.NotFound):
        detail = str(error.detail)
        return problem(request, "not-found", "" if detail in (str(exceptions.NotFound.default_detail), "") else detail)
    chosen = getattr(error, "problem", "") or BY_STATUS.get(status, "refused")
    return problem(request, chosen, str(error.detail))


def field_errors(detail: Any, path: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    """REST framework's nested errors as a list: {"field": "options.crf", "pointer": "#/options/crf", "detail"}."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from field_errors(inner, path if name == "non_field_errors" else (*path, str(name)))
        return
    for place, inner in enumerate(detail if isinstance(detail, list) else [detail]):
        if isinstance(inner, (dict, list)):
            yield from field_errors(inner, (*path, str(place))) if inner else iter(())
        else:
            escaped = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
            yield {"field": ".".join(path), "pointer": f"#{escaped}", "detail": str(inner)}


def in_one_sentence(errors: list[dict[str, str]], most: int = 3) -> str:
    named = [f"{error['field']}: {error['detail']}" if error["field"] else error["detail"] for error in errors]
    if len(named) > most:
        return " ".join([*named[:most], _("And %(count)s more.") % {"count": len(named) - most}])
    return " ".join(named)


# -- From everything else ----------------------------------------------------------------------------------------------


class ProblemMiddleware:
    """Outermost: whatever answers an error under /api/v1/ in another form is put into this one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(ROOT):
            return self.get_response(request)
        too_large = body_refused(request)
        response = too_large or self.get_response(request)
        if response.status_code < 400 or response.headers.get("Content-Type", "").startswith(MEDIA_TYPE):
            return response
        if response.status_code == 500 and settings.DEBUG:
            return response
        return as_problem(request, response)


def body_refused(request: HttpRequest) -> HttpResponse | None:
    """JSON is read at once, so there is a limit to it; files arrive in pieces and have limits of their own."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    small = (request.content_type or "") not in ("multipart/form-data", "application/offset+octet-stream")
    if not small or not length.isdecimal() or int(length) <= limit:
        return None
    words = _("The body has %(size)s bytes; at most %(most)s are taken. Files go as a form.")
    return problem_response(request, "too-large", words % {"size": int(length), "most": limit})


def problem_response(request: HttpRequest, code: str, detail: str = "") -> HttpResponse:
    body = problem(request, code, detail)
    return HttpResponse(json.dumps(body), status=body["status"], content_type=MEDIA_TYPE)


def as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    status = response.status_code
    code = BY_STATUS.get(status)
    body = problem(request, code or "refused", said(response) if code != "internal-error" else "")
    body["status"] = status
    if code is None:
        body["title"] = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else _("Refused")
    made = HttpResponse(json.dumps(body), status=status, content_type=MEDIA_TYPE)
    for name, value in response.headers.items():
        if name.lower() not in ("content-type", "content-length", "content-disposition"):
            made.headers.setdefault(name, value)
    made.cookies = response.cookies
    made._resource_closers.extend(response._resource_closers)  # type: ignore[attr-defined]
    return made


def said(response: HttpResponseBase) -> str:
    """What the answer says in words, if it does: `detail` of JSON, a short plain text; nothing of a page."""
    kind = response.headers.get("Content-Type", "")
    if not isinstance(response, HttpResponse) or len(response.content) > 2000:
        return ""
    text = response.content.decode(errors="replace").strip()
    if kind.startswith("text/plain"):
        return text
    if not kind.startswith("application/json"):
        return ""
    try:
        found = json.loads(text)
    except ValueError:
        return ""
    return str(found.get("detail", "")) if isinstance(found, dict) else ""
