"""Jobs through the API: start, poll, cancel, try again, list."""

from __future__ import annotations

from dataclasses import fields

import pytest
from rest_framework.test import APIClient

from engine.config import CHOICES, RenderOptions
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
        ({"inbetween": 11}, "options.inbetween", "Choose 1 to 10 in-between frames."),
        ({"inbetween": 0}, "options.inbetween", "Choose 1 to 10 in-between frames."),
        ({"in_between": 3}, "options.in_between", "There is no such setting. Choose of: mode, inbetween,"),
        ({"model": "best"}, "", 'no model "best"'),
    ],
)
def test_wrong_settings_are_refused_in_words(
    api: APIClient, quick_source: Source, options: dict[str, object], field: str, words: str
) -> None:
    response = api.post(JOBS, {"source": str(quick_source.pk), "options": options}, format="json")
    assert response.status_code == 400
    found = response.json()
    assert [error["field"] for error in found.get("errors", [{"field": ""}])] == [field]
    assert words in found["detail"]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("options", "name", "words"),
    [
        ({"resolution": [3, 3]}, "resolution", "3x3 is out of range."),
        ({"mode": "fps", "target_fps": "NaN"}, "target_fps", '"NaN" is not a frame rate.'),
        ({"mode": "fps", "target_fps": "1e9"}, "target_fps", "1e9 fps is out of range."),
        ({"mode": "fps"}, "target_fps", "Exact-rate mode needs the frame rate to reach"),
        ({"mode": "backwards"}, "mode", '"backwards" is not known. Choose smooth, slow or fps.'),
        ({"format": "avi"}, "format", '"avi" is not known. Choose mp4_h264, mp4_h265,'),
        ({"quality": 101}, "quality", "Choose 0 (smallest file) to 100 (best)."),
        ({"quality": "fine"}, "quality", "A valid integer is required."),
        ({"crf": 64}, "crf", "Choose 0 (best) to 51 (H.264, H.265) or 63 (AV1, VP9)."),
        ({"crf": 60}, "crf", "CRF 60 is out of range. For MP4, H.264 choose 0 (best) to 51"),
        ({"crf": 18, "format": "webp"}, "crf", "WebP has no CRF."),
        ({"bit_depth": "10", "format": "gif"}, "bit_depth", "GIF is written with 8 bits a channel."),
        ({"bit_depth": "12"}, "bit_depth", '"12" is not known. Choose auto, 8 or 10.'),
        ({"encoder": "nvenc", "format": "mov_prores"}, "encoder", "NVENC does not write MOV, ProRes 422"),
        ({"sound": "loud"}, "sound", '"loud" is not known. Choose keep, stretch or drop.'),
        ({"deinterlace": "yes"}, "deinterlace", '"yes" is not known. Choose auto or off.'),
        ({"cut": "fade"}, "cut", '"fade" is not known. Choose hold or crossfade.'),
        ({"duplicates": "drop", "loop": True}, "duplicates", "Taking out repeated frames draws nothing new."),
        ({"trim_start": "soon"}, "trim_start", '"soon" is not a time.'),
        ({"trim_start": 600}, "trim_start", "s long. Choose an earlier start."),
        ({"trim_start": 2, "trim_end": "0:01"}, "trim_end", "The end of the part to use lies before its start."),
        ({"loop": "round"}, "loop", "Must be a valid boolean."),
    ],
)
def test_what_is_wrong_is_said_under_the_name_of_the_setting(
    api: APIClient, quick_source: Source, options: dict[str, object], name: str, words: str
) -> None:
    response = api.post(JOBS, {"source": str(quick_source.pk), "options": options}, format="json")
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert (error["field"], error["pointer"]) == (f"options.{name}", f"#/options/{name}")
    assert words in error["detail"]
    assert not Job.objects.exists()


EVERYTHING = {
    "mode": "slow", "inbetween": 3, "target_fps": None, "resolution": [64, 48], "model": "default", "cut": "crossfade",
    "crf": 30, "held_out": False, "format": "webm_vp9", "quality": 35, "bit_depth": "8", "encoder": "software",
    "sound": "stretch", "duplicates": "retime", "deinterlace": "off", "trim_start": "0.1", "trim_end": "1:02.5",
    "loop": True,
}  # fmt: skip


def test_every_option_of_the_engine_is_taken_and_shown(api: APIClient, quick_source: Source) -> None:
    assert set(EVERYTHING) == {field.name for field in fields(RenderOptions)}
    response = api.post(JOBS, {"source": str(quick_source.pk), "options": EVERYTHING}, format="json")
    assert response.status_code == 201, response.content
    exact = EVERYTHING | {"trim_start": "1/10", "trim_end": "125/2"}
    assert response.json()["options"] == exact
    assert Job.objects.get().options == exact


def test_a_part_of_two_pictures_cannot_be_asked_for(api: APIClient, quick_source: Source) -> None:
    Source.objects.update(kind="pictures")
    options = {"trim_end": 1, "duplicates": "retime"}
    response = api.post(JOBS, {"source": str(quick_source.pk), "options": options}, format="json")
    errors = {error["field"]: error["detail"] for error in response.json()["errors"]}
    assert (response.status_code, errors) == (400, {
        "options.trim_end": "Two pictures have no part to cut out. Leave it empty.",
        "options.duplicates": "Two pictures have no repeated frames. Choose keep.",
    })  # fmt: skip
    with pytest.raises(services.ServiceError, match="no part to cut out"):
        services.job_create(source=Source.objects.get(), options=options)


def test_the_description_of_the_api_names_all_choices_and_says_what_each_option_is_for(api: APIClient) -> None:
    schemas = api.get("/api/schema/?format=json").json()["components"]["schemas"]
    described = schemas["OptionsRequest"]["properties"]
    assert set(described) == set(EVERYTHING)
    assert all(entry.get("description") for entry in described.values())
    for name, choices in CHOICES.items():
        enum = described[name]["allOf"][0]["$ref"].split("/")[-1]
        assert schemas[enum]["enum"] == list(choices)
    assert (described["quality"]["maximum"], described["crf"]["maximum"]) == (100, 63)


def test_polling_shows_progress(api: APIClient, job: Job) -> None:
    services.job_claim(job_id=job.pk, worker="a")
    services.job_progress(
        job_id=job.pk, worker="a", stage="interpolating", frames_done=5, frames_total=20, eta_seconds=7.4
    )
    found = api.get(f"{JOBS}{job.pk}/").json()
    progress = found["progress"]
    assert (found["status"], progress["stage"], progress["percent"], progress["eta_seconds"]) == (
        "running", "interpolating", 26, 7,
    )  # fmt: skip
    assert (progress["frames_done"], progress["frames_total"]) == (5, 20)
    services.job_progress(job_id=job.pk, worker="a", stage="evaluating", frames_done=0, frames_total=4)
    assert api.get(f"{JOBS}{job.pk}/").json()["progress"]["percent"] == 82  # of the whole job: it goes on, not anew


def test_a_finished_job_lists_previews_and_downloads(api: APIClient, job: Job) -> None:
    Job.objects.update(
        status="succeeded", master="jobs/x/master.mp4", metrics={"cuts": [1.5]}, certificate={"ok": True}
    )
    Preview.objects.create(job=job, kind="poster", file="jobs/x/poster.jpg")
    found = api.get(f"{JOBS}{job.pk}/").json()
    assert found["progress"]["percent"] == 100
    assert found["downloads"] == {
        "master": f"http://testserver/api/v1/jobs/{job.pk}/download/master/",
        "figures": f"http://testserver/api/v1/jobs/{job.pk}/download/figures/",
    }
    assert found["previews"] == [
        {"kind": "poster", "position": 0, "time": None, "file": "http://testserver/media/jobs/x/poster.jpg"}
    ]
    assert found["certificate"] == {"ok": True}
    assert api.get(f"{JOBS}{job.pk}/frames/").json()["cuts"] == [1.5]
    assert api.get(f"{JOBS}{job.pk}/figures/").json()["metrics"] == {"cuts": [1.5]}
    assert api.get(JOBS).json()["results"] == [found]


def test_cancel_and_retry(api: APIClient, job: Job) -> None:
    assert api.post(f"{JOBS}{job.pk}/cancel/").json()["status"] == "cancelled"
    again = api.post(f"{JOBS}{job.pk}/cancel/")
    assert (again.status_code, again.json()["detail"]) == (
        409, 'This job is over ("Cancelled"): there is nothing to cancel.',
    )  # fmt: skip
    assert api.post(f"{JOBS}{job.pk}/retry/").json()["status"] == "queued"


def test_jobs_are_filtered_by_status_and_do_not_query_per_row(
    api: APIClient, job: Job, quick_source: Source, django_assert_max_num_queries: object
) -> None:
    Job.objects.update(status="failed")
    assert len(api.get(JOBS, {"status": "failed"}).json()["results"]) == 1
    assert len(api.get(JOBS, {"status": "queued"}).json()["results"]) == 0
    assert api.get(JOBS, {"status": "odd"}).status_code == 400
    Job.objects.bulk_create(Job(project=quick_source.project, source=quick_source, status="failed") for _ in range(20))
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        assert len(api.get(JOBS).json()["results"]) == 21


def test_models_are_listed_with_their_notice(api: APIClient) -> None:
    models = api.get("/api/v1/models/").json()
    assert models[0]["name"]
    assert all(model["trained"] or model["notice"] for model in models)
