"""When a job will be done is learned from the jobs that were done here."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django.fixtures import Settings

from engine.checkpoint import ModelInfo
from engine.config import RenderOptions
from frameinterp_site.holds import hold_release, hold_set
from interpolation import services
from interpolation.models import Job, Source
from interpolation.services.outlook import fit, work_of

from .pages import job_of, person, source_of

pytestmark = pytest.mark.django_db


def done(source: Source, seconds: float, inbetween: int = 1, model: str | None = None) -> Job:
    now = timezone.now()
    return job_of(
        source,
        "succeeded",
        {"inbetween": inbetween, "model": model},
        started_at=now - timedelta(seconds=seconds),
        finished_at=now,
    )


@pytest.fixture
def source() -> Source:
    """90 frames of 640 x 360."""
    return source_of(person("alice"))


def test_start_and_rate_are_found_exactly_where_all_jobs_agree() -> None:
    rate = fit([(work, 4 + 0.5 * work) for work in (1, 10, 100, 1000)])
    assert rate is not None
    assert (rate.start, rate.per_work) == (pytest.approx(4), pytest.approx(0.5))


def test_neither_part_is_below_zero() -> None:
    steep = fit([(1, 0.1), (10, 10), (100, 1000)])
    falling = fit([(1, 30), (10, 20), (100, 10)])
    assert steep is not None and falling is not None
    assert steep.start == 0 and steep.per_work > 0
    assert falling.per_work == 0 and 10 < falling.start < 30


def test_one_job_gives_its_own_rate_and_none_nothing() -> None:
    assert fit([]) is None
    rate = fit([(20, 10)])
    assert rate is not None
    assert (rate.start + rate.per_work * 20, rate.low, rate.high) == (pytest.approx(10), 0.5, 2.0)


def test_the_spread_is_that_of_the_past_jobs() -> None:
    rate = fit([(10, 10 * factor) for factor in (0.8, 0.9, 1.0, 1.1, 1.2, 1.3)])
    assert rate is not None
    assert 0.7 < rate.low < 1 < rate.high < 1.5


def test_nothing_is_promised_before_anything_was_done(source: Source) -> None:
    assert services.estimate(source, RenderOptions()) is None
    job = job_of(source)
    found = services.job_progress_view(job)
    assert (found["queue_position"], found["starts_in_seconds"], found["done_in_seconds"]) == (1, 0, None)


def test_a_job_twice_as_large_takes_twice_as_long(source: Source) -> None:
    for inbetween in (1, 3, 7):
        work = work_of(source, RenderOptions(inbetween=inbetween))
        done(source, 2 * work, inbetween)
    found = services.estimate(source, RenderOptions(inbetween=5))
    assert found is not None
    assert found.seconds == pytest.approx(2 * work_of(source, RenderOptions(inbetween=5)), rel=1e-3)
    assert found.jobs == 3


def test_every_model_has_its_own_rate_once_there_is_enough_of_it(source: Source) -> None:
    for _ in range(3):
        done(source, 100)
        done(source, 10, model="quick")
    quick = services.estimate(source, RenderOptions(model="quick"))
    unknown = services.estimate(source, RenderOptions(model="new"))
    assert quick is not None and unknown is not None
    assert quick.seconds == pytest.approx(10, rel=1e-3)
    assert 10 < unknown.seconds < 100


def test_of_a_model_that_drew_little_here_the_benchmark_says_how_much_quicker_it_is(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("usual", "quick", "none")
    figures = {
        "methods": [{"name": name, "sha256": f"weights of {name}"} for name in names],
        "speed": {"width": 1000, "height": 1000, "ms": {"usual": 200, "quick": 150, "none": 1}},
    }
    (tmp_path / "benchmark.json").write_text(json.dumps(figures))
    monkeypatch.setenv("INBETWEEN_MODELS", str(tmp_path))
    infos = [ModelInfo(name, "flow_fusion", None, f"weights of {name}", 1, trained=True) for name in names]
    monkeypatch.setattr("engine.checkpoint.list_models", lambda: infos)
    for inbetween in (1, 3, 7):
        done(source, 2 * work_of(source, RenderOptions(inbetween=inbetween)), inbetween, model="usual")
    usual, quick, nothing = (services.estimate(source, RenderOptions(model=name)) for name in names)
    assert usual is not None and quick is not None and nothing is not None
    assert quick.seconds == pytest.approx(0.75 * usual.seconds, rel=1e-3)
    assert nothing.seconds == pytest.approx(usual.seconds, rel=1e-3)  # too unlike, but there is nothing better
    cache.clear()
    done(source, 1, 3, model="none")
    asked = [RenderOptions(model="usual"), RenderOptions(model="none", inbetween=3)]
    usual_now, nothing = (services.estimate(source, options) for options in asked)
    assert usual_now is not None and usual_now.seconds == pytest.approx(usual.seconds, rel=1e-3)
    assert nothing is not None and (nothing.jobs, round(nothing.seconds)) == (1, 1)


def test_the_queue_says_when_each_begins_and_ends_in_the_order_of_turns(source: Source, settings: Settings) -> None:
    settings.WORKERS = 1
    for _ in range(3):
        done(source, 10)
    cache.clear()
    alice, bobs_source = source.project.owner, source_of(person("bob"))
    running = job_of(source, "running", created_by=alice, started_at=timezone.now() - timedelta(seconds=4))
    mine = [job_of(source, created_by=alice) for _ in range(2)]
    bobs = job_of(bobs_source)
    found = services.outlooks()
    assert [found[job.pk].place for job in (bobs, *mine)] == [1, 2, 3]
    starts = [found[job.pk].starts_in for job in (bobs, *mine)]
    assert starts == [pytest.approx(6, abs=0.5), pytest.approx(16, abs=0.5), pytest.approx(26, abs=0.5)]
    Job.objects.filter(pk=running.pk).update(stage="interpolating", eta_seconds=30.0)
    assert services.outlooks()[bobs.pk].starts_in == 30.0


def test_two_workers_halve_the_wait(source: Source, settings: Settings) -> None:
    settings.WORKERS = 2
    for _ in range(3):
        done(source, 10)
    jobs = [job_of(source) for _ in range(4)]
    found = services.outlooks()
    assert [round(found[job.pk].done_in or 0) for job in jobs] == [10, 10, 20, 20]


def test_a_long_list_asks_once(source: Source, django_assert_max_num_queries, client) -> None:
    for _ in range(20):
        job_of(source)
    client.force_login(source.project.owner)
    with django_assert_max_num_queries(12):
        rows = client.get("/api/v1/jobs/").json()["results"]
    assert sorted(row["progress"]["queue_position"] for row in rows) == list(range(1, 21))


def test_while_the_workers_are_held_nobody_knows_when_a_job_is_done(source: Source) -> None:
    for _ in range(3):
        done(source, 10)
    cache.clear()
    job = job_of(source)
    assert services.outlooks()[job.pk].done_in == pytest.approx(10, rel=0.01)
    hold = hold_set(queue="interpolation", mode="drain")
    assert services.outlooks()[job.pk] == services.Outlook(1, None, None)
    hold_release(hold=hold)
    assert services.outlooks()[job.pk].done_in is not None
