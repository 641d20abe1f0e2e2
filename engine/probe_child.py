"""Look into a stranger's file in a process of its own: `python -m engine.probe_child REQUEST.json`.

Decoders are large programs that read hostile input. Here they run with limits on memory and processor time, without
torch, and what they find comes back as a JSON file, or {"error", "code"}.

Request: {"kind", "paths": [...], "labels": [...], "folder": path, "answer": path, "limits": {...}, "memory": bytes,
"seconds": int, "resize_second": bool, "fps": text or null, "language": {"folders": [path], "locale": "de"}}. What is
made goes into the folder, and what is said is in that language, as far as the folders have it.

kind "video": {"info", "files": [name]}, and poster.jpg. A zip is packed as a sequence.
kind "sequence": the same, of many pictures or a zip of them.
kind "pictures": the same, of two pictures.
kind "pairs": {"pairs": [{"name", "folder", "info", "files"}], "bad": [[name, reason]]} of many pictures or a zip of
them; each pair lies in a folder of its own, with its poster.jpg.
"""

from __future__ import annotations

import json
import resource
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

from .childproc import die_with_parent
from .errors import BadInputError, EngineError, PictureSizesDifferError
from .files import atomically
from .media_types import ZIP, Limits, sniff
from .translation import gettext as _
from .translation import install_catalogues

POSTER_WIDTH = 640  # pixels


def main(request_path: str) -> None:
    die_with_parent()
    request = json.loads(Path(request_path).read_text())
    limit(request["memory"], request["seconds"])
    answer, language = Path(request["answer"]), request["language"]
    install_catalogues([Path(folder) for folder in language["folders"]], language["locale"])
    try:
        found = look(request)
    except PictureSizesDifferError as error:
        found = {"error": str(error), "code": "sizes_differ"}
    except EngineError as error:
        found = {"error": str(error), "code": "refused"}
    except MemoryError:
        found = {"error": _("The file needs more memory to open than an upload may use."), "code": "memory"}
    with atomically(answer) as part:
        part.write_text(json.dumps(found))


def limit(memory: int, seconds: int) -> None:
    """memory: bytes of address space. seconds: of processor time; after that the kernel ends this process."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def look(request: dict[str, Any]) -> dict[str, Any]:
    paths, folder = [Path(path) for path in request["paths"]], Path(request["folder"])
    limits, kind = Limits(**request["limits"]), request["kind"]
    sequence = kind == "sequence" or (kind == "video" and sniff(paths[0]) == ZIP)
    if request["fps"] is not None and not sequence:
        if kind == "video":
            raise BadInputError(_("A video has its own frame rate: leave it out here."))
        raise BadInputError(_("Pairs of pictures have no frame rate: leave it out here."))
    if kind == "pairs":
        return look_at_pairs(paths, request["labels"], folder, limits, resize_second=request["resize_second"])
    if kind == "pictures":
        poster = folder / "poster.jpg"
        info = look_at_pictures(paths[0], paths[1], poster, limits, resize_second=request["resize_second"])
        return {"info": info, "files": named(paths, folder, "picture1", "picture2")}
    if sequence:
        return look_at_sequence(paths, request["labels"], request["fps"], folder, limits)
    info = look_at_video(paths[0], folder / "poster.jpg", limits)
    return {"info": info, "files": named(paths, folder, "source")}


def named(paths: list[Path], folder: Path, *stems: str) -> list[str]:
    """Files under our own names, with the endings of what they really are."""
    return [path.rename(folder / f"{stem}{sniff(path).suffix}").name for path, stem in zip(paths, stems, strict=True)]


def look_at_sequence(
    paths: list[Path], labels: list[str], fps: str | None, folder: Path, limits: Limits
) -> dict[str, Any]:
    """One file of all pictures; what arrived is removed. Raises BadInputError as `pack_sequence` does."""
    from .config import parse_fps
    from .sequence import DEFAULT_FPS, pack_sequence

    packed = folder / "source.zip"
    pack_sequence(paths, packed, parse_fps(fps) if fps else DEFAULT_FPS, labels=labels, limits=limits)
    for path in paths:
        path.unlink()
    return {"info": look_at_video(packed, folder / "poster.jpg", limits), "files": [packed.name]}


def look_at_pairs(
    paths: list[Path], labels: list[str], folder: Path, limits: Limits, *, resize_second: bool
) -> dict[str, Any]:
    """Every pair that can be used, and in words what cannot.

    Raises:
        BadInputError: there is no pair at all, too many, or a zip that tries tricks.
    """
    from .album import open_album
    from .pairing import MAX_PAIRS, find_pairs, only_pictures

    with open_album(paths, limits, labels) as album:
        pictures, bad = only_pictures(album)
        pairs, lonely = find_pairs([picture.label for picture in pictures])
        bad += [(pictures[place].label, _("It has no partner.")) for place in lonely]
        if len(pairs) > MAX_PAIRS:
            raise BadInputError(
                _("That is {count} pairs; at most {max_pairs} are taken at once. Send them in parts.").format(
                    count=len(pairs), max_pairs=MAX_PAIRS
                )
            )
        found = []
        for number, pair in enumerate(pairs):
            home = folder / f"pair{number}"
            home.mkdir()
            arrived = [home / "one", home / "two"]
            for place, path in zip((pair.first, pair.second), arrived, strict=True):
                path.write_bytes(pictures[place].read(-1))
            try:
                first, second = arrived
                info = look_at_pictures(first, second, home / "poster.jpg", limits, resize_second=resize_second)
            except EngineError as error:
                bad.append((pair.name, str(error)))
                continue
            files = named(arrived, home, "picture1", "picture2")
            found.append({"name": pair.name, "folder": home.name, "info": info, "files": files})
    return {"pairs": found, "bad": bad}


def look_at_video(path: Path, poster: Path, limits: Limits) -> dict[str, Any]:
    """VideoInfo as JSON, with what a glance shows; writes the poster. Raises BadInputError for what is no use."""
    from .glance import glance
    from .video import probe

    kind = sniff(path)
    if kind.picture is not None and kind.demuxer is None and not kind.flipbook:
        raise BadInputError(
            _("This is one {kind} picture. Send two or more, or a video: one has nothing between.").format(
                kind=kind.name
            )
        )
    info = probe(path, limits)
    if info.frame_count == 1:
        if kind.picture:
            words = _("This {kind} has one picture only. At least two are needed to draw what lies between them.")
        else:
            words = _("This video has one frame only. At least two are needed to draw what lies between them.")
        raise BadInputError(words.format(kind=kind.name))
    write_poster(poster, frame_for_poster(path, info.duration))
    return info.to_dict() | {"glance": glance(path, info)}


def frame_for_poster(path: Path, duration: Fraction) -> Any:
    """RGB uint8 (H, W, 3): from a little way in, as many videos begin in black; else the first that can be decoded."""
    from .video import read_frames

    for start in (min(Fraction(2), duration / 3), None):
        for frame in read_frames(path, start=start):
            return frame.rgb
    raise BadInputError(_("No picture of this video can be decoded. It may be damaged; export it again."))


def look_at_pictures(first: Path, second: Path, poster: Path, limits: Limits, *, resize_second: bool) -> dict[str, Any]:
    """Sizes as JSON; writes the poster. Sizes are compared before anything is decoded, then both are decoded once."""
    from .config import MIN_SIDE
    from .pictures import picture_size, read_picture

    (width, height), (width2, height2) = picture_size(first, limits), picture_size(second, limits)
    if min(width, height, width2, height2) < MIN_SIDE:
        raise BadInputError(
            _("The pictures are too small: each side must be at least {min_side} pixels.").format(min_side=MIN_SIDE)
        )
    differ = (width, height) != (width2, height2)
    if differ and not resize_second:
        raise PictureSizesDifferError(
            _(
                'The pictures differ in size: {width}x{height} and {width2}x{height2}. Choose "resize the '
                'second to {width}x{height}", or send two of the same size.'
            ).format(width=width, height=height, width2=width2, height2=height2)
        )
    write_poster(poster, read_picture(first, limits))
    read_picture(second, limits)
    return {
        "width": width,
        "height": height,
        "width2": width2,
        "height2": height2,
        "frame_count": 2,
        "resize_second": differ,
    }


def write_poster(path: Path, rgb: Any) -> None:
    """A JPEG of `rgb`, uint8 (H, W, 3), at most POSTER_WIDTH wide."""
    import numpy as np
    from PIL import Image

    from .pictures import write_picture

    image = Image.fromarray(rgb)
    image.thumbnail((POSTER_WIDTH, POSTER_WIDTH), Image.Resampling.LANCZOS)
    write_picture(path, np.asarray(image))


if __name__ == "__main__":
    main(sys.argv[1])
