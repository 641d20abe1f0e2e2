"""The disk fills up in the middle of a segment: the job pauses and says so, loses nothing, and goes on by itself."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from engine import disk
from engine import segments as segments_module
from engine.config import RenderOptions
from engine.errors import NoSpaceError
from engine.render import Progress, render_video
from engine.writer import VideoWriter
from interpolation import services, tasks
from interpolation.models import Job
from interpolation.runner import Reporter
from tests.engine.footage import BlendModel, decoded, shot, write_video

from .conftest import Worker, wait_for

MIB = 2**20


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", shot(1, 12), sound=True)


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments_module, "SEGMENT_FRAMES", 8)
    monkeypatch.setattr(disk, "LOOK_EVERY", 0.01)


@pytest.mark.usefixtures("small_segments")
def test_a_segment_that_found_no_room_is_drawn_once_more_and_the_film_is_the_same(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = RenderOptions(held_out=False, crf=0)  # with loss x264 is not exact in pictures as small as these
    whole = decoded(render_video(clip, tmp_path / "calm", options, BlendModel()).master)
    monkeypatch.setattr(disk, "TRY_ANYWAY", 0.05)
    write, failed, seen = VideoWriter._take, list[str](), list[Progress]()

    def fills_up(self: VideoWriter, pts: object, prepare: object) -> None:
        if self.path.name == "seg_00002.mp4" and len(failed) < 2:
            failed.append(self.path.name)
            raise NoSpaceError("The disk is full.")
        write(self, pts, prepare)  # type: ignore[arg-type]

    monkeypatch.setattr(VideoWriter, "_take", fills_up)
    model = BlendModel()
    result = render_video(clip, tmp_path / "full", options, model, on_progress=seen.append, disk_patience=60)
    assert failed == ["seg_00002.mp4"] * 2
    assert {p.stage for p in seen if p.waiting} == {"interpolating"}
    assert all(p.waiting.endswith("of free space") for p in seen if p.waiting)
    parts = decoded(result.master)
    assert [time for time, _ in parts] == [time for time, _ in whole]
    assert all((a == b).all() for (_, a), (_, b) in zip(parts, whole, strict=True))
    assert result.metrics["frames"]["new"] == 11


@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize("fails", ["engine.render.make_master", "engine.render.write_zip", "engine.render.write_json"])
def test_every_later_step_waits_as_well(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    monkeypatch.setattr(disk, "TRY_ANYWAY", 0.05)
    module, _, name = fails.rpartition(".")
    real, failed = getattr(__import__(module, fromlist=[name]), name), list[int]()

    def full_once(*args: object, **given: object) -> object:
        if not failed:
            failed.append(1)
            raise NoSpaceError("The disk is full.")
        return real(*args, **given)

    monkeypatch.setattr(fails, full_once)
    seen = list[Progress]()
    result = render_video(
        clip, tmp_path, RenderOptions(held_out=False), BlendModel(), on_progress=seen.append, disk_patience=60
    )
    assert failed == [1] and any(p.waiting for p in seen) and not seen[-1].waiting
    assert result.certificate["ok"], result.certificate


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 6 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.usefixtures("small_segments")
def test_on_a_disk_that_is_really_full_the_render_waits_and_goes_on_when_a_file_is_removed(
    clip: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "MIN_FREE_BYTES", 256 * 1024)
    ballast, waited = small_disk / "ballast", list[str]()

    def look(progress: Progress) -> None:
        if progress.stage == "interpolating" and progress.frames_done == 9 and not waited and not ballast.exists():
            # Somebody else fills the disk while the second segment is drawn; no buffer, so closing is quiet.
            with ballast.open("wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(bytes(16 * 1024))
        if progress.waiting:
            waited.append(progress.waiting)
            if len(waited) == 5:
                ballast.unlink()

    work = small_disk / "work"
    options = RenderOptions(held_out=False)
    result = render_video(clip, work, options, BlendModel(), on_progress=look, disk_patience=60)
    assert len(waited) >= 5
    assert result.certificate["ok"], result.certificate
    assert result.metrics["frames"] == {"source": 12, "output": 24, "new": 11, "held": 1}
    assert not [path for path in work.rglob("*") if path.name.startswith(".")]


def test_what_a_job_waits_for_is_in_its_row_and_on_its_page_and_it_still_runs(long_job: Job, alice: User) -> None:
    services.job_claim(job_id=long_job.pk, worker="a:1:x")
    report = Reporter(long_job, "a:1:x")
    report(Progress("interpolating", 30, 100))
    report(Progress("interpolating", 30, 100, "1.2 GB of free space"))
    long_job.refresh_from_db()
    view = services.job_progress_view(long_job)
    assert (view["status"], view["stage"], view["waiting"]) == (
        "running",
        "waiting for disk space",
        "1.2 GB of free space",
    )
    assert (view["percent"], view["eta_seconds"]) == (30, None)
    client = Client()
    client.force_login(alice)
    page = client.get(long_job.get_absolute_url()).content.decode()
    assert "Waiting for disk space" in page
    assert "waiting for 1.2 GB of free space. Nothing is lost" in page
    report(Progress("interpolating", 31, 100))
    long_job.refresh_from_db()
    assert services.job_progress_view(long_job)["stage"] == "interpolating"


def test_waiting_is_written_down_at_once_and_then_seldom(long_job: Job) -> None:
    services.job_claim(job_id=long_job.pk, worker="a:1:x")
    now = 100.0
    report = Reporter(long_job, "a:1:x", clock=lambda: now)
    beats = set()
    for _ in range(12):
        report(Progress("joining", 1, 1, "9 GB of free space"))
        long_job.refresh_from_db()
        beats.add(long_job.heartbeat_at)
        now += 1
    assert len(beats) == 3


def test_waiting_is_no_stall_and_takes_no_time_of_the_jobs_own(long_job: Job, settings: Settings) -> None:
    settings.JOB_STALL, settings.JOB_TIMEOUT = 120.0, 3600
    services.job_claim(job_id=long_job.pk, worker="a:1:x")
    watch = tasks.Watch(long_job.pk, "a:1:x")
    watch.look(1000.0)
    services.job_progress(
        job_id=long_job.pk, worker="a:1:x", stage="joining", frames_done=0, frames_total=1, waiting="room"
    )
    for second in range(1000, 5001, 50):
        watch.look(float(second))
    assert watch.stop is False
    assert watch.time_limit() == 3600 + 4000
    services.job_progress(job_id=long_job.pk, worker="a:1:x", stage="joining", frames_done=0, frames_total=1)
    watch.look(5050.0)
    assert watch.time_limit() == 3600 + 4000
    with pytest.raises(tasks.StalledError):
        watch.look(5200.0)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_job_whose_disk_is_full_waits_beats_can_be_cancelled_and_keeps_its_segments(
    long_job: Job, start_worker: Callable[[Job], Worker], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The child believes that its disk is full while a file is there."""
    full = tmp_path / "full"
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "import shutil, os\nfrom types import SimpleNamespace\nreal = shutil.disk_usage\n"
        f"shutil.disk_usage = lambda path: SimpleNamespace(free=0) if os.path.exists({str(full)!r}) else real(path)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(hook))
    worker = start_worker(long_job)
    folder = long_job.directory / "segments"
    wait_for(lambda: len(list(folder.glob("*.json"))) >= 1, 120, "a finished segment")
    full.touch()

    def waits() -> bool:
        long_job.refresh_from_db()
        return bool(long_job.waiting)

    wait_for(waits, 60, "the job to wait")
    assert (long_job.status, services.job_progress_view(long_job)["stage"]) == ("running", "waiting for disk space")
    kept, beat = len(list(folder.glob("*.json"))), long_job.heartbeat_at
    wait_for(lambda: Job.objects.get(pk=long_job.pk).heartbeat_at != beat, 15, "a heartbeat")
    full.unlink()
    wait_for(lambda: not waits() and len(list(folder.glob("*.json"))) > kept, 60, "it to go on by itself")
    full.touch()
    wait_for(waits, 60, "the job to wait again")
    services.job_cancel(job=long_job)
    assert worker.wait(15) == "cancelled"
    long_job.refresh_from_db()
    assert long_job.waiting == ""
    assert len(list(folder.glob("*.json"))) > kept
