"""Bake-offs: two models on one clip, judged blind, counted for the right one; and the models page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from engine import Interpolator
from engine.checkpoint import ModelInfo
from interpolation import services
from interpolation.models import BakeOff, Job, Source

from .pages import finished_job, job_of, person, source_of


@pytest.fixture
def ready(ada: User) -> BakeOff:
    """Both films are there."""
    source = source_of(ada)
    jobs = [finished_job(source, options={"model": model}) for model in ("flow_fusion", "blend")]
    Job.objects.filter(pk=jobs[0].pk).update(options={**jobs[0].options, "model": "flow_fusion"})
    return BakeOff.objects.create(owner=ada, source=source, first=jobs[0], second=jobs[1])


def test_blend_draws_the_mean_of_two_frames_and_knows_no_motion() -> None:
    black, white = np.zeros((16, 16, 3), np.uint8), np.full((16, 16, 3), 200, np.uint8)
    pair = Interpolator.load("blend").pair(black, white)
    assert (pair.at(0.5) == 100).all() and (pair.at(0.25) == 50).all()
    assert (pair.at(0) == black).all() and (pair.at(1) == white).all()
    assert pair.flow() is None


def test_both_jobs_draw_the_same_part_with_different_models(page: Client, ada: User) -> None:
    source = source_of(ada, duration="60/1", frame_count=1800)
    answer = page.post("/models/bake-off/", {"source": source.pk, "first": "flow_fusion", "second": "blend"})
    made = BakeOff.objects.get()
    assert answer.headers["Location"] == f"/models/bake-off/{made.pk}/"
    options = [made.first.options, made.second.options]
    assert [one["model"] for one in options] == ["flow_fusion", "blend"]
    assert {one["trim_end"] for one in options} == {"10"}
    assert "Two models draw the same clip." in page.get(answer.headers["Location"]).content.decode()


def test_the_same_model_twice_and_two_pictures_are_refused_in_words(page: Client, ada: User) -> None:
    source = source_of(ada)
    same = page.post("/models/bake-off/", {"source": source.pk, "first": "blend", "second": "blend"})
    assert same.status_code == 422 and "Choose two different models." in same.content.decode()
    pair = source_of(ada, "pictures")
    still = page.post("/models/bake-off/", {"source": pair.pk, "first": "blend", "second": "flow_fusion"})
    assert still.status_code == 422 and "Choose a video" in still.content.decode()
    assert not Job.objects.exists()


def test_a_vote_counts_for_the_film_that_stood_there(page: Client, ready: BakeOff) -> None:
    for number in range(1, 9):
        side = "b" if ready.swapped(number) else "a"  # where the first film is
        page.post(f"/models/bake-off/{ready.pk}/vote/", {"number": number, "side": side})
    page.post(f"/models/bake-off/{ready.pk}/vote/", {"number": 9, "side": "tie"})
    assert {ready.swapped(number) for number in range(1, 60)} == {True, False}
    assert services.bakeoff_tally(ready) == {"first": 8, "second": 0, "tie": 1}


def test_a_vote_that_is_sent_twice_counts_once(page: Client, ready: BakeOff) -> None:
    for _ in range(2):
        page.post(f"/models/bake-off/{ready.pk}/vote/", {"number": 1, "side": "a"})
    assert ready.votes.count() == 1


def test_nothing_says_which_is_which_until_it_is_asked_for(page: Client, ready: BakeOff) -> None:
    address = f"/models/bake-off/{ready.pk}/"
    blind = page.get(address).content.decode()
    assert "blend" not in blind and "flow_fusion" not in blind
    page.post(f"{address}reveal/")
    assert "Your verdict" not in page.get(address).content.decode(), "nothing was judged yet"
    page.post(f"{address}vote/", {"number": 1, "side": "a"})
    page.post(f"{address}reveal/")
    shown = page.get(address).content.decode()
    assert "A: flow_fusion" in shown and "B: blend" in shown
    page.post(f"{address}vote/", {"number": 2, "side": "a"})
    assert ready.votes.count() == 1


def test_a_stranger_finds_no_bake_off_and_cannot_vote(ready: BakeOff) -> None:
    stranger = Client()
    stranger.force_login(person("bob"))
    assert stranger.get(f"/models/bake-off/{ready.pk}/").status_code == 404
    assert stranger.post(f"/models/bake-off/{ready.pk}/vote/", {"number": 1, "side": "a"}).status_code == 404


def test_a_strangers_clip_cannot_be_drawn(page: Client) -> None:
    clip = source_of(person("bob"))
    body = {"source": clip.pk, "first": "blend", "second": "flow_fusion"}
    assert page.post("/models/bake-off/", body).status_code == 404


def test_the_models_page_shows_the_benchmark_and_what_a_model_drew_for_me(
    page: Client, ada: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INBETWEEN_MODELS", str(tmp_path))
    score = {"psnr": 28.0, "ssim": 0.8, "ms": 1.0, "units": 0.1}
    better = {"psnr": 35.6, "ssim": 0.95, "ms": 40.0, "units": 1.7}
    named = {"arch": "", "sha256": "", "step": 0, "notice": ""}
    figures = {
        "made_at": "2026-11-25T10:00:00+00:00",
        "machine": {"processor": "A processor"},
        "methods": [
            {"name": "blend", "label": "Blend", **named},
            {"name": "flow_fusion", "label": "flow_fusion", **named},
        ],
        "counts": {"middlebury": 12},
        "scores": {"middlebury": {"blend": score, "flow_fusion": better}},
        "speed": {"width": 1280, "height": 720, "unit": 200.0, "ms": {"blend": 4.0, "flow_fusion": 300.0}},
    }
    (tmp_path / "benchmark.json").write_text(json.dumps(figures))
    job = finished_job(source_of(ada), model_name="flow_fusion")
    finished_job(source_of(person("bob")), model_name="flow_fusion")
    answer = page.get("/models/")
    table = answer.context["benchmark"]
    assert [row["label"] for row in table["rows"]] == ["flow_fusion", "Blend"]
    assert [row["cells"][0]["best"] for row in table["rows"]] == [True, False]
    assert [row["units"] for row in table["rows"]] == [1.5, 0.02]
    ((_info, _facts, pictures),) = answer.context["models"]
    assert [drawn.pk for drawn, _picture in pictures] == [job.pk]


def test_a_damaged_benchmark_is_as_good_as_none(page: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INBETWEEN_MODELS", str(tmp_path))
    (tmp_path / "benchmark.json").write_text("[")
    assert "Nothing has been measured here yet" in page.get("/models/").content.decode()


def test_jobs_run_again_with_the_default_model(page: Client, ada: User) -> None:
    source: Source = source_of(ada)
    old = finished_job(source, options={"inbetween": 3, "model": "encoder_decoder"})
    page.post("/history/act/", {"action": "again", "job": [old.pk]})
    new = Job.objects.exclude(pk=old.pk).get()
    assert (new.options["inbetween"], new.options["model"], new.status) == (3, "default", "queued")


def test_again_is_offered_by_name_and_only_where_the_default_model_is_another(
    page: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = ModelInfo("trained_model", "flow_fusion", None, "new weights", 1, trained=True)
    monkeypatch.setattr("engine.checkpoint.model_info", lambda name="default": usual)
    source = source_of(ada)
    other = finished_job(source, model_name="flow_fusion_fast", model_sha256="fast weights")
    older = finished_job(source, model_name="trained_model", model_sha256="old weights")
    same = finished_job(source, model_name="trained_model", model_sha256="new weights")
    never = job_of(source, "cancelled", {"model": "trained_model"})
    words = {other: "Run with trained_model", older: "Run with the newer trained_model", same: "", never: ""}
    for job, said in words.items():
        text = page.get(job.get_absolute_url()).content.decode()
        assert ("/again/" in text, said in text) == (bool(said), True)
    rows = page.get("/history/").content.decode()
    assert "Again with trained_model" in rows and rows.count(" data-differs") == 2
    page.post("/history/act/", {"action": "again", "job": [job.pk for job in words]})
    assert Job.objects.count() == len(words) + 2
    answer = page.post(f"/jobs/{same.pk}/again/", follow=True).content.decode()
    assert "trained_model drew it already" in answer and Job.objects.count() == len(words) + 2
