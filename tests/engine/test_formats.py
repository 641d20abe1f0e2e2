"""What can be chosen of a format: quality, by slider or the codec's own scale, and encoder; what the file then is."""

from __future__ import annotations

from fractions import Fraction as F
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from engine import formats
from engine.config import RenderOptions
from engine.damage import mp4_boxes
from engine.errors import BadOptionsError
from engine.formats import FORMATS, crf_for, encoding_for, usable
from engine.metrics import psnr
from engine.render import RenderResult, render_video
from engine.video import read_frames

from .footage import BlendModel, shot, write_video

SIZE = (128, 96)
LARGE = (640, 360)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6 frames at 30 fps, with grain that costs bits."""
    grain = np.random.default_rng(0).integers(-20, 20, (6, SIZE[1], SIZE[0], 1))
    frames = [
        np.clip(rgb.astype(int) + noise, 0, 255).astype(np.uint8)
        for rgb, noise in zip(shot(1, 6, SIZE), grain, strict=True)
    ]
    return write_video(tmp_path_factory.mktemp("clip") / "a.mp4", frames, fps=F(30))


def render(source: Path, folder: Path, **settings: Any) -> RenderResult:
    return render_video(source, folder, RenderOptions(held_out=False, **settings), BlendModel())


@pytest.mark.parametrize(
    ("name", "container", "codec", "tag", "pix_fmt"),
    [
        ("mp4_h264", "mov,mp4,m4a,3gp,3g2,mj2", "h264", "avc1", "yuv420p"),
        ("mp4_h265", "mov,mp4,m4a,3gp,3g2,mj2", "hevc", "hvc1", "yuv420p"),
        ("mp4_av1", "mov,mp4,m4a,3gp,3g2,mj2", "av1", "av01", "yuv420p"),
        ("webm_vp9", "matroska,webm", "vp9", "", "yuv420p"),
        ("webm_av1", "matroska,webm", "av1", "", "yuv420p"),
        ("mov_prores", "mov,mp4,m4a,3gp,3g2,mj2", "prores", "apch", "yuv422p10le"),
        ("mov_prores4444", "mov,mp4,m4a,3gp,3g2,mj2", "prores", "ap4h", "yuv444p12le"),
        ("gif", "gif", "gif", "", "bgra"),
    ],
)
def test_the_file_is_what_was_chosen(
    clip: Path, tmp_path: Path, name: Any, container: str, codec: str, tag: str, pix_fmt: str
) -> None:
    result = render(clip, tmp_path, format=name, mode="fps", target_fps=F(50))
    with av.open(str(result.master)) as film:
        stream = film.streams.video[0]
        frames = [frame.format.name for frame in film.decode(stream)]
        found = (film.format.name, stream.codec_context.codec.canonical_name, set(frames))
        assert found == (container, codec, {pix_fmt})
        assert len(frames) == 10
        if tag:
            assert stream.codec_context.codec_tag == tag
            kinds = [box.kind for box in mp4_boxes(result.master)]
            assert kinds.index("moov") < kinds.index("mdat")
    assert result.certificate["ok"], result.certificate


@pytest.mark.parametrize("name", [name for name, entry in FORMATS.items() if entry.crf])
def test_more_quality_is_never_a_higher_crf(name: str) -> None:
    entry = FORMATS[name]
    assert entry.crf is not None
    curve = [crf_for(entry, quality) for quality in range(101)]
    assert all(after <= before for before, after in pairwise(curve))
    assert entry.crf[0] <= curve[-1] < curve[80] < curve[0] <= entry.crf[1]


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("png", "mov_prores4444")])
def test_the_slider_trades_size_for_likeness_in_every_format(clip: Path, tmp_path: Path, name: Any) -> None:
    truth = [frame.rgb for frame in read_frames(clip)]
    sizes, likeness = list[int](), list[float]()
    for quality in (10, 90):
        master = render(clip, tmp_path / str(quality), format=name, quality=quality, inbetween=2).master
        first = next(read_frames(master)).rgb
        sizes.append(master.stat().st_size)
        likeness.append(psnr(first, truth[0]))
    assert sizes[1] > 1.2 * sizes[0]
    assert likeness[1] > likeness[0] + 1


def test_the_codecs_own_scale_overrides_the_slider() -> None:
    assert encoding_for("mp4_h264", LARGE, quality=10, crf=5).options["crf"] == "5"
    assert encoding_for("webm_vp9", LARGE, quality=10, crf=63).options["crf"] == "63"
    with pytest.raises(BadOptionsError, match=r"CRF 52 is out of range\. For MP4, H\.264 choose 0"):
        encoding_for("mp4_h264", LARGE, crf=52)
    with pytest.raises(BadOptionsError, match="has no CRF"):
        encoding_for("gif", LARGE, crf=5)


def test_of_prores_the_slider_chooses_the_kind() -> None:
    kinds = [encoding_for("mov_prores", LARGE, quality=quality).tag for quality in (0, 20, 40, 60, 100)]
    assert kinds == ["apco", "apcs", "apcn", "apch", "apch"]
    assert [encoding_for("mov_prores4444", LARGE, quality=quality).tag for quality in (80, 100)] == ["ap4h", "ap4x"]


@pytest.mark.parametrize(
    ("name", "encoder"), [("mp4_h264", "h264_nvenc"), ("mp4_h265", "hevc_nvenc"), ("webm_av1", "av1_nvenc")]
)
def test_a_graphics_card_that_encodes_is_used(monkeypatch: pytest.MonkeyPatch, name: str, encoder: str) -> None:
    monkeypatch.setattr(formats, "usable", lambda *_: True)
    chosen = encoding_for(name, LARGE, quality=80)
    assert (chosen.encoder, chosen.options["cq"]) == (encoder, str(min(51, crf_for(FORMATS[name], 80))))
    assert encoding_for(name, LARGE, encoder="nvenc").encoder == encoder
    assert encoding_for(name, LARGE, encoder="software").encoder == FORMATS[name].encoder
    assert encoding_for(name, (641, 360)).encoder == FORMATS[name].encoder
    assert encoding_for(name, (128, 96)).encoder == FORMATS[name].encoder
    with pytest.raises(BadOptionsError, match="NVENC does not write 128x96"):
        encoding_for(name, (128, 96), encoder="nvenc")


def test_without_one_it_is_not_and_asking_for_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "usable", lambda *_: False)
    assert encoding_for("mp4_h264", LARGE).encoder == "libx264"
    with pytest.raises(BadOptionsError, match=r"No graphics card here encodes MP4, H\.264"):
        encoding_for("mp4_h264", LARGE, encoder="nvenc")


def test_whether_an_encoder_works_is_tried() -> None:
    assert usable("libx264")
    assert not usable("no_such_encoder")
    if not Path("/dev/nvidia0").exists():
        assert not usable("h264_nvenc")


def delays(path: Path) -> tuple[list[int], int]:
    """(milliseconds each picture is shown, how often it is repeated: 0 is for ever) as Pillow reads them."""
    with Image.open(path) as film:
        times = []
        for number in range(film.n_frames):  # type: ignore[attr-defined]
            film.seek(number)
            film.load()
            times.append(round(film.info["duration"]))
        return times, film.info["loop"]


def test_a_gif_repeats_for_ever_and_is_no_faster_than_browsers_show(clip: Path, tmp_path: Path) -> None:
    result = render(clip, tmp_path, format="gif", inbetween=3)
    times, loop = delays(result.master)
    assert loop == 0
    assert sum(times) == 200
    assert min(times) >= 20
    assert any(
        "frames were left out of the GIF: a browser shows at most 50" in note for note in result.metrics["notes"]
    )
    assert result.certificate["ok"], result.certificate


def test_a_webp_repeats_for_ever_with_all_its_frames(clip: Path, tmp_path: Path) -> None:
    times, loop = delays(render(clip, tmp_path, format="webp", inbetween=1).master)
    assert (loop, sum(times)) == (0, 200)
    assert len(times) == 11  # the last one is held for two


@pytest.mark.parametrize(("name", "shortest", "most"), [("gif", 20, 50), ("webp", 11, 90)])
@pytest.mark.parametrize("inbetween", [3, 6, 9])
def test_of_an_animation_faster_than_browsers_show_frames_are_left_out_which_is_certified(
    clip: Path, tmp_path: Path, name: Any, shortest: int, most: int, inbetween: int
) -> None:
    result = render(clip, tmp_path, format=name, inbetween=inbetween)
    times, _ = delays(result.master)
    assert min(times) >= shortest, "browsers show what is shorter for 100 ms"
    assert sum(times) == 200
    frames = 6 * (inbetween + 1)
    gone = next(check for check in result.certificate["checks"] if check["name"] == "frames_left_out")
    assert (gone["expected"], gone["found"], gone["ok"]) == (f"{most} fps", frames - len(times), True)
    assert any(f"a browser shows at most {most} pictures" in note for note in result.metrics["notes"])
    assert result.certificate["ok"], result.certificate


RATES = [F(12), F(24000, 1001), F(25), F(30000, 1001), F(30), F(50), F(60), F(120)]


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: f"{float(rate):.5g}")
@pytest.mark.parametrize(("name", "unit"), [("gif", 10), ("webp", 1)])
def test_an_animation_is_as_long_as_its_film(tmp_path: Path, name: Any, unit: int, rate: F) -> None:
    """To within half of what it counts in, for the whole film and not for every picture; and the certificate agrees."""
    for count, inbetween in ((7, 1), (7, 2), (11, 2)):
        folder = tmp_path / f"{count}_{inbetween}"
        folder.mkdir()
        source = write_video(folder / "a.mp4", shot(1, count, (64, 48)), fps=rate)
        result = render(source, folder / "out", format=name, inbetween=inbetween)
        times, _ = delays(result.master)
        assert abs(sum(times) - 1000 * count / rate) <= F(unit, 2), (count, inbetween)
        assert result.certificate["ok"], result.certificate


@pytest.mark.parametrize("name", ["gif", "webp"])
def test_no_frame_of_a_slow_animation_is_said_to_be_left_out(clip: Path, tmp_path: Path, name: Any) -> None:
    result = render(clip, tmp_path, format=name, mode="fps", target_fps=F(25))
    assert not [check for check in result.certificate["checks"] if check["name"] == "frames_left_out"]
    assert not [note for note in result.metrics["notes"] if "left out" in note]


@pytest.mark.parametrize("name", ["mp4_av1", "webm_av1", "webm_vp9"])
def test_more_than_240_frames_a_second_are_exact(tmp_path: Path, name: Any) -> None:
    source = write_video(tmp_path / "a.mp4", shot(1, 12, SIZE), fps=F(240))
    result = render(source, tmp_path / "out", format=name, inbetween=3)
    assert len(list(read_frames(result.master))) == 48
    assert result.certificate["ok"], result.certificate


@pytest.mark.parametrize("name", ["webm_av1", "webm_vp9"])
def test_two_frames_in_one_millisecond_are_refused_before_anything_is_drawn(tmp_path: Path, name: Any) -> None:
    source = write_video(tmp_path / "a.mp4", shot(1, 6, SIZE), fps=F(240))
    model = BlendModel()
    with pytest.raises(BadOptionsError, match=r"1200 frames a second.*Choose MP4, fewer in-between"):
        render_video(source, tmp_path / "out", RenderOptions(format=name, inbetween=4, held_out=False), model)
    assert model.pairs == []


def test_so_are_they_in_a_film_of_a_varying_rate(tmp_path: Path) -> None:
    times = [F(0), F(100, 1000), F(101, 1000), F(200, 1000)]
    source = write_video(tmp_path / "a.mp4", shot(1, 4, SIZE), times=times, end=F(300, 1000))
    with pytest.raises(BadOptionsError, match="2000 frames a second"):
        render(source, tmp_path / "out", format="webm_vp9")
    assert render(source, tmp_path / "even", format="webm_vp9", mode="fps", target_fps=F(60)).certificate["ok"]
