"""The health page says what is wrong, and nothing about users."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.test import Client
from redis.exceptions import RedisError

from frameinterp_site.broker import SEEN, ClusterBroker
from interpolation import reaper
from interpolation.models import Source
from interpolation.services import job_create


@pytest.fixture
def all_alive(db: None) -> None:
    for cluster in ("interpolation", "training"):
        cache.set(SEEN.format(cluster), time.time())
    reaper.reap_once()


def test_all_is_well(all_alive: None, quick_source: Source) -> None:
    job_create(source=quick_source, options={})
    response = Client().get("/health/")
    found = response.json()
    assert (response.status_code, found["status"], found["problems"]) == (200, "ok", [])
    assert found["database"] == {"ok": True, "waiting": {"interpolation": 1, "training": 0}, "running": 0}
    assert found["clusters"]["interpolation"]["alive"] is True
    assert found["reaper"]["alive"] is True
    assert response["Cache-Control"].startswith("max-age=0, no-cache")


def test_a_silent_worker_is_named(all_alive: None) -> None:
    cache.set(SEEN.format("training"), time.time() - 31)
    response = Client().get("/health/")
    assert response.status_code == 503
    assert response.json()["problems"] == ["No training worker is alive: jobs wait. Start one (manage.py up)."]


def test_a_missing_reaper_is_named(all_alive: None) -> None:
    cache.delete(reaper.SEEN)
    assert Client().get("/health/").json()["problems"] == [
        "The reaper is not running: jobs of dead workers are not noticed."
    ]


def test_a_cluster_says_by_name_that_it_is_alive(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frameinterp_site.broker.Conf.CLUSTER_NAME", "training")
    ClusterBroker(list_key="training").set_stat("key", "value", 3)
    assert time.time() - cache.get(SEEN.format("training")) < 5
    assert cache.get(SEEN.format("interpolation")) is None


def test_a_cache_that_does_not_answer_is_said_and_not_taken_for_dead_workers(
    all_alive: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get(key: str) -> None:
        raise RedisError("gone")

    monkeypatch.setattr("frameinterp_site.health.cache", SimpleNamespace(get=get))
    response = Client().get("/health/")
    assert response.status_code == 503
    assert response.json()["problems"] == [
        "The cache does not answer: nobody knows whether the workers are alive (INBETWEEN_CACHE)."
    ]
