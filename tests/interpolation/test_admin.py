"""Administrators find everything, act on jobs and workers, and every act is in the audit log."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import DjangoCaptureOnCommitCallbacks

from frameinterp_site.holds import held, hold_set
from frameinterp_site.models import Hold, Worker
from frameinterp_site.operators import last_day
from interpolation import services
from interpolation.models import ApiToken, Job, Preview, Project, ShareLink, Source, UserLimits
from training.models import TrainingRun

from .pages import finished_job, job_of, person, source_of

MODELS = ["project", "source", "job", "preview", "sharelink", "apitoken"]


@pytest.fixture
def job(quick_source: Source) -> Job:
    job = services.job_create(source=quick_source, options={})
    Preview.objects.create(job=job, kind=Preview.Kind.POSTER, file="jobs/x/poster.jpg")
    return job


def test_lists_searches_filters_and_forms_work(job: Job, admin_client: Client, admin_user: User) -> None:
    ShareLink.objects.create(job=job)
    services.token_create(user=admin_user, name="tiny")
    rows: dict[str, Any] = dict(zip(MODELS, (Project, Source, Job, Preview, ShareLink, ApiToken), strict=True))
    for model in MODELS:
        pk = rows[model].objects.get().pk
        assert admin_client.get(f"/admin/interpolation/{model}/").status_code == 200, model
        assert admin_client.get(f"/admin/interpolation/{model}/?q=tiny").status_code == 200, model
        assert admin_client.get(f"/admin/interpolation/{model}/{pk}/change/").status_code == 200, model
    for query in ("deleted=no", "deleted=yes", "deleted=purged"):
        found = admin_client.get(f"/admin/interpolation/job/?{query}").content.decode()
        assert ("1 job" in found) is (query == "deleted=no"), query
    for address in ("auth/user/", "training/trainingrun/", "admin/logentry/", "frameinterp_site/worker/"):
        assert admin_client.get(f"/admin/{address}").status_code == 200, address


def test_jobs_that_have_no_model_yet_are_found_by_a_filter_with_words(db: None, admin_client: Client) -> None:
    source = source_of(person("maker"))
    waiting, done = job_of(source), finished_job(source)
    Job.objects.filter(pk=done.pk).update(model_name="trained_model")
    page = admin_client.get("/admin/interpolation/job/").content.decode()
    assert re.findall(r'<a href="\?model_name=(\w*)">([^<]*)</a>', page) == [
        ("", "none yet"),
        ("trained_model", "trained_model"),
    ]
    assert ">none yet (1)</a>" in admin_client.get("/admin/interpolation/job/?_facets=True").content.decode()
    page = admin_client.get("/admin/interpolation/job/?model_name=").content.decode()
    assert str(waiting.pk) in page and str(done.pk) not in page


def test_pages_have_the_portals_icon(admin_client: Client) -> None:
    """Else a browser asks for /favicon.ico and reports a 404."""
    assert 'rel="icon" href="/static/img/favicon' in admin_client.get("/admin/").content.decode()


def test_a_user_who_is_no_administrator_stays_out(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    assert client.get("/admin/interpolation/job/").status_code == 302


def act(client: Client, action: str, thing: Any, model: str = "job") -> str:
    response = client.post(
        f"/admin/interpolation/{model}/", {"action": action, "_selected_action": [str(thing.pk)]}, follow=True
    )
    return response.content.decode()


def audited(thing: Any) -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.filter(object_id=str(thing.pk))]


def test_cancel(job: Job, admin_client: Client) -> None:
    assert "Cancelled, or asked to stop: 1." in act(admin_client, "cancel", job)
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert "there is nothing to cancel" in act(admin_client, "cancel", job)
    assert audited(job) == ["cancelled, or asked to stop"]  # what was refused was not done


def test_requeue(job: Job, admin_client: Client) -> None:
    services.job_claim(job_id=job.pk, worker="hung")
    assert "Put back into the queue: 1." in act(admin_client, "requeue", job)
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("queued", 0)
    assert audited(job) == ["put back into the queue"]


def test_a_film_is_removed_and_its_previews_stay(db: None, admin_client: Client) -> None:
    job = finished_job(source_of(person("carol")))
    assert "Film removed, previews stay: 1." in act(admin_client, "purge_master", job)
    job.refresh_from_db()
    assert (job.master, job.previews.count()) == ("", 10)
    assert audited(job) == ["film removed, previews stay"]
    assert "removed, previews stay" not in act(admin_client, "purge_master", job)
    assert len(audited(job)) == 1


def test_figures_are_sent_to_be_measured_again_where_there_is_something_to_measure(
    job: Job, admin_client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    OrmQ.objects.all().delete()
    assert "Only videos that are done have held-out figures" in act(admin_client, "measure_again", job)
    Job.objects.update(status="succeeded")
    with django_capture_on_commit_callbacks(execute=True):
        assert "Sent to be measured again: 1." in act(admin_client, "measure_again", job)
    assert [message.func() for message in OrmQ.objects.all()] == ["interpolation.tasks.figures_run"]
    assert audited(job) == ["sent to be measured again"]


def test_what_was_deleted_is_brought_back(job: Job, admin_client: Client) -> None:
    services.project_delete(project=job.project)
    assert "Brought back: 1." in act(admin_client, "bring_back", job.project, "project")
    assert Project.objects.alive().count() == 1


def test_tokens_and_links_are_revoked(db: None, admin_client: Client, admin_user: User) -> None:
    job = finished_job(source_of(person("carol")))
    link = ShareLink.objects.create(job=job)
    token, _ = services.token_create(user=job.project.owner, name="script")
    act(admin_client, "revoke", link, "sharelink")
    act(admin_client, "revoke", token, "apitoken")
    link.refresh_from_db()
    assert (link.is_live, ApiToken.objects.count()) == (False, 0)
    assert audited(job.project.owner) == ["token “script” revoked"]


def test_staff_who_may_only_look_change_nothing(job: Job, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    bob.user_permissions.add(*Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(bob)
    assert client.get("/admin/interpolation/job/").status_code == 200
    assert client.get("/admin/status/").status_code == 200
    act(client, "cancel", job)
    assert client.post("/admin/status/hold/", {"queue": "interpolation", "mode": "drain"}).status_code == 403
    job.refresh_from_db()
    assert (job.status, Hold.objects.count(), LogEntry.objects.count()) == ("queued", 0, 0)


def test_jobs_and_sources_cannot_be_made_or_deleted_alone(job: Job, admin_client: Client) -> None:
    assert admin_client.get("/admin/interpolation/job/add/").status_code == 403
    assert admin_client.get("/admin/interpolation/source/add/").status_code == 403
    assert admin_client.post(f"/admin/interpolation/job/{job.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Job.objects.count() == 1


def test_nobody_changes_the_audit_log(job: Job, admin_client: Client) -> None:
    act(admin_client, "cancel", job)
    entry = LogEntry.objects.get()
    assert admin_client.post(f"/admin/admin/logentry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.post(f"/admin/admin/logentry/{entry.pk}/change/", {"change_message": "x"}).status_code == 403


def test_the_admin_gives_a_user_more_room(alice: User, admin_client: Client) -> None:
    page = admin_client.get(f"/admin/auth/user/{alice.pk}/change/").content.decode()
    assert "limits-0-queued_jobs" in page
    UserLimits.objects.create(user=alice, queued_jobs=3)
    assert services.limits_of(alice).queued_jobs == 3


# -- The status page ---------------------------------------------------------------------------------------------------


@pytest.fixture
def worker(db: None) -> Worker:
    now = timezone.now()
    return Worker.objects.create(
        queue="interpolation", host="render-1", pid=7, memory_bytes=3 << 30, started_at=now, seen_at=now
    )


def test_the_status_page_says_who_works_on_what(job: Job, worker: Worker, admin_client: Client) -> None:
    services.job_claim(job_id=job.pk, worker="render-1:9:x")
    page = admin_client.get("/admin/status/").content.decode()
    for words in ("render-1 (7)", "3.0\xa0GB", f'href="/jobs/{job.pk}/"', "No interpolation worker is alive"):
        assert words in page, words


def test_the_cluster_of_webhooks_is_not_said_to_train(worker: Worker, admin_client: Client) -> None:
    Worker.objects.update(queue="webhooks")
    TrainingRun.objects.create(name="night run", status="running", worker="render-1:9:x")
    assert "night run" not in admin_client.get("/admin/status/").content.decode().lower()
    Worker.objects.update(queue="training")
    assert "night run" in admin_client.get("/admin/status/").content.decode().lower()


def test_a_silent_worker_is_an_alarm_on_every_page_of_the_admin_until_it_is_forgotten(
    worker: Worker, admin_client: Client
) -> None:
    Worker.objects.update(seen_at=timezone.now() - timedelta(seconds=300))
    assert "The interpolation on render-1 has been silent for 30" in admin_client.get("/admin/").content.decode()
    admin_client.post(f"/admin/status/forget/{worker.pk}/")
    assert "has been silent" not in admin_client.get("/admin/interpolation/job/").content.decode()
    assert audited(worker) == ["forgotten: interpolation on render-1"]


def test_workers_are_held_and_released_and_both_is_in_the_log(admin_client: Client, admin_user: User) -> None:
    given = {"queue": "interpolation", "mode": "pause", "host": "", "reason": "new disk"}
    assert admin_client.post("/admin/status/hold/", given).status_code == 302
    assert held("interpolation") == "pause"
    hold = Hold.objects.get()
    assert (hold.reason, hold.created_by) == ("new disk", admin_user)
    assert "Workers are held: interpolation on all machines: pause" in admin_client.get("/admin/").content.decode()
    admin_client.post(f"/admin/status/hold/{hold.pk}/release/")
    assert held("interpolation") == ""
    assert audited(hold) == [
        "workers released: interpolation on all machines: pause",
        "workers held: interpolation on all machines: pause (new disk)",
    ]


def test_a_hold_of_nothing_is_refused(admin_client: Client) -> None:
    page = admin_client.post("/admin/status/hold/", {"queue": "x", "mode": "pause"}, follow=True).content.decode()
    assert "Choose a queue" in page
    assert not Hold.objects.exists()
    hold_set(queue="training", mode="drain")
    assert held("interpolation") == ""


def test_the_last_day_is_counted_by_the_hour(db: None) -> None:
    source, now = source_of(person("alice")), timezone.now()
    for hours, status in ((0, "succeeded"), (0, "failed"), (2, "succeeded"), (30, "succeeded")):
        end = now - timedelta(hours=hours)
        job_of(source, status, started_at=end - timedelta(minutes=3), finished_at=end, frames_done=100)
    found = last_day()
    assert len(found["hours"]) == 24
    assert [found["hours"][-1][name] for name in ("done", "failed", "frames", "busy_minutes")] == [1, 1, 100, 3.0]
    assert found["hours"][-3]["done"] == 1
    assert found["day"] == {"done": 2, "failed": 1, "cancelled": 0, "frames": 200, "busy_minutes": 6.0}
    assert found["most"] == 2
