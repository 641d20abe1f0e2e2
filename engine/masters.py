"""The finished file in its format, from finished segments."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av

from .animation import Shown, write_gif, write_webp
from .carry import Carry, left_out
from .colour import output_tags
from .config import RenderOptions
from .files import atomically
from .formats import Encoding, encoding_for
from .hdr import WRITERS
from .remux import join_segments, joined_frames, joined_packets
from .translation import gettext as _
from .video_info import VideoInfo

DAY_ONE = (1980, 1, 1, 0, 0, 0)  # the same pictures give the same zip, to the last byte


def encoding_of(
    options: RenderOptions, size: tuple[int, int], source_bits: int, info: VideoInfo | None = None
) -> Encoding:
    """How to write what `options` ask for, `size` = (width, height) in pixels, from a source of so many bits a channel.

    info: of the source, for its HDR10 data.

    Raises:
        BadOptionsError: see `formats.encoding_for`.
    """
    return encoding_for(
        options.format,
        size,
        quality=options.quality,
        crf=options.crf,
        bit_depth=options.bit_depth,
        encoder=options.encoder,
        source_bits=source_bits,
        mastering_display=info.mastering_display if info is not None else None,
        content_light=info.content_light if info is not None else None,
    )


def promise(encoding: Encoding, size: tuple[int, int], *, alpha: bool, info: VideoInfo | None = None) -> dict[str, Any]:
    """What the finished file must turn out to be, as far as its format says it, for `certify`.

    size: (width, height) in pixels. alpha: of the pictures. info: of the source.
    """
    (width, height), entry = size, encoding.format
    expected: dict[str, Any] = {"width": width, "height": height, "codec": entry.codec}
    if entry.kind == "gif":
        return expected  # FFmpeg gives every GIF alpha
    expected["alpha"] = alpha and entry.alpha
    if entry.kind == "webp":
        return expected
    if entry.kind == "png":
        return expected | {"bit_depth": 8 if encoding.bits <= 8 else 16}
    pix_fmt = encoding.found_as(width, height, alpha=alpha)
    bits = av.VideoFormat(pix_fmt).components[0].bits
    expected |= {"codec_tag": encoding.tag or None, "pix_fmt": pix_fmt, "bit_depth": bits}
    if info is not None:
        tags = entry.tags(output_tags(info.colour, (info.width, info.height), size))
        expected |= {
            "color_primaries": tags.primaries,
            "color_transfer": tags.transfer,
            "color_matrix": tags.matrix,
            "color_range": tags.range,
        }
        if encoding.encoder in WRITERS:
            expected |= {"mastering_display": info.mastering_display, "content_light": info.content_light}
    return expected


def hdr_notes(encoding: Encoding, info: VideoInfo) -> list[str]:
    """In words, what of HDR the result does not hold."""
    if encoding.encoder in WRITERS or (info.mastering_display is None and info.content_light is None):
        return []
    words = _(
        "{format}, written by {encoder}, does not hold what HDR10 says about the screen it was made on and its "
        "brightest picture."
    )
    return [words.format(format=encoding.format.label, encoder=encoding.encoder)]


def make_master(
    segments: Sequence[Path], output: Path, encoding: Encoding, *, carry: Carry | None = None, info: VideoInfo | None
) -> list[str]:
    """The finished file. carry: what comes along from the source, where the format holds it. info: of the source.

    Returns: notes in words on what could not be carried over as it was.

    Raises:
        BadInputError: a segment cannot be read or does not match the first one. NoSpaceError: no room on the disk.
    """
    entry = encoding.format
    notes = hdr_notes(encoding, info) if info is not None else []
    if entry.kind == "film":
        return notes + join_segments(segments, output, carry=carry, entry=entry)
    notes += left_out(info, entry.label) if info is not None else []
    if entry.kind == "gif":
        return notes + write_gif(lambda: _shown(segments), output, encoding.quality)
    if entry.kind == "webp":
        return notes + write_webp(_shown(segments), output, encoding.quality)
    write_pictures(segments, output)
    return notes


def write_pictures(segments: Sequence[Path], output: Path) -> None:
    """A zip of the PNG pictures that the segments hold, as they are: frame_000001.png and so on."""
    with atomically(output) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for number, packet in enumerate(joined_packets(segments), 1):
            archive.writestr(zipfile.ZipInfo(f"frame_{number:06d}.png", DAY_ONE), bytes(packet))


def _shown(segments: Sequence[Path]) -> Iterator[Shown]:
    """The pictures of segments, decoded."""
    return (Shown(*entry) for entry in joined_frames(segments))
