"""Trials and bake-offs while they are drawn: how far they are; cancelled and tried again as one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from interpolation import services
from interpolation.models import BakeOff, Job, Member, Trial
from interpolation.services.pairs import Pair

from .pages import finished_job, job_of, person, source_of

KINDS: list[Any] = [
    pytest.param(Trial, "/trials/", "/api/v1/trials/", id="trial"),
    pytest.param(BakeOff, "/models/bake-off/", "/api/v1/bake-offs/", id="bake-off"),
]
on_both = pytest.mark.parametrize(("model", "pages", "calls"), KINDS)


@pytest.fixture
def page(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def pair_of(model: Any, owner: User, *states: str, **columns: Any) -> Pair:
    source = source_of(owner)
    jobs = [finished_job(source) if state == "succeeded" else job_of(source, state, **columns) for state in states]
    made: Pair = model.objects.create(owner=owner, source=source, first=jobs[0], second=jobs[1])
    return made


def states(pair: Pair) -> list[str]:
    pair.refresh_from_db()
    return [Job.objects.get(pk=pk).status for pk in (pair.first_id, pair.second_id)]


@on_both
def test_both_are_cancelled_with_one_click_and_drawn_again_with_another(
    page: Client, alice: User, model: Any, pages: str, calls: str
) -> None:
    pair = pair_of(model, alice, "queued", "queued")
    shown = page.get(f"{pages}{pair.pk}/").content.decode()
    assert f'action="{pages}{pair.pk}/cancel/"' in shown and "retry/" not in shown
    page.post(f"{pages}{pair.pk}/cancel/")
    assert states(pair) == ["cancelled", "cancelled"]
    shown = page.get(f"{pages}{pair.pk}/").content.decode()
    assert f'action="{pages}{pair.pk}/retry/"' in shown and f"{pages}{pair.pk}/cancel/" not in shown
    assert "hx-get" not in shown, "nothing is asked for again when nothing happens any more"
    page.post(f"{pages}{pair.pk}/retry/")
    assert states(pair) == ["queued", "queued"]


@on_both
def test_a_running_film_is_asked_to_stop_and_a_finished_one_stays(
    page: Client, alice: User, model: Any, pages: str, calls: str
) -> None:
    pair = pair_of(model, alice, "succeeded", "running")
    page.post(f"{pages}{pair.pk}/cancel/")
    assert states(pair) == ["succeeded", "running"]
    assert Job.objects.get(pk=pair.second_id).cancel_requested_at is not None
    assert "Stopping" in page.get(f"{pages}{pair.pk}/").content.decode()


@on_both
def test_only_what_failed_is_drawn_again_and_why_it_failed_is_said(
    page: Client, alice: User, model: Any, pages: str, calls: str
) -> None:
    pair = pair_of(model, alice, "succeeded", "failed", error="The disk was full.")
    shown = page.get(f"{pages}{pair.pk}/").content.decode()
    assert "One of the two was not finished" in shown and "The disk was full." in shown
    page.post(f"{pages}{pair.pk}/retry/")
    assert states(pair) == ["succeeded", "queued"]


@on_both
def test_while_one_failed_and_the_other_is_drawn_the_page_goes_on(
    page: Client, alice: User, model: Any, pages: str, calls: str
) -> None:
    pair = pair_of(model, alice, "failed", "running")
    shown = page.get(f"{pages}{pair.pk}/").content.decode()
    assert all(f"{pages}{pair.pk}/{act}/" in shown for act in ("cancel", "retry")) and "hx-get" in shown


@on_both
def test_the_api_cancels_and_retries_and_says_when_there_is_nothing_to_do(
    api: APIClient, alice: User, model: Any, pages: str, calls: str
) -> None:
    pair = pair_of(model, alice, "running", "queued")
    answer = api.post(f"{calls}{pair.pk}/cancel/")
    assert (answer.status_code, answer.json()["id"]) == (200, str(pair.pk))
    assert states(pair) == ["running", "cancelled"]
    Job.objects.filter(pk=pair.first_id).update(status="cancelled")
    refused = api.post(f"{calls}{pair.pk}/cancel/")
    assert refused.status_code == 409 and "nothing to cancel" in refused.json()["detail"]
    assert api.post(f"{calls}{pair.pk}/retry/").status_code == 200
    assert states(pair) == ["queued", "queued"]
    refused = api.post(f"{calls}{pair.pk}/retry/")
    assert refused.status_code == 409 and "nothing to draw again" in refused.json()["detail"]


@on_both
def test_the_time_left_is_that_of_the_later_film(
    api: APIClient, page: Client, alice: User, model: Any, pages: str, calls: str
) -> None:
    at_work = {"stage": "interpolating", "frames_done": 50, "frames_total": 100, "started_at": timezone.now()}
    pair = pair_of(model, alice, "running", "running", eta_seconds=20.0, **at_work)
    Job.objects.filter(pk=pair.second_id).update(eta_seconds=80.0)
    told = api.get(f"{calls}{pair.pk}/").json()
    assert (told["eta_seconds"], told["percent"]) == (80, 45)
    shown = page.get(f"{pages}{pair.pk}/").content.decode()
    assert "about 1 min 20 s left" in shown and "45 %" in shown
    Job.objects.filter(pk=pair.second_id).update(eta_seconds=None, started_at=None)
    assert api.get(f"{calls}{pair.pk}/").json()["eta_seconds"] is None


@on_both
def test_the_time_left_of_one_that_waits_counts_what_is_before_it(
    api: APIClient, alice: User, model: Any, pages: str, calls: str
) -> None:
    pair = pair_of(model, alice, "queued", "queued")
    for seconds in (10, 12):  # what this machine is known by
        since = timezone.now() - timedelta(seconds=seconds)
        finished_job(pair.source, started_at=since, finished_at=timezone.now())
    cache.clear()
    ahead = services.outlooks()
    later = max(ahead[pk].done_in or 0 for pk in (pair.first_id, pair.second_id))
    assert later > 10 and api.get(f"{calls}{pair.pk}/").json()["eta_seconds"] == round(later)


@on_both
def test_who_may_only_look_by_now_cannot_stop_or_start_anything(
    page: Client, api: APIClient, alice: User, model: Any, pages: str, calls: str
) -> None:
    pair = pair_of(model, person("carol"), "queued", "failed")
    model.objects.filter(pk=pair.pk).update(owner=alice)  # she was an editor when she began it
    Member.objects.create(project=pair.source.project, user=alice, role="viewer")
    for act in ("cancel", "retry"):
        assert page.post(f"{pages}{pair.pk}/{act}/").status_code == 403
        assert api.post(f"{calls}{pair.pk}/{act}/").status_code == 403
        assert f"/{act}/" not in page.get(f"{pages}{pair.pk}/").content.decode()
    assert states(pair) == ["queued", "failed"]


def test_a_trial_says_its_status_and_one_that_cannot_start_again_keeps_both_as_they_are(
    api: APIClient, alice: User
) -> None:
    pair = pair_of(Trial, alice, "failed", "cancelled")
    assert api.get(f"/api/v1/trials/{pair.pk}/").json()["status"] == "failed"
    pair.source.__class__.objects.filter(pk=pair.source_id).update(purged_at=timezone.now())
    refused = api.post(f"/api/v1/trials/{pair.pk}/retry/")
    assert refused.status_code == 409 and "Upload it again" in refused.json()["detail"]
    assert states(pair) == ["failed", "cancelled"]


@on_both
def test_both_films_lead_back_to_where_they_are_seen_together(
    page: Client, alice: User, model: Any, pages: str, calls: str
) -> None:
    pair = pair_of(model, alice, "succeeded", "queued", trial=model is Trial)
    link, words = f'<a href="{pages}{pair.pk}/">', "Both trials" if model is Trial else "The bake-off it is for"
    for address in (f"/jobs/{pair.first_id}/", f"/jobs/{pair.second_id}/", "/history/?trials=with"):
        shown = page.get(address).content.decode()
        assert link in shown, address
    assert words in page.get(f"/jobs/{pair.second_id}/").content.decode()
    other = Client()
    other.force_login(person("dave"))
    Member.objects.create(project=pair.source.project, user=User.objects.get(username="dave"), role="viewer")
    assert link not in other.get(f"/jobs/{pair.first_id}/").content.decode(), "a judgement is one person's own"


def test_the_history_asks_for_no_pair_apart(
    page: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    pair_of(Trial, alice, "succeeded", "succeeded")
    with CaptureQueriesContext(connection) as few:
        page.get("/history/?trials=with")
    for _ in range(3):
        pair_of(BakeOff, alice, "succeeded", "succeeded")
    with django_assert_num_queries(len(few)):
        page.get("/history/?trials=with")
