"""Every bad file is refused in words, and nothing of it stays."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from engine.errors import BadInputError
from interpolation.models import Project, Source
from interpolation.services import source_create
from tests.conftest import write_clip


def png_header_only(width: int, height: int) -> bytes:
    """A PNG that declares a size and has hardly any data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def mp4_that_declares(width: int, height: int, path: Path) -> bytes:
    """A Motion JPEG MP4 of 64x48 whose container and pictures say another size."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mjpeg", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuvj420p")))
        container.mux(stream.encode())
    start_of_frame = b"\xff\xc0\x00\x11\x08"
    clip = path.read_bytes().replace(
        start_of_frame + struct.pack(">HH", 48, 64), start_of_frame + struct.pack(">HH", height, width)
    )
    return clip.replace(struct.pack(">HH", 64, 48), struct.pack(">HH", width, height))


def bad_files(tiny: bytes, one_frame: bytes, secret: Path) -> dict[str, tuple[bytes, str]]:
    return {
        "nothing": (b"", "empty"),
        "a text": (b"Dear reader, this is not a video.\n" * 40, "text"),
        "an ffconcat playlist": (f"ffconcat version 1.0\nfile {secret}\n".encode(), "playlist"),
        "an HLS playlist": (f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n".encode(), "playlist"),
        "half a video": (tiny[: len(tiny) // 2], "cut|trunc|damaged|whole"),
        "noise": (bytes(range(256)) * 50, "not a video or picture"),
        "one frame": (one_frame, "one frame"),
    }


@pytest.fixture
def refuses(project: Project, media_root: Path) -> Callable[[bytes, str], None]:
    def check(content: bytes, words: str) -> None:
        with pytest.raises(BadInputError, match=words):
            source_create(project=project, kind="video", upload=SimpleUploadedFile("holiday.mp4", content))
        assert not Source.objects.exists()
        assert [path for path in media_root.rglob("*") if path.is_file()] == []

    return check


NAMES = ["nothing", "a text", "an ffconcat playlist", "an HLS playlist", "half a video", "noise", "one frame"]


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_file_is_refused_in_words_and_nothing_stays(
    refuses: Callable[[bytes, str], None], tiny_clip: Path, tmp_path: Path, name: str
) -> None:
    one = write_clip(tmp_path / "one.mp4", frames=1).read_bytes()
    content, words = bad_files(tiny_clip.read_bytes(), one, tiny_clip)[name]
    refuses(content, words)


def test_a_video_that_declares_16384x8192_is_refused_before_it_is_decoded(
    refuses: Callable[[bytes, str], None], tmp_path: Path
) -> None:
    y4m = b"YUV4MPEG2 W16384 H8192 F8:1 Ip A1:1 C420jpeg\nFRAME\n" + bytes(1000)
    refuses(y4m, "16384x8192 pixels; at most 8192x8192")
    refuses(mp4_that_declares(16384, 8192, tmp_path / "huge.mp4"), "16384x8192 pixels|No frame of this video")


def test_a_picture_of_16000x16000_is_refused_before_it_is_decoded(
    project: Project, media_root: Path, tiny_pictures: tuple[Path, Path]
) -> None:
    huge = SimpleUploadedFile("huge.png", png_header_only(16000, 16000))
    with pytest.raises(BadInputError, match=r"16000x16000|picture is too large"):
        source_create(project=project, kind="pictures", upload=tiny_pictures[0], upload2=huge)
    assert [path for path in media_root.rglob("*") if path.is_file()] == []


def test_a_strange_file_name_leads_nowhere(project: Project, media_root: Path, tiny_clip: Path) -> None:
    upload = SimpleUploadedFile("x.mp4", tiny_clip.read_bytes())
    upload._name = "../../" + "🎬" * 300 + ".mp4"
    source = source_create(project=project, kind="video", upload=upload)
    assert source.name == "🎬" * 115 + "….mp4"
    files = {path.relative_to(media_root).as_posix() for path in media_root.rglob("*") if path.is_file()}
    assert files == {f"sources/{source.pk}/source.mp4", f"sources/{source.pk}/poster.jpg"}
