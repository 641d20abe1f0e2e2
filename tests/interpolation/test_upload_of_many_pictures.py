"""Many pictures at once, on the page and through the API: one sequence, or pairs."""

from __future__ import annotations

import io
import json
import zipfile
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from engine.video import probe, read_frames
from interpolation.models import Job, Project, Source
from interpolation.services import uploads as upload_service
from tests.conftest import tiny_frame

pytestmark = pytest.mark.usefixtures("probed_here")

SOURCES = "/api/v1/sources/"


def data_of(index: int, size: tuple[int, int] = (64, 48), kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(tiny_frame(index, size)).save(out, kind)
    return out.getvalue()


def picture(name: str, index: int = 0, size: tuple[int, int] = (64, 48)) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data_of(index, size), "image/png")


def zipped(*names: str, text: str = "") -> SimpleUploadedFile:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for index, name in enumerate(names):
            archive.writestr(name, data_of(index))
        if text:
            archive.writestr(text, "just words")
    return SimpleUploadedFile("frames.zip", out.getvalue(), "application/zip")


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def send(client: Client, project: Project, *files: SimpleUploadedFile, script: bool = True, **more: Any) -> Any:
    headers = {"Accept": "application/json"} if script else {}
    return client.post(reverse("source-upload", args=[project.pk]), {"footage": list(files), **more}, headers=headers)


def kept(media_root: Path) -> list[str]:
    return sorted(path.relative_to(media_root).as_posix() for path in media_root.rglob("*") if path.is_file())


def test_several_pictures_become_one_sequence_in_the_order_of_their_numbers(
    page: Client, project: Project, media_root: Path
) -> None:
    files = [picture(f"f_{number}.png", number) for number in (10, 8, 9, 11)]
    answer = send(page, project, *files, together="sequence", input_fps="12")
    source = Source.objects.get()
    assert (answer.status_code, answer.json()) == (201, {"next": reverse("job-new", args=[source.pk])})
    assert (source.kind, source.name, source.path.name) == ("video", "f_10.png + 3 more", "source.zip")
    assert kept(media_root) == [f"sources/{source.pk}/{name}" for name in ("poster.jpg", "source.zip")]
    info = probe(source.path)
    assert (info.frame_count, info.fps) == (4, 12)
    assert source.info.items() >= info.to_dict().items()
    read = [frame.rgb for frame in read_frames(source.path)]
    assert [bool((rgb == tiny_frame(8 + place)).all()) for place, rgb in enumerate(read)] == [True] * 4


def test_a_zip_is_a_sequence_of_24_pictures_a_second_and_a_gap_is_told_before_the_job(
    page: Client, project: Project
) -> None:
    answer = send(page, project, zipped("shot/1.png", "shot/2.png", "shot/4.png"))
    source = Source.objects.get()
    assert (source.info["fps"], source.info["duration"], source.info["is_vfr"]) == ("18/1", "1/6", True)
    shown = page.get(answer.json()["next"]).content.decode()
    assert "Number 3 is missing." in shown and "picture sequence" in shown


def test_without_script_the_plain_form_does_the_same(page: Client, project: Project) -> None:
    files = [picture(f"{number}.png", number) for number in range(3)]
    shown = send(page, project, *files, script=False)
    assert shown.status_code == 422
    assert "Say whether these 3 pictures are one sequence, or pairs." in shown.content.decode()
    files = [picture(f"{number}.png", number) for number in range(3)]
    answer = send(page, project, *files, script=False, together="sequence", input_fps="24")
    assert answer.headers["Location"] == reverse("job-new", args=[Source.objects.get().pk])


def test_pairs_become_a_source_and_a_job_each(
    page: Client, project: Project, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["b_1.png", "a_2.png", "a_1.png", "b_2.png"]
    answer = send(page, project, *map(picture, names), together="pairs", pair_frames="3")
    assert (answer.status_code, answer.json()) == (201, {"next": project.get_absolute_url()})
    assert [(source.name, source.kind) for source in Source.objects.all()] == [("a", "pictures"), ("b", "pictures")]
    assert sorted(job.source.name for job in Job.objects.all()) == ["a", "b"]
    assert {job.options["inbetween"] for job in Job.objects.all()} == {3}
    assert len(kept(media_root)) == 6
    assert "2 pairs kept, and a job started for each." in page.get(project.get_absolute_url()).content.decode()


def test_a_bad_pair_is_left_out_with_its_reason(page: Client, project: Project, media_root: Path) -> None:
    files = [picture("a_1.png"), picture("a_2.png", size=(80, 48)), picture("b_1.png"), picture("b_2.png", 1)]
    files += [picture("c_1.png"), SimpleUploadedFile("notes.txt", b"words", "text/plain")]
    send(page, project, *files, together="pairs", pair_frames="0")
    assert [source.name for source in Source.objects.all()] == ["b"]
    assert not Job.objects.exists()
    shown = page.get(project.get_absolute_url()).content.decode()
    assert "1 pair kept." in shown
    for words in (
        "“a”: The pictures differ in size: 64x48 and 80x48",
        "“c_1.png”: It has no partner.",
        "“notes.txt”: This is a text",
    ):
        assert words in shown
    assert len(kept(media_root)) == 3


def test_pairs_of_two_sizes_are_taken_when_that_is_asked_for(page: Client, project: Project) -> None:
    files = [picture("a_1.png"), picture("a_2.png", size=(80, 48)), picture("b_1.png"), picture("b_2.png")]
    send(page, project, *files, together="pairs", pair_frames="0", resize_second="on")
    assert [source.info["resize_second"] for source in Source.objects.all()] == [True, False]


def test_a_folder_of_folders_is_told_apart_by_the_paths(page: Client, project: Project) -> None:
    paths = [f"set/000{place}/im{number}.png" for place in (1, 2) for number in (1, 3)]
    files = [picture(Path(path).name, place) for place, path in enumerate(paths)]
    send(page, project, *files, together="pairs", pair_frames="0", paths=json.dumps(paths))
    assert [source.name for source in Source.objects.all()] == ["set_0001", "set_0002"]


@pytest.mark.parametrize("paths", ["[1, 2]", '["a"]', '{"a": 1}', "not json", '["", ""]'])
def test_paths_that_do_not_fit_are_refused(page: Client, project: Project, paths: str) -> None:
    answer = send(page, project, picture("a.png"), picture("b.png"), together="sequence", paths=paths)
    assert answer.status_code == 422
    assert not Source.objects.exists()


def test_a_zip_of_pairs_is_taken_too(page: Client, project: Project) -> None:
    send(page, project, zipped("s/1/im1.png", "s/1/im2.png", "s/1/im3.png"), together="pairs", pair_frames="0")
    source = Source.objects.get()
    assert (source.name, source.kind) == ("s_1", "pictures")


@pytest.mark.parametrize(
    ("files", "more", "words"),
    [
        ([zipped("1.png")], {}, "one picture only"),
        ([zipped("1.png", "2.png", text="notes.txt")], {}, '"notes.txt": This is a text'),
        ([zipped("../1.png", "2.png")], {}, "leads out of it"),
        ([zipped("1.png", "2.png")], {"input_fps": "fast"}, "is not a frame rate"),
        ([zipped("1.png", "2.png"), picture("3.png")], {}, "A zip goes alone."),
        ([picture("1.png"), picture("2.png"), picture("3.png", size=(32, 32))], {"together": "sequence"}, "3.png"),
        ([picture("x.png"), picture("y.png"), picture("z.png")], {"together": "both"}, "valid choice"),
        ([picture("1.png"), picture("2.png"), picture("3.png")], {"together": "pairs", "pair_frames": "11"}, "0 to 10"),
        ([picture("a_1.png"), picture("b_1.png"), picture("b_2.png", 0, (8, 8))], {"together": "pairs"}, "no pair"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words_and_nothing_stays(
    page: Client, project: Project, media_root: Path, files: list[SimpleUploadedFile], more: dict[str, str], words: str
) -> None:
    for file in files:
        file.seek(0)
    answer = send(page, project, *files, **more)
    assert answer.status_code == 422
    said = " ".join(answer.json()["errors"])
    assert words in said
    assert (Source.objects.count(), kept(media_root)) == (0, [])


def test_the_api_takes_pictures_and_zips_with_their_rate(api: APIClient, project: Project) -> None:
    data = {"project": str(project.pk), "pictures": [picture(f"{n}.png", n) for n in range(3)], "fps": "30000/1001"}
    response = api.post(SOURCES, data, format="multipart")
    assert response.status_code == 201, response.content
    assert (response.json()["kind"], response.json()["info"]["fps"]) == ("video", "30000/1001")
    response = api.post(SOURCES, {"project": str(project.pk), "video": zipped("1.png", "2.png")}, format="multipart")
    assert response.json()["info"]["fps"] == "24/1"
    assert response.json()["info"]["container"] == "picture sequence"


def test_a_rate_for_a_video_and_a_rate_that_is_none_are_refused(
    api: APIClient, project: Project, tiny_clip: Path
) -> None:
    data = {"project": str(project.pk), "video": SimpleUploadedFile("a.mp4", tiny_clip.read_bytes()), "fps": "24"}
    response = api.post(SOURCES, data, format="multipart")
    assert (response.status_code, response.json()["detail"][:31]) == (400, "A video has its own frame rate:")
    data = {"project": str(project.pk), "video": zipped("1.png", "2.png"), "fps": "0"}
    response = api.post(SOURCES, data, format="multipart")
    assert (response.status_code, "out of range" in response.content.decode()) == (400, True)
    assert not Source.objects.exists()


def test_more_files_than_are_taken_at_once_are_refused_while_they_arrive(
    page: Client,
    api: APIClient,
    project: Project,
    media_root: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    monkeypatch.setattr("frameinterp_site.uploads.MAX_FILES", 3)
    files = [picture(f"{number}.png") for number in range(4)]
    answer = send(page, project, *files, together="sequence")
    assert (answer.status_code, "Pack the pictures into one zip" in answer.json()["errors"][0]) == (413, True)
    for file in files:
        file.seek(0)
    response = api.post(SOURCES, {"project": str(project.pk), "pictures": files}, format="multipart")
    assert (response.status_code, "Pack the pictures into one zip" in response.json()["detail"]) == (413, True)
    assert kept(media_root) == []


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_files_of_a_form_are_not_all_open_at_once(
    page: Client, project: Project, media_root: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    opened: list[int] = []
    take = upload_service.take

    def watched(*given: Any) -> None:
        opened.append(open_files())
        take(*given)

    monkeypatch.setattr("interpolation.services.sources.take", watched)
    before = open_files()
    answer = send(page, project, *(picture(f"{n}.png", n) for n in range(60)), together="sequence")
    assert answer.status_code == 201, answer.content
    assert (len(opened), max(opened) - before < 20) == (60, True)
    assert list((media_root / "incoming").iterdir()) == []
    assert Source.objects.get().info["frame_count"] == 60
    assert F(Source.objects.get().info["fps"]) == 24


def test_together_they_must_be_within_the_limit(page: Client, project: Project, settings: Settings) -> None:
    files = [picture(f"{n}.png", n) for n in range(3)]
    settings.MAX_UPLOAD_BYTES = max(file.size or 0 for file in files) + 10
    answer = send(page, project, *files, together="sequence")
    assert answer.status_code == 422
    assert "together; at most" in answer.json()["errors"][0]
