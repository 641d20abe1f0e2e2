"""The measurement of throughput measures what it says, on a film of a few frames."""

import json
from io import StringIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from engine import bench_pipeline
from engine.bench_clip import make_clip, moving_frames
from engine.bench_pipeline import Job, Row, Stages, measure_mci, run
from engine.errors import BadInputError, BadOptionsError
from engine.video import probe

SECONDS = {"decode": 0.01, "encode": 0.02, "motion": 0.1, "match": 0.2, "new": 0.3, "unit": 0.5}
STAGES = Stages(SECONDS, {name: 2 * seconds for name, seconds in SECONDS.items()})
JOB = Job(
    wall=30.0,
    cpu=48.0,
    stages={"reading": 1.0, "interpolating": 22.0, "evaluating": 4.0, "joining": 1.0, "previews": 2.0},
    drawn=20.0,
    evaluated=3.0,
    new=20,
    pairs=20,
    peak_mib=900.0,
)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bench_pipeline.SIZES, "tiny", (160, 96))


def test_the_ratios_are_of_the_time_that_drawing_takes_alone():
    found = Row("720p", 2, 21, STAGES, JOB, 0.25).figures()
    assert found["new_ms"] == pytest.approx(600)  # first motion, matching, drawing
    assert found["units"] == pytest.approx(1.2)
    assert found["core_s"] == pytest.approx(24)  # without figures and previews
    assert found["core_over_drawing"] == pytest.approx(24 / 12)
    assert found["core_over_network"] == pytest.approx(24 / 10)  # without the first motion
    assert found["core_over_drawn"] == pytest.approx(24 / 20)
    assert found["job_over_drawing"] == pytest.approx(30 / 12)
    assert found["cpu_ratio"] == pytest.approx(48 / 24)
    assert found["mci_ms"] == 250


def test_a_pair_is_matched_once_however_many_frames_are_drawn_in_it():
    assert STAGES.drawing(2) == pytest.approx(0.6)
    assert STAGES.drawing(4) == pytest.approx(0.4)
    assert STAGES.drawing(4, motion=False) == pytest.approx(0.2 / 3 + 0.3)


def test_the_made_up_clip_moves_and_has_the_size_asked_for(tmp_path: Path):
    frames = list(moving_frames((160, 96), 3))
    assert all(frame.shape == (96, 160, 3) for frame in frames)
    assert all((before != after).any() for before, after in pairwise(frames))
    assert np.array_equal(frames[0][2:60, 104:150], frames[1][0:58, 100:146])  # the ground pans by 4 and 2 pixels
    info = probe(make_clip(tmp_path / "clip.mp4", (160, 96), 5))
    assert (info.width, info.height, info.frame_count) == (160, 96, 5)


def test_a_given_clip_is_brought_to_the_size(tmp_path: Path):
    first = make_clip(tmp_path / "first.mp4", (160, 96), 6)
    info = probe(make_clip(tmp_path / "second.mp4", (96, 64), 5, first))
    assert (info.width, info.height, info.frame_count) == (96, 64, 5)
    with pytest.raises(BadInputError, match="has 3 frames"):
        make_clip(tmp_path / "third.mp4", (96, 64), 3, first)


def test_minterpolate_is_timed_for_a_new_frame():
    assert 0 < measure_mci(list(moving_frames((160, 96), 8)), 2) < 5


def test_a_job_is_measured_in_a_process_of_its_own(tiny: None, tmp_path: Path):
    said: list[str] = []
    report = run(["tiny"], [2], frames=6, model="flow_fusion", device="cpu", threads=1, mci=False, say=said.append)
    (row,) = report.rows
    assert (row.size, row.factor, row.frames, row.mci) == ("tiny", 2, 6, None)
    assert (row.job.new, row.job.pairs) == (5, 5)
    assert set(row.job.stages) == {"reading", "interpolating", "evaluating", "joining", "previews"}
    assert sum(row.job.stages.values()) == pytest.approx(row.job.wall, rel=0.05)
    assert 0 < row.job.drawn <= row.job.stages["interpolating"]
    assert 0 < row.job.evaluated <= row.job.stages["evaluating"]
    assert 150 < row.job.peak_mib < 1500  # PyTorch alone is above 150
    assert all(seconds > 0 for seconds in row.stages.wall.values())
    assert said == ["tiny: 6 frames, every stage alone", "tiny, 2x: a whole job"]
    report.save(tmp_path / "out" / "figures.json")
    kept = json.loads((tmp_path / "out" / "figures.json").read_text())
    assert kept["rows"][0]["figures"]["job_s"] == pytest.approx(row.job.wall)
    assert "| tiny | 2x |" in report.to_markdown()


def test_a_job_that_breaks_down_says_why(tmp_path: Path):
    with pytest.raises(BadInputError, match="broke down"):
        bench_pipeline.measure_job(tmp_path / "none.mp4", tmp_path / "work", 2, "flow_fusion", "cpu", 1)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(BadOptionsError, match=r'"huge" is not a size. Choose 480p'):
        run(["huge"], [2])
    with pytest.raises(BadOptionsError, match="2 to 11"):
        run(["480p"], [1, 2])
    with pytest.raises(CommandError, match="4 or more"):
        call_command("bench_pipeline", "--frames", "3", stderr=StringIO())
