"""What a script may rely on: pages of lists, filters, limits of calls, and what each of the smaller calls answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from engine.config import TrainConfig
from interpolation import services
from interpolation.models import Job, Project, Source
from training.models import TrainingRun

from .pages import finished_job, job_of, source_of

JOBS = "/api/v1/jobs/"


def ids(answer: Any) -> list[str]:
    return [entry["id"] for entry in answer.json()["results"]]


# -- Lists -------------------------------------------------------------------------------------------------------------


def test_from_page_to_page_nothing_is_left_out_or_told_twice_while_new_jobs_are_made(
    api: APIClient, quick_source: Source
) -> None:
    made = [str(job_of(quick_source).pk) for _ in range(7)]
    page = api.get(JOBS, {"page_size": 3})
    seen = ids(page)
    while page.json()["next"]:
        job_of(quick_source)
        page = api.get(page.json()["next"])
        seen += ids(page)
    assert seen == made[::-1]
    assert ids(api.get(page.json()["previous"])) == made[1:4][::-1]


def test_a_page_holds_fifty_and_never_more_than_two_hundred(api: APIClient, quick_source: Source) -> None:
    Job.objects.bulk_create(Job(project=quick_source.project, source=quick_source) for _ in range(205))
    assert len(ids(api.get(JOBS))) == 50
    assert len(ids(api.get(JOBS, {"page_size": 1000}))) == 200


def test_every_filter_of_jobs_finds_what_it_says(api: APIClient, alice: User, quick_source: Source) -> None:
    other = source_of(alice)
    old = job_of(quick_source, "failed", model_name="garden")
    new = job_of(other, "cancelled", trial=True)
    Job.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    services.job_tag(job=old, tags=["Night"])
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()
    for job, filters in (
        (old, {"project": quick_source.project_id}),
        (old, {"source": quick_source.pk}),
        (old, {"status": "failed"}),
        (old, {"model": "garden"}),
        (old, {"tag": "night"}),
        (old, {"name": "TINY"}),
        (old, {"trial": "false"}),
        (old, {"created_before": yesterday}),
        (new, {"created_after": yesterday}),
        (new, {"trial": "true"}),
    ):
        assert ids(api.get(JOBS, filters)) == [str(job.pk)], filters
    assert len(ids(api.get(JOBS, {"status": ["failed", "cancelled"]}))) == 2


# -- Jobs --------------------------------------------------------------------------------------------------------------


def test_a_job_is_run_anew_with_what_is_to_be_different(api: APIClient, quick_source: Source) -> None:
    first = services.job_create(source=quick_source, options={"inbetween": 3, "cut": "crossfade"})
    again = api.post(f"{JOBS}{first.pk}/rerun/", {"options": {"inbetween": 1}}, format="json")
    assert again.status_code == 201
    options = again.json()["options"]
    assert (again.json()["id"] != str(first.pk), options["inbetween"], options["cut"]) == (True, 1, "crossfade")
    refused = api.post(f"{JOBS}{first.pk}/rerun/", {"options": {"in_between": 1}}, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "options.in_between")


def test_a_source_of_another_user_is_not_there_for_a_job(bobs_api: APIClient, quick_source: Source) -> None:
    for path, data in (
        (JOBS, {"source": str(quick_source.pk)}),
        ("/api/v1/trials/", {"source": str(quick_source.pk), "second": {"inbetween": 2}}),
        (f"/api/v1/sources/{quick_source.pk}/prediction/", {}),
    ):
        answer = bobs_api.post(path, data, format="json")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), path
    assert not Job.objects.exists()


def test_previews_flow_and_figures_of_every_frame(api: APIClient, quick_source: Source) -> None:
    job = finished_job(quick_source)
    kinds = [entry["kind"] for entry in api.get(f"{JOBS}{job.pk}/previews/").json()]
    assert {"video", "poster", "frame", "flow_model"} <= set(kinds)
    assert {entry["kind"] for entry in api.get(f"{JOBS}{job.pk}/previews/", {"kind": "frame"}).json()} == {"frame"}
    assert api.get(f"{JOBS}{job.pk}/previews/", {"kind": "sound"}).status_code == 400
    flow = [entry["kind"] for entry in api.get(f"{JOBS}{job.pk}/flow/").json()]
    assert sorted(flow) == ["flow_farneback", "flow_model"]
    frames = api.get(f"{JOBS}{job.pk}/frames/").json()
    assert (len(frames["held_out"]), frames["held_out"][0]["psnr"], frames["cuts"]) == (5, 36.0, [1.5])
    assert api.get(f"{JOBS}{job.pk}/figures/").json()["metrics"]["held_out"]["psnr"] == 36.42


# -- One's own account, the queue, tokens, webhooks --------------------------------------------------------------------


def test_the_queue_tells_ones_own_place_and_of_others_only_that_they_are_there(
    api: APIClient, bobs_api: APIClient, quick_source: Source
) -> None:
    job = services.job_create(source=quick_source, options={})
    mine, theirs = (client.get("/api/v1/queue/").json() for client in (api, bobs_api))
    assert (mine["waiting"], mine["my_next_place"], mine["entries"][0]["job"]) == (1, 1, str(job.pk))
    assert (theirs["waiting"], theirs["my_next_place"], theirs["entries"][0]["job"]) == (1, None, None)


def test_the_account_tells_limits_and_what_is_used(api: APIClient, alice: User, quick_source: Source) -> None:
    services.job_create(source=quick_source, options={}, user=alice)
    found = api.get("/api/v1/account/").json()
    assert (found["username"], found["is_staff"]) == ("alice", False)
    assert (found["usage"]["queued_jobs"], found["usage"]["running_jobs"]) == (1, 0)
    assert set(found["limits"]) >= {"running_jobs", "queued_jobs", "storage_bytes", "upload_bytes"}


def test_a_token_is_listed_without_its_secret_and_over_once_it_is_deleted(api: APIClient) -> None:
    made = api.post("/api/v1/tokens/", {"name": "script", "scope": "read", "days": 3}, format="json").json()
    (listed,) = api.get("/api/v1/tokens/").json()
    assert (listed["name"], listed["scope"], made["token"] in str(listed)) == ("script", "read", False)
    script = Client(headers={"Authorization": f"Token {made['token']}"})
    assert script.get(JOBS).status_code == 200
    assert api.delete(f"/api/v1/tokens/{made['id']}/").status_code == 204
    assert script.get(JOBS).status_code == 401


def test_a_webhook_is_tried_out_and_what_was_sent_is_listed_and_repeated(api: APIClient, project: Project) -> None:
    given = {"project": str(project.pk), "url": "https://example.org/"}
    hook = f"/api/v1/webhooks/{api.post('/api/v1/webhooks/', given, format='json').json()['id']}/"
    sent = api.post(f"{hook}ping/")
    assert (sent.status_code, sent.json()["event"]) == (202, "ping")
    assert ids(api.get(f"{hook}deliveries/")) == [sent.json()["id"]]
    again = api.post(f"{hook}deliveries/{sent.json()['id']}/repeat/")
    assert (again.status_code, again.json()["id"]) == (202, sent.json()["id"])


# -- Limits of calls ---------------------------------------------------------------------------------------------------


def throttled(monkeypatch: pytest.MonkeyPatch, **rates: str) -> None:
    usual = dict.fromkeys(("anon", "user", "token", "upload", "job"), "99/min")
    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.THROTTLE_RATES", usual | rates)


def test_new_jobs_and_uploads_have_limits_of_their_own_and_looking_goes_on(
    api: APIClient, project: Project, quick_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    throttled(monkeypatch, job="2/hour", upload="2/hour")
    jobs = [api.post(JOBS, {"source": str(quick_source.pk)}, format="json") for _ in range(3)]
    assert [answer.status_code for answer in jobs] == [201, 201, 429]
    sources = [api.post("/api/v1/sources/", {"project": str(project.pk)}) for _ in range(3)]
    assert [answer.status_code for answer in sources] == [400, 400, 429]
    assert 1 <= int(sources[-1].headers["Retry-After"]) <= 3600
    assert api.get(JOBS).status_code == 200


def test_who_has_no_token_is_limited_by_address(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    throttled(monkeypatch, anon="2/min")
    statuses = [Client().get("/api/v1/problems/").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


# -- Training ----------------------------------------------------------------------------------------------------------


def test_an_administrator_starts_stops_and_goes_on_with_training(db: None) -> None:
    api = APIClient()
    api.force_authenticate(User.objects.create_superuser("root"))
    made = api.post("/api/v1/training-runs/", {"name": "garden", "epochs": 2}, format="json")
    assert (made.status_code, made.json()["progress"]["status"]) == (201, "queued")
    run = f"/api/v1/training-runs/{made.json()['id']}/"
    assert api.post(f"{run}stop/").json()["progress"]["status"] == "cancelled"
    assert api.post(f"{run}resume/").json()["progress"]["status"] == "queued"
    assert api.post(f"{run}resume/").status_code == 409
    assert (api.get(f"{run}epochs/").json(), api.get(f"{run}curve/").json()) == ([], {"curve": []})
    unknown = api.post("/api/v1/training-runs/", {"name": "garden", "epoch": 2}, format="json")
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (400, "epoch")


def test_a_run_that_is_over_is_not_stopped(db: None) -> None:
    root = User.objects.create_superuser("root")
    api = APIClient()
    api.force_authenticate(root)
    config = TrainConfig(model_path="x.pth", synthetic=True).to_dict()
    run = TrainingRun.objects.create(owner=root, name="run", status="succeeded", config=config)
    answer = api.post(f"/api/v1/training-runs/{run.pk}/stop/")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
