"""A job is a checked row and one message."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from django_q.models import OrmQ
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from engine.errors import BadOptionsError, WeightsError
from interpolation import services
from interpolation.models import Job, Source

WRONG = [
    ({"inbetween": 11}, "11 in-between frames is out of range. Choose 1 to 10."),
    ({"inbetween": 0}, "0 in-between frames is out of range"),
    ({"resolution": [0, 0]}, "0x0 is out of range"),
    ({"resolution": [3, 3]}, "3x3 is out of range"),
    ({"resolution": [100000, 10]}, "100000x10 is out of range"),
    ({"mode": "fps", "target_fps": "0"}, "out of range"),
    ({"mode": "fps", "target_fps": "NaN"}, "is not a frame rate"),
    ({"mode": "fps", "target_fps": "1e9"}, "out of range"),
    ({"mode": "fps", "target_fps": "1e999999999"}, "out of range"),  # written out it has a thousand million digits
    ({"mode": "fps", "target_fps": "1e-999999999"}, "out of range"),
    ({"mode": "fps"}, "needs the frame rate"),
    ({"mode": "backwards"}, 'mode = "backwards" is not known. Choose smooth, slow or fps.'),
    ({"colour": "red"}, "Unknown settings: colour."),
]


@pytest.mark.parametrize(("options", "words"), WRONG, ids=[json.dumps(wrong) for wrong, _ in WRONG])
def test_wrong_settings_are_refused_in_words_and_no_job_is_made(
    quick_source: Source, options: dict[str, object], words: str
) -> None:
    with pytest.raises(BadOptionsError) as caught:
        services.job_create(source=quick_source, options=options)
    assert words in str(caught.value)
    assert not Job.objects.exists()


def test_a_model_that_does_not_exist_is_named(quick_source: Source) -> None:
    with pytest.raises(WeightsError, match='no model "best"'):
        services.job_create(source=quick_source, options={"model": "best"})


def test_settings_are_kept_whole(quick_source: Source) -> None:
    job = services.job_create(source=quick_source, options={"mode": "fps", "target_fps": 59.94, "resolution": [64, 48]})
    job.refresh_from_db()
    assert job.project == quick_source.project
    assert Fraction(job.options["target_fps"]) == Fraction(60000, 1001)
    assert job.options["resolution"] == [64, 48]
    assert job.options["inbetween"] == 1


def test_the_message_is_sent_when_the_row_is_committed(
    quick_source: Source, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=False) as callbacks:
        job = services.job_create(source=quick_source, options={})
    assert not OrmQ.objects.exists()
    callbacks[0]()
    message = OrmQ.objects.get()
    assert message.key == "interpolation"
    assert message.func() == "interpolation.tasks.job_run"
    assert message.args() == (str(job.pk),)


def test_a_job_without_room_for_its_result_is_refused(quick_source: Source, settings: Settings) -> None:
    settings.MIN_FREE_BYTES = 1 << 60
    with pytest.raises(services.ServiceError, match="no room for this"):
        services.job_create(source=quick_source, options={})
    assert not Job.objects.exists()
