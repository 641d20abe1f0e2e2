"""Catalogues of translated texts, as GNU gettext compiles them: for tests of what is read in another language."""

from __future__ import annotations

import struct
from pathlib import Path

HEADER = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"


def write_catalogue(folder: Path, language: str, texts: dict[str, str]) -> None:
    """A django.mo under `folder`. Numbers: "singular\\0plural" for both."""
    pairs = sorted((key.encode(), text.encode()) for key, text in {"": HEADER, **texts}.items())
    at, tables, data = 28 + 16 * len(pairs), [b"", b""], b""
    for side in (0, 1):
        for pair in pairs:
            tables[side] += struct.pack("<II", len(pair[side]), at + len(data))
            data += pair[side] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, at)
    path = folder / language / "LC_MESSAGES" / "django.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(head + b"".join(tables) + data)
