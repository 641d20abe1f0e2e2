"""Bake-offs over the API: as blind as the page, and with a verdict for programs."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from interpolation.models import BakeOff, Job, Preview

from .pages import finished_job, source_of

PLACE = "/api/v1/bake-offs/"


def ready_for(user: User) -> BakeOff:
    """Both films are there."""
    source = source_of(user)
    jobs = [finished_job(source, options={"model": model}) for model in ("flow_fusion", "blend")]
    for job in jobs:
        job.previews.filter(kind=Preview.Kind.VIDEO).update(file=f"jobs/{job.pk}/preview.mp4")
    return BakeOff.objects.create(owner=user, source=source, first=jobs[0], second=jobs[1])


@pytest.fixture
def ready(alice: User) -> BakeOff:
    return ready_for(alice)


def test_a_bake_off_is_started_and_found_again(api: APIClient, alice: User) -> None:
    source = source_of(alice, duration="60/1", frame_count=1800)
    answer = api.post(PLACE, {"source": str(source.pk), "first": "flow_fusion", "second": "blend"}, format="json")
    made = answer.json()
    assert answer.status_code == 201
    assert (made["stage"], made["percent"], made["models"]) == ("drawing", 0, ["blend", "flow_fusion"])
    assert (made["round"], made["sides"], made["votes"], made["verdict"]) == (None, None, 0, None)
    jobs = Job.objects.filter(pk__in=made["jobs"])
    assert {job.options["model"] for job in jobs} == {"blend", "flow_fusion"}
    assert {job.options["trim_end"] for job in jobs} == {"10"}
    assert api.get(PLACE).json()["results"] == [api.get(f"{PLACE}{made['id']}/").json()] == [made]


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        ({"first": "blend", "second": "blend"}, 400, "Choose two different models."),
        (
            {"first": "blend", "second": "nobody"},
            400,
            'There is no model "nobody" in models/. Choose one of: blend',
        ),
        ({"first": "blend"}, 400, "second: This field is required."),
        ({"first": "blend", "second": "default", "model": "x"}, 400, "There is no such field."),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(
    api: APIClient, alice: User, sent: dict[str, str], status: int, words: str
) -> None:
    answer = api.post(PLACE, {"source": str(source_of(alice).pk), **sent}, format="json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]
    assert not Job.objects.exists()


def test_votes_count_for_the_film_that_stood_there_and_the_verdict_names_it(
    api: APIClient, ready: BakeOff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BakeOff, "swapped", lambda _self, number: number % 3 == 0)
    place = f"{PLACE}{ready.pk}/"
    now = api.get(place).json()
    favourite = ready.first.previews.get(kind=Preview.Kind.VIDEO).file
    stood = ""
    for number in range(1, 9):
        assert (now["stage"], now["round"], now["votes"]) == ("blind", number, number - 1)
        side = next(name for name, shown in now["sides"].items() if shown["film"].endswith(favourite))
        stood += side
        now = api.post(f"{place}vote/", {"round": number, "side": side}, format="json").json()
    assert stood == "aabaabaa"
    api.post(f"{place}vote/", {"round": 9, "side": "tie"}, format="json")
    shown = api.post(f"{place}reveal/").json()
    assert shown["verdict"] == {
        "first": {"model": "flow_fusion", "job": str(ready.first_id), "votes": 8},
        "second": {"model": "blend", "job": str(ready.second_id), "votes": 0},
        "ties": 1,
    }
    assert (shown["stage"], shown["round"]) == ("revealed", None)
    assert shown["sides"]["a"]["film"].endswith(favourite)


def test_before_the_verdict_nothing_tells_which_film_is_whose(api: APIClient, ready: BakeOff) -> None:
    shown = api.get(f"{PLACE}{ready.pk}/").json()
    assert shown["models"] == ["blend", "flow_fusion"]
    assert shown["jobs"] == sorted([str(ready.first_id), str(ready.second_id)])
    assert shown["verdict"] is None
    first_is = "b" if ready.swapped(1) else "a"
    assert str(ready.first_id) in shown["sides"][first_is]["film"]
    assert {ready.swapped(number) for number in range(1, 60)} == {True, False}


def test_a_vote_sent_twice_counts_once_and_one_too_early_is_refused(api: APIClient, ready: BakeOff) -> None:
    vote = f"{PLACE}{ready.pk}/vote/"
    for _ in range(2):
        assert api.post(vote, {"round": 1, "side": "a"}, format="json").json()["votes"] == 1
    early = api.post(vote, {"round": 3, "side": "a"}, format="json")
    assert (early.status_code, early.json()["detail"]) == (400, "The round to judge is number 2.")
    wrong = api.post(vote, {"round": 2, "side": "c"}, format="json").json()
    assert [one["field"] for one in wrong["errors"]] == ["side"]
    assert ready.votes.count() == 1


@pytest.mark.parametrize(("status", "stage"), [("running", "drawing"), ("failed", "broken")])
def test_films_that_are_not_both_there_are_not_judged(api: APIClient, ready: BakeOff, status: str, stage: str) -> None:
    Job.objects.filter(pk=ready.second_id).update(status=status)
    refused = api.post(f"{PLACE}{ready.pk}/vote/", {"round": 1, "side": "a"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    shown = api.get(f"{PLACE}{ready.pk}/").json()
    assert (shown["stage"], shown["sides"], ready.votes.count()) == (stage, None, 0)


def test_after_the_verdict_nobody_votes(api: APIClient, ready: BakeOff) -> None:
    place = f"{PLACE}{ready.pk}/"
    assert api.post(f"{place}reveal/").json()["detail"] == "Judge at least once before you look."
    api.post(f"{place}vote/", {"round": 1, "side": "b"}, format="json")
    assert api.post(f"{place}reveal/").status_code == 200
    late = api.post(f"{place}vote/", {"round": 2, "side": "b"}, format="json")
    assert (late.status_code, ready.votes.count()) == (409, 1)


def test_of_a_film_that_is_deleted_the_bake_off_is_gone_too(api: APIClient, ready: BakeOff) -> None:
    assert api.delete(f"/api/v1/jobs/{ready.second_id}/").status_code == 204
    assert api.get(f"{PLACE}{ready.pk}/").status_code == 404
    assert api.get(PLACE).json()["results"] == []


def test_a_list_comes_in_pages_and_asks_the_database_as_often_for_many_as_for_one(
    api: APIClient, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = [str(ready_for(alice).pk) for _ in range(5)]
    with django_assert_max_num_queries(5):
        page: dict[str, Any] = api.get(f"{PLACE}?page_size=3").json()
    assert [one["id"] for one in page["results"]] == made[:1:-1]
    rest = api.get(page["next"]).json()
    assert [one["id"] for one in rest["results"]] == made[1::-1] and rest["next"] is None
