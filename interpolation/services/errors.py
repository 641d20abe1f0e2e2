"""What a person can be told."""

from __future__ import annotations


class ServiceError(Exception):
    """The message says in words what is wrong and what to do."""


class PictureSizesDifferError(ServiceError):
    """Two pictures of different sizes; `resize_second=True` accepts them."""


class StateError(ServiceError):
    """Right in itself, but not for a thing in this state: a job that is over is not cancelled."""


class LimitError(ServiceError):
    """More than this user may have."""


class TooLargeError(LimitError):
    """One upload with more bytes than are taken."""


class LockedError(ServiceError):
    """Somebody else is at it; in a moment it is free."""


class GoneError(ServiceError):
    """It was there, and is not kept any more."""


class ChecksumError(ServiceError):
    """What arrived is not what was sent."""


class NoRoomError(ServiceError):
    """The disk has no room for it."""
