"""What the documents name exists."""

from __future__ import annotations

import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands

from .portal import REPOSITORY

DOCUMENTS = [REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
COMMAND = re.compile(r"manage\.py ([a-z_]+)")
TARGET = re.compile(r"`make ([a-z]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_of_the_repository(document: Path) -> None:
    local = [link for link in LINK.findall(document.read_text()) if "://" not in link]
    assert [link for link in local if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_and_make_targets_exist(document: Path) -> None:
    text = document.read_text()
    targets = re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert set(COMMAND.findall(text)) <= set(get_commands())
    assert set(TARGET.findall(text)) <= set(targets)


def documented(heading: str, data: Path, backup: Path) -> list[str]:
    """The commands below a heading of docs/operations.md, for these folders."""
    text = (REPOSITORY / "docs" / "operations.md").read_text()
    block = text.partition(f"**{heading}**")[2].split("```")[1].strip()
    here = {"/srv/inbetween": str(data), "/backup": str(backup), ".venv/bin/python": sys.executable}
    for there, place in here.items():
        block = block.replace(there, place)
    return block.splitlines()


def test_backup_and_restore_as_documented_bring_back_what_was_there(tmp_path: Path) -> None:
    data, backup, home = tmp_path / "data", tmp_path / "backup", tmp_path / "home"
    (data / "media" / "jobs").mkdir(parents=True)
    (data / "media" / "jobs" / "film.mp4").write_bytes(b"film")
    (data / ".secret_key").write_text("secret")
    (home / "models").mkdir(parents=True)
    (home / "models" / "own.pth").write_bytes(b"weights")
    portal = sqlite3.connect(data / "db.sqlite3", isolation_level=None)
    portal.execute("PRAGMA journal_mode=WAL")
    portal.execute("CREATE TABLE job (name)")
    portal.execute("INSERT INTO job VALUES ('before')")  # is in the -wal only, as long as the portal runs

    def run(commands: list[str]) -> None:
        subprocess.run(["sh", "-ec", "\n".join(commands)], cwd=home, check=True, timeout=60)

    for name in ("before", "once more"):
        (data / "media" / f"{name}.mp4").write_bytes(b"film")
        run(documented("Backup", data, backup))
    portal.execute("INSERT INTO job VALUES ('after')")
    (data / "media" / "jobs" / "film.mp4").unlink()
    (home / "models" / "own.pth").unlink()
    restore = documented("Restore", data, backup)
    run(restore[: next(number for number, line in enumerate(restore) if line.startswith("make up"))])
    portal.close()  # only now: a portal that was killed leaves its -wal
    with sqlite3.connect(data / "db.sqlite3") as restored:
        assert restored.execute("SELECT name FROM job").fetchall() == [("before",)]
    files = sorted(str(path.relative_to(data)) for path in data.rglob("*.mp4"))
    assert files == ["media/before.mp4", "media/jobs/film.mp4", "media/once more.mp4"]
    assert (data / ".secret_key").read_text() == "secret"
    assert (home / "models" / "own.pth").read_bytes() == b"weights"
    assert stat.S_IMODE((backup / "data").stat().st_mode) == 0o700
