"""Word that a job, a trial, a bake-off or a training run is over: on the pages and by mail, once each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from engine.config import TrainConfig
from interpolation import services
from interpolation.models import BakeOff, Job, Trial
from interpolation.services.pairs import Pair
from training.models import TrainingRun
from training.notices import mail_run_ended

from .pages import job_of, person, source_of


@pytest.fixture
def ada(db: None, settings: Settings) -> User:
    settings.EMAIL_HOST, settings.PUBLIC_URL = "mail.example.org", "https://inbetween.example.org"
    user = person("ada")
    services.preferences_set(user=user, time_zone="", theme="system", email="ada@example.org", mail_when_done=True)
    return user


def pair_of(model: Any, owner: User, first: str, second: str) -> Pair:
    source, now = source_of(owner), timezone.now()
    ended = {"created_by": owner, "trial": model is Trial}
    jobs = [
        job_of(source, state, finished_at=None if state == "running" else now + timedelta(seconds=at), **ended)
        for at, state in enumerate((first, second))
    ]
    made: Pair = model.objects.create(owner=owner, source=source, first=jobs[0], second=jobs[1])
    return made


def run_of(owner: User | None, status: str, **columns: Any) -> TrainingRun:
    config = TrainConfig(model_path="x.pth", synthetic=True).to_dict()
    finished = None if status in TrainingRun.LIVE else timezone.now()
    return TrainingRun.objects.create(
        owner=owner, name="night", status=status, config=config, finished_at=finished, **columns
    )


def told(user: User) -> list[tuple[str, bool, str, str]]:
    client = Client()
    client.force_login(user)
    return [(one["id"], one["live"], one["text"], one["page"]) for one in client.get("/notices/").json()["notices"]]


@pytest.mark.parametrize(
    ("model", "states", "text"),
    [
        (Trial, ("succeeded", "succeeded"), "The three seconds of rabbit.mp4 are done."),
        (Trial, ("succeeded", "cancelled"), "The three seconds of rabbit.mp4 are cancelled."),
        (BakeOff, ("succeeded", "succeeded"), "The bake-off of rabbit.mp4 can be judged."),
        (BakeOff, ("failed", "succeeded"), "The bake-off of rabbit.mp4 did not work."),
    ],
)
def test_two_films_that_belong_together_are_told_as_one(ada: User, model: Any, states: Any, text: str) -> None:
    pair = pair_of(model, ada, *states)
    assert told(ada) == [(str(pair.pk), False, text, pair.get_absolute_url())]
    assert told(person("bob")) == []


@pytest.mark.parametrize("model", [Trial, BakeOff])
def test_it_is_not_over_before_both_are(ada: User, model: Any) -> None:
    pair = pair_of(model, ada, "succeeded", "running")
    assert [(one[0], one[1]) for one in told(ada)] == [(str(pair.pk), True)]


def test_one_that_was_over_long_ago_is_told_no_more(ada: User) -> None:
    pair = pair_of(BakeOff, ada, "succeeded", "failed")
    Job.objects.filter(pk__in=(pair.first_id, pair.second_id)).update(finished_at=timezone.now() - timedelta(hours=1))
    assert told(ada) == []


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("queued", ""),
        ("running", ""),
        ("succeeded", "The training of night is done."),
        ("failed", "The training of night did not work."),
        ("cancelled", "The training of night is stopped."),
    ],
)
def test_training_is_told_to_who_started_it(ada: User, status: str, text: str) -> None:
    run = run_of(ada, status)
    run_of(person("bob"), status)
    assert told(ada) == [(str(run.pk), not text, text, f"/training/{run.pk}/")]


@pytest.mark.parametrize(
    ("model", "states", "subject"),
    [
        (Trial, ("succeeded", "succeeded"), "The three seconds of rabbit.mp4 are done"),
        (BakeOff, ("succeeded", "failed"), "The bake-off of rabbit.mp4 did not work"),
    ],
)
def test_one_letter_comes_when_the_later_of_two_films_is_there(
    ada: User, model: Any, states: Any, subject: str
) -> None:
    pair = pair_of(model, ada, *states)
    assert not services.mail_job_ended(job_id=pair.first_id)
    assert services.mail_job_ended(job_id=pair.second_id)
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["ada@example.org"], subject)
    assert f"https://inbetween.example.org{pair.get_absolute_url()}" in letter.body


def test_no_letter_while_the_other_film_is_drawn(ada: User) -> None:
    pair = pair_of(Trial, ada, "succeeded", "running")
    assert not services.mail_job_ended(job_id=pair.first_id)
    assert mail.outbox == []


def test_a_letter_tells_that_training_is_over_and_why(ada: User) -> None:
    assert mail_run_ended(run_id=run_of(ada, "failed", error="The loss is no number.").pk)
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["ada@example.org"], "The training of night did not work")
    assert letter.body.startswith("The loss is no number.") and "example.org/training/" in letter.body


@pytest.mark.parametrize("status", ["running", "cancelled"])
def test_no_letter_about_training_that_goes_on_or_that_a_person_stopped(ada: User, status: str) -> None:
    assert not mail_run_ended(run_id=run_of(ada, status).pk)


def test_no_letter_about_training_that_nobody_started_here_or_to_who_asked_for_none(ada: User) -> None:
    assert not mail_run_ended(run_id=run_of(None, "succeeded").pk)
    assert not mail_run_ended(run_id=run_of(person("bob"), "succeeded").pk)
