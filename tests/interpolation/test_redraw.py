"""A part of a finished film drawn anew: service, API and page, with the real engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from engine.errors import BadOptionsError, EngineError
from interpolation import services, tasks
from interpolation.models import Job, Project, Source
from tests.conftest import write_clip
from tests.engine.footage import decoded

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("probed_here", "rendered_here")]


@pytest.fixture(scope="module")
def nine_seconds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """18 frames of 64x48 at 2 fps: at twice the rate segments of 4, 4 and 1 seconds."""
    return write_clip(tmp_path_factory.mktemp("clip") / "nine.mp4", frames=18, fps=2)


@pytest.fixture
def done(project: Project, nine_seconds: Path) -> Job:
    """A job that has been rendered."""
    source = services.source_create(project=project, kind=Source.Kind.VIDEO, upload=nine_seconds)
    job = services.job_create(source=source, options={"held_out": False})
    assert tasks.job_run(str(job.pk)) == "succeeded"
    job.refresh_from_db()
    return job


def test_frames_outside_the_range_are_identical_and_inside_they_are_new(done: Job) -> None:
    job = services.job_redraw(job=done, start=5, end="0:06.5", options={"model": "encoder_decoder"})
    assert (job.base, job.range_start, job.range_end) == (done, 4.0, 8.0)
    assert tasks.job_run(str(job.pk)) == "succeeded"
    job.refresh_from_db()
    before, after = (decoded(one.directory / "master.mp4") for one in (done, job))
    assert [time for time, _ in before] == [time for time, _ in after]
    changed = {n for n, ((_, a), (_, b)) in enumerate(zip(before, after, strict=True)) if not np.array_equal(a, b)}
    assert set(range(17, 31, 2)) <= changed <= set(range(16, 32))
    assert job.certificate["ok"] is True
    assert job.metrics["redrawn"] == {"start": 4.0, "end": 8.0, "segments": 1, "of": 3}
    assert job.model_name == "encoder_decoder"


def test_the_first_job_keeps_its_film_and_may_be_gone_before_the_new_one_is_drawn(done: Job) -> None:
    job = services.job_redraw(job=done, start=0, end=1, options={"model": "encoder_decoder"})
    assert services.parts_remove(job=done)
    assert (done.directory / "master.mp4").is_file()
    assert tasks.job_run(str(job.pk)) == "succeeded"


REFUSED: list[tuple[dict[str, object], type[Exception], str]] = [
    ({"options": {}}, services.ServiceError, "Nothing would change"),
    ({"options": {"quality": 50, "mode": "slow"}}, BadOptionsError, "mode, quality cannot differ within one film"),
    ({"options": {"cut": "wipe"}}, BadOptionsError, 'cut = "wipe" is not known'),
    ({"options": {"model": "best"}}, EngineError, 'no model "best"'),
    ({"start": "noon"}, BadOptionsError, '"noon" is not a time'),
    ({"start": "9"}, BadOptionsError, "there is nothing to draw"),
    ({"start": "3", "end": "2"}, BadOptionsError, "there is nothing to draw"),
]


def test_what_cannot_be_is_refused_in_words_and_leaves_nothing(done: Job, media_root: Path) -> None:
    same_model: dict[str, object] = {"options": {"model": done.model_name}}
    for given, kind, words in [*REFUSED, (same_model, services.ServiceError, "Nothing would change")]:
        settings: dict[str, object] = {"start": "1", "end": "2", "options": {"cut": "crossfade"}} | given
        with pytest.raises(kind, match=words):
            services.job_redraw(job=done, **settings)
    assert Job.objects.count() == 1
    assert [path.name for path in (media_root / "jobs").iterdir()] == [str(done.pk)]


def test_two_pictures_and_jobs_that_are_not_done_have_no_part_to_draw(done: Job) -> None:
    Job.objects.update(status="failed")
    done.refresh_from_db()
    with pytest.raises(services.ServiceError, match="only of a video that is done"):
        services.job_redraw(job=done, start=0, end=1, options={"cut": "crossfade"})


def test_once_the_parts_are_taken_away_it_is_said(done: Job, settings: Settings) -> None:
    assert done.parts_until is not None
    assert services.parts_remove(job=done) is True
    assert services.parts_remove(job=done) is False
    done.refresh_from_db()
    assert done.parts_until is None
    with pytest.raises(services.ServiceError, match="not kept any more"):
        services.job_redraw(job=done, start=0, end=1, options={"cut": "crossfade"})
    assert not (done.directory / "segments").exists()
    assert (done.directory / "preview.mp4").is_file()


def test_through_the_api(done: Job, api: APIClient, bobs_api: APIClient) -> None:
    address = f"/api/v1/jobs/{done.pk}/redraw/"
    body = {"start": "0:05", "end": "6", "options": {"cut": "crossfade"}}
    assert bobs_api.post(address, body, format="json").status_code == 404
    answer = api.post(address, body, format="json")
    assert answer.status_code == 201
    made = answer.json()
    assert (made["base"], made["range_start"], made["range_end"], made["status"]) == (str(done.pk), 4.0, 8.0, "queued")
    assert (made["options"]["cut"], made["parts_until"]) == ("crossfade", None)
    assert api.get(f"/api/v1/jobs/{done.pk}/").json()["parts_until"] is not None
    refused = api.post(address, body | {"options": {"format": "gif"}}, format="json")
    assert (refused.status_code, refused.json()["detail"][:36]) == (400, "format cannot differ within one film")
    assert api.post(address, {"start": "1"}, format="json").json()["detail"] == "end: This field is required."


def test_through_the_page(done: Job, alice: User, bob: User) -> None:
    address, client, stranger = f"/jobs/{done.pk}/redraw/", Client(), Client()
    client.force_login(alice)
    stranger.force_login(bob)
    page = client.get(done.get_absolute_url()).content.decode()
    assert 'action="' + address in page
    assert done.parts_until is not None
    last = timezone.localtime(done.parts_until)
    assert f"until {last.day} {last:%B}, {last:%H:%M}" in page
    typed = {"start": "0:05.00", "end": "0:06.00", "model": done.model_name, "cut": "hold", "duplicates": "keep"}
    assert stranger.post(address, typed).status_code == 404
    refused = client.post(address, typed)
    assert refused.status_code == 422
    assert "Nothing would change" in refused.content.decode()
    assert 'value="0:05.00"' in refused.content.decode()
    taken = client.post(address, typed | {"cut": "crossfade"}, follow=True)
    assert taken.status_code == 200
    made = Job.objects.get(base=done)
    assert taken.redirect_chain == [(made.get_absolute_url(), 302)]
    told = f'Only 0:04.0 to 0:08.0 is drawn anew, the rest is <a href="{done.get_absolute_url()}"'
    assert told in taken.content.decode()
    services.parts_remove(job=done)
    assert "are not kept any more" in client.get(done.get_absolute_url()).content.decode()


def test_deleting_the_project_takes_both_jobs(done: Job) -> None:
    job = services.job_redraw(job=done, start=0, end=1, options={"cut": "crossfade"})
    services.project_purge(project=done.project)
    assert not done.directory.exists()
    assert not job.directory.exists()
