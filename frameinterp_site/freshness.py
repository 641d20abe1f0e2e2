"""A browser keeps no page of somebody signed in: going back shows what is there now, and after signing out nothing."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import add_never_cache_headers


class FreshPagesMiddleware:
    """After AuthenticationMiddleware: it asks who is signed in.

    Pictures, films and other files say for themselves how long they keep.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        signed_in = request.user.is_authenticated
        response = self.get_response(request)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if (signed_in or request.user.is_authenticated) and is_page and "Cache-Control" not in response.headers:
            add_never_cache_headers(response)
        return response
