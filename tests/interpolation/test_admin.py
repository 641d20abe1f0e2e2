"""Administrators find everything, and requeue or cancel jobs."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from interpolation import services
from interpolation.models import Job, Preview, Project, Source

MODELS = ["project", "source", "job", "preview"]


@pytest.fixture
def job(quick_source: Source) -> Job:
    job = services.job_create(source=quick_source, options={})
    Preview.objects.create(job=job, kind=Preview.Kind.POSTER, file="jobs/x/poster.jpg")
    return job


@pytest.mark.parametrize("model", MODELS)
def test_lists_searches_and_forms_work(job: Job, admin_client: Client, model: str) -> None:
    rows = {"project": Project, "source": Source, "job": Job, "preview": Preview}
    pk = rows[model].objects.get().pk
    assert admin_client.get(f"/admin/interpolation/{model}/").status_code == 200
    assert admin_client.get(f"/admin/interpolation/{model}/?q=tiny").status_code == 200
    assert admin_client.get(f"/admin/interpolation/{model}/{pk}/change/").status_code == 200


def test_a_user_who_is_no_administrator_stays_out(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    assert client.get("/admin/interpolation/job/").status_code == 302


def act(client: Client, action: str, job: Job) -> str:
    response = client.post(
        "/admin/interpolation/job/", {"action": action, "_selected_action": [str(job.pk)]}, follow=True
    )
    return response.content.decode()


def test_cancel(job: Job, admin_client: Client) -> None:
    assert "1 job(s) cancelled, or asked to stop." in act(admin_client, "cancel", job)
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert "there is nothing to cancel" in act(admin_client, "cancel", job)


def test_requeue(job: Job, admin_client: Client) -> None:
    services.job_claim(job_id=job.pk, worker="hung")
    assert "1 job(s) put back into the queue." in act(admin_client, "requeue", job)
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("queued", 0)


def test_jobs_and_sources_cannot_be_made_or_deleted_alone(job: Job, admin_client: Client) -> None:
    assert admin_client.get("/admin/interpolation/job/add/").status_code == 403
    assert admin_client.get("/admin/interpolation/source/add/").status_code == 403
    assert admin_client.post(f"/admin/interpolation/job/{job.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Job.objects.count() == 1
