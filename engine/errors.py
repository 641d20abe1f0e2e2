"""Errors of the engine. The message is for the person who asked; the cause (`__cause__`) is for the log."""


class EngineError(Exception):
    """Something the user can be told in words: what is wrong and what to do."""


class BadInputError(EngineError):
    """A picture or video cannot be used as it is."""


class PictureSizesDifferError(BadInputError):
    """Two pictures of different sizes, and nobody said to resize the second."""


class BadOptionsError(EngineError, ValueError):
    """A setting is missing, out of range, or does not go with another."""


class WeightsError(EngineError):
    """A weights file is missing, damaged, or belongs to another architecture. The message names the file."""


class NoSpaceError(EngineError):
    """The disk has no room for the result."""


class StoppedError(EngineError):
    """The caller asked to stop; finished segments are kept."""
