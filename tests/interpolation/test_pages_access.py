"""Who may see what: strangers get 404, visitors are asked to sign in, changes need POST."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from interpolation.models import Job, Project, Source

from .pages import finished_job, job_of, person, source_of

pytestmark = pytest.mark.django_db

OF_JOB = ["job", "job-status"]
CHANGES_OF_JOB = ["job-cancel", "job-retry"]
MEMBERS = ["projects", "queue", "models", "account"]


@pytest.fixture
def alice_client(client: Client) -> Client:
    client.force_login(person("alice"))
    return client


@pytest.mark.parametrize("name", OF_JOB)
def test_a_stranger_gets_404_for_somebody_elses_job(alice_client: Client, name: str) -> None:
    job = job_of(source_of(person("bob")))
    assert alice_client.get(reverse(name, args=[job.pk])).status_code == 404


@pytest.mark.parametrize("name", CHANGES_OF_JOB)
def test_a_stranger_changes_nothing_of_somebody_elses_job(alice_client: Client, name: str) -> None:
    job = job_of(source_of(person("bob")))
    assert alice_client.post(reverse(name, args=[job.pk])).status_code == 404
    job.refresh_from_db()
    assert job.status == "queued" and job.cancel_requested_at is None


@pytest.mark.parametrize("name", ["job-new", "job-prediction"])
def test_a_stranger_gets_404_for_somebody_elses_source(alice_client: Client, name: str) -> None:
    assert alice_client.get(reverse(name, args=[source_of(person("bob")).pk])).status_code == 404


def test_a_stranger_removes_no_source(alice_client: Client) -> None:
    source = source_of(person("bob"))
    assert alice_client.post(reverse("source-delete", args=[source.pk])).status_code == 404
    assert Source.objects.filter(pk=source.pk).exists()


def test_a_stranger_gets_404_for_somebody_elses_project(alice_client: Client) -> None:
    project = source_of(person("bob")).project
    assert alice_client.get(reverse("project", args=[project.pk])).status_code == 404
    for name in ("source-upload", "source-sample", "project-delete"):
        assert alice_client.post(reverse(name, args=[project.pk])).status_code == 404
    assert Project.objects.filter(pk=project.pk).exists()


def test_the_list_of_projects_holds_ones_own_only(alice_client: Client) -> None:
    source_of(person("bob"))
    assert "Footage of bob" not in alice_client.get(reverse("projects")).content.decode()


@pytest.mark.parametrize("name", MEMBERS)
def test_a_visitor_is_asked_to_sign_in(client: Client, name: str) -> None:
    answer = client.get(reverse(name))
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{reverse('sign-in')}?next={reverse(name)}"


@pytest.mark.parametrize("name", CHANGES_OF_JOB)
def test_jobs_change_by_post_only(alice_client: Client, name: str) -> None:
    job = job_of(source_of(person("bob")))
    assert alice_client.get(reverse(name, args=[job.pk])).status_code == 405


def test_forms_without_a_csrf_token_are_refused_in_words() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("alice"))
    answer = client.post(reverse("project-new"), {"name": "x"})
    assert answer.status_code == 403
    assert "The form is out of date" in answer.content.decode()
    assert not Project.objects.exists()


def test_the_queue_hides_what_others_make(alice_client: Client) -> None:
    bobs = source_of(person("bob"))
    bobs.name = "secret.mov"
    bobs.save(update_fields=["name"])
    job_of(bobs)
    page = alice_client.get(reverse("queue")).content.decode()
    assert "secret.mov" not in page and "Footage of bob" not in page
    assert "Somebody else’s job" in page


def test_the_queue_is_in_the_order_in_which_jobs_are_taken(client: Client) -> None:
    alice, now = person("alice"), timezone.now()
    client.force_login(alice)
    source = source_of(alice)
    put_back, waiting, running = (job_of(source, status) for status in ("queued", "queued", "running"))
    Job.objects.filter(pk=put_back.pk).update(enqueued_at=now + timedelta(minutes=1))
    Job.objects.filter(pk=running.pk).update(started_at=now)
    page = client.get(reverse("queue")).content.decode()
    places = [page.index(job.get_absolute_url()) for job in (running, waiting, put_back)]
    assert places == sorted(places)


def test_visitors_see_what_this_is_and_users_their_projects(client: Client) -> None:
    assert "between the" in client.get(reverse("home")).content.decode()
    client.force_login(person("alice"))
    assert client.get(reverse("home")).headers["Location"] == reverse("projects")


def test_a_page_that_is_not_there_says_so(client: Client) -> None:
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert "This page is not here" in answer.content.decode()


@pytest.mark.parametrize("jobs", [1, 6])
def test_a_projects_page_asks_the_database_as_often_for_six_jobs_as_for_one(
    client: Client, jobs: int, django_assert_num_queries
) -> None:
    alice = person("alice")
    source = source_of(alice)
    for _ in range(jobs):
        finished_job(source)
    client.force_login(alice)
    with django_assert_num_queries(8):  # session, user, project, jobs, posters, holds, sources, unfinished uploads
        client.get(reverse("project", args=[source.project.pk]))


@pytest.mark.parametrize("projects", [1, 5])
def test_the_list_of_projects_is_one_query(client: Client, projects: int, django_assert_num_queries) -> None:
    alice = person("alice")
    for _ in range(projects):
        source_of(alice)
    client.force_login(alice)
    with django_assert_num_queries(4):  # session, user, projects, holds
        client.get(reverse("projects"))


@pytest.mark.parametrize("kind", ["job", "source", "project"])
def test_what_was_deleted_on_its_page_is_back_with_one_click(client: Client, kind: str) -> None:
    alice = person("alice")
    source = source_of(alice)
    thing = {"job": lambda: finished_job(source), "source": lambda: source, "project": lambda: source.project}[kind]()
    client.force_login(alice)
    told = client.post(reverse(f"{kind}-delete", args=[thing.pk]), follow=True).content.decode()
    again = reverse("restore", args=[kind, thing.pk])
    assert f'action="{again}"' in told and "Undo" in told
    client.post(again)
    thing.refresh_from_db()
    assert thing.deleted_at is None
