"""Our own static files, compressed: `up` makes a gzip twin of each version of a file, once."""

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
        twin = twin_of(Path(path))
        if twin is None or not twin.exists():
            return plain
        headers = plain.alternatives[-1][2]
        kept = [(name, value) for name, value in headers if name in ("Content-Type", "Cache-Control")]
        return StaticFile(path, kept, stat_cache=None, encodings={"gzip": str(twin)})


def twin_of(path: Path) -> Path | None:
    """Where the gzip twin of this version of one of our own files is, or would be; None where it would not pay."""
    if path.suffix not in KINDS or not path.is_relative_to(settings.BASE_DIR / "static"):
        return None
    found = path.stat()
    if found.st_size < LEAST:
        return None
    name = f"{path.relative_to(settings.BASE_DIR / 'static')}.{found.st_mtime_ns:x}-{found.st_size:x}.gz"
    return Path(settings.STATIC_ROOT) / "compressed" / name


def compress_static() -> int:
    """Makes the twins that are missing, and removes those of earlier versions. Returns how many were made."""
    made = 0
    for path in (settings.BASE_DIR / "static").rglob("*"):
        twin = twin_of(path) if path.is_file() else None
        if twin is None or twin.exists():
            continue
        for older in twin.parent.glob(f"{path.name}.*.gz"):
            older.unlink(missing_ok=True)
        twin.parent.mkdir(parents=True, exist_ok=True)
        unfinished = twin.with_name(f"{twin.name}.{os.getpid()}")
        unfinished.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        unfinished.replace(twin)
        made += 1
    return made
