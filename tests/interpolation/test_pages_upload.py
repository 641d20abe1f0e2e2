"""Uploading from the page: what arrives, what is refused and in which words, with and without the page's script."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from interpolation.models import Project, Source

from .pages import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("probed_here")]


@pytest.fixture
def project(client: Client, settings, tmp_path: Path) -> Project:
    settings.MEDIA_ROOT = tmp_path
    alice = person("alice")
    client.force_login(alice)
    return Project.objects.create(owner=alice, name="Footage")


def picture(name: str, width: int = 64, height: int = 48) -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (40, 90, 160)).save(out, "PNG")
    return SimpleUploadedFile(name, out.getvalue(), "image/png")


def send(client: Client, project: Project, *files: SimpleUploadedFile, script: bool = True, **more: str):
    headers = {"Accept": "application/json"} if script else {}
    return client.post(reverse("source-upload", args=[project.pk]), {"footage": list(files), **more}, headers=headers)


def test_two_pictures_become_a_source_and_the_page_goes_to_its_settings(client: Client, project: Project) -> None:
    answer = send(client, project, picture("a.png"), picture("b.png"))
    source = Source.objects.get()
    assert (answer.status_code, answer.json()) == (201, {"next": reverse("job-new", args=[source.pk])})
    assert source.kind == "pictures"


def test_without_script_the_form_leads_to_the_settings_too(client: Client, project: Project) -> None:
    answer = send(client, project, picture("a.png"), picture("b.png"), script=False)
    assert answer.headers["Location"] == reverse("job-new", args=[Source.objects.get().pk])


def test_two_sizes_are_refused_with_the_offer_to_resize(client: Client, project: Project) -> None:
    answer = send(client, project, picture("a.png"), picture("b.png", 80, 48))
    assert answer.status_code == 422
    assert answer.json()["offer_resize"] is True
    assert "64x48 and 80x48" in answer.json()["errors"][0]
    assert not Source.objects.exists()


def test_the_offer_taken_makes_the_source(client: Client, project: Project) -> None:
    answer = send(client, project, picture("a.png"), picture("b.png", 80, 48), resize_second="on")
    assert answer.status_code == 201
    assert Source.objects.get().info["resize_second"] is True


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([picture("a.png")], "One picture has nothing to lie between. Choose two pictures, or a video."),
        ([picture("a.png"), picture("b.png"), picture("c.png")], "Say whether these 3 pictures are one sequence"),
        ([], "Choose one video, or two or more pictures."),
        ([SimpleUploadedFile("a.mp4", b"", "video/mp4")], "The file is empty (0 bytes)."),
        (
            [SimpleUploadedFile("a.mp4", b"x", "video/mp4"), SimpleUploadedFile("b.mp4", b"x", "video/mp4")],
            "A video goes alone.",
        ),
    ],
)
def test_what_cannot_be_a_source_is_refused_in_words(
    client: Client, project: Project, files: list[SimpleUploadedFile], words: str
) -> None:
    answer = send(client, project, *files)
    assert answer.status_code == 422
    assert words in answer.json()["errors"][0]
    assert not Source.objects.exists()


@pytest.mark.parametrize(
    "text", [b"just words", b"ffconcat version 1.0\nfile /etc/passwd\n", b"#EXTM3U\n#EXTINF:1,\nx.ts\n"]
)
def test_a_text_called_mp4_is_refused_and_not_kept(client: Client, project: Project, settings, text: bytes) -> None:
    answer = send(client, project, SimpleUploadedFile("film.mp4", text, "video/mp4"), script=False)
    assert answer.status_code == 422
    assert 'class="errors"' in answer.content.decode()
    assert not Source.objects.exists()
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a_file_above_the_limit_is_refused_with_the_limit(client: Client, project: Project, settings) -> None:
    settings.MAX_UPLOAD_BYTES = 1024
    answer = send(client, project, SimpleUploadedFile("film.mp4", b"x" * 2048, "video/mp4"))
    assert answer.status_code == 422
    assert "the most that can be uploaded is 1.0\xa0KB" in answer.json()["errors"][0]


def test_a_strange_file_name_is_a_label_only_and_is_shown_as_text(client: Client, project: Project) -> None:
    name = "🐇<script>alert(1)" + "x" * 300 + ".png"
    send(client, project, picture(name), picture("b.png"))
    page = client.get(reverse("project", args=[project.pk])).content.decode()
    assert "🐇" in page and "<script>alert" not in page
    assert "🐇" not in Source.objects.get().file


def test_a_project_needs_a_name_and_says_so_beside_the_field(client: Client, project: Project) -> None:
    answer = client.post(reverse("project-new"), {"name": "   "})
    assert answer.status_code == 422
    assert "Give the project a name." in answer.content.decode()


def test_a_deleted_project_is_out_of_sight_and_its_files_wait_for_a_change_of_mind(
    client: Client, project: Project, settings, django_capture_on_commit_callbacks
) -> None:
    send(client, project, picture("a.png"), picture("b.png"))
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("project-delete", args=[project.pk]))
    assert client.get(project.get_absolute_url()).status_code == 404
    assert [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a_source_that_is_deleted_is_no_longer_on_the_page_of_its_project(client: Client, project: Project) -> None:
    send(client, project, picture("a.png"), picture("b.png"))
    source = Source.objects.get()
    new_job = reverse("job-new", args=[source.pk])
    assert new_job in client.get(project.get_absolute_url()).content.decode()
    client.post(reverse("source-delete", args=[source.pk]))
    assert new_job not in client.get(project.get_absolute_url()).content.decode()
    assert client.get(new_job).status_code == 404
