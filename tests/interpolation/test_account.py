"""One's own account: how the portal looks and what time it is, tokens, taking everything along, leaving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from pytest_django.fixtures import Settings

from interpolation import services
from interpolation.models import ApiToken, Job, Preferences, Project

from .pages import finished_job, job_of, person, source_of


@pytest.fixture
def ada(db: None) -> User:
    return person("ada")


@pytest.fixture
def page(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


CHOSEN = {"theme": "dark", "time_zone": "Asia/Tokyo", "email": "ada@example.org"}


def test_theme_and_time_zone_are_kept_and_hold_on_every_page(page: Client, ada: User) -> None:
    page.post("/account/preferences/", CHOSEN)
    kept = Preferences.objects.get(user=ada)
    assert (kept.theme, kept.time_zone, kept.mail_when_done) == ("dark", "Asia/Tokyo", False)
    assert 'data-theme-kept="dark"' in page.get("/help/").content.decode()
    elsewhere = Client()
    elsewhere.post("/sign-in/", {"username": "ada", "password": "correct-horse-9"})
    assert 'data-theme-kept="dark"' in elsewhere.get("/help/").content.decode()


def test_times_are_local_to_the_browser_until_a_zone_is_chosen(page: Client, ada: User) -> None:
    job = finished_job(source_of(ada))
    Job.objects.filter(pk=job.pk).update(created_at="2026-01-01T23:30:00Z")
    moment = 'datetime="2026-01-0'
    assert f"{moment}1T23:30:00" in page.get("/history/").content.decode()
    page.cookies["time_zone"] = "Europe/Berlin"
    assert f"{moment}2T00:30:00+01:00" in page.get("/history/").content.decode()
    page.post("/account/preferences/", CHOSEN)
    assert f"{moment}2T08:30:00+09:00" in page.get("/history/").content.decode()


@pytest.mark.parametrize("zone", ["Middle/Earth", "../../etc/passwd", "x" * 300])
def test_a_time_zone_that_is_none_changes_nothing(page: Client, zone: str) -> None:
    page.cookies["time_zone"] = zone
    assert page.get("/account/").status_code == 200
    assert page.post("/account/preferences/", {**CHOSEN, "time_zone": zone}).status_code == 422


def test_a_token_has_a_name_a_scope_and_an_end(page: Client, ada: User) -> None:
    answer = page.post("/account/tokens/", {"name": "backup", "scope": "read", "days": "30"})
    token = ApiToken.objects.get(user=ada)
    assert (token.name, token.scope, round((token.expiry - token.created).total_seconds() / 86400)) == (
        "backup",
        "read",
        30,
    )
    assert answer.context["new_token"].startswith(token.token_key)
    refused = page.post("/account/tokens/", {"name": "for ever", "scope": "write", "days": "99999"})
    assert refused.status_code == 422
    assert "A token is good for 1 to 365 days, not for 99999." in refused.content.decode()


def test_the_export_holds_everything_of_mine_and_nothing_of_others(page: Client, ada: User) -> None:
    job = finished_job(source_of(ada))
    services.job_tag(job=job, tags=["rough"])
    source_of(person("bob"))
    answer = page.get("/account/export/")
    told = answer.json()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="inbetween-account.json"'
    assert [project["name"] for project in told["projects"]] == ["Footage of ada"]
    (kept,) = told["projects"][0]["jobs"]
    assert (kept["id"], kept["tags"], kept["figures"]["held_out"]["psnr"]) == (str(job.pk), ["rough"], 36.42)
    assert "/media/jobs/x/master.mp4" in kept["files"]


def test_leaving_takes_the_password_and_then_everything(
    page: Client, ada: User, media_root: Path, django_capture_on_commit_callbacks: Any
) -> None:
    source = source_of(ada)
    job = finished_job(source)
    job.directory.mkdir(parents=True)
    assert page.post("/account/delete/", {"password": "wrong"}).status_code == 422
    assert User.objects.filter(username="ada").exists()
    with django_capture_on_commit_callbacks(execute=True):
        page.post("/account/delete/", {"password": "correct-horse-9"})
    assert not User.objects.filter(username="ada").exists()
    assert not Project.objects.exists()
    assert not job.directory.exists()
    assert page.get("/account/").status_code == 302


def test_the_last_administrator_cannot_leave(db: None) -> None:
    boss = User.objects.create_superuser("boss", password="correct-horse-9")
    with pytest.raises(services.ServiceError, match="You are the only administrator"):
        services.account_delete(user=boss)


@pytest.mark.parametrize(("status", "words"), [("succeeded", "is done"), ("failed", "did not work")])
def test_mail_is_sent_to_who_asked_for_it(ada: User, settings: Settings, status: str, words: str) -> None:
    settings.EMAIL_HOST, settings.PUBLIC_URL = "mail.example.org", "https://inbetween.example.org"
    job = job_of(source_of(ada), status, created_by=ada)
    assert not services.mail_job_ended(job_id=job.pk)
    services.preferences_set(user=ada, time_zone="", theme="system", email="ada@example.org", mail_when_done=True)
    assert services.mail_job_ended(job_id=job.pk)
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["ada@example.org"], f"rabbit.mp4 {words}")
    assert f"https://inbetween.example.org/jobs/{job.pk}/" in letter.body


def test_no_mail_without_a_server_or_an_address_or_for_a_job_that_still_runs(ada: User, settings: Settings) -> None:
    services.preferences_set(user=ada, time_zone="", theme="system", email="ada@example.org", mail_when_done=True)
    done = job_of(source_of(ada), "succeeded", created_by=ada)
    assert not services.mail_job_ended(job_id=done.pk)
    settings.EMAIL_HOST = "mail.example.org"
    assert not services.mail_job_ended(job_id=job_of(source_of(ada), "running", created_by=ada).pk)
    with pytest.raises(services.ServiceError, match="Give an e-mail address"):
        services.preferences_set(user=ada, time_zone="", theme="system", email="", mail_when_done=True)


def test_the_queue_says_my_place_and_hides_what_others_make(page: Client, ada: User) -> None:
    other = job_of(source_of(person("bob"), "pictures"), "running")
    mine = job_of(source_of(ada))
    words = page.get("/queue/").content.decode()
    assert "Somebody else’s job" in words and other.project.name not in words and str(other.pk) not in words
    assert "rabbit.mp4 is next of yours." in words and "1 job is before it." in words
    assert f"/jobs/{mine.pk}/" in words
