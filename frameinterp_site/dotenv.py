"""Settings from a file `.env` beside manage.py: NAME=value lines, as in .env.example."""

from __future__ import annotations

import os
import re
from pathlib import Path

LINE = re.compile(r"""\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*("([^"]*)"|'([^']*)'|[^#]*?)\s*(?:\#.*)?""")


def load(path: Path | None = None) -> None:
    """Put the lines of the file into the environment. What is set there already stays, so the command line wins.

    Raises:
        SystemExit: a line cannot be read; the message names it.
    """
    path = path or Path(os.environ.get("INBETWEEN_ENV_FILE") or Path(__file__).resolve().parent.parent / ".env")
    if path.exists():
        for name, value in parse(path.read_text(), path).items():
            os.environ.setdefault(name, value)


def parse(text: str, path: Path) -> dict[str, str]:
    values = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = LINE.fullmatch(line)
        if match is None:
            raise SystemExit(f"{path}, line {number}: not of the form NAME=value: {line.strip()}")
        name, plain, double, single = match.groups()
        quoted = double if double is not None else single
        values[name] = plain if quoted is None else quoted
    return values
