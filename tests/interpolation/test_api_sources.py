"""Sending sources through the API."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from interpolation.models import Project, Source

pytestmark = pytest.mark.usefixtures("probed_here")

SOURCES = "/api/v1/sources/"


def test_projects_are_made_listed_and_removed(api: APIClient) -> None:
    made = api.post("/api/v1/projects/", {"name": "  Film   one "}, format="json")
    assert (made.status_code, made.json()["name"]) == (201, "Film one")
    assert [found["id"] for found in api.get("/api/v1/projects/").json()["results"]] == [made.json()["id"]]
    assert api.delete(f"/api/v1/projects/{made.json()['id']}/").status_code == 204
    assert not Project.objects.alive().exists()


def test_a_project_needs_a_name(api: APIClient) -> None:
    refused = api.post("/api/v1/projects/", {"name": " "}, format="json").json()
    assert refused["errors"] == [{"field": "name", "pointer": "#/name", "detail": "This field may not be blank."}]


def test_a_video_is_sent_as_a_form(api: APIClient, project: Project, tiny_clip: Path) -> None:
    with tiny_clip.open("rb") as video:
        response = api.post(SOURCES, {"project": str(project.pk), "video": video}, format="multipart")
    assert response.status_code == 201, response.content
    found = response.json()
    assert (found["kind"], found["name"], found["info"]["frame_count"]) == ("video", "tiny.mp4", 8)
    source = Source.objects.get()
    assert found["file"] == f"http://testserver/media/{source.file}"
    assert api.get(f"{SOURCES}{source.pk}/").json() == found


def test_two_pictures_are_sent_as_a_form(
    api: APIClient, project: Project, tiny_pictures: tuple[Path, Path], tmp_path: Path
) -> None:
    first, second = (SimpleUploadedFile(path.name, path.read_bytes()) for path in tiny_pictures)
    data = {"project": str(project.pk), "frame1": first, "frame2": second}
    response = api.post(SOURCES, data, format="multipart")
    assert (response.status_code, response.json()["kind"]) == (201, "pictures")


def test_pictures_of_different_sizes_can_be_told_from_other_refusals(
    api: APIClient, project: Project, tiny_pictures: tuple[Path, Path], tmp_path: Path
) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "small.png")

    def send(**more: object) -> tuple[int, dict[str, object]]:
        files = [
            SimpleUploadedFile(path.name, path.read_bytes()) for path in (tiny_pictures[0], tmp_path / "small.png")
        ]
        data = {"project": str(project.pk), "frame1": files[0], "frame2": files[1], **more}
        response = api.post(SOURCES, data, format="multipart")
        return response.status_code, response.json()

    status, words = send()
    assert (status, words["code"]) == (400, "sizes-differ")
    assert "64x48 and 32x32" in str(words["detail"])
    assert send(resize_second=True)[0] == 201


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "empty (0 bytes)"), (b"#EXTM3U\n", "playlist"), (b"hello " * 99, "This is a text")]
)
def test_a_bad_file_is_refused_in_words(api: APIClient, project: Project, content: bytes, words: str) -> None:
    data = {"project": str(project.pk), "video": SimpleUploadedFile("x.mp4", content)}
    response = api.post(SOURCES, data, format="multipart")
    assert response.status_code == 400
    assert words in response.json()["detail"]
    assert not Source.objects.exists()


def test_a_missing_file_is_named(api: APIClient, project: Project) -> None:
    response = api.post(SOURCES, {"project": str(project.pk)}, format="multipart")
    assert (response.status_code, response.json()["detail"]) == (400, "Choose a video to send.")


def test_the_sample_is_one_word_away(api: APIClient, project: Project, settings: Settings, tiny_clip: Path) -> None:
    settings.SAMPLE_CLIP = tiny_clip
    response = api.post(SOURCES, {"project": str(project.pk), "sample": True}, format="json")
    assert (response.status_code, response.json()["name"]) == (201, "Sample clip")


def test_an_upload_above_the_limit_is_refused_in_words(
    api: APIClient, project: Project, settings: Settings, media_root: Path
) -> None:
    settings.MAX_UPLOAD_BYTES = 1024 * 1024
    data = {"project": str(project.pk), "video": SimpleUploadedFile("x.mp4", bytes(3 * 1024 * 1024))}
    response = api.post(SOURCES, data, format="multipart")
    assert response.status_code == 413
    assert (
        response.json()["detail"]
        == "The upload has 3.0 MB; at most 1.0 MB are taken. Cut the video, or encode it smaller."
    )
    assert list((media_root / "incoming").iterdir()) == []


def test_lists_are_paged_and_filtered(api: APIClient, quick_source: Source) -> None:
    assert len(api.get(SOURCES, {"kind": "video"}).json()["results"]) == 1
    assert len(api.get(SOURCES, {"kind": "pictures"}).json()["results"]) == 0
    assert set(api.get(SOURCES).json()) == {"next", "previous", "results"}
