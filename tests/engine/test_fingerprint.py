"""Segments are drawn again when anything changes that their pictures hang on, and by nothing else."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from engine import segments
from engine.config import RenderOptions
from engine.segments import DRAWN_BY, drawing_code, fingerprint

ENGINE = Path(segments.__file__).parent


def name(options: RenderOptions) -> str:
    return fingerprint("source", options, "weights", "flow_fusion", ["mp4_h264", "18"])


@pytest.fixture
def engine_copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ENGINE, tmp_path / "engine", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.mark.parametrize(
    "changed", ["motion.py", "matching.py", "fusion.py", "interpolator.py", "nets/flow_fusion.py", "tiles.py"]
)
def test_other_code_that_prepares_motion_or_draws_is_another_fingerprint(
    engine_copy: Path, changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert drawing_code(engine_copy) == drawing_code()
    before = name(RenderOptions())
    file = engine_copy / changed
    file.write_text(file.read_text() + "\nNEW = 1\n")
    drawing_code.cache_clear()
    after = drawing_code(engine_copy)
    assert after != drawing_code()
    monkeypatch.setattr(segments, "drawing_code", lambda: after)
    assert name(RenderOptions()) != before


def test_code_that_draws_nothing_leaves_the_fingerprint(engine_copy: Path) -> None:
    (engine_copy / "certificate.py").write_text("")
    assert drawing_code(engine_copy) == drawing_code()


def test_every_file_that_is_named_is_there() -> None:
    assert all(list(ENGINE.glob(f"{each}.py")) for each in DRAWN_BY)


def test_settings_count_where_they_change_pictures() -> None:
    plain = RenderOptions()
    assert name(plain) == name(replace(plain, held_out=False))
    assert name(plain) != name(replace(plain, cut="crossfade"))
