"""Training pages: who may see and start what, what a run's page shows, and what the form refuses."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from engine.checkpoint import ModelInfo
from engine.config import ModelConfig
from training import services
from training.models import TrainingRun

from .footage import sliding, write_frames
from .rows import WORKER, config, epoch_report, run_row, running, step_report, user

pytestmark = pytest.mark.django_db
Status = TrainingRun.Status


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setenv("INBETWEEN_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(services, "async_task", lambda *_, **__: None)
    settings.TRAINING_DATA = tmp_path / "footage"
    settings.TRAINING_FOR_ALL = False


@pytest.fixture
def alice() -> User:
    return user("alice", staff=True)


def signed_in(who: User) -> Client:
    client = Client()
    client.force_login(who)
    return client


def filled(**changes: Any) -> dict[str, Any]:
    values = {
        "name": "Garden cam", "source": "synthetic", "arch": "flow_fusion", "epochs": 2, "steps_per_epoch": 3,
        "batch_size": 4, "crop": 64, "lr": 0.002, "max_minutes": "",
        "validation_triplets": 5,
    }  # fmt: skip
    return {**values, **changes}


def test_weights_that_lie_there_under_two_names_are_offered_once(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"trained_model": "one", "flow_fusion_fast": "two", "garden": "one", "begun": "three"}
    infos = [
        ModelInfo(name, "flow_fusion", Path(f"/models/{name}.pth"), sha256, 1, trained=name != "begun")
        for name, sha256 in names.items()
    ]
    monkeypatch.setattr("training.forms.list_models", lambda: infos)
    page = signed_in(alice).get("/training/new/").content.decode()
    offered = re.findall(r'<option value="(/models/[^"]+)" *>([^<]+)<', page)
    assert offered == [
        ("/models/trained_model.pth", "trained_model (also garden)"),
        ("/models/flow_fusion_fast.pth", "flow_fusion_fast"),
    ]


def test_without_signing_in_every_page_leads_to_the_door(tmp_path: Path) -> None:
    run = run_row(tmp_path)
    for path in ("/training/", "/training/new/", f"/training/{run.pk}/", f"/training/{run.pk}/status/"):
        response = Client().get(path)
        assert response.status_code == 302 and "sign-in" in response["Location"]


def test_the_empty_list_invites_staff_to_start_and_tells_others_who_may(alice: User) -> None:
    assert "Start a training run" in signed_in(alice).get("/training/").content.decode()
    text = signed_in(user("bob")).get("/training/").content.decode()
    assert "Start a training run" not in text and "Only administrators start training" in text


def test_only_staff_may_start_unless_the_setting_opens_it(settings: Any) -> None:
    client = signed_in(user("bob"))
    assert client.get("/training/new/").status_code == 403
    assert client.post("/training/new/", filled()).status_code == 403
    settings.TRAINING_FOR_ALL = True
    assert client.get("/training/new/").status_code == 200
    assert client.post("/training/new/", filled()).status_code == 302
    assert TrainingRun.objects.get().owner.username == "bob"


def test_a_strangers_run_is_not_found(tmp_path: Path, settings: Any) -> None:
    settings.TRAINING_FOR_ALL = True
    run = run_row(tmp_path, owner=user("bob"))
    eve = signed_in(user("eve"))
    for path in ("", "status/"):
        assert eve.get(f"/training/{run.pk}/{path}").status_code == 404
    for path in ("cancel/", "resume/"):
        assert eve.post(f"/training/{run.pk}/{path}").status_code == 404
    assert "garden" not in eve.get("/training/").content.decode()
    run.refresh_from_db()
    assert run.status == Status.QUEUED


def test_staff_see_everybodys_runs_and_those_started_by_hand(tmp_path: Path, alice: User) -> None:
    run_row(tmp_path, name="bobs run", owner=user("bob"))
    run_row(tmp_path, name="typed run", by_hand=True)
    text = signed_in(alice).get("/training/").content.decode()
    assert "bobs run" in text and "typed run" in text and "command line" in text


def test_the_form_makes_a_run_with_the_settings_typed(tmp_path: Path, alice: User, settings: Any) -> None:
    settings.TRAINING_WORKERS = 2
    response = signed_in(alice).post("/training/new/", filled(max_minutes="12.5"))
    run = TrainingRun.objects.get()
    assert response["Location"] == f"/training/{run.pk}/"
    expected = {"epochs": 2, "steps_per_epoch": 3, "batch_size": 4, "crop": 64, "lr": 0.002, "max_minutes": 12.5}
    expected |= {"validation_triplets": 5, "workers": 2}
    assert {key: run.config[key] for key in expected} == expected
    assert run.config["synthetic"] is True and run.config["data_dirs"] == []
    assert run.config["model_path"] == str(tmp_path / "models" / "garden_cam.pth")
    assert (run.owner, run.status, run.steps_total) == (alice, Status.QUEUED, 6)


def test_a_folder_on_the_server_is_trained_on_alone_or_with_scenes(tmp_path: Path, alice: User) -> None:
    walk = str(write_frames(tmp_path / "footage" / "walk", sliding(3)))
    client = signed_in(alice)
    assert walk in client.get("/training/new/").content.decode()  # offered
    client.post("/training/new/", filled(name="one", source="footage", data_dir=walk))
    client.post("/training/new/", filled(name="two", source="both", data_dir=walk))
    made = {run.name: (run.config["data_dirs"], run.config["synthetic"]) for run in TrainingRun.objects.all()}
    assert made == {"one": ([walk], False), "two": ([walk], True)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "Give the run a name"),
        ({"name": "trained model"}, "There is a model called"),
        ({"source": "footage"}, "Say which folder"),
        ({"source": "footage", "data_dir": "/nowhere/at/all"}, "There is no folder or video /nowhere/at/all"),
        ({"epochs": 0}, "epochs = 0 is out of range"),
        ({"epochs": "many"}, "Enter a whole number"),
        ({"batch_size": 4096}, "batch_size = 4096 is out of range"),
        ({"crop": 100}, "multiple of 16"),
        ({"lr": "7"}, "lr = 7.0 is out of range"),
        ({"validation_triplets": 0}, "validation_triplets = 0 is out of range. Choose 1 to 1000"),
        ({"max_minutes": "-1"}, "max_minutes must be above 0"),
        ({"arch": "rife"}, "rife"),
        ({"init": "/etc/passwd"}, "/etc/passwd"),
    ],
)
def test_the_form_refuses_in_words_and_keeps_what_was_typed(alice: User, changes: dict[str, Any], words: str) -> None:
    response = signed_in(alice).post("/training/new/", filled(**{"name": "Garden cam", **changes}))
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not TrainingRun.objects.exists()


def test_a_running_runs_page_shows_progress_figures_and_stop_and_polls(tmp_path: Path, alice: User) -> None:
    run = running(tmp_path, owner=alice)
    held = {"run_id": run.pk, "worker": WORKER}
    services.training_run_progress(**held, report=step_report(2), loss=0.1234, rate=None, curve=[[1, 0.2], [2, 0.1234]])
    services.epoch_add(**held, report=epoch_report(1, 31.25))
    text = signed_in(alice).get(f"/training/{run.pk}/").content.decode()
    for piece in (
        "2 of 4 steps",
        "loss 0.1234",
        "31.25 dB",
        "+6.25 dB",
        "+2.25 dB",
        "50 %",
        f'hx-get="/training/{run.pk}/status/?epochs=1"',
    ):
        assert piece in text
    assert (
        '"live": true, "curve": [[1, 0.2], [2, 0.1234]], "epochs": [[1, 31.25]], "blend": 25.0, "untrained": 29.0'
        in text
    )
    assert f'action="/training/{run.pk}/cancel/"' in text


def test_the_fragment_of_a_run_that_is_over_no_longer_polls(tmp_path: Path, alice: User) -> None:
    run = run_row(tmp_path, status=Status.SUCCEEDED, model_sha256="ab" * 32, best_psnr=31.5)
    text = signed_in(alice).get(f"/training/{run.pk}/status/").content.decode()
    assert "hx-get" not in text and "<html" not in text
    assert "The weights are the model <b>garden</b>" in text and "cancel/" not in text


def test_the_fragment_carries_the_epochs_only_when_the_page_lacks_some(tmp_path: Path, alice: User) -> None:
    run = running(tmp_path, owner=alice)
    services.epoch_add(run_id=run.pk, worker=WORKER, report=epoch_report(1))
    client = signed_in(alice)
    page = client.get(f"/training/{run.pk}/").content.decode()
    assert f'hx-get="/training/{run.pk}/status/?epochs=1"' in page
    asked = {shown: client.get(f"/training/{run.pk}/status/?epochs={shown}").content.decode() for shown in (0, 1)}
    assert 'id="training-epochs"' in asked[0] and 'id="training-epochs"' not in asked[1]
    assert all(text.strip().startswith("<section") for text in asked.values())  # not a word between the parts


def test_a_run_that_has_just_ended_says_at_once_whether_it_may_become_the_default(tmp_path: Path) -> None:
    boss = User.objects.create_superuser("boss", password="a long enough word")
    run = run_row(tmp_path, status=Status.SUCCEEDED, model_sha256="ab" * 32)
    gate = '<section id="training-gate" aria-labelledby="gate-head" hx-swap-oob="true"'
    assert gate in signed_in(boss).get(f"/training/{run.pk}/status/").content.decode()
    assert f"{gate} hidden" in signed_in(user("carol", staff=True)).get(f"/training/{run.pk}/status/").content.decode()


def test_room_is_kept_for_what_comes_with_the_first_epoch(tmp_path: Path, alice: User) -> None:
    live = running(tmp_path, owner=alice)
    text = signed_in(alice).get(f"/training/{live.pk}/").content.decode()
    assert "after the first epoch" in text and "Above a plain blend" in text and "seen-row to-come" in text
    over = run_row(tmp_path, status=Status.FAILED, error="No data.", owner=alice)
    text = signed_in(alice).get(f"/training/{over.pk}/").content.decode()
    assert (
        "Above a plain blend" not in text
        and '<section id="training-pictures" aria-labelledby="pictures-head" hidden' in text
    )


def test_what_a_loss_below_zero_means_is_said_where_it_can_be_one(tmp_path: Path, alice: User) -> None:
    plain = config(tmp_path, model=ModelConfig(arch="encoder_decoder"))
    for told, words in ((config(tmp_path), "it may fall below zero"), (plain, "Lower is better.</p>")):
        run = run_row(tmp_path, config=told.to_dict(), owner=alice)
        assert words in signed_in(alice).get(f"/training/{run.pk}/").content.decode()


def test_a_failed_run_says_why_and_can_go_on(tmp_path: Path, alice: User) -> None:
    run = run_row(tmp_path, status=Status.FAILED, error="The disk is full.", owner=alice)
    client = signed_in(alice)
    text = client.get(f"/training/{run.pk}/").content.decode()
    assert "The disk is full." in text and f'action="/training/{run.pk}/resume/"' in text
    client.post(f"/training/{run.pk}/resume/")
    run.refresh_from_db()
    assert run.status == Status.QUEUED


def test_stop_is_a_post_and_stops(tmp_path: Path, alice: User) -> None:
    run = running(tmp_path, owner=alice)
    client = signed_in(alice)
    assert client.get(f"/training/{run.pk}/cancel/").status_code == 405
    assert client.post(f"/training/{run.pk}/cancel/").status_code == 302
    assert "Stopping after this step" in client.get(f"/training/{run.pk}/").content.decode()


def test_pages_carry_no_script_of_their_own(tmp_path: Path, alice: User) -> None:
    run = running(tmp_path, owner=alice, name="<script>alert(1)</script>")
    text = signed_in(alice).get(f"/training/{run.pk}/").content.decode()
    assert "<script>alert" not in text
    scripts = [piece.split(">")[0] for piece in text.split("<script")[1:]]
    assert all("src=" in script or 'type="application/json"' in script for script in scripts)


def test_the_api_lists_ones_own_runs_and_shows_epochs(tmp_path: Path) -> None:
    bob = user("bob")
    run = running(tmp_path, owner=bob)
    run_row(tmp_path, name="somebody else's")
    services.epoch_add(run_id=run.pk, worker=WORKER, report=epoch_report(1))
    client = signed_in(bob)
    listed = client.get("/api/v1/training-runs/").json()
    assert [entry["name"] for entry in listed["results"]] == ["garden"]
    detail = client.get(f"/api/v1/training-runs/{run.pk}/").json()
    assert detail["progress"]["status"] == "running" and detail["epochs"][0]["psnr"] == 30.0
    assert signed_in(user("eve")).get(f"/api/v1/training-runs/{run.pk}/").status_code == 404
    assert client.post("/api/v1/training-runs/", {}).status_code == 403
    assert Client().get("/api/v1/training-runs/").status_code == 401


def test_administrators_can_stop_and_go_on_with_runs(tmp_path: Path) -> None:
    root = User.objects.create_superuser("root", password="a long enough word")
    client = signed_in(root)
    run = run_row(tmp_path)
    assert client.get("/admin/training/trainingrun/").status_code == 200
    assert client.get(f"/admin/training/trainingrun/{run.pk}/change/").status_code == 200
    act = {"_selected_action": [str(run.pk)]}
    client.post("/admin/training/trainingrun/", {"action": "stop", **act})
    run.refresh_from_db()
    assert run.status == Status.CANCELLED
    client.post("/admin/training/trainingrun/", {"action": "go_on", **act})
    run.refresh_from_db()
    assert run.status == Status.QUEUED
