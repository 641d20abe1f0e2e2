"""Pages take what a browser's links and forms send. The API has methods of its own and answers for itself."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

OF_A_BROWSER = ("GET", "HEAD", "POST")


class PageMethodsMiddleware:
    """Before the check of a form's token, which would answer 403 to a PUT for which there is no form.

    Every page names its methods itself (`require_safe` and the like; tests/interpolation/test_every_address.py holds
    them to it), so it is left to say 405 and what it takes. The admin's pages are Django's and take a PUT for a GET.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: object) -> HttpResponseBase | None:
        if request.method in OF_A_BROWSER or request.path.startswith("/api/"):
            return None
        if request.path.startswith("/admin/"):
            return HttpResponseNotAllowed(OF_A_BROWSER)
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        return None
