"""Administrators stop runs, let them go on and make their weights the default; all of it is in the audit log."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from training import promotion
from training.models import TrainingRun


@pytest.fixture
def run(db: None) -> TrainingRun:
    return TrainingRun.objects.create(name="night", status="queued", config={"model_path": "models/night.pth"})


def act(client: Client, action: str, *runs: TrainingRun) -> str:
    chosen = [str(run.pk) for run in runs]
    page = client.post("/admin/training/trainingrun/", {"action": action, "_selected_action": chosen}, follow=True)
    return page.content.decode()


def audited() -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]


def test_a_run_is_stopped_and_goes_on(run: TrainingRun, admin_client: Client) -> None:
    assert "Night: stopped, or asked to stop." in act(admin_client, "stop", run)
    assert "Night: put back into the queue." in act(admin_client, "go_on", run)
    assert "only failed and stopped runs" in act(admin_client, "go_on", run)
    assert audited() == ["stopped, or asked to stop", "put back into the queue"]


def test_weights_become_the_default_only_through_the_gate(
    run: TrainingRun, admin_client: Client, admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(promotion, "model_promote", lambda **given: asked.append(given))
    assert "Night: made the default model." in act(admin_client, "promote", run)
    assert asked == [{"name": "night", "user": admin_user}]
    assert audited() == []  # that is written by model_promote, whatever door it comes through


def test_weights_that_do_not_exist_or_are_not_better_are_refused_in_words(
    run: TrainingRun, admin_client: Client
) -> None:
    assert "There is no model" in act(admin_client, "promote", run)
    other = TrainingRun.objects.create(name="day", config={"model_path": "models/day.pth"})
    assert "Choose one run: there is one default." in act(admin_client, "promote", run, other)
    assert audited() == []
