"""What a person can be told."""

from __future__ import annotations


class ServiceError(Exception):
    """The message says in words what is wrong and what to do."""


class PictureSizesDifferError(ServiceError):
    """Two pictures of different sizes; `resize_second=True` accepts them."""
