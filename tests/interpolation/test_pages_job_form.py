"""The form of a new job: what it refuses, in which words, and that nothing typed is lost."""

from __future__ import annotations

from fractions import Fraction
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from engine.config import RenderOptions, parse_seconds
from engine.formats import FORMATS
from engine.timeline import picture_times, plan
from interpolation.job_form import FORMAT_CHOICES, time_text
from interpolation.models import Job, Source
from interpolation.services.prediction import predict
from interpolation.views.preflight import card

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
        ({"quality": "101"}, "quality = 101 is out of range. Choose 0 (smallest file) to 100 (best)."),
        ({"quality": "fine"}, "The quality must be a whole number, 0 (smallest file) to 100 (best)."),
        ({"crf": "52"}, "CRF 52 is out of range. For MP4, H.264 choose 0 (best) to 51 (smallest file)."),
        ({"crf": "18", "format": "gif"}, "GIF has no CRF. Leave it out and use quality, 0 to 100."),
        ({"crf": "x"}, "The CRF must be a whole number. Leave it empty to use the quality above."),
        ({"bit_depth": "10", "format": "gif"}, "GIF is written with 8 bits a channel. Choose 8, or auto."),
        ({"encoder": "nvenc", "format": "png"}, "NVENC does not write PNG pictures (zip)"),
        ({"duplicates": "drop", "mode": "slow"}, "Taking out repeated frames draws nothing new."),
        ({"trim_start": "soon"}, "&quot;soon&quot; is not a time. Write seconds (12.5) or minutes (1:02.5)."),
        ({"trim_start": "2", "trim_end": "1"}, "The end of the part to use lies before its start. Choose a later end."),
        ({"trim_start": "0:03"}, "The video is 3 s long. Choose an earlier start."),
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
    more = {"format": "mp4_av1", "quality": "33", "trim_start": "soon", "trim_end": "1:02.5", "loop": "on"}
    _, page = send(client, source, **changes, **more, cut="crossfade", inbetween="7", sound="drop")
    for kept in (
        'value="1e9"',
        'value="3x3"',
        'value="7"',
        'id="crf" value="28"',
        'value="mp4_av1" selected',
        'id="quality" value="33"',
        'id="trim_start" value="soon"',
        'id="trim_end" value="1:02.5"',
        'id="loop" checked',
        'value="drop" selected',
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


EVERYTHING = RenderOptions(
    mode="slow", inbetween=4, resolution=(500, 282), cut="crossfade", crf=30, held_out=False, format="mp4_av1",
    quality=35, bit_depth="10", encoder="software", sound="stretch", duplicates="retime", deinterlace="off",
    trim_start=Fraction(1, 2), trim_end=Fraction(625, 10), loop=True,
)  # fmt: skip


def test_every_option_of_the_engine_can_be_chosen_and_is_carried_by_run_with_changes(client: Client) -> None:
    alice = person("alice")
    client.force_login(alice)
    source = source_of(alice, interlaced=True, duration="90/1", frame_count=2700)
    job = job_of(source, options=EVERYTHING.to_dict())
    page = client.get(reverse("job-new", args=[source.pk]), {"again": str(job.pk)}).content.decode()
    assert (job.options, sent_as_shown(client, source, page)) == (EVERYTHING.to_dict(), EVERYTHING.to_dict())


def sent_as_shown(client: Client, source: Source, page: str) -> dict[str, Any]:
    """The options of the job that is made when the form of `page` is sent as it is."""
    shown = Shown()
    shown.feed(page)
    assert client.post(reverse("job-new", args=[source.pk]), shown.values).status_code == 302
    made: dict[str, Any] = Job.objects.latest("created_at").options
    return made | {"model": "default"}


class Shown(HTMLParser):
    """What a browser would send of the fields on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.names: set[str] = set()
        self.select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        name, value = of.get("name") or "", of.get("value") or ""
        self.names |= {name}
        if tag == "select":
            self.select = name
        elif tag == "option" and self.select:
            if "selected" in of or self.select not in self.values:
                self.values[self.select] = value
        elif tag == "input" and name and (of.get("type") not in ("radio", "checkbox") or "checked" in of):
            self.values[name] = value or "on" if of.get("type") == "checkbox" else value

    def handle_endtag(self, tag: str) -> None:
        self.select = "" if tag == "select" else self.select


def test_all_formats_of_the_engine_are_offered_with_words() -> None:
    assert [name for _, group in FORMAT_CHOICES for name, _ in group] == list(FORMATS)


@pytest.mark.parametrize(
    ("kind", "info", "there", "missing"),
    [
        ("video", {}, {"sound", "trim_start", "duplicates", "cut", "held_out", "loop"}, {"deinterlace"}),
        ("video", {"audio": []}, {"trim_start", "duplicates"}, {"sound", "deinterlace"}),
        ("video", {"interlaced": True}, {"deinterlace", "sound"}, set()),
        ("pictures", {}, {"loop", "format", "quality", "crf"}, {"sound", "trim_start", "trim_end", "duplicates",
         "cut", "deinterlace", "held_out"}),
    ],
)  # fmt: skip
def test_only_what_fits_the_source_is_asked(
    client: Client, kind: str, info: dict[str, Any], there: set[str], missing: set[str]
) -> None:
    alice = person("alice")
    client.force_login(alice)
    source = source_of(alice, kind, **info)
    shown = Shown()
    shown.feed(client.get(reverse("job-new", args=[source.pk])).content.decode())
    assert there <= shown.names
    assert not missing & shown.names


def test_the_error_stands_beside_its_field_and_opens_the_part_it_is_in(client: Client, source: Source) -> None:
    _, page = send(client, source, trim_start="soon")
    assert '<div id="id_trim_start-error"><p class="errors">' in page
    assert '<details class="field more" open>' in page
    assert '<details class="field more" >' in client.get(reverse("job-new", args=[source.pk])).content.decode()


@pytest.mark.parametrize(
    ("seconds", "text"), [("25/2", "12.5"), ("125/2", "1:02.5"), ("60/1", "1:00"), ("1/3", "1/3"), ("3723/1", "62:03")]
)
def test_times_are_written_as_people_write_them(seconds: str, text: str) -> None:
    assert (time_text(seconds), parse_seconds(text)) == (text, Fraction(seconds))


def test_a_decimal_comma_is_a_decimal_point(client: Client, source: Source) -> None:
    send(client, source, trim_start="1,5", trim_end="0:02,5")
    assert [Job.objects.get().options[name] for name in ("trim_start", "trim_end")] == ["3/2", "5/2"]


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
        RenderOptions(inbetween=2, loop=True),
        RenderOptions(mode="fps", target_fps=Fraction(48), loop=True),
        RenderOptions(mode="slow", trim_start=Fraction(1, 2), trim_end=Fraction(2)),
        RenderOptions(trim_end=Fraction(101, 100)),
        RenderOptions(mode="fps", target_fps=Fraction(60), trim_start=Fraction(71, 100)),
    ],
)
def test_the_prediction_is_what_the_engine_plans(source: Source, options: RenderOptions) -> None:
    start, stop = options.trim_start or Fraction(0), options.trim_end or Fraction(3)
    used = [Fraction(n, 30) for n in range(90) if start <= Fraction(n, 30) < stop]
    end = next((Fraction(n, 30) for n in range(90) if Fraction(n, 30) >= stop), Fraction(3))
    planned = plan([time - used[0] for time in used], end - used[0], options)
    predicted = predict(source, options)
    drawn = sum(frame.t != 0 for frame in planned)
    assert (predicted.frames, predicted.duration, predicted.fps) == (len(planned), planned.duration, planned.fps)
    assert predicted.new_frames == drawn


def test_taking_out_repeats_gives_at_most_what_is_there(client: Client, source: Source) -> None:
    page = client.get(reverse("job-prediction", args=[source.pk]), SETTINGS | {"duplicates": "drop"}).content.decode()
    beside_the_button = page.split('id="preflight"')[0]
    assert "At most 90 frames" in page and "none of them new" in page and "fps" not in beside_the_button


def test_two_pictures_give_their_in_betweens_and_themselves() -> None:
    source = source_of(person("alice"), "pictures")
    predicted = predict(source, RenderOptions(inbetween=5, target_fps=Fraction(25)))
    times, duration = picture_times(5, Fraction(25))
    assert (predicted.frames, predicted.new_frames, predicted.duration) == (len(times), 5, duration)


@pytest.mark.parametrize(
    ("info", "told"),
    [
        ({"is_vfr": True}, ("Frame rate", "30 fps", "variable: every frame keeps its own time")),
        ({"rotation": 90}, ("Size", "640 × 360", "turned by 90°")),
        ({"sar": "4/3"}, ("Size", "640 × 360", "pixels 4/3, not square")),
        ({"hdr": True}, ("Coding", "h264", "HDR: its tags are kept")),
        ({"interlaced": True}, ("Coding", "h264", "interlaced: whole frames are made of it")),
        ({"audio": []}, ("Sound", "none", "")),
        ({}, ("Sound", "aac", "2 channels, 48000 Hz")),
    ],
)
def test_facts_of_a_source_are_told_before_a_job(info: dict[str, Any], told: tuple[str, str, str]) -> None:
    user = person("alice")
    rows = card(source_of(user, **info), RenderOptions(), user)["rows"]
    assert told in [(row.what, row.before, row.note) for row in rows]
