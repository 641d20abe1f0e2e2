"""Our own static files, compressed: gzip, made once for each version of a file and kept beside the collected ones."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

KINDS = {".css", ".js", ".svg"}
LEAST = 1024  # bytes; smaller files are sent as they are


class CompressedStaticMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise serves static/ as it lies there, so there is nothing to collect. Big ones get a compressed twin."""

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> StaticFile:
        plain = super().get_static_file(path, url, stat_cache)
        twin = compressed(Path(path))
        if twin is None:
            return plain
        headers = plain.alternatives[-1][2]
        kept = [(name, value) for name, value in headers if name in ("Content-Type", "Cache-Control")]
        return StaticFile(path, kept, stat_cache=None, encodings={"gzip": str(twin)})


def compressed(path: Path) -> Path | None:
    """The gzip twin of one of our own files, made if it is missing or older; None where it would not pay."""
    if path.suffix not in KINDS or not path.is_relative_to(settings.BASE_DIR / "static"):
        return None
    found = path.stat()
    if found.st_size < LEAST:
        return None
    name = f"{path.relative_to(settings.BASE_DIR / 'static')}.{found.st_mtime_ns:x}-{found.st_size:x}.gz"
    twin = Path(settings.STATIC_ROOT) / "compressed" / name
    if not twin.exists():
        for older in twin.parent.glob(f"{path.name}.*.gz"):
            older.unlink(missing_ok=True)
        twin.parent.mkdir(parents=True, exist_ok=True)
        unfinished = twin.with_name(f"{twin.name}.{os.getpid()}")
        unfinished.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        unfinished.replace(twin)
    return twin
