"""What is Alice's does not exist for Bob, nor for someone who is not signed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from interpolation import services
from interpolation.models import Job, Preview, Source

Address = Callable[[Job], str]

PAGES: dict[str, Address] = {
    "project": lambda job: f"/projects/{job.project_id}/",
    "new job": lambda job: f"/sources/{job.source_id}/jobs/new/",
    "job": lambda job: f"/jobs/{job.pk}/",
    "job status": lambda job: f"/jobs/{job.pk}/status/",
}
FILES: dict[str, Address] = {
    "source": lambda job: f"/media/{job.source.file}",
    "preview": lambda job: f"/media/jobs/{job.pk}/preview.mp4",
    "master": lambda job: f"/jobs/{job.pk}/download/master/",
    "figures": lambda job: f"/jobs/{job.pk}/download/figures/",
}
API: dict[str, Address] = {
    "project": lambda job: f"/api/v1/projects/{job.project_id}/",
    "source": lambda job: f"/api/v1/sources/{job.source_id}/",
    "job": lambda job: f"/api/v1/jobs/{job.pk}/",
}


@pytest.fixture
def job(source: Source) -> Job:
    """A job of alice's that is done."""
    job = services.job_create(source=source, options={})
    job.directory.mkdir(parents=True)
    for name in ("master.mp4", "preview.mp4"):
        (job.directory / name).write_bytes(b"0123456789")
    Preview.objects.create(job=job, kind=Preview.Kind.VIDEO, file=f"jobs/{job.pk}/preview.mp4")
    Job.objects.update(status=Job.Status.SUCCEEDED, master=f"jobs/{job.pk}/master.mp4")
    job.refresh_from_db()
    return job


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("name", FILES)
def test_files_are_for_their_owner(job: Job, alice: User, bob: User, name: str) -> None:
    address = FILES[name](job)
    assert signed_in(alice).get(address).status_code == 200
    assert signed_in(bob).get(address).status_code == 404
    assert Client().get(address).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_for_their_owner(job: Job, alice: User, bob: User, name: str) -> None:
    address = PAGES[name](job)
    assert signed_in(alice).get(address).status_code == 200
    assert signed_in(bob).get(address).status_code == 404
    stranger = Client().get(address)
    assert (stranger.status_code, stranger.headers["Location"].split("?")[0]) == (302, "/sign-in/")


@pytest.mark.parametrize("name", API)
def test_the_api_is_for_the_owner(job: Job, api: APIClient, bobs_api: APIClient, name: str) -> None:
    address = API[name](job)
    assert api.get(address).status_code == 200
    assert bobs_api.get(address).status_code == 404
    assert APIClient().get(address).status_code == 401


@pytest.mark.parametrize("what", ["projects", "sources", "jobs"])
def test_lists_hold_ones_own_only(job: Job, api: APIClient, bobs_api: APIClient, what: str) -> None:
    assert len(api.get(f"/api/v1/{what}/").json()["results"]) == 1
    assert bobs_api.get(f"/api/v1/{what}/").json()["results"] == []


def test_bob_cannot_use_what_is_alices(job: Job, bobs_api: APIClient) -> None:
    tries: list[tuple[str, dict[str, Any]]] = [
        ("/api/v1/sources/", {"project": str(job.project_id), "sample": True}),
        ("/api/v1/jobs/", {"source": str(job.source_id)}),
        (f"/api/v1/jobs/{job.pk}/cancel/", {}),
        (f"/api/v1/jobs/{job.pk}/retry/", {}),
    ]
    for address, data in tries:
        assert bobs_api.post(address, data, format="json").status_code == 404, address
    assert bobs_api.delete(f"/api/v1/projects/{job.project_id}/").status_code == 404
    assert Job.objects.count() == Source.objects.count() == 1


@pytest.mark.parametrize(
    "path",
    [
        "../db.sqlite3",
        "jobs/../../db.sqlite3",
        "jobs/{job}/../../../../etc/passwd",
        "jobs/{job}/%2e%2e/{job}/../../sources",
        "jobs/{job}",
        "jobs/{job}/nothing.mp4",
        "jobs/not-a-number/x.mp4",
        "incoming/x",
        "",
    ],
)
def test_media_paths_lead_nowhere_else(job: Job, alice: User, path: str) -> None:
    assert signed_in(alice).get("/media/" + path.format(job=job.pk)).status_code == 404


def test_alice_cannot_reach_bobs_files_through_a_folder_of_her_own(job: Job, alice: User, bob: User) -> None:
    project = services.project_create(owner=bob, name="Bob's")
    theirs = Source.objects.create(project=project, kind="video", name="x.mp4", file="")
    theirs.file = f"sources/{theirs.pk}/source.mp4"
    theirs.save()
    theirs.path.parent.mkdir(parents=True)
    theirs.path.write_bytes(b"secret")
    address = f"/media/sources/{job.source_id}/../{theirs.pk}/source.mp4"
    assert signed_in(alice).get(address).status_code == 404
    assert signed_in(bob).get(f"/media/{theirs.file}").status_code == 200
