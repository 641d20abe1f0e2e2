"""Weights that lie there under two names are one model to choose: the other name is told beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.conf import settings as project
from django.contrib.auth.models import User
from django.test import Client

from engine.checkpoint import list_models
from interpolation import services
from interpolation.job_form import JobForm
from interpolation.model_names import first_names, offers
from interpolation.models import Job

from .pages import SETTINGS, finished_job, source_of


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a promotion: the weights of a run are the default, and still lie there under their own name."""
    monkeypatch.setenv("INBETWEEN_MODELS", str(tmp_path))
    for name in ("trained_model", "night_run"):
        shutil.copy(Path(project.BASE_DIR) / "models" / "trained_model.pth", tmp_path / f"{name}.pth")


def test_they_are_offered_once_under_the_name_of_the_default() -> None:
    (offer,) = offers(list_models())
    assert (offer.info.name, offer.also, offer.words) == (
        "trained_model", ("night_run",), "trained_model (also night_run)"
    )  # fmt: skip
    assert first_names(list_models()) == {"night_run": "trained_model"}


@pytest.mark.parametrize("place", ["job form", "bake-off", "models", "a part anew"])
def test_where_a_model_is_chosen_or_shown_it_stands_once_with_its_other_name(
    page: Client, ada: User, place: str
) -> None:
    source = source_of(ada)
    job = finished_job(source, model_name="night_run")
    addresses = {
        "job form": f"/sources/{source.pk}/jobs/new/",
        "bake-off": "/models/bake-off/",
        "models": "/models/",
        "a part anew": f"/jobs/{job.pk}/",
    }
    shown = page.get(addresses[place]).content.decode()
    assert 'value="night_run"' not in shown and 'id="model-night_run"' not in shown
    if place != "a part anew":  # only offered while the parts of the film are kept
        assert "night_run" in shown


def test_a_form_with_the_other_name_goes_on_with_the_same_weights(ada: User) -> None:
    source = source_of(ada)
    form = JobForm({**SETTINGS, "model": "night_run"}, source=source, models=list_models())
    assert form.is_valid(), form.errors
    assert form.options()["model"] == "trained_model" and form["model"].value() == "trained_model"
    again = JobForm(initial={"model": "night_run"}, source=source, models=list_models())
    assert again["model"].value() == "trained_model"
    unknown = JobForm({**SETTINGS, "model": "nobody"}, source=source, models=list_models())
    assert not unknown.is_valid() and "model" in unknown.errors


def test_a_bake_off_of_one_model_with_itself_is_refused_under_any_name(ada: User) -> None:
    words = "night_run and trained_model are the same weights under two names"
    with pytest.raises(services.ServiceError, match=words):
        services.bakeoff_create(user=ada, source=source_of(ada), first="night_run", second="trained_model")
    assert not Job.objects.exists()
