"""The form of a new job: what it refuses, in which words, and that nothing typed is lost."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from engine.config import RenderOptions
from engine.timeline import picture_times, plan
from interpolation.models import Job, Source
from interpolation.views.facts import predict, source_facts

from .pages import SETTINGS, job_of, person, source_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(client: Client) -> Source:
    alice = person("alice")
    client.force_login(alice)
    return source_of(alice)


def send(client: Client, source: Source, **changes: str) -> tuple[int, str]:
    answer = client.post(reverse("job-new", args=[source.pk]), SETTINGS | changes)
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inbetween": "11"}, "11 in-between frames is out of range. Choose 1 to 10."),
        ({"inbetween": "0"}, "0 in-between frames is out of range. Choose 1 to 10."),
        ({"inbetween": "two"}, "The number of in-between frames must be a whole number, 1 to 10."),
        ({"inbetween": ""}, "Say how many in-between frames to draw, 1 to 10."),
        ({"resolution": "3x3"}, "3x3 is out of range. Each side must be 16-8192 pixels, at most 8192x4320 in all."),
        ({"resolution": "0x0"}, "0x0 is out of range."),
        ({"resolution": "100000x10"}, "100000x10 is out of range."),
        ({"resolution": "custom", "custom_resolution": "wide"}, "is not a resolution. Write it as WIDTHxHEIGHT"),
        ({"resolution": "custom", "custom_resolution": ""}, "Write the size as WIDTHxHEIGHT, for example 1280x720."),
        ({"mode": "fps", "target_fps": "NaN"}, "is not a frame rate. Give a number such as 60 or 60000/1001."),
        ({"mode": "fps", "target_fps": "0"}, "0 fps is out of range. Choose between 0.1 and 480 fps."),
        ({"mode": "fps", "target_fps": "1e9"}, "1e9 fps is out of range. Choose between 0.1 and 480 fps."),
        ({"mode": "fps", "target_fps": ""}, "Say which frame rate to reach, for example 60 or 60000/1001."),
        ({"model": "nobody"}, "nobody is not one of the available choices."),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_in_words(
    client: Client, source: Source, changes: dict[str, str], words: str
) -> None:
    status, page = send(client, source, **changes)
    assert status == 422
    assert words in page
    assert not Job.objects.exists()


def test_what_was_typed_stays_in_the_form_when_it_is_refused(client: Client, source: Source) -> None:
    changes = {"mode": "fps", "target_fps": "1e9", "resolution": "custom", "custom_resolution": "3x3", "crf": "28"}
    _, page = send(client, source, **changes, cut="crossfade", inbetween="7")
    for kept in (
        'value="1e9"',
        'value="3x3"',
        'value="7"',
        'value="28" selected',
        'value="crossfade" selected',
        'value="custom" selected',
        'value="fps" id="mode-fps" checked',
    ):
        assert kept in page


def test_good_settings_become_a_job_with_the_engines_options(client: Client, source: Source) -> None:
    status, _ = send(client, source, inbetween="3", resolution="320x180", mode="slow", crf="23")
    job = Job.objects.get()
    assert status == 302
    expected = RenderOptions(mode="slow", inbetween=3, resolution=(320, 180), crf=23, model=job.options["model"])
    assert RenderOptions.from_dict(job.options) == expected


def test_a_ratio_is_kept_exact(client: Client, source: Source) -> None:
    send(client, source, mode="fps", target_fps="60000/1001")
    assert Job.objects.get().options["target_fps"] == "60000/1001"


def test_held_out_frames_can_be_left_unmeasured(client: Client, source: Source) -> None:
    client.post(reverse("job-new", args=[source.pk]), {key: SETTINGS[key] for key in SETTINGS if key != "held_out"})
    assert Job.objects.get().options["held_out"] is False


def test_run_with_changes_begins_with_the_earlier_settings(client: Client, source: Source) -> None:
    job = job_of(source, options={"mode": "slow", "inbetween": 4, "resolution": (500, 282), "crf": 28})
    page = client.get(reverse("job-new", args=[source.pk]), {"again": str(job.pk)}).content.decode()
    assert 'value="slow" id="mode-slow" checked' in page
    assert 'id="inbetween" value="4"' in page
    assert 'value="custom" selected' in page
    assert 'id="custom_resolution" value="500x282"' in page


def test_the_prediction_follows_the_settings(client: Client, source: Source) -> None:
    answer = client.get(reverse("job-prediction", args=[source.pk]), SETTINGS | {"inbetween": "3", "mode": "slow"})
    page = answer.content.decode()
    assert "360 frames" in page and "267 of them new" in page
    assert "30 fps" in page and "0:12.0" in page


def test_the_prediction_says_what_is_wrong(client: Client, source: Source) -> None:
    answer = client.get(reverse("job-prediction", args=[source.pk]), SETTINGS | {"inbetween": "11"})
    assert "11 in-between frames is out of range" in answer.content.decode()


@pytest.mark.parametrize(
    "options",
    [
        RenderOptions(inbetween=1),
        RenderOptions(inbetween=10),
        RenderOptions(mode="slow", inbetween=3),
        RenderOptions(mode="fps", target_fps=Fraction(60)),
        RenderOptions(mode="fps", target_fps=Fraction(60000, 1001)),
        RenderOptions(mode="fps", target_fps=Fraction(24)),
    ],
)
def test_the_prediction_is_what_the_engine_plans(source: Source, options: RenderOptions) -> None:
    planned = plan([Fraction(n, 30) for n in range(90)], Fraction(3), options)
    predicted = predict(source, options)
    drawn = sum(frame.t != 0 for frame in planned)
    assert (predicted.frames, predicted.duration, predicted.fps) == (len(planned), planned.duration, planned.fps)
    assert predicted.new_frames == drawn


def test_two_pictures_give_their_in_betweens_and_themselves() -> None:
    source = source_of(person("alice"), "pictures")
    predicted = predict(source, RenderOptions(inbetween=5, target_fps=Fraction(25)))
    times, duration = picture_times(5, Fraction(25))
    assert (predicted.frames, predicted.new_frames, predicted.duration) == (len(times), 5, duration)


@pytest.mark.parametrize(
    ("info", "fact"),
    [
        ({"is_vfr": True}, ("Frame rate", "30 fps", "variable: every frame keeps its own time")),
        ({"rotation": 90}, ("Size", "640 × 360", "turned by 90°")),
        ({"hdr": True}, ("Light", "HDR", "wide range; tags are kept")),
        ({"audio": []}, ("Sound", "none", "")),
        ({}, ("Sound", "aac", "2 channels, 48000 Hz")),
    ],
)
def test_facts_of_a_source_are_told_before_a_job(info: dict[str, Any], fact: tuple[str, str, str]) -> None:
    assert fact in source_facts(source_of(person("alice"), **info))
