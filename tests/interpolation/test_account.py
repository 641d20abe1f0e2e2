"""One's own account: how the portal looks and what time it is, tokens, taking everything along, leaving."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from interpolation import services
from interpolation.models import ApiToken, Job, Preferences, Project

from .pages import finished_job, job_of, person, source_of

CHOSEN = {"theme": "dark", "time_zone": "Asia/Tokyo", "email": "ada@example.org"}


def test_theme_and_time_zone_are_kept_and_hold_on_every_page(page: Client, ada: User) -> None:
    page.post("/account/preferences/", CHOSEN)
    kept = Preferences.objects.get(user=ada)
    assert (kept.theme, kept.time_zone, kept.mail_when_done) == ("dark", "Asia/Tokyo", False)
    assert 'data-theme-kept="dark"' in page.get("/help/").content.decode()
    elsewhere = Client()
    elsewhere.post("/sign-in/", {"username": "ada", "password": "correct-horse-9"})
    assert 'data-theme-kept="dark"' in elsewhere.get("/help/").content.decode()


def test_the_switch_in_the_header_changes_the_theme_of_the_account_and_nothing_else(page: Client, ada: User) -> None:
    page.post("/account/preferences/", CHOSEN)
    assert page.post("/account/theme/", {"theme": "light"}).status_code == 204
    kept = Preferences.objects.get(user=ada)
    assert (kept.theme, kept.time_zone) == ("light", "Asia/Tokyo")
    assert 'data-theme-kept="light"' in page.get("/help/").content.decode()
    assert page.post("/account/theme/", {"theme": "pink"}).status_code == 422
    assert Preferences.objects.get(user=ada).theme == "light"


def test_who_never_chose_a_theme_keeps_that_of_the_browser_when_they_sign_in(ada: User) -> None:
    browser = Client()
    browser.post("/sign-in/", {"username": "ada", "password": "correct-horse-9"})
    shown = browser.get("/help/").content.decode()
    assert "data-theme-kept" not in shown and 'data-save="/account/theme/"' in shown
    assert "data-save" not in Client().get("/help/").content.decode()


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


def test_the_queue_says_since_when_mine_waits_what_it_takes_and_when_it_is_done_here(page: Client, ada: User) -> None:
    source, now = source_of(ada), timezone.now()
    for _ in range(3):
        finished_job(source, started_at=now - timedelta(seconds=90), finished_at=now)
    cache.clear()
    sent = datetime(2026, 11, 25, 22, 30, tzinfo=UTC)
    job_of(source, created_by=ada, enqueued_at=sent)
    other = source_of(person("bob"))
    job_of(other, "running", started_at=now, eta_seconds=777.0, stage="interpolating", frames_done=1, frames_total=2)
    page.post("/account/preferences/", CHOSEN)  # Tokyo: nine hours ahead, the next day
    answer = page.get("/queue/")
    row = next(row for row in answer.context["rows"] if row["job"].status == "queued")
    assert row["takes"] == pytest.approx(90, rel=0.01)
    words = answer.content.decode()
    assert "since Thu 07:30" in words and "takes about 1 min 30 s, done at about " in words
    local = row["done_at"].astimezone(ZoneInfo("Asia/Tokyo"))
    assert f"done at about {local:%H:%M}" in words
    assert "12 min 57 s" not in words and "45 %" not in words, "of others nothing but that they are there"


def test_a_project_is_renamed_on_its_page(page: Client, ada: User) -> None:
    project = source_of(ada).project
    assert f'action="/projects/{project.pk}/rename/"' in page.get(f"/projects/{project.pk}/").content.decode()
    answer = page.post(f"/projects/{project.pk}/rename/", {"name": "  Second   cut "}, follow=True)
    assert "<h1>Second cut</h1>" in answer.content.decode()
    refused = page.post(f"/projects/{project.pk}/rename/", {"name": " "}, follow=True).content.decode()
    assert "Give the project a name." in refused and "<h1>Second cut</h1>" in refused


def test_a_job_is_deleted_on_its_page_and_one_click_brings_it_back(page: Client, ada: User) -> None:
    job = finished_job(source_of(ada))
    shown = page.get(f"/jobs/{job.pk}/").content.decode()
    outside = shown[shown.rindex("</details>", 0, shown.index(f"/jobs/{job.pk}/delete/")) :]
    assert f'action="/jobs/{job.pk}/delete/"' in outside, "seen without opening anything"
    answer = page.post(f"/jobs/{job.pk}/delete/", follow=True).content.decode()
    assert "is deleted. It can be brought back for 7 days." in answer
    assert f'action="/deleted/job/{job.pk}/restore/"' in answer
    assert page.get(f"/jobs/{job.pk}/").status_code == 404
    page.post(f"/deleted/job/{job.pk}/restore/")
    assert page.get(f"/jobs/{job.pk}/").status_code == 200
