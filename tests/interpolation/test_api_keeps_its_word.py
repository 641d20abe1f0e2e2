"""The API against its own description: whatever is sent, no server error and no answer that is not described."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from pytest_django.fixtures import Settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from interpolation import services
from interpolation.models import Source

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
CASES = 2  # good ones of every call, and as many bad ones
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
NOT_SENT = {"/api/v1/sources/pairs/"}  # files made of chance take a second each to be looked into


def test_the_description_is_valid_and_complete(db: None) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=StringIO())


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests leave the connection open, as with Django's own test client: what they do is undone at the end."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("one_connection")
def test_no_call_gets_a_server_error_or_an_answer_that_is_not_described(
    alice: User, source: Source, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_CLASSES": []}
    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.THROTTLE_RATES", dict.fromkeys(RATES, "9999/min"))
    monkeypatch.setattr(services, "source_create_sample", lambda *, project: source)
    _, token = services.token_create(user=alice)
    job = services.job_create(source=source, options={}, user=alice)
    hook = services.webhook_create(project=source.project, user=alice, url="https://example.org/")
    names = {"project": source.project_id, "source": source.pk, "job": job.pk, "webhook": hook.pk}
    described = schemathesis.openapi.from_wsgi("/api/schema/?format=json", get_wsgi_application())
    seen: Counter[str] = Counter()
    for operation in described.get_all_operations():
        if operation.ok().path not in NOT_SENT:
            try_out(operation.ok(), f"Token {token}", {name: str(pk) for name, pk in names.items()}, seen)
    print(f"schemathesis: {sum(seen.values())} cases, answers {dict(sorted(seen.items()))}")
    assert sum(seen.values()) > 150
    assert seen["200"] and seen["201"] and seen["400"] and seen["404"]


RATES = ("anon", "user", "upload", "job", "token")


def try_out(operation: Any, token: str, names: dict[str, str], seen: Counter[str]) -> None:
    """Good calls to things that exist, and bad ones."""
    for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
        kind = operation.path.removeprefix("/api/v1/").partition("/")[0].rstrip("s")
        there = (
            names.get(kind) if mode is schemathesis.GenerationMode.POSITIVE and operation.method != "delete" else None
        )

        @settings(
            max_examples=CASES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def one(case: Any) -> None:
            if there and "id" in (case.path_parameters or {}):  # noqa: B023 - it is called in this round
                case.path_parameters["id"] = there  # noqa: B023
            if isinstance(case.body, dict):
                case.body.update({name: names[name] for name in ("project", "source") if name in case.body})
            response = case.call(headers={"Authorization": token})
            seen[str(response.status_code)] += 1
            case.validate_response(response, checks=CHECKS)

        with suppress(Unsatisfiable):  # there is nothing to send wrong
            one()
