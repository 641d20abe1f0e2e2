"""Sources: one video, or two pictures."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from interpolation.models import Project, Source

from .disk import full_disk_in_words
from .errors import ServiceError
from .projects import remove
from .uploads import incoming, label, look_into, take

Upload = UploadedFile | Path


def source_create(
    *,
    project: Project,
    kind: str,
    upload: Upload | None,
    upload2: Upload | None = None,
    resize_second: bool = False,
    name: str = "",
) -> Source:
    """Take what was uploaded, look into it, and keep it; or refuse it with words and keep nothing.

    Args:
        upload: the video, or the first picture. A Path is copied.
        upload2: the second picture.
        resize_second: take two pictures of different sizes; the second is resized to the first when they are rendered.

    Raises:
        BadInputError: not a video or picture that can be used.
        PictureSizesDifferError: the pictures differ in size and `resize_second` is false.
        ServiceError: something is missing, too large, or there is no room.
    """
    uploads = wanted(kind, upload, upload2)
    with incoming() as folder, full_disk_in_words():
        arrived = [folder / f"arrived{place}" for place in range(1, len(uploads) + 1)]
        for one, path in zip(uploads, arrived, strict=True):
            take(one, path)
        info, suffixes = look_into(folder, kind, arrived, resize_second=resize_second)
        stems = ["source"] if kind == Source.Kind.VIDEO else ["picture1", "picture2"]
        files = [
            path.rename(folder / f"{stem}{end}").name for path, stem, end in zip(arrived, stems, suffixes, strict=True)
        ]
        return keep(project, kind, folder, files, info, name or " + ".join(dict.fromkeys(map(label_of, uploads))))


def wanted(kind: str, upload: Upload | None, upload2: Upload | None) -> list[Upload]:
    """The one or two uploads that this kind of source is made of. Raises ServiceError when one is missing."""
    if kind == Source.Kind.VIDEO:
        if upload is None:
            raise ServiceError("Choose a video to send.")
        return [upload]
    if kind != Source.Kind.PICTURES:
        raise ServiceError(f'"{kind}" is not a kind of source. Send a video or two pictures.')
    if upload is None or upload2 is None:
        raise ServiceError("Choose two pictures to send: the first and the second frame.")
    return [upload, upload2]


def label_of(upload: Upload) -> str:
    return label(upload.name or "")


def keep(project: Project, kind: str, folder: Path, files: list[str], info: dict[str, Any], name: str) -> Source:
    """Publish the folder under the source's own number by one rename, then write the row."""
    number = uuid.uuid4()
    home = Path(settings.MEDIA_ROOT) / "sources" / str(number)
    home.parent.mkdir(parents=True, exist_ok=True)
    size = sum((folder / file).stat().st_size for file in files)
    folder.rename(home)
    try:
        return Source.objects.create(
            id=number,
            project=project,
            kind=kind,
            name=name[:255],
            file=f"sources/{number}/{files[0]}",
            file2=f"sources/{number}/{files[1]}" if len(files) > 1 else "",
            poster=f"sources/{number}/poster.jpg",
            size_bytes=size,
            info=info,
        )
    except BaseException:  # also an interrupt: no file without its row
        remove([home])
        raise


def source_create_sample(*, project: Project) -> Source:
    """The clip that comes with the portal, as if it had been uploaded."""
    clip = Path(settings.SAMPLE_CLIP)
    if not clip.is_file():
        raise ServiceError(f"The sample clip {clip} is missing. Put it there, or upload a video of your own.")
    return source_create(project=project, kind=Source.Kind.VIDEO, upload=clip, name="Sample clip")
