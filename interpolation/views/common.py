"""What several pages need."""

from __future__ import annotations

from engine.errors import EngineError

from ..services import ServiceError

REFUSALS = (EngineError, ServiceError)  # what can be told to the person who asked
