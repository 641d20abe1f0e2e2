"""Strangers' files are looked into in a light process with limits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.utils.translation import override
from pytest_django.fixtures import Settings

from engine.errors import BadInputError
from interpolation.models import Project
from interpolation.services import source_create
from tests.catalogues import write_catalogue


def test_the_probe_does_not_load_torch() -> None:
    code = "import engine.probe_child, engine.video, engine.pictures, sys; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=django_settings.BASE_DIR, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_workers_and_reaper_do_not_load_torch() -> None:
    parts = "interpolation.tasks, interpolation.reaper"
    code = f"import django, sys; django.setup(); import {parts}; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
        env={"DJANGO_SETTINGS_MODULE": "frameinterp_site.settings", "PATH": "/usr/bin:/bin"},
    )
    assert done.stdout.strip() == "False"


def test_a_file_that_takes_too_long_to_open_is_refused(
    project: Project, tiny_clip: Path, media_root: Path, settings: Settings
) -> None:
    settings.PROBE_SECONDS = 0.05  # less than the interpreter needs to start
    with pytest.raises(BadInputError, match="too much time or memory"):
        source_create(project=project, kind="video", upload=tiny_clip)
    assert [path for path in media_root.rglob("*") if path.is_file()] == []


def test_a_file_that_needs_too_much_memory_is_refused(
    project: Project, tiny_clip: Path, media_root: Path, settings: Settings
) -> None:
    settings.PROBE_MEMORY_BYTES = 20 * 1024 * 1024  # less than the interpreter needs
    with pytest.raises(BadInputError, match=r"memory"):
        source_create(project=project, kind="video", upload=tiny_clip)
    assert [path for path in media_root.rglob("*") if path.is_file()] == []


def test_a_refusal_is_said_in_the_language_of_whoever_uploads(
    project: Project, tiny_pictures: list[Path], media_root: Path, settings: Settings, tmp_path: Path
) -> None:
    english = "This is one {kind} picture. Send two or more, or a video: one has nothing between."
    write_catalogue(tmp_path / "locale", "de", {english: "Das ist nur ein Bild ({kind})."})
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    with override("de-at"), pytest.raises(BadInputError, match=r"^Das ist nur ein Bild \(PNG\)\.$"):
        source_create(project=project, kind="video", upload=tiny_pictures[0])
    with pytest.raises(BadInputError, match=r"^This is one PNG picture\."):
        source_create(project=project, kind="video", upload=tiny_pictures[0])
