"""Look into a stranger's file in a process of its own: `python -m engine.probe_child REQUEST.json`.

Decoders are large programs that read hostile input. Here they run with limits on memory and processor time, without
torch, and what they find comes back as a JSON file: {"info", "suffixes"} or {"error", "code"}.

Request: {"kind": "video" | "pictures", "paths": [...], "poster": path, "answer": path, "limits": {...},
"resize_second": bool, "memory": bytes, "seconds": int}.
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
from .media_types import Limits, sniff

POSTER_WIDTH = 640  # pixels


def main(request_path: str) -> None:
    die_with_parent()
    request = json.loads(Path(request_path).read_text())
    limit(request["memory"], request["seconds"])
    answer = Path(request["answer"])
    try:
        found = look(request)
    except PictureSizesDifferError as error:
        found = {"error": str(error), "code": "sizes_differ"}
    except EngineError as error:
        found = {"error": str(error), "code": "refused"}
    except MemoryError:
        found = {"error": "The file needs more memory to open than an upload may use.", "code": "memory"}
    with atomically(answer) as part:
        part.write_text(json.dumps(found))


def limit(memory: int, seconds: int) -> None:
    """memory: bytes of address space. seconds: of processor time; after that the kernel ends this process."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def look(request: dict[str, Any]) -> dict[str, Any]:
    paths, limits, poster = (
        [Path(path) for path in request["paths"]],
        Limits(**request["limits"]),
        Path(request["poster"]),
    )
    if request["kind"] == "video":
        info = look_at_video(paths[0], poster, limits)
    else:
        info = look_at_pictures(paths[0], paths[1], poster, limits, resize_second=request["resize_second"])
    return {"info": info, "suffixes": [sniff(path).suffix for path in paths]}


def look_at_video(path: Path, poster: Path, limits: Limits) -> dict[str, Any]:
    """VideoInfo as JSON; writes the poster. Raises BadInputError for anything that cannot be interpolated."""
    from .video import probe

    info = probe(path, limits)
    if info.frame_count == 1:
        raise BadInputError("This video has one frame only. At least two are needed to draw what lies between them.")
    write_poster(poster, frame_for_poster(path, info.duration))
    return info.to_dict()


def frame_for_poster(path: Path, duration: Fraction) -> Any:
    """RGB uint8 (H, W, 3): from a little way in, as many videos begin in black; else the first that can be decoded."""
    from .video import read_frames

    for start in (min(Fraction(2), duration / 3), None):
        for frame in read_frames(path, start=start):
            return frame.rgb
    raise BadInputError("No picture of this video can be decoded. It may be damaged; export it again.")


def look_at_pictures(first: Path, second: Path, poster: Path, limits: Limits, *, resize_second: bool) -> dict[str, Any]:
    """Sizes as JSON; writes the poster. Sizes are compared before anything is decoded, then both are decoded once."""
    from .config import MIN_SIDE
    from .pictures import picture_size, read_picture

    (width, height), (width2, height2) = picture_size(first, limits), picture_size(second, limits)
    if min(width, height, width2, height2) < MIN_SIDE:
        raise BadInputError(f"The pictures are too small: each side must be at least {MIN_SIDE} pixels.")
    differ = (width, height) != (width2, height2)
    if differ and not resize_second:
        raise PictureSizesDifferError(
            f"The pictures differ in size: {width}x{height} and {width2}x{height2}. "
            f'Choose "resize the second to {width}x{height}", or send two of the same size.'
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
