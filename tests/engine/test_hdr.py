"""HDR10 and HLG, from file to file: colours, depth, and what HDR10 says about its screen and its brightest picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest

from engine.config import RenderOptions
from engine.hdr import content_light, mastering_display, same_display
from engine.render import RenderResult, render_video
from engine.video import probe

from .clips import film
from .footage import BlendModel, shot

SCREEN = [13250, 34500, 7500, 3000, 34000, 16000, 15635, 16450, 10_000_000, 50]  # of P3, 1000 cd/m² to 0.005
LIGHT = [1000, 400]
SAID = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"
PQ, HLG = (9, 16, 9, 1), (9, 18, 9, 1)
FILMS = ("mp4_h265", "mp4_av1", "webm_av1", "webm_vp9", "mov_prores", "mov_prores4444")
KEEP = ("mp4_h264", "mp4_h265", "mp4_av1", "webm_av1")


def source(path: Path, tags: tuple[int, int, int, int], said: str = "") -> Path:
    params = ":".join(filter(None, ["log-level=none", said]))
    frames = shot(1, 5, (128, 96))
    return film(path, frames, codec="libx265", pix_fmt="yuv420p10le", tags=tags, options={"x265-params": params})


def render(path: Path, folder: Path, **settings: Any) -> RenderResult:
    result = render_video(path, folder, RenderOptions(held_out=False, **settings), BlendModel())
    assert result.certificate["ok"], result.certificate
    return result


def frames_of(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as result:
        return list(result.decode(video=0))


@pytest.mark.parametrize("name", KEEP)
def test_screen_and_brightness_are_told_on(tmp_path: Path, name: Any) -> None:
    result = render(source(tmp_path / "a.mp4", PQ, SAID), tmp_path / "out", format=name, bit_depth="10")
    first = frames_of(result.master)[0]
    found = mastering_display(first)
    assert found is not None and same_display(SCREEN, found)
    assert (found == SCREEN) or name in ("mp4_av1", "webm_av1")  # AV1 counts in other units
    assert content_light(first) == LIGHT
    assert not any("HDR10 says" in note for note in result.metrics["notes"])


@pytest.mark.parametrize("name", ["webm_vp9", "mov_prores"])
def test_what_cannot_hold_them_says_so(tmp_path: Path, name: Any) -> None:
    notes = render(source(tmp_path / "a.mp4", PQ, SAID), tmp_path / "out", format=name).metrics["notes"]
    assert any("does not hold what HDR10 says about the screen it was made on" in note for note in notes)


@pytest.mark.parametrize("name", FILMS)
@pytest.mark.parametrize("tags", [PQ, HLG])
def test_every_film_of_ten_bits_keeps_tags_and_depth(tmp_path: Path, name: Any, tags: tuple[int, ...]) -> None:
    path = source(tmp_path / "a.mp4", tags)  # type: ignore[arg-type]
    if name == "webm_vp9" and "yuv420p10le" not in {
        one.name for one in av.Codec("libvpx-vp9", "w").video_formats or []
    }:
        pytest.skip("libvpx comes with 8 bits only here")
    frames = frames_of(render(path, tmp_path / "out", format=name).master)
    assert len(frames) == 10
    for frame in frames:
        assert (frame.color_primaries, frame.color_trc, frame.colorspace) == tags[:3]
        assert frame.color_range in (tags[3], 0)
        assert frame.format.components[0].bits >= 10


def test_a_film_without_them_gets_none(tmp_path: Path) -> None:
    path = source(tmp_path / "a.mp4", PQ)
    assert (probe(path).mastering_display, probe(path).content_light) == (None, None)
    first = frames_of(render(path, tmp_path / "out", format="mp4_h265").master)[0]
    assert (mastering_display(first), content_light(first)) == (None, None)
