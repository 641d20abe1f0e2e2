"""A job from the queue's message to previews on the page, with the real engine; once in a real child process."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from engine.video import probe
from frameinterp_site.logs import JobFilter
from interpolation import services, tasks
from interpolation.models import Job, Preview, Project, Source

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def one_thread(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.JOB_THREADS = 1
    monkeypatch.setenv("INBETWEEN_JOB_THREADS", "1")


@pytest.mark.usefixtures("rendered_here")
def test_a_video_job_runs_to_its_end(alice: User, project: Project, source: Source) -> None:
    job = services.job_create(source=source, options={"inbetween": 1})
    assert tasks.job_run(str(job.pk)) == "succeeded"
    job.refresh_from_db()
    assert (job.status, job.error, job.attempts) == ("succeeded", "", 1)
    assert services.job_progress_view(job)["percent"] == 100
    assert job.master == f"jobs/{job.pk}/master.mp4"
    master = probe(job.directory / "master.mp4")
    assert (master.frame_count, master.duration, master.fps) == (16, 1, 16)
    assert job.certificate["ok"] is True
    assert job.metrics["frames"]["output"] == 16
    assert job.model_name
    kinds = set(job.previews.values_list("kind", flat=True))
    assert {"video", "source_video", "poster", "frame", "frame0", "frame1", "flow_farneback"} <= kinds
    for preview in job.previews.all():
        assert (job.directory.parents[1] / preview.file).is_file()
    frames = job.previews.filter(kind=Preview.Kind.FRAME)
    assert all(frame.time is not None for frame in frames)
    compared = job.previews.get(kind=Preview.Kind.FRAME0)
    assert compared.time == job.metrics["compared"]["start"]


def test_a_second_message_for_the_same_job_does_nothing(source: Source) -> None:
    job = services.job_create(source=source, options={})
    Job.objects.update(status="succeeded")
    assert tasks.job_run(str(job.pk)) == "nothing waits"
    job.refresh_from_db()
    assert (job.attempts, job.worker) == (0, "")


@pytest.mark.usefixtures("children_use_this_database")
def test_two_pictures_become_frames_between_them_and_every_line_of_the_log_names_the_job(
    project: Project, tiny_pictures: tuple[Path, Path], data_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.handler.addFilter(JobFilter())
    source = services.source_create(project=project, kind="pictures", upload=tiny_pictures[0], upload2=tiny_pictures[1])
    job = services.job_create(source=source, options={"inbetween": 3})
    assert tasks.job_run(str(job.pk)) == "succeeded"
    job.refresh_from_db()
    assert job.previews.filter(kind=Preview.Kind.FRAME).count() == 3
    assert job.metrics["held_out"] is None
    ours = [record for record in caplog.records if record.name.startswith("interpolation")]
    said = [record.getMessage().split(" ")[0].rstrip(":") for record in ours]
    assert said == ["created", "enqueued", "started", "child"]  # from the request to the end of the child
    assert {str(record.__dict__["job"]) for record in ours} == {str(job.pk)}
    lines = (data_folder / "logs" / "inbetween.log").read_text().splitlines()  # of the child
    assert any("done" in line for line in lines)
    assert all(f"job={job.pk}]" in line for line in lines if " INFO interpolation" in line)
    assert (job.directory.parents[1] / job.pictures_zip).is_file()


@pytest.mark.usefixtures("rendered_here")
def test_a_source_that_vanished_fails_the_job_in_words(source: Source) -> None:
    job = services.job_create(source=source, options={})
    source.path.unlink()
    assert tasks.job_run(str(job.pk)) == "failed"
    job.refresh_from_db()
    assert job.error
    assert "Traceback" not in job.error
    assert job.attempts == 1
