"""Jobs through the API: start, poll, cancel, try again, list."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from interpolation import services
from interpolation.models import Job, Preview, Source

JOBS = "/api/v1/jobs/"


@pytest.fixture
def job(quick_source: Source) -> Job:
    return services.job_create(source=quick_source, options={"inbetween": 2})


def test_a_job_is_started_and_waits(api: APIClient, quick_source: Source) -> None:
    data = {"source": str(quick_source.pk), "options": {"inbetween": 2, "resolution": [64, 48]}}
    response = api.post(JOBS, data, format="json")
    assert response.status_code == 201, response.content
    found = response.json()
    assert (found["status"], found["progress"]["queue_position"], found["progress"]["percent"]) == ("queued", 1, 0)
    assert (found["options"]["inbetween"], found["options"]["resolution"]) == (2, [64, 48])
    assert (found["downloads"], found["previews"]) == ({}, [])


def test_options_may_be_left_out(api: APIClient, quick_source: Source) -> None:
    assert api.post(JOBS, {"source": str(quick_source.pk)}, format="json").json()["options"]["mode"] == "smooth"


@pytest.mark.parametrize(
    ("options", "field", "words"),
    [
        ({"inbetween": 11}, "options", "Choose 1 to 10 in-between frames."),
        ({"inbetween": 0}, "options", "Choose 1 to 10 in-between frames."),
        ({"in_between": 3}, "options", "There is no such setting. Choose of: mode, inbetween,"),
        ({"resolution": [3, 3]}, "detail", "3x3 is out of range"),
        ({"mode": "fps", "target_fps": "NaN"}, "detail", "is not a frame rate"),
        ({"mode": "fps", "target_fps": "1e9"}, "detail", "out of range"),
        ({"model": "best"}, "detail", 'no model "best"'),
        ({"mode": "backwards"}, "options", "not a valid choice"),
    ],
)
def test_wrong_settings_are_refused_in_words(
    api: APIClient, quick_source: Source, options: dict[str, object], field: str, words: str
) -> None:
    response = api.post(JOBS, {"source": str(quick_source.pk), "options": options}, format="json")
    assert response.status_code == 400
    assert words in str(response.json()[field])
    assert not Job.objects.exists()


def test_polling_shows_progress(api: APIClient, job: Job) -> None:
    services.job_claim(job_id=job.pk, worker="a")
    services.job_progress(
        job_id=job.pk, worker="a", stage="interpolating", frames_done=5, frames_total=20, eta_seconds=7.4
    )
    found = api.get(f"{JOBS}{job.pk}/").json()
    progress = found["progress"]
    assert (found["status"], progress["stage"], progress["percent"], progress["eta_seconds"]) == (
        "running", "interpolating", 25, 7,
    )  # fmt: skip


def test_a_finished_job_lists_previews_and_downloads(api: APIClient, job: Job) -> None:
    Job.objects.update(status="succeeded", master="jobs/x/master.mp4", metrics={"cuts": []}, certificate={"ok": True})
    Preview.objects.create(job=job, kind="poster", file="jobs/x/poster.jpg")
    found = api.get(f"{JOBS}{job.pk}/").json()
    assert found["progress"]["percent"] == 100
    assert found["downloads"] == {
        "master": f"http://testserver/jobs/{job.pk}/download/master/",
        "figures": f"http://testserver/jobs/{job.pk}/download/figures/",
    }
    assert found["previews"] == [
        {"kind": "poster", "position": 0, "time": None, "file": "http://testserver/media/jobs/x/poster.jpg"}
    ]
    assert (found["metrics"], found["certificate"]) == ({"cuts": []}, {"ok": True})


def test_cancel_and_retry(api: APIClient, job: Job) -> None:
    assert api.post(f"{JOBS}{job.pk}/cancel/").json()["status"] == "cancelled"
    again = api.post(f"{JOBS}{job.pk}/cancel/")
    assert (again.status_code, again.json()["detail"]) == (
        400, 'This job is over ("Cancelled"): there is nothing to cancel.',
    )  # fmt: skip
    assert api.post(f"{JOBS}{job.pk}/retry/").json()["status"] == "queued"


def test_jobs_are_filtered_by_status_and_do_not_query_per_row(
    api: APIClient, job: Job, quick_source: Source, django_assert_max_num_queries: object
) -> None:
    Job.objects.update(status="failed")
    assert api.get(JOBS, {"status": "failed"}).json()["count"] == 1
    assert api.get(JOBS, {"status": "queued"}).json()["count"] == 0
    assert api.get(JOBS, {"status": "odd"}).status_code == 400
    Job.objects.bulk_create(Job(project=quick_source.project, source=quick_source, status="failed") for _ in range(20))
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        assert len(api.get(JOBS).json()["results"]) == 21


def test_models_are_listed_with_their_notice(api: APIClient) -> None:
    models = api.get("/api/v1/models/").json()
    assert models[0]["name"]
    assert all(model["trained"] or model["notice"] for model in models)
