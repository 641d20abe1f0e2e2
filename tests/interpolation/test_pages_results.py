"""The page of a job in each of its states, and what it says of the figures."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.certificate import _FOUND
from interpolation import services
from interpolation.charts import figures_chart
from interpolation.models import Job, Source
from interpolation.views.certificate import CHECKS, TOLD, certificate
from interpolation.views.results import STAGES, has_sound, psnr_word, results, ssim_word

from .pages import METRICS, finished_job, job_of, person, source_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(client: Client) -> Source:
    alice = person("alice")
    client.force_login(alice)
    return source_of(alice)


def page_of(client: Client, job: object, name: str = "job") -> str:
    return client.get(reverse(name, args=[job.pk])).content.decode()  # type: ignore[attr-defined]


def test_a_waiting_job_says_its_place_and_asks_again(client: Client, source: Source) -> None:
    job_of(source)
    second = job_of(source)
    page = page_of(client, second)
    assert "number 2 in the queue" in page
    assert f'hx-get="{reverse("job-status", args=[second.pk])}"' in page


def test_a_running_job_says_stage_frames_and_time_left(client: Client, source: Source) -> None:
    now = timezone.now()
    progress = {"stage": "interpolating", "frames_done": 45, "frames_total": 180, "eta_seconds": 14.2}
    job = job_of(source, "running", **progress, started_at=now, heartbeat_at=now, attempts=1)
    page = page_of(client, job, "job-status")
    assert "Drawing new frames" in page and "26 %" in page
    assert "45 of 180 frames" in page and "about 14 s left" in page


def test_the_projects_page_follows_running_jobs_and_rests_when_none_runs(client: Client, source: Source) -> None:
    address = reverse("project", args=[source.project.pk])
    job = job_of(source, "running", stage="interpolating", frames_done=45, frames_total=180)
    page = client.get(address).content.decode()
    assert f'hx-get="{address}"' in page and "Running 26 %" in page
    job.status = "succeeded"
    job.save(update_fields=["status"])
    assert "hx-get" not in client.get(address).content.decode()


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_the_fragment_of_a_job_that_ended_asks_no_more_and_reloads_the_page(
    client: Client, source: Source, status: str
) -> None:
    job = job_of(source, status, finished_at=timezone.now())
    answer = client.get(reverse("job-status", args=[job.pk]))
    assert answer.headers["HX-Refresh"] == "true"
    assert "hx-get" not in answer.content.decode()


def test_a_failed_job_says_why_and_offers_a_retry(client: Client, source: Source) -> None:
    job = job_of(source, "failed", error="The disk is full <b>. Make room and try again.")
    page = page_of(client, job)
    assert "The disk is full &lt;b&gt;. Make room and try again." in page
    assert reverse("job-retry", args=[job.pk]) in page


def test_cancel_and_retry_by_the_buttons(client: Client, source: Source) -> None:
    job = job_of(source)
    client.post(reverse("job-cancel", args=[job.pk]))
    job.refresh_from_db()
    assert job.status == "cancelled"
    client.post(reverse("job-retry", args=[job.pk]))
    job.refresh_from_db()
    assert job.status == "queued"


def test_cancelling_a_finished_job_is_answered_in_words(client: Client, source: Source) -> None:
    job = finished_job(source)
    page = client.post(reverse("job-cancel", args=[job.pk]), follow=True).content.decode()
    assert "there is nothing to cancel" in page
    job.refresh_from_db()
    assert job.status == "succeeded"


def test_a_finished_job_shows_players_pictures_figures_flow_and_downloads(client: Client, source: Source) -> None:
    certificate = {"ok": True, "checks": [{"name": "frame count", "expected": "180", "found": "180", "ok": True}]}
    job = finished_job(
        source, certificate=certificate, model_name="flow_fusion", model_notice="Untrained model: no weights."
    )
    page = page_of(client, job)
    for name in ("video", "source_video", "frame_0.png", "frame_2.png", "flow_farneback", "flow_model", "frame0"):
        assert reverse("media", args=[f"jobs/x/{name}"]) in page
    for what in ("master", "pictures", "figures"):
        assert reverse("job-download", args=[job.pk, what]) in page
    for words in ("36.4", "0.962", "Good</b>, held-out", "Excellent</b>, held-out", "143 ms", "31 s", "612 MiB"):
        assert words in page
    assert "Untrained model: no weights." in page
    assert '<span class="status succeeded">as expected</span>' in page


def test_no_page_carries_a_script_or_handler_in_line(client: Client, source: Source) -> None:
    page = page_of(client, finished_job(source))
    inline = [tag for tag in page.split("<script")[1:] if " src=" not in tag.split(">")[0]]
    assert len(inline) == 1 and 'type="application/json"' in inline[0]
    assert " onclick=" not in page and " style=" not in page


def test_two_pictures_have_no_psnr_and_the_page_says_why(client: Client) -> None:
    alice = person("alice")
    client.force_login(alice)
    metrics = METRICS | {"held_out": None, "motion": [], "cuts": []}
    page = page_of(client, finished_job(source_of(alice, "pictures"), metrics))
    assert "there is nothing to compare with: no PSNR and no SSIM" in page
    assert "PSNR</small>" not in page and "SSIM</small>" not in page


def test_a_video_without_held_out_figures_says_why(client: Client, source: Source) -> None:
    note = "The video is too short: a frame can be hidden and drawn again only between two others."
    page = page_of(client, finished_job(source, METRICS | {"held_out": None, "held_out_note": note}))
    assert note in page


def test_the_certificate_is_told_in_words_and_units() -> None:
    rows = [
        {"name": "duration", "expected": "3/2", "found": "3/2", "ok": True},
        {"name": "frame_count", "expected": 45, "found": 44, "ok": False},
        {"name": "color_transfer", "expected": "", "found": "", "ok": True},
    ]
    assert certificate({"ok": False, "checks": rows}) == {
        "ok": False,
        "checks": [
            {"name": "Length", "expected": "1.5 s", "found": "1.5 s", "ok": True},
            {"name": "Frames", "expected": "45", "found": "44", "ok": False},
        ],
    }


def test_new_lines_of_the_certificate_read_well() -> None:
    display = [13250, 34500, 7500, 3000, 34000, 16000, 15635, 16450, 10_000_000, 50]
    told = {
        "codec_tag": ("hvc1", "Mark of the coding", "hvc1"),
        "bit_depth": (10, "Bit depth", "10 bits"),
        "alpha": (True, "Transparency", "yes"),
        "audio_streams": (0, "Sound tracks", "none"),
        "subtitle_streams": (2, "Subtitle tracks", "2"),
        "color_range": ("tv", "Colour range", "limited (tv)"),
        "mastering_display": (display, "HDR: screen it was made on", "0.005 to 1000 cd/m²"),
        "content_light": ([1000, 400], "HDR: brightest", "point 1000, picture 400 cd/m²"),
    }
    rows = [{"name": name, "expected": value, "found": value, "ok": True} for name, (value, _, _) in told.items()]
    found = certificate({"ok": True, "checks": rows})["checks"]
    assert [(row["name"], row["expected"], row["found"]) for row in found] == [
        (label, words, words) for _, label, words in told.values()
    ]


def test_what_is_not_there_and_not_expected_is_not_told() -> None:
    absent = {"alpha": False, "subtitle_streams": 0, "mastering_display": None, "codec_tag": ""}
    rows = [{"name": name, "expected": value, "found": value, "ok": True} for name, value in absent.items()]
    assert certificate({"ok": True, "checks": rows})["checks"] == []
    lost = {"name": "alpha", "expected": True, "found": False, "ok": False}
    assert [row["found"] for row in certificate({"ok": False, "checks": [lost]})["checks"]] == ["no"]


def test_the_encoder_is_told_and_not_called_a_check(client: Client, source: Source) -> None:
    row = {"name": "encoder", "expected": "auto", "found": "libx265", "ok": True}
    page = page_of(client, finished_job(source, certificate={"ok": True, "checks": [row]}))
    assert ">automatic</td>" in page and ">x265 (processor)</td>" in page and "for the record" in page


def test_every_line_that_the_engine_checks_has_words() -> None:
    assert set(_FOUND) | {"readable", *TOLD} == set(CHECKS)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("mp4_h264", "MP4"), ("mp4_h265", "MP4"), ("mp4_av1", "MP4"), ("webm_vp9", "WebM"), ("webm_av1", "WebM"),
        ("mov_prores", "MOV"), ("mov_prores4444", "MOV"), ("gif", "GIF"), ("webp", "WebP"), ("png", "All frames (PNG)"),
    ],
)  # fmt: skip
def test_the_button_of_the_download_says_what_the_file_is(client: Client, source: Source, name: str, word: str) -> None:
    job = finished_job(source, options={"format": name})
    button = page_of(client, job).split(reverse("job-download", args=[job.pk, "master"]))[1].split("</a>")[0]
    assert button.endswith(f"</svg>{word}")


@pytest.mark.parametrize(
    ("options", "heard"),
    [
        ({}, True),
        ({"mode": "slow"}, False),
        ({"mode": "slow", "sound": "stretch"}, True),
        ({"sound": "drop"}, False),
        ({"format": "gif"}, False),
    ],
)
def test_the_player_has_a_switch_for_sound_where_there_is_sound(
    source: Source, options: dict[str, str], heard: bool
) -> None:
    assert has_sound(job_of(source, options=options)) is heard


def test_a_job_says_what_is_special_about_it(client: Client, source: Source) -> None:
    options = {"format": "webp", "loop": True, "duplicates": "retime", "trim_start": "1/2"}
    page = page_of(client, job_of(source, options=options))
    for words in ("repeats evened out", "0:00.5 to the end", "loop", "WebP"):
        assert f"<span>{words}</span>" in page


def test_the_compared_picture_lies_between_its_two_neighbours(client: Client, source: Source) -> None:
    job = finished_job(source, METRICS | {"compared": {"start": 1 / 60, "end": 1.9 / 60}})
    comparison = results(job)["compare"]
    assert comparison["new"].time == 1 / 60
    assert results(finished_job(source, METRICS | {"compared": {"start": 5.0, "end": 5.1}}))["compare"] is None


def test_the_chart_is_a_figure_that_plotly_accepts_with_cuts_and_three_rows() -> None:
    chart = figures_chart(METRICS)
    assert chart is not None
    figure = go.Figure(chart)
    assert [trace.name for trace in figure.data] == ["drawn", "plain blend", "SSIM", "motion", "cut"]
    assert {shape.x0 for shape in figure.layout.shapes} == {1.5}
    assert list(figure.data[0].x) == [0.0, 0.1, 0.2, 0.3, 0.4]


def test_there_is_no_chart_without_anything_to_draw() -> None:
    assert figures_chart({"held_out": None, "motion": [{"time": 0.0, "px": 4.0}], "cuts": []}) is None


def test_the_bar_never_runs_backwards_from_stage_to_stage() -> None:
    shown = [
        services.overall_percent(Job(stage=stage, frames_done=done, frames_total=8))
        for stage in STAGES
        for done in range(9)
    ]
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (0, 99)


def test_figures_have_words() -> None:
    words = ["excellent", "good", "good", "acceptable", "weak"]
    assert [psnr_word(value) for value in (40.1, 40.0, 30.0, 29.9, 24.9)] == words
    assert [ssim_word(value) for value in (0.91, 0.9, 0.8, 0.79, 0.69)] == words
