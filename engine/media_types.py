"""What a file really is, from its first bytes. The name it was given plays no part.

FFmpeg guesses formats from content too, and some formats it knows (ffconcat, HLS, DASH, SDP) are texts that open
other files or addresses. So the demuxer is chosen here, from an allow-list, and forced on the library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .errors import BadInputError
from .translation import gettext as _
from .translation import gettext_noop

HEAD_BYTES = 4096
READABLE = gettext_noop("MP4, MOV, MKV, WebM, AVI, MPEG-TS, FLV, WMV, OGG, Y4M, GIF or animated WebP")


@dataclass(frozen=True, slots=True)
class Limits:
    """The most a source may ask for. Checked before anything is decoded."""

    max_bytes: int = 8 << 30
    max_width: int = 8192
    max_height: int = 8192
    max_pixels: int = 8192 * 4320
    max_frames: int = 1_000_000

    def check_bytes(self, size: int) -> None:
        """Raises BadInputError for files that are too large."""
        if size > self.max_bytes:
            raise BadInputError(
                _("The file has {size:.0f} MB; at most {most:.0f} MB are taken. Cut it or encode it smaller.").format(
                    size=size / 2**20, most=self.max_bytes / 2**20
                )
            )

    def check_size(self, width: int, height: int) -> None:
        """Raises BadInputError for pictures or videos with too many pixels, or none. Sizes in pixels."""
        if width <= 0 or height <= 0:
            raise BadInputError(
                _("The file does not say how large its picture is. It may be damaged; export it again.")
            )
        if width > self.max_width or height > self.max_height or width * height > self.max_pixels:
            raise BadInputError(
                _(
                    "The picture is {width}x{height} pixels; at most {max_width}x{max_height} and "
                    "{megapixels:.0f} megapixels can be processed. Make it smaller first."
                ).format(
                    width=width,
                    height=height,
                    max_width=self.max_width,
                    max_height=self.max_height,
                    megapixels=self.max_pixels / 1000000.0,
                )
            )


@dataclass(frozen=True, slots=True)
class MediaType:
    """A kind of file.

    demuxer: the FFmpeg demuxer that reads it as a video, None if it cannot be one.
    picture: Pillow's name for it, None if it cannot be read as a still picture.
    suffix: the file name ending to keep it under.
    flipbook: moving pictures that are read one by one, without FFmpeg (engine/flipbook.py). They have no sound.
    """

    name: str
    suffix: str
    demuxer: str | None = None
    picture: str | None = None
    flipbook: bool = False


MP4 = MediaType("MP4", ".mp4", "mov")
MOV = MediaType("QuickTime", ".mov", "mov")
MATROSKA = MediaType("Matroska", ".mkv", "matroska")
WEBM = MediaType("WebM", ".webm", "matroska")
AVI = MediaType("AVI", ".avi", "avi")
MPEG_TS = MediaType("MPEG-TS", ".ts", "mpegts")
MPEG_PS = MediaType("MPEG program stream", ".mpg", "mpeg")
FLV = MediaType("Flash video", ".flv", "flv")
ASF = MediaType("Windows Media", ".wmv", "asf")
OGG = MediaType("Ogg", ".ogv", "ogg")
IVF = MediaType("IVF", ".ivf", "ivf")
Y4M = MediaType("YUV4MPEG2", ".y4m", "yuv4mpegpipe")
GIF = MediaType("GIF", ".gif", "gif", "GIF")
WEBP = MediaType("WebP", ".webp", None, "WEBP")
ANIMATED_WEBP = MediaType("animated WebP", ".webp", None, "WEBP", flipbook=True)  # FFmpeg's decoder leaves it out
ZIP = MediaType("zip", ".zip", flipbook=True)  # of pictures
PNG = MediaType("PNG", ".png", None, "PNG")
ANIMATED_PNG = MediaType("animated PNG", ".png", "apng", "PNG")
JPEG = MediaType("JPEG", ".jpg", None, "JPEG")
BMP = MediaType("BMP", ".bmp", None, "BMP")
TIFF = MediaType("TIFF", ".tif", None, "TIFF")
AVIF = MediaType("AVIF", ".avif", None, "AVIF")

_MOV_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def _iso(head: bytes) -> MediaType | None:
    if head[4:8] in _MOV_BOXES:
        return MOV
    if head[4:8] != b"ftyp":
        return None
    brand = head[8:12]
    if brand in (b"avif", b"avis"):
        return AVIF
    if brand in (b"heic", b"heix", b"mif1", b"hevc", b"msf1"):
        raise BadInputError(_("This is a HEIC photo. Save it as JPEG or PNG and send that."))
    return MOV if brand == b"qt  " else MP4


def _riff(head: bytes) -> MediaType | None:
    if head[:4] != b"RIFF":
        return None
    form = head[8:12]
    if form == b"WAVE":
        raise BadInputError(_("This is a sound file (WAVE). Send a video or two pictures."))
    if form == b"WEBP":
        return ANIMATED_WEBP if head[12:16] == b"VP8X" and head[20] & 0x02 else WEBP
    return AVI if form in (b"AVI ", b"AVIX") else None


def _matroska(head: bytes) -> MediaType | None:
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    return WEBM if b"webm" in head[:64] else MATROSKA


def _png(head: bytes) -> MediaType | None:
    if not head.startswith(b"\x89PNG\r\n\x1a\n"):
        return None
    return ANIMATED_PNG if b"acTL" in head.split(b"IDAT", 1)[0] else PNG


def _transport_stream(head: bytes) -> MediaType | None:
    for offset, step in ((0, 188), (4, 192)):  # 192: with a time code before each packet, as in .m2ts
        if len(head) > offset + 2 * step and all(head[offset + i * step] == 0x47 for i in range(3)):
            return MPEG_TS
    return None


def _starts(*magics: bytes, kind: MediaType) -> Callable[[bytes], MediaType | None]:
    return lambda head: kind if head.startswith(magics) else None


_TESTS: tuple[Callable[[bytes], MediaType | None], ...] = (
    _iso,
    _matroska,
    _riff,
    _png,
    _starts(b"\xff\xd8\xff", kind=JPEG),
    _starts(b"GIF87a", b"GIF89a", kind=GIF),
    _starts(b"YUV4MPEG2 ", kind=Y4M),
    _starts(b"FLV\x01", kind=FLV),
    _starts(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", kind=ASF),
    _starts(b"OggS", kind=OGG),
    _starts(b"DKIF", kind=IVF),
    _starts(b"II*\x00", b"MM\x00*", kind=TIFF),
    _starts(b"\x00\x00\x01\xba", kind=MPEG_PS),
    _starts(b"BM", kind=BMP),
    _starts(b"PK\x03\x04", b"PK\x05\x06", kind=ZIP),
    _transport_stream,
)

_SOUND = (b"ID3", b"\xff\xfb", b"\xff\xf1", b"fLaC")
_PLAYLISTS = ("ffconcat", "#extm3u", "<mpd", "[playlist]", "v=0")


def sniff(path: str | Path) -> MediaType:
    """The kind of file at `path`, from its content alone.

    Raises:
        BadInputError: empty, a text, a playlist that points to other files, or nothing on the allow-list.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise BadInputError(_('There is no file "{path}". Send it again.').format(path=path.name)) from error
    return sniff_bytes(head)


def sniff_bytes(data: bytes) -> MediaType:
    """As `sniff`, of the bytes of a file, or of its beginning."""
    head = data[:HEAD_BYTES]
    if not head:
        raise BadInputError(_("The file is empty (0 bytes). The upload may have been cut off; send it again."))
    for test in _TESTS:
        kind = test(head)
        if kind is not None:
            return kind
    raise BadInputError(_why_unknown(head))


def _why_unknown(head: bytes) -> str:
    """Words for a file that is not on the allow-list."""
    if head.startswith(_SOUND):
        return _("This is a sound file. Send a video or two pictures.")
    text = _as_text(head)
    if text is None:
        return _(
            "This is not a video or picture that can be read here. Send {readable}, or PNG or JPEG pictures."
        ).format(readable=_(READABLE))
    start = text.lstrip("\ufeff \t\r\n").lower()
    if start.startswith(_PLAYLISTS) or "<mpd" in start[:500]:
        return _("This is a playlist: a text that points to other files. Send the video itself.")
    return _("This is a text, not a video, whatever its name says. Send {readable}, or PNG or JPEG pictures.").format(
        readable=_(READABLE)
    )


def _as_text(head: bytes) -> str | None:
    """`head` as text if it reads like one."""
    try:
        text = head[: HEAD_BYTES - 4].decode("utf-8", errors="strict" if len(head) < HEAD_BYTES else "ignore")
    except UnicodeDecodeError:
        return None
    return text if all(sign.isprintable() or sign in "\t\r\n\ufeff" for sign in text) else None
