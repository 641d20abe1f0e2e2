"""Tokens, the description of the API, and its page, all without the internet."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from jsonschema import Draft202012Validator
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient


def test_create_token_prints_a_token_that_works(alice: User) -> None:
    out = StringIO()
    call_command("create_token", "alice", stdout=out)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {out.getvalue().strip()}")
    assert client.get("/api/v1/projects/").status_code == 200
    client.credentials(HTTP_AUTHORIZATION="Token wrong")
    assert client.get("/api/v1/projects/").status_code == 401


def test_create_token_names_who_is_missing(db: None) -> None:
    with pytest.raises(CommandError, match='no user "carol"'):
        call_command("create_token", "carol")


def test_create_token_in_a_folder_without_a_portal_says_so(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(User._meta, "db_table", "nothing_of_this_name")
    with pytest.raises(CommandError, match=r"does not answer as a portal's: .*Is INBETWEEN_DATA"):
        call_command("create_token", "carol")
    connection.needs_rollback = False


def test_a_closed_account_gets_no_token(alice: User) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="closed"):
        call_command("create_token", "alice")


def test_name_and_password_give_a_token(alice: User) -> None:
    response = APIClient().post("/api/v1/token/", {"username": "alice", "password": "correct horse"}, format="json")
    assert response.status_code == 201
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {response.json()['token']}")
    assert client.get("/api/v1/jobs/").status_code == 200


def test_a_wrong_password_gives_none_and_the_name_is_locked_after_some_tries(alice: User, settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    client = APIClient()
    statuses = []
    for password in ("no", "no", "no", "correct horse"):
        answer = client.post("/api/v1/token/", {"username": "alice", "password": password}, format="json")
        statuses.append(answer.status_code)
    assert statuses == [403, 403, 429, 429]
    assert answer.json()["detail"] == "Too many wrong passwords for this name. Try again in 15 minutes."
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_locked_name_is_told_so_on_the_sign_in_page(alice: User, settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    client = Client()
    for _ in range(2):
        page = client.post("/sign-in/", {"username": "alice", "password": "no"})
    assert (page.status_code, page.headers["Location"]) == (302, "/sign-in/")
    assert (
        "Too many wrong passwords for this name. Try again in 15 minutes." in client.get("/sign-in/").content.decode()
    )
    client.post("/sign-in/", {"username": "alice", "password": "correct horse"})
    assert client.get("/projects/").status_code == 302


def test_who_asks_too_often_is_told_to_wait(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {"anon": "9/min", "user": "9/min", "token": "2/hour", "upload": "9/hour", "job": "9/hour"}
    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.THROTTLE_RATES", rates)
    client = APIClient()
    data = {"username": "alice", "password": "correct horse"}
    statuses = [client.post("/api/v1/token/", data, format="json").status_code for _ in range(3)]
    assert statuses == [201, 201, 429]


def test_a_session_needs_the_forms_token_to_write(alice: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.get("/api/v1/projects/").status_code == 200
    assert client.post("/api/v1/projects/", {"name": "x"}, format="json").status_code == 403


def test_the_schema_names_every_address(db: None) -> None:
    schema = Client().get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    assert schema["openapi"] == "3.1.0"
    assert {"/api/v1/projects/", "/api/v1/sources/", "/api/v1/jobs/{id}/", "/api/v1/jobs/{id}/cancel/"} <= set(
        schema["paths"]
    )


def test_every_call_says_in_a_sentence_what_it_does(db: None) -> None:
    schema = Client().get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    calls = {(m, path): call for path, calls in schema["paths"].items() for m, call in calls.items()}
    assert len(calls) >= 80
    for name, call in calls.items():
        assert 6 <= len(call["summary"]) <= 160, name
        assert call["description"].startswith(call["summary"][:6]), name
        assert "view set" not in call["description"] and "Act." not in call["description"], name
    assert calls["get", "/api/v1/projects/{id}/"]["summary"] == "One project"
    assert calls["post", "/api/v1/jobs/"]["summary"] == "Start a job"


def test_every_body_has_an_example_that_is_as_described(db: None) -> None:
    schema = Client().get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    bodies = {
        (method, path): operation["requestBody"]["content"]["application/json"]
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    assert len(bodies) >= 20
    for call, body in bodies.items():
        assert body.get("examples"), call
        for example in body["examples"].values():
            Draft202012Validator({**body["schema"], "components": schema["components"]}).validate(example["value"])


def test_the_page_of_the_api_loads_nothing_from_elsewhere(db: None) -> None:
    page = Client().get("/api/docs/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "https://" not in text
    assert "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in text
    assert "<script>" not in text
    assert Client().get("/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js").status_code == 200
