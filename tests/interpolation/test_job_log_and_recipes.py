"""The page of a job for the curious: its log, the same as a command and as a script, the same with a newer model."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from engine.checkpoint import model_info
from interpolation import services
from interpolation.models import Job
from interpolation.views.recipes import recipes

from .pages import finished_job, job_of, person, source_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def test_lines_come_back_in_order_and_on_one_line_each() -> None:
    job = job_of(source_of(person("ada")))
    assert services.job_log(job) == []
    then = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)
    services.job_say(job.pk, "reading", then)
    services.job_say(job.pk, "failed:\n  no room", then)
    assert [(line.at, line.words) for line in services.job_log(job)] == [(then, "reading"), (then, "failed: no room")]


def test_of_a_long_log_the_last_lines_are_shown() -> None:
    job = job_of(source_of(person("ada")))
    for number in range(900):
        services.job_say(job.pk, f"line {number} " + "x" * 60)
    lines = services.job_log(job)
    assert len(lines) == 200
    assert lines[-1].words.startswith("line 899 ")


def test_a_job_that_failed_says_why_in_its_log_and_the_page_shows_it(client: Client) -> None:
    ada = person("ada")
    job = job_of(source_of(ada), "running", worker="host:1:x")
    assert services.job_fail(job_id=job.pk, worker="host:1:x", error="There is <no> room.")
    client.force_login(ada)
    page = client.get(job.get_absolute_url()).content.decode()
    assert "failed: There is &lt;no&gt; room." in page


def test_a_running_job_fetches_its_log_when_it_is_opened_and_then_again_and_again(client: Client) -> None:
    ada = person("ada")
    job = job_of(source_of(ada), "running")
    services.job_say(job.pk, "reading, 1 of 90")
    client.force_login(ada)
    assert 'hx-trigger="toggle from:closest details once"' in client.get(job.get_absolute_url()).content.decode()
    fragment = client.get(f"/jobs/{job.pk}/log/").content.decode()
    assert "reading, 1 of 90" in fragment and 'hx-trigger="every 2s"' in fragment
    Job.objects.filter(pk=job.pk).update(status="succeeded")
    assert "hx-trigger" not in client.get(f"/jobs/{job.pk}/log/").content.decode()


def sent(recipe: str) -> dict[str, Any]:
    """The body of a curl command, as a shell would hand it over."""
    words = shlex.split(recipe.replace("\\\n", " "))
    assert words[:2] == ["curl", "http://portal/api/v1/jobs/"]
    found: dict[str, Any] = json.loads(words[words.index("-d") + 1])
    return found


def test_the_command_says_the_source_and_what_is_not_usual() -> None:
    job = job_of(source_of(person("ada")), options={"inbetween": 3, "mode": "slow"})
    assert sent(recipes(job, "http://portal/api/v1/")["curl"]) == {
        "source": str(job.source_id),
        "options": {"inbetween": 3, "mode": "slow"},
    }


def test_the_script_compiles_and_names_the_file_as_the_film_is() -> None:
    job = finished_job(source_of(person("ada")))
    Job.objects.filter(pk=job.pk).update(master="jobs/x/master.webm")
    job.refresh_from_db()
    script = recipes(job, "http://portal/api/v1/")["python"]
    compile(script, "recipe.py", "exec")
    assert '"result.webm"' in script and str(job.source_id) in script


def test_what_was_drawn_by_older_weights_is_offered_again_with_the_newest(client: Client) -> None:
    ada = person("ada")
    source = source_of(ada)
    old, now = finished_job(source, model_sha256="0" * 64), finished_job(source, model_sha256=model_info().sha256)
    client.force_login(ada)
    assert f"/jobs/{old.pk}/again/" in client.get(old.get_absolute_url()).content.decode()
    assert f"/jobs/{now.pk}/again/" not in client.get(now.get_absolute_url()).content.decode()


def test_again_starts_the_same_with_the_default_model(client: Client) -> None:
    ada = person("ada")
    old = finished_job(source_of(ada))
    Job.objects.filter(pk=old.pk).update(options={**old.options, "inbetween": 4, "model": "blend"})
    client.force_login(ada)
    answer = client.post(f"/jobs/{old.pk}/again/")
    made = Job.objects.exclude(pk=old.pk).get()
    assert answer["Location"] == made.get_absolute_url()
    assert (made.options["inbetween"], made.options["model"], made.source_id) == (4, "default", old.source_id)
