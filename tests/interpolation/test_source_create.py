"""What is uploaded is kept under our own name, with what was found in it, and a poster."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from PIL import Image
from pytest_django.fixtures import Settings

from engine.errors import BadInputError
from interpolation.models import Project
from interpolation.services import (
    PictureSizesDifferError,
    ServiceError,
    source_create,
    source_create_sample,
)
from interpolation.services.uploads import label


def test_a_video_is_kept_with_its_facts_and_a_poster(project: Project, tiny_clip: Path, media_root: Path) -> None:
    upload = SimpleUploadedFile("my clip.mp4", tiny_clip.read_bytes())
    source = source_create(project=project, kind="video", upload=upload)
    assert source.name == "my clip.mp4"
    assert source.file == f"sources/{source.pk}/source.mp4"
    assert source.path.read_bytes() == tiny_clip.read_bytes()
    assert source.size_bytes == tiny_clip.stat().st_size
    assert (source.info["width"], source.info["height"], source.info["frame_count"]) == (64, 48, 8)
    assert (source.info["fps"], source.info["duration"]) == ("8/1", "1/1")
    with Image.open(media_root / source.poster) as poster:
        assert (poster.format, poster.size) == ("JPEG", (64, 48))
    assert sorted(path.name for path in source.path.parent.iterdir()) == ["poster.jpg", "source.mp4"]
    assert list((media_root / "incoming").iterdir()) == []


def test_a_large_upload_is_taken_over_by_a_rename(project: Project, tiny_clip: Path) -> None:
    upload = TemporaryUploadedFile("big.mp4", "video/mp4", tiny_clip.stat().st_size, None)
    upload.write(tiny_clip.read_bytes())
    upload.seek(0)
    inode = Path(upload.temporary_file_path()).stat().st_ino
    source = source_create(project=project, kind="video", upload=upload)
    upload.close()
    assert source.path.stat().st_ino == inode
    assert source.path.read_bytes() == tiny_clip.read_bytes()


def test_two_pictures_are_kept_in_order(project: Project, tiny_pictures: tuple[Path, Path]) -> None:
    source = source_create(project=project, kind="pictures", upload=tiny_pictures[0], upload2=tiny_pictures[1])
    assert source.path2 is not None
    assert (source.path.name, source.path2.name) == ("picture1.png", "picture2.png")
    assert source.path.read_bytes() == tiny_pictures[0].read_bytes()
    assert source.path2.read_bytes() == tiny_pictures[1].read_bytes()
    assert source.name == "one.png + two.png"
    assert source.info["resize_second"] is False


def test_pictures_of_different_sizes_are_refused_with_an_offer_and_taken_when_it_is_accepted(
    project: Project, tiny_pictures: tuple[Path, Path], tmp_path: Path
) -> None:
    small = tmp_path / "small.png"
    Image.new("RGB", (40, 30)).save(small)
    with pytest.raises(PictureSizesDifferError, match=r"64x48 and 40x30.*resize the second to 64x48"):
        source_create(project=project, kind="pictures", upload=tiny_pictures[0], upload2=small)
    source = source_create(project=project, kind="pictures", upload=tiny_pictures[0], upload2=small, resize_second=True)
    assert source.info == {
        "width": 64, "height": 48, "width2": 40, "height2": 30, "frame_count": 2, "resize_second": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "words"),
    [("video", "Choose a video"), ("pictures", "Choose two pictures"), ("sound", '"sound" is not a kind of source')],
)
def test_missing_uploads_are_named(project: Project, kind: str, words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        source_create(project=project, kind=kind, upload=None)


def test_a_picture_is_not_a_video(project: Project, tiny_pictures: tuple[Path, Path]) -> None:
    with pytest.raises(BadInputError):
        source_create(project=project, kind="video", upload=tiny_pictures[0])


def test_a_missing_sample_clip_is_named(project: Project, settings: Settings, tmp_path: Path) -> None:
    settings.SAMPLE_CLIP = tmp_path / "sample.mp4"
    with pytest.raises(ServiceError, match=r"sample\.mp4 is missing"):
        source_create_sample(project=project)


def test_the_sample_clip_becomes_a_source(project: Project, settings: Settings, tiny_clip: Path) -> None:
    settings.SAMPLE_CLIP = tiny_clip
    source = source_create_sample(project=project)
    assert source.name == "Sample clip"
    assert tiny_clip.exists()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("clip.mp4", "clip.mp4"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\clip.mp4", "clip.mp4"),
        ("🎬 Ferien\u0000\u202e am\tSee.mp4", "🎬 Ferien am See.mp4"),
        ("", "upload"),
        ("...", "upload"),
        ("a" * 296 + ".mp4", "a" * 115 + "….mp4"),
    ],
)
def test_a_file_name_becomes_a_label(given: str, shown: str) -> None:
    assert label(given) == shown
    assert len(label(given)) <= 120
