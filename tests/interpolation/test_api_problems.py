"""Bad input to the API: whatever is wrong, the answer is a problem of RFC 9457 that says what and what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from frameinterp_site.problems import KINDS
from interpolation import services
from interpolation.models import Job, KeptAnswer, Project, Source

from .pages import finished_job

PROJECTS, SOURCES, JOBS = "/api/v1/projects/", "/api/v1/sources/", "/api/v1/jobs/"


def is_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.content)
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code), body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert body["type"] == f"/api/v1/problems/{code}/"
    assert body["title"] == KINDS[code].title
    assert body["detail"] and body["instance"].startswith("/api/v1/")
    return body


@pytest.fixture
def client(alice: User) -> Client:
    """As alice, with a token; errors that broke down are answered, not raised."""
    _, token = services.token_create(user=alice)
    return Client(headers={"Authorization": f"Token {token}"}, raise_request_exception=False)


def send(client: Client, path: str, body: str | bytes, kind: str = "application/json", **more: Any) -> HttpResponse:
    answer: Any = client.post(path, body, content_type=kind, **more)
    return answer


def test_every_kind_of_problem_can_be_looked_up(db: None) -> None:
    for code in KINDS:
        assert Client().get(f"/api/v1/problems/{code}/").json()["title"] == KINDS[code].title


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/nothing/", "/api/v1/jobs/7/", "/api/v1/jobs/not/there/at/all"])
def test_an_address_that_does_not_exist(client: Client, path: str) -> None:
    is_problem(client.get(path), 404, "not-found")
    is_problem(
        send(client, path, "{}"),
        404 if "7" not in path else 405,
        "not-found" if "7" not in path else "method-not-allowed",
    )


def test_a_forgotten_slash_is_named(client: Client) -> None:
    body = is_problem(send(client, "/api/v1/projects", '{"name": "x"}'), 404, "not-found")
    assert "/api/v1/projects/ with the slash" in body["detail"]


def test_a_method_that_is_not_taken(client: Client) -> None:
    answer = client.put(PROJECTS, "{}", content_type="application/json")
    is_problem(answer, 405, "method-not-allowed")
    assert answer.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_no_token_and_a_wrong_one(db: None) -> None:
    is_problem(Client().get(JOBS), 401, "not-authenticated")
    answer = Client(headers={"Authorization": "Token wrong"}).get(JOBS)
    is_problem(answer, 401, "not-authenticated")
    assert answer.headers["WWW-Authenticate"] == "Token"


def test_a_reading_token_may_not_write_and_a_form_needs_its_token(alice: User) -> None:
    _, token = services.token_create(user=alice, scope="read")
    reader = Client(headers={"Authorization": f"Token {token}"})
    assert "may only read" in is_problem(send(reader, PROJECTS, '{"name": "x"}'), 403, "forbidden")["detail"]
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    is_problem(send(browser, PROJECTS, '{"name": "x"}'), 403, "forbidden")


@pytest.mark.parametrize(
    "body", ["{", "", '{"name": NaN}', '{"name": "\\ud800"}', "[" * 100_000, b"\xff\xfe", '{"name": "x"} x']
)
def test_a_body_that_is_no_json(client: Client, body: str | bytes) -> None:
    answer = send(client, PROJECTS, body)
    if body == "":
        is_problem(answer, 400, "invalid")
    else:
        is_problem(answer, 400, "malformed")


@pytest.mark.parametrize("body", ["[]", "7", '"x"', "null"])
def test_a_body_that_is_no_object(client: Client, body: str) -> None:
    is_problem(send(client, PROJECTS, body), 400, "invalid")


def test_wrong_types_and_unknown_fields_are_named(client: Client, quick_source: Source) -> None:
    body = is_problem(send(client, PROJECTS, '{"name": ["x"], "colour": 1, "id": 2}'), 400, "invalid")
    assert [error["field"] for error in body["errors"]] == ["colour", "id"]
    assert "Choose of: name." in body["errors"][0]["detail"]
    options = {"inbetween": "many", "crf": {}, "format": "mp5"}
    body = is_problem(
        send(client, JOBS, json.dumps({"source": str(quick_source.pk), "options": options})), 400, "invalid"
    )
    assert {error["pointer"] for error in body["errors"]} == {
        "#/options/inbetween",
        "#/options/crf",
        "#/options/format",
    }
    body = is_problem(send(client, JOBS, json.dumps({"source": str(quick_source.pk), "options": []})), 400, "invalid")
    assert {error["field"] for error in body["errors"]} == {"options"}


def test_a_filter_that_does_not_exist(client: Client) -> None:
    body = is_problem(client.get(JOBS, {"statuss": "failed"}), 400, "invalid")
    assert "Choose of: project, source, status" in body["errors"][0]["detail"]
    is_problem(client.get(JOBS, {"created_after": "yesterday"}), 400, "invalid")
    is_problem(client.get(JOBS, {"cursor": "xyz"}), 400, "invalid")
    is_problem(client.get(JOBS, {"cursor": "cD1ub25zZW5zZQ=="}), 400, "invalid")  # p=nonsense


def test_a_wrong_content_type(client: Client) -> None:
    is_problem(send(client, PROJECTS, "name=x", "application/x-www-form-urlencoded"), 415, "unsupported-media-type")
    is_problem(send(client, JOBS, "<job/>", "text/xml"), 415, "unsupported-media-type")


def test_a_huge_body(client: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = is_problem(send(client, PROJECTS, json.dumps({"name": "x" * 2000})), 413, "too-large")
    assert "at most 1000 are taken" in body["detail"]


def test_too_many_calls(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {"anon": "9/min", "user": "2/min", "token": "9/min", "upload": "9/min", "job": "9/min"}
    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.THROTTLE_RATES", rates)
    answers = [client.get(PROJECTS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    is_problem(answers[-1], 429, "too-many-requests")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_what_breaks_inside_is_said_without_details(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**given: Any) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(services, "project_create", fail)
    body = is_problem(send(client, PROJECTS, '{"name": "x"}'), 500, "internal-error")
    assert "swordfish" not in json.dumps(body)


def test_a_finished_job_is_not_cancelled_and_an_unfinished_one_not_downloaded(
    client: Client, quick_source: Source
) -> None:
    done, waiting = finished_job(quick_source), services.job_create(source=quick_source, options={})
    is_problem(send(client, f"{JOBS}{done.pk}/cancel/", ""), 409, "conflict")
    is_problem(send(client, f"{JOBS}{done.pk}/retry/", ""), 409, "conflict")
    body = is_problem(client.get(f"{JOBS}{waiting.pk}/download/master/"), 409, "conflict")
    assert body["detail"] == 'This job is "Queued": there is no result.'
    is_problem(client.get(f"{JOBS}{waiting.pk}/figures/"), 409, "conflict")
    is_problem(client.get(f"{JOBS}{done.pk}/download/everything/"), 404, "not-found")


def test_a_film_that_was_purged_is_gone_and_a_part_beyond_its_end_is_not_there(
    client: Client, quick_source: Source, media_root: Path
) -> None:
    done = finished_job(quick_source)
    Job.objects.filter(pk=done.pk).update(master=f"jobs/{done.pk}/master.mp4")
    is_problem(client.get(f"{JOBS}{done.pk}/download/master/"), 410, "gone")
    done.directory.mkdir(parents=True)
    (done.directory / "master.mp4").write_bytes(b"0123456789")
    part = client.get(f"{JOBS}{done.pk}/download/master/", headers={"Range": "bytes=2-4"})
    assert (part.status_code, b"".join(part)) == (206, b"234")  # type: ignore[call-overload]
    answer = client.get(f"{JOBS}{done.pk}/download/master/", headers={"Range": "bytes=10-"})
    is_problem(answer, 416, "range-not-satisfiable")
    assert answer.headers["Content-Range"] == "bytes */10"


def test_what_is_somebody_elses_or_deleted_does_not_exist(
    client: Client, bob: User, project: Project, quick_source: Source
) -> None:
    theirs = services.project_create(owner=bob, name="Bob's")
    is_problem(client.get(f"{PROJECTS}{theirs.pk}/"), 404, "not-found")
    is_problem(send(client, SOURCES, json.dumps({"project": str(theirs.pk), "sample": True})), 404, "not-found")
    assert client.delete(f"{PROJECTS}{project.pk}/").status_code == 204
    is_problem(client.get(f"{PROJECTS}{project.pk}/"), 404, "not-found")
    is_problem(send(client, JOBS, json.dumps({"source": str(quick_source.pk)})), 404, "not-found")


def test_more_than_a_user_may_have(client: Client, quick_source: Source, settings: Settings) -> None:
    settings.USER_QUEUED_JOBS = 1
    assert send(client, JOBS, json.dumps({"source": str(quick_source.pk)})).status_code == 201
    body = is_problem(send(client, JOBS, json.dumps({"source": str(quick_source.pk)})), 403, "limit-reached")
    assert "1 of your jobs wait already" in body["detail"]


# -- Idempotency-Key ---------------------------------------------------------------------------------------------------


def test_the_same_call_with_the_same_key_makes_one_thing_and_gets_the_same_answer(
    client: Client, quick_source: Source
) -> None:
    body, key = json.dumps({"source": str(quick_source.pk)}), {"Idempotency-Key": "one"}
    first, second = (send(client, JOBS, body, headers=key) for _ in range(2))
    assert (first.status_code, second.status_code, first.content) == (201, 201, second.content)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert Job.objects.count() == 1
    changed = json.dumps({"source": str(quick_source.pk), "notes": "another"})
    is_problem(send(client, JOBS, changed, headers=key), 422, "key-reused")
    is_problem(send(client, PROJECTS, body, headers=key), 422, "key-reused")


def test_keys_are_each_users_own_and_end_after_a_day(client: Client, bob: User) -> None:
    body, key = '{"name": "x"}', {"Idempotency-Key": "one"}
    assert send(client, PROJECTS, body, headers=key).status_code == 201
    _, token = services.token_create(user=bob)
    bobs = Client(headers={"Authorization": f"Token {token}"})
    assert send(bobs, PROJECTS, '{"name": "y"}', headers=key).status_code == 201
    from datetime import timedelta

    from django.utils import timezone

    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert send(client, PROJECTS, '{"name": "z"}', headers=key).status_code == 201
    assert Project.objects.filter(owner__username="alice").count() == 2


def test_a_refused_call_does_not_use_up_its_key_and_a_first_call_at_work_is_named(client: Client, alice: User) -> None:
    key = {"Idempotency-Key": "one"}
    is_problem(send(client, PROJECTS, "{}", headers=key), 400, "invalid")
    assert send(client, PROJECTS, '{"name": "x"}', headers=key).status_code == 201
    KeptAnswer.objects.update(status=None)
    answer = send(client, PROJECTS, '{"name": "x"}', headers=key)
    is_problem(answer, 409, "in-progress")
    assert answer.headers["Retry-After"] == "2"
    is_problem(send(client, PROJECTS, '{"name": "x"}', headers={"Idempotency-Key": "x" * 201}), 400, "refused")


def test_an_upload_with_a_key_is_made_once(client: Client, project: Project, tiny_clip: Path) -> None:
    for _ in range(2):
        with tiny_clip.open("rb") as video:
            data = {"project": str(project.pk), "video": video}
            answer: Any = client.post(SOURCES, data, headers={"Idempotency-Key": "up"})
        assert answer.status_code == 201, answer.content
    assert Source.objects.count() == 1
    with tiny_clip.open("rb") as video:
        data = {"project": str(project.pk), "video": video, "fps": "12"}
        is_problem(client.post(SOURCES, data, headers={"Idempotency-Key": "up"}), 422, "key-reused")


def test_tokens_are_never_kept(alice: User, client: Client) -> None:
    given = json.dumps({"username": "alice", "password": "correct horse"})
    assert send(client, "/api/v1/token/", given, headers={"Idempotency-Key": "t"}).status_code == 201
    assert send(client, "/api/v1/tokens/", "{}", headers={"Idempotency-Key": "t"}).status_code == 201
    assert not KeptAnswer.objects.exists()
