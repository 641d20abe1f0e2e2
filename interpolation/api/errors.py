"""Errors as {"detail": words}; errors of one field as {field: [words]}, as REST framework gives them."""

from __future__ import annotations

from typing import Any

from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from engine.errors import EngineError
from interpolation.services import PictureSizesDifferError, ServiceError


def in_words(error: Exception, context: dict[str, Any]) -> Response | None:
    """What a person can put right is 400 with the reason; all else as REST framework does."""
    if isinstance(error, PictureSizesDifferError):
        return Response({"detail": str(error), "code": "sizes_differ"}, status.HTTP_400_BAD_REQUEST)
    if isinstance(error, (ServiceError, EngineError)):
        return Response({"detail": str(error)}, status.HTTP_400_BAD_REQUEST)
    return exception_handler(error, context)
