"""What all of the API shares: reading bodies, pages of lists, query parameters."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

Row = TypeVar("Row", bound=Model)


class Json(JSONParser):
    """As REST framework's, and refuses text that cannot be written down again: halves of surrogate pairs."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise exceptions.ParseError(_("The JSON holds a \\ud800-\\udfff that is half of a pair.")) from error
        except RecursionError as error:
            raise exceptions.ParseError(_("The JSON is nested too deeply.")) from error
        return data


class AlwaysJson(DefaultContentNegotiation):
    """There is one form of answer; who asks for another gets this one, as RFC 9110 allows."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except (exceptions.NotAcceptable, Http404):
            return renderers[0], renderers[0].media_type


class Pages(CursorPagination):
    """Newest first; `next` and `previous` are addresses. What is made meanwhile moves nothing from page to page."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = ("-created_at", "-pk")

    def decode_cursor(self, request: Request) -> Cursor | None:
        words = _("This is no cursor. Take the addresses in `next` and `previous` as they are.")
        try:
            cursor = super().decode_cursor(request)
            if cursor is not None and cursor.position is not None and parse_datetime(str(cursor.position)) is None:
                raise ValueError(cursor.position)
        except (exceptions.NotFound, ValueError) as error:
            raise exceptions.ValidationError({"cursor": [words]}) from error
        return cursor


class Filters(DjangoFilterBackend):
    """A parameter that does not exist is refused: misspelt, it would silently filter nothing."""

    PAGES = ("cursor", "page_size", "format")

    def filter_queryset(self, request: Request, queryset: QuerySet[Row], view: Any) -> QuerySet[Row]:
        filters = self.get_filterset_class(view, queryset) if view.action == "list" else None
        if view.action == "list":
            known = [*(filters.base_filters if filters else ())]
            unknown = sorted(set(request.query_params) - {*known, *self.PAGES})
            words = _("There is no such filter. Choose of: %(names)s.") % {"names": ", ".join(known)}
            words = words if known else _("There are no filters here.")
            if unknown:
                raise exceptions.ValidationError({name: [words] for name in unknown})
        found: QuerySet[Row] = super().filter_queryset(request, queryset, view)
        return found
