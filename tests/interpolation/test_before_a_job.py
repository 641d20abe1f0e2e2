"""Before a job: what it will make and cost, presets, and three seconds with two settings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from engine.checkpoint import ModelInfo
from engine.config import RenderOptions
from interpolation import services
from interpolation.models import Job, Preset, Source, Trial
from interpolation.services.preflight import file_size
from interpolation.services.presets import DRAFT_MODEL

from .pages import METRICS, SETTINGS, finished_job, job_of, person, source_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(client: Client) -> Source:
    """90 frames of 640 x 360 at 30 a second, three seconds with sound; alice is signed in."""
    cache.clear()
    alice = person("alice")
    client.force_login(alice)
    return source_of(alice)


def long_source(source: Source, **info: Any) -> Source:
    source.info |= {"duration": "60/1", "frame_count": 1800, **info}
    source.save(update_fields=["info"])
    return source


def words_for(source: Source, **options: Any) -> dict[str, str]:
    """{first words of a warning: its kind}."""
    found = services.preflight(source, RenderOptions(**options), source.project.owner)
    return {one.words: one.kind for one in found.warnings}


def test_time_and_file_are_learned_from_what_was_done_here_and_say_so(client: Client, source: Source) -> None:
    now = timezone.now()
    for _ in range(3):
        job_of(source, "succeeded", started_at=now - timedelta(seconds=40), finished_at=now, master_bytes=2_000_000)
    cost = services.cost(source, RenderOptions())
    assert cost.learned and cost.time is not None
    assert (round(cost.time.seconds), cost.time.jobs) == (40, 3)
    assert (cost.size.bytes, cost.size.jobs) == (pytest.approx(2_000_000), 3)
    page = client.get(reverse("job-new", args=[source.pk])).content.decode()
    assert "about 40 s" in page and "from 3 jobs done here" in page and "From 3 files made here." in page


def test_six_steps_of_crf_halve_the_file(source: Source) -> None:
    job_of(source, "succeeded", {"crf": 18}, finished_at=timezone.now(), master_bytes=1_000_000)
    assert file_size(source, RenderOptions(crf=24)).bytes == pytest.approx(500_000, abs=1)
    assert file_size(source, RenderOptions(crf=12)).bytes == pytest.approx(2_000_000, abs=1)


def test_without_past_jobs_it_is_called_a_guess(client: Client, source: Source) -> None:
    cost = services.cost(source, RenderOptions(model="trained_model"))
    assert not cost.learned and cost.size.jobs == 0
    assert cost.time is not None and cost.time.jobs == 0
    assert cost.time.low < cost.time.seconds < cost.time.high
    page = client.get(reverse("job-new", args=[source.pk])).content.decode()
    assert "no job has run here yet" in page and "A rule of thumb" in page


def test_what_should_be_known_is_said_with_the_setting_that_puts_it_right(source: Source) -> None:
    source.info |= {"glance": {"cadence": "on twos", "frames": 90, "cuts": 0}, "interlaced": True, "hdr": True}
    found = services.preflight(source, RenderOptions(deinterlace="off"), source.project.owner)
    changes = {one.change for one in found.warnings}
    assert {("duplicates", "retime"), ("deinterlace", "auto"), ("format", "mp4_h265")} <= changes
    better = RenderOptions(duplicates="retime", format="mp4_h265")
    assert services.preflight(source, better, source.project.owner).warnings == []


@pytest.mark.parametrize(
    ("options", "words", "kind"),
    [
        ({"resolution": (641, 361)}, "has an odd side", "warning"),
        ({"resolution": (1280, 720)}, "Larger than the source", "tip"),
        ({"mode": "slow"}, "In slow motion the sound is left out.", "tip"),
        ({"inbetween": 5}, "Most screens show 60", "tip"),
        ({"inbetween": 5, "format": "gif"}, "WebP is much smaller", "warning"),
        ({"inbetween": 1, "format": "gif"}, "with at most 50 frames a second, and these are 60", "warning"),
        ({"inbetween": 3, "format": "webp"}, "with at most 90 frames a second, and these are 120", "warning"),
    ],
)
def test_warnings_in_words(source: Source, options: dict[str, Any], words: str, kind: str) -> None:
    found = {said: of for said, of in words_for(source, **options).items() if words in said}
    assert list(found.values()) == [kind]
    assert not any(words in said for said in words_for(source))


def test_a_job_that_would_be_refused_says_so_before(source: Source, settings: Settings) -> None:
    settings.USER_QUEUED_JOBS = 1
    job_of(source, created_by=source.project.owner)
    assert [kind for words, kind in words_for(source).items() if "of your jobs wait already" in words] == ["stop"]
    settings.MIN_FREE_BYTES = 1 << 60
    assert [kind for words, kind in words_for(source).items() if "has no room for this" in words] == ["stop"]


def test_a_webm_with_two_frames_in_a_millisecond_is_refused_before_the_job(source: Source) -> None:
    source.info |= {"fps": "240/1", "frame_count": 720}
    fast = {"format": "webm_vp9", "inbetween": 4}
    assert [kind for words, kind in words_for(source, **fast).items() if "two would fall into one" in words] == ["stop"]
    with pytest.raises(services.ServiceError, match=r"1200 frames a second.*Choose MP4"):
        services.job_create(source=source, options=fast)
    assert "format" in services.wrong_options(source, fast)
    assert services.wrong_options(source, {**fast, "inbetween": 3}) == {}


def test_the_card_and_the_costs_of_presets_follow_the_settings(client: Client, source: Source) -> None:
    answer = client.get(reverse("job-prediction", args=[source.pk]), SETTINGS | {"mode": "fps", "target_fps": "60"})
    page = answer.content.decode()
    assert 'id="preflight" hx-swap-oob="innerHTML"' in page and "60 fps" in page
    assert 'id="cost-draft" hx-swap-oob="innerHTML">' in page and " s, " in page
    wrong = client.get(reverse("job-prediction", args=[source.pk]), SETTINGS | {"inbetween": "99"}).content.decode()
    assert "99 in-between frames is out of range" in wrong and "preflight" not in wrong


# -- Presets -----------------------------------------------------------------------------------------------------------


def test_presets_fit_the_source(source: Source) -> None:
    source.info["fps"] = "24000/1001"
    found = {one.key: one for one in services.setups(source, source.project.owner)}
    assert found["film"].options["target_fps"] == "60000/1001"
    assert found["animation"].options == {
        "mode": "fps", "duplicates": "retime", "cut": "hold", "target_fps": "24000/1001"
    }  # fmt: skip
    assert found["sports"].options["inbetween"] == 3
    pictures = source_of(person("bob"), "pictures")
    assert {one.group for one in services.setups(pictures, source.project.owner)} == {"quality"}


@pytest.fixture
def two_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """As shipped: the default, and a quicker one."""
    infos = [ModelInfo(name, "flow_fusion", None, name, 1, trained=True) for name in ("trained_model", DRAFT_MODEL)]
    monkeypatch.setattr("engine.checkpoint.list_models", lambda: infos)


def drawn_by(source: Source) -> dict[str, str]:
    found = services.setups(source, source.project.owner)
    return {one.key: one.options["model"] for one in found if one.group == "quality"}


def test_a_draft_is_drawn_by_the_quick_model_and_the_others_by_the_default(source: Source, two_models: None) -> None:
    assert drawn_by(source) == {"draft": DRAFT_MODEL, "good": "trained_model", "best": "trained_model"}
    draft = next(one for one in services.setups(source, source.project.owner) if one.key == "draft")
    assert draft.why.endswith("drawn by flow_fusion_fast")


def test_without_a_quick_model_a_draft_is_drawn_by_the_default(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    same = [ModelInfo(name, "flow_fusion", None, "same", 1, trained=True) for name in ("trained_model", DRAFT_MODEL)]
    for models in (same, same[:1]):
        monkeypatch.setattr("engine.checkpoint.list_models", lambda models=models: models)
        assert set(drawn_by(source).values()) == {"trained_model"}


def test_every_preset_is_a_job_that_can_be_started(source: Source) -> None:
    source.info |= {"width": 3840, "height": 2160}
    for one in services.setups(source, source.project.owner):
        options = one.on(RenderOptions().to_dict())
        assert services.wrong_options(source, options) == {}, one.key
    draft = next(one for one in services.setups(source, source.project.owner) if one.key == "draft")
    assert draft.options["resolution"] == [960, 540]


def test_a_preset_in_the_address_fills_in_the_form(client: Client, source: Source) -> None:
    page = client.get(reverse("job-new", args=[source.pk]), {"preset": "film"}).content.decode()
    assert 'value="fps" id="mode-fps" checked' in page and 'id="target_fps" value="60"' in page


def test_own_presets_are_kept_replaced_used_and_deleted(client: Client, source: Source) -> None:
    keep = reverse("preset-new", args=[source.pk])
    client.post(keep, SETTINGS | {"preset_name": " My  look ", "quality": "33", "trim_end": "1"})
    preset = Preset.objects.get()
    assert (preset.name, preset.options["quality"]) == ("My look", 33)
    assert "trim_end" not in preset.options
    answer = client.post(keep, SETTINGS | {"preset_name": "My look", "quality": "44"}, follow=True)
    assert Preset.objects.get().options["quality"] == 44
    page = answer.content.decode()
    assert "“My look” is kept" in page and 'id="quality" value="44"' in page
    nameless = client.post(keep, SETTINGS | {"preset_name": " "})
    assert nameless.status_code == 422 and "Give the preset a name" in nameless.content.decode()
    client.post(reverse("preset-delete", args=[source.pk, preset.pk]), SETTINGS)
    assert not Preset.objects.exists()


def test_nobody_sees_or_deletes_the_presets_of_others(client: Client, source: Source) -> None:
    bob = person("bob")
    his = services.preset_save(user=bob, name="Bobs own look", options={})
    assert "Bobs own look" not in client.get(reverse("job-new", args=[source.pk])).content.decode()
    assert client.post(reverse("preset-delete", args=[source.pk, his.pk])).status_code == 404
    assert client.get(f"/api/v1/presets/{his.pk}/").status_code == 404


def test_presets_by_api(client: Client, source: Source) -> None:
    body = {"name": "Cartoons", "options": {"duplicates": "retime", "quality": 70}}
    made = client.post("/api/v1/presets/", body, "application/json")
    assert made.status_code == 201 and made.json()["options"]["quality"] == 70
    offered = client.get(f"/api/v1/sources/{source.pk}/presets/").json()
    assert [one["name"] for one in offered if one["group"] == "own"] == ["Cartoons"]
    assert all(one["file_bytes"] > 0 for one in offered)
    bad = client.post("/api/v1/presets/", {"name": "x", "options": {"quality": 700}}, "application/json")
    assert bad.status_code == 400


# -- Three seconds -----------------------------------------------------------------------------------------------------


def start_trial(client: Client, source: Source, **more: str) -> Trial:
    sent = SETTINGS | {"trial_start": "0:10", "versus": "preset:best", **more}
    answer = client.post(reverse("trial-new", args=[source.pk]), sent)
    assert answer.status_code == 302, answer.content.decode()
    return Trial.objects.get()


def test_two_real_jobs_of_three_seconds_are_started(client: Client, source: Source) -> None:
    trial = start_trial(client, long_source(source), trim_end="30")
    jobs = [trial.first, trial.second]
    assert [(job.options["trim_start"], job.options["trim_end"]) for job in jobs] == [("10", "13")] * 2
    assert [job.options["format"] for job in jobs] == ["mp4_h264", "mp4_h265"]
    assert all(job.trial and job.status == "queued" for job in jobs)
    assert trial.part == {"trim_start": None, "trim_end": "30"}


def test_near_the_end_the_last_three_seconds_are_taken(client: Client, source: Source) -> None:
    trial = start_trial(client, long_source(source), trial_start="59")
    assert (trial.first.options["trim_start"], trial.first.options["trim_end"]) == ("57", "60")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"versus": ""}, "Choose what to compare these settings with."),
        ({"versus": "preset:nothing"}, "Choose what to compare these settings with."),
        ({"versus": "preset:good"}, "Both settings are the same."),
        ({"trial_start": "soon"}, "is not a time"),
        ({"inbetween": "99"}, "99 in-between frames is out of range."),
    ],
)
def test_a_trial_that_makes_no_sense_is_refused_in_words(
    client: Client, source: Source, sent: dict[str, str], words: str
) -> None:
    answer = client.post(reverse("trial-new", args=[source.pk]), SETTINGS | {"versus": "preset:best"} | sent)
    assert answer.status_code == 422 and words in answer.content.decode()
    assert not Job.objects.exists()


def test_trials_do_not_clutter_lists_but_can_be_found(client: Client, source: Source) -> None:
    start_trial(client, long_source(source))
    whole = finished_job(source)
    history, project = reverse("history"), source.project.get_absolute_url()
    assert [job.pk for job in client.get(history).context["page"]] == [whole.pk]
    assert len(client.get(history, {"trials": "with"}).context["page"]) == 3
    assert all(job.trial for job in client.get(history, {"trials": "only"}).context["page"])
    assert [job.pk for job in client.get(project).context["jobs"]] == [whole.pk]
    assert len(client.get("/api/v1/jobs/?trial=true").json()["results"]) == 2


def test_the_one_that_is_liked_becomes_the_whole_job_once(client: Client, source: Source) -> None:
    trial = start_trial(client, long_source(source), trim_end="30")
    Job.objects.update(status="succeeded", metrics=METRICS, started_at=timezone.now(), finished_at=timezone.now())
    page = client.get(trial.get_absolute_url()).content.decode()
    assert "The whole film like A" in page and "These three seconds took 31 s" in page
    promote = reverse("trial-promote", args=[trial.pk])
    first = client.post(promote, {"side": "second"})
    again = client.post(promote, {"side": "second"})
    assert first.url == again.url  # type: ignore[attr-defined]
    whole = Job.objects.get(trial=False)
    assert (whole.options["format"], whole.options["trim_start"], whole.options["trim_end"]) == ("mp4_h265", None, "30")


def test_a_trial_is_for_who_started_it(client: Client, source: Source) -> None:
    trial = start_trial(client, long_source(source))
    bob = person("bob")
    services.member_set(project=source.project, username=bob.username, role="editor")
    client.force_login(bob)
    assert client.get(trial.get_absolute_url()).status_code == 404


def test_trials_by_api(client: Client, source: Source) -> None:
    long_source(source)
    body = {"source": str(source.pk), "start": "4.5", "second": {"duplicates": "retime"}}
    made = client.post("/api/v1/trials/", body, "application/json")
    assert made.status_code == 201, made.json()
    assert client.get(f"/api/v1/jobs/{made.json()['first']}/").json()["trial"] is True
    promoted = client.post(f"/api/v1/trials/{made.json()['id']}/promote/", {"side": "second"}, "application/json")
    assert (promoted.status_code, promoted.json()["options"]["duplicates"]) == (201, "retime")
    same = client.post("/api/v1/trials/", {"source": str(source.pk), "second": {}}, "application/json")
    assert same.status_code in (400, 409, 422) and "Both settings are the same" in same.content.decode()
