"""A full disk is said in words, and nothing half-written stays."""

from __future__ import annotations

import errno
import shutil
from collections import namedtuple
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.db import OperationalError
from django.test import Client
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from engine.config import RenderOptions
from frameinterp_site.fulldisk import is_full
from interpolation import services
from interpolation.models import Project, Source
from interpolation.services import disk, uploads
from interpolation.services.jobs import expected_bytes

Usage = namedtuple("Usage", "total used free")
BIG = 3 * 1024 * 1024


def full(*args: Any, **kwargs: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """The disk has 100 MB, of which 512 must stay free."""
    settings.MIN_FREE_BYTES = 512 * 1024 * 1024
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 10**12 - 10**8, 100 * 1024 * 1024))


def nothing_is_left(media_root: Path) -> None:
    assert not Source.objects.exists()
    assert [path for path in media_root.rglob("*") if path.is_file()] == []


def test_an_upload_is_refused_before_it_is_read(
    little_room: None, api: APIClient, project: Project, media_root: Path
) -> None:
    data = {"project": str(project.pk), "video": SimpleUploadedFile("x.mp4", bytes(BIG))}
    response = api.post("/api/v1/sources/", data, format="multipart")
    assert response.status_code == 413
    assert response.json()["detail"].startswith(
        "The server's disk has no room for this: 3.0 MB sent, 100 MB free, of which 512 MB must stay free."
    )
    nothing_is_left(media_root)


def test_a_disk_that_fills_up_while_an_upload_arrives_is_said_on_the_page(
    alice: User, project: Project, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    client.force_login(alice)
    monkeypatch.setattr(TemporaryUploadedFile, "write", full, raising=False)
    address = f"/projects/{project.pk}/"
    upload = SimpleUploadedFile("x.mp4", bytes(BIG), "video/mp4")
    response = client.post(
        f"{address}sources/", {"files": upload}, headers={"Referer": f"http://testserver{address}"}, follow=True
    )
    assert response.redirect_chain == [(f"http://testserver{address}", 302)]
    assert "disk is full, nothing was kept" in response.content.decode()
    nothing_is_left(media_root)


def test_the_pages_own_script_gets_the_words_as_json(
    little_room: None, alice: User, project: Project, media_root: Path
) -> None:
    client = Client()
    client.force_login(alice)
    upload = SimpleUploadedFile("x.mp4", bytes(BIG), "video/mp4")
    response = client.post(
        f"/projects/{project.pk}/sources/", {"files": upload}, headers={"Accept": "application/json"}
    )
    assert response.status_code == 413
    assert "no room for this" in response.json()["errors"][0]


@pytest.mark.parametrize("fails", ["copy", "look_into"])
def test_a_disk_that_fills_up_while_a_source_is_kept(
    project: Project, media_root: Path, tiny_clip: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    monkeypatch.setattr(uploads if fails == "copy" else services.sources, fails, full)
    with pytest.raises(services.ServiceError, match="disk is full, nothing was kept"):
        services.source_create(project=project, kind="video", upload=tiny_clip)
    nothing_is_left(media_root)


def test_other_errors_of_the_disk_are_not_called_a_full_disk() -> None:
    with pytest.raises(PermissionError), disk.full_disk_in_words():
        raise PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), OperationalError("database or disk is full")]
)
def test_a_disk_without_one_free_byte_is_said_to_scripts_and_people(
    api: APIClient, alice: User, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(**given: Any) -> None:
        raise error

    monkeypatch.setattr(services, "project_create", fail)
    answer = api.post("/api/v1/projects/", {"name": "x"}, format="json")
    assert (answer.status_code, answer.json()["detail"]) == (507, disk.DISK_FULL)
    client = Client()
    client.force_login(alice)
    page = client.post("/projects/new/", {"name": "x"})
    assert page.status_code == 507
    assert "The server&#x27;s disk is full, nothing was kept. Ask the administrator" in page.content.decode()


def test_other_errors_are_not_answered_with_a_full_disk() -> None:
    assert not is_full(OperationalError("database is locked"))
    assert not is_full(PermissionError(errno.EACCES, "Permission denied"))


def test_a_job_says_how_much_room_it_needs(little_room: None, quick_source: Source) -> None:
    with pytest.raises(services.ServiceError, match=r"no room for this: .* needed, 100 MB free"):
        services.job_create(source=quick_source, options={"resolution": [1920, 1080]})


def test_the_room_for_an_exact_rate_is_reckoned_by_that_rate(quick_source: Source) -> None:
    quick_source.info = {"width": 1000, "height": 400, "frame_count": 50, "duration": "2/1"}
    slow, fast = (RenderOptions(mode="fps", target_fps=Fraction(rate)) for rate in (25, 250))
    assert expected_bytes(quick_source, slow) == 50 * 1000 * 400 * 0.25
    assert expected_bytes(quick_source, fast) == 500 * 1000 * 400 * 0.25


def test_health_says_that_the_disk_is_full(little_room: None, db: None) -> None:
    response = Client().get("/health/")
    assert response.status_code == 503
    assert "The disk is full: no uploads or jobs are taken." in response.json()["problems"]


def test_health_looks_at_the_disk_of_the_media_too(
    db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MIN_FREE_BYTES = 10**9
    free = {str(settings.MEDIA_ROOT): 10**6}
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, free.get(str(path), 10**12)))
    assert "The disk is full: no uploads or jobs are taken." in Client().get("/health/").json()["problems"]


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KB"), (100 * 1024**2, "100 MB"), (3 * 1024**4, "3.0 TB")],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert disk.in_words(size) == words
