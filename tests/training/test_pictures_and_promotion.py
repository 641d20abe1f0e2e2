"""What a run draws epoch by epoch, runs beside each other, uploads as data, and which weights become the default."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from engine.checkpoint import file_info, models_folder, save_checkpoint
from engine.config import ModelConfig
from engine.learn import loop, textures
from engine.learn.showing import Shown, error_picture
from engine.nets import build
from interpolation.models import Project, Source
from training import pictures, promotion, services
from training.models import TrainingRun

from .rows import config, run_row, user

pytestmark = pytest.mark.django_db
SMALL = ModelConfig(half=8, quarter=8, eighth=8)


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setenv("INBETWEEN_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(services, "async_task", lambda *_, **__: None)
    settings.TRAINING_DATA = tmp_path / "footage"


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss", password="a long enough word")


def signed_in(who: User) -> Client:
    client = Client()
    client.force_login(who)
    return client


def shown(grey: int = 10, *, flow: bool = True) -> Shown:
    picture = np.full((16, 16, 3), grey, np.uint8)
    return Shown(picture, picture, picture, picture, picture, picture if flow else None, 31.25)


# -- Pictures ----------------------------------------------------------------------------------------------------------


def test_the_loop_shows_what_the_averaged_network_draws_after_every_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(textures, "DRAWN_WITHOUT_PHOTOS", 3)
    seen: dict[int, list[Shown]] = {}
    told = config(tmp_path, model=SMALL, epochs=2, steps_per_epoch=1, validation_triplets=2)
    loop.train(told, on_pictures=lambda epoch, drawn: seen.update({epoch: list(drawn)}))
    assert sorted(seen) == [1, 2]
    for drawn in seen.values():
        assert len(drawn) == 2
        for one in drawn:
            assert one.drawn.shape == one.truth.shape == one.img0.shape and one.drawn.dtype == np.uint8
            assert one.flow is not None and one.flow.shape == one.truth.shape
            assert (one.error == error_picture(one.drawn, one.truth)).all()


def test_the_error_is_black_where_they_agree_and_four_times_as_bright_elsewhere() -> None:
    truth = np.full((2, 2, 3), 100, np.uint8)
    drawn = truth.copy()
    drawn[0, 0] = 110
    drawn[1, 1] = 250
    assert error_picture(drawn, truth)[..., 0].tolist() == [[40, 0], [0, 255]]


def test_pictures_are_kept_thinned_and_shown_only_to_who_sees_the_run(tmp_path: Path, boss: User) -> None:
    run = run_row(tmp_path)
    for epoch in range(1, 91):
        pictures.keep(run.pk, epoch, [shown(), shown(flow=False)])
    told = pictures.pictures(run.pk)
    assert len(told["epochs"]) <= pictures.KEPT + 2
    assert told["epochs"][0] == 1 and told["epochs"][-1] == told["epoch"] == 90
    assert [row["psnr"] for row in told["rows"]] == [31.25, 31.25]
    assert [name for name, _file in told["rows"][1]["pictures"]] == ["img0", "img1", "truth", "drawn", "error"]
    address = f"/training/{run.pk}/pictures/000090/0_drawn.jpg"
    answer = signed_in(boss).get(address)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "image/jpeg"
    assert signed_in(user("bob")).get(address).status_code == 404
    page = signed_in(boss).get(f"/training/{run.pk}/?epoch=1").content.decode()
    assert "000001/0_drawn.jpg" in page


@pytest.mark.parametrize("name", ["../../db.sqlite3", "psnr.json", "000001/psnr.json", "0_truth.jpg.part"])
def test_only_pictures_are_served(tmp_path: Path, boss: User, name: str) -> None:
    run = run_row(tmp_path)
    pictures.keep(run.pk, 1, [shown()])
    assert signed_in(boss).get(f"/training/{run.pk}/pictures/{name}").status_code == 404


# -- Beside each other, and uploads ------------------------------------------------------------------------------------


def test_two_runs_are_drawn_in_one_chart_with_what_differs(tmp_path: Path, boss: User) -> None:
    one = run_row(tmp_path, name="one", curve=[[1, 0.5]])
    other = run_row(tmp_path, name="other", config=config(tmp_path, lr=0.002).to_dict())
    answer = signed_in(boss).get(f"/training/compare/?run={one.pk}&run={other.pk}&run=nonsense")
    assert {figure["name"] for figure in answer.context["figures"]} == {"one", "other"}
    assert [what for what, _values in answer.context["differing"]] == ["Learning rate"]
    assert "measured on different pictures" not in answer.content.decode()
    coarse = run_row(tmp_path, name="coarse", config=config(tmp_path, crop=96).to_dict())
    answer = signed_in(boss).get(f"/training/compare/?run={one.pk}&run={coarse.pk}")
    assert "measured on different pictures" in answer.content.decode()
    alone = signed_in(boss).get(f"/training/compare/?run={one.pk}", follow=True)
    assert "Tick two runs or more to compare them." in alone.content.decode()


def test_training_starts_from_the_videos_of_a_project(boss: User, media_root: Path, tiny_clip: Path) -> None:
    project = Project.objects.create(owner=boss, name="Garden")
    film = Source.objects.create(project=project, kind="video", name="garden.mp4", file="sources/x/garden.mp4")
    film.path.parent.mkdir(parents=True)
    film.path.write_bytes(tiny_clip.read_bytes())
    body = {
        "name": "Garden cam", "source": "uploads", "project": str(project.pk), "arch": "flow_fusion", "epochs": 2,
        "steps_per_epoch": 3, "batch_size": 4, "crop": 64, "lr": 0.002, "max_minutes": "",
        "validation_triplets": 5,
    }  # fmt: skip
    answer = signed_in(boss).post("/training/new/", body)
    assert answer.status_code == 302, answer.context["form"].errors
    assert TrainingRun.objects.get().config["data_dirs"] == [str(film.path)]


def test_somebody_elses_project_cannot_be_learned_from(boss: User, media_root: Path) -> None:
    theirs = Project.objects.create(owner=user("bob"), name="Secret")
    page = signed_in(boss)
    assert "Secret" not in page.get("/training/new/").content.decode()
    answer = page.post("/training/new/", {"name": "x", "source": "uploads", "project": str(theirs.pk)})
    assert answer.status_code == 422 and not TrainingRun.objects.exists()


# -- The default -------------------------------------------------------------------------------------------------------


def weights(name: str, seed: int) -> str:
    """A file of weights of its own; returns its SHA-256."""
    import torch

    torch.manual_seed(seed)
    net = build(SMALL)
    with torch.no_grad():
        for value in net.parameters():
            value.add_(0.001 * seed)
    return save_checkpoint(models_folder() / f"{name}.pth", net, step=10)


def benchmark(new: str, **psnr: tuple[float, float]) -> None:
    """set=(PSNR of the present default, PSNR of the new weights). The default is the untrained network."""
    methods = [{"name": "flow_fusion", "sha256": ""}, {"name": "garden", "sha256": new}]
    scores = {name: {"flow_fusion": {"psnr": old}, "garden": {"psnr": new_}} for name, (old, new_) in psnr.items()}
    (models_folder() / "benchmark.json").write_text(json.dumps({"methods": methods, "scores": scores}))


def test_better_weights_become_the_default_and_say_where_they_come_from(tmp_path: Path, boss: User) -> None:
    sha256 = weights("garden", 1)
    run = run_row(tmp_path, status="succeeded", model_sha256=sha256)
    benchmark(sha256, middlebury=(35.6, 35.9), ucf=(34.2, 34.15))
    answer = signed_in(boss).post(f"/training/{run.pk}/promote/", follow=True)
    assert "garden is the default now: +0.12 dB against the one before" in answer.content.decode()
    assert file_info(models_folder() / "trained_model.pth").sha256 == sha256
    assert json.loads((models_folder() / "trained_model_promoted.json").read_text())["from"] == "garden"


def test_a_promotion_does_not_write_through_a_link(tmp_path: Path, boss: User) -> None:
    """A folder of models may hold links to files that are shared."""
    shared = {name: tmp_path / name for name in ("trained_model.pth", "trained_model_history.json")}
    old, new = weights("trained_model", 1), weights("garden", 2)
    (models_folder() / "trained_model.pth").rename(shared["trained_model.pth"])
    shared["trained_model_history.json"].write_text("theirs")
    for name, file in shared.items():
        (models_folder() / name).symlink_to(file)
    (models_folder() / "garden_history.json").write_text("of the garden")
    run = run_row(tmp_path, status="succeeded", model_sha256=new)
    methods = [
        {"name": "trained_model", "label": "trained_model", "sha256": old},
        {"name": "garden", "label": "garden", "sha256": new},
    ]
    cells = {"trained_model": {"psnr": 35.0, "ssim": 0.9}, "garden": {"psnr": 35.5, "ssim": 0.9}}
    (models_folder() / "benchmark.json").write_text(json.dumps({"methods": methods, "scores": {"ucf": cells}}))
    signed_in(boss).post(f"/training/{run.pk}/promote/")
    assert file_info(models_folder() / "trained_model.pth").sha256 == new
    assert (models_folder() / "trained_model_history.json").read_text() == "of the garden"
    assert file_info(shared["trained_model.pth"]).sha256 == old
    assert shared["trained_model_history.json"].read_text() == "theirs"


def test_after_a_promotion_the_page_says_that_it_is_the_default_and_the_earlier_weights_keep_what_they_learned_from(
    tmp_path: Path, boss: User
) -> None:
    old, new = weights("trained_model", 1), weights("garden", 2)
    (models_folder() / "trained_model_history.json").write_text('{"config": {"synthetic": true}}')
    run = run_row(tmp_path, status="succeeded", model_sha256=new)
    methods = [
        {"name": "trained_model", "label": "trained_model", "sha256": old},
        {"name": "garden", "label": "garden", "sha256": new},
    ]
    cells = {
        "trained_model": {"psnr": 35.0, "ssim": 0.9, "units": 1.0},
        "garden": {"psnr": 35.5, "ssim": 0.9, "units": 0.01},
    }
    told = {"methods": methods, "scores": {"ucf": cells}}
    (models_folder() / "benchmark.json").write_text(json.dumps(told))
    page = signed_in(boss).post(f"/training/{run.pk}/promote/", follow=True).content.decode()
    assert "New jobs use these weights" in page and "Not yet" not in page and "/promote/" not in page

    earlier = next(models_folder().glob("trained_model_until_*.pth"))
    assert file_info(earlier).sha256 == old
    assert "synthetic" in earlier.with_name(f"{earlier.stem}_history.json").read_text()
    assert not (models_folder() / "trained_model_history.json").exists()  # what these learned from nobody wrote down
    rows = signed_in(boss).get("/models/").context["benchmark"]["rows"]
    assert [(row["label"], row["also"]) for row in rows] == [("trained_model", ["garden"]), (earlier.stem, [])]


def by_page(client: Client, run: TrainingRun) -> None:
    client.post(f"/training/{run.pk}/promote/")


def by_api_of_the_run(client: Client, run: TrainingRun) -> None:
    client.post(f"/api/v1/training-runs/{run.pk}/promote/")


def by_api_of_the_model(client: Client, run: TrainingRun) -> None:
    client.post(f"/api/v1/models/{run.model_name}/promote/")


def by_admin(client: Client, run: TrainingRun) -> None:
    client.post("/admin/training/trainingrun/", {"action": "promote", "_selected_action": [str(run.pk)]})


@pytest.mark.parametrize("door", [by_page, by_api_of_the_run, by_api_of_the_model, by_admin])
def test_a_promotion_is_in_the_audit_log_once_whatever_door_it_came_through(
    door: Callable[[Client, TrainingRun], None], tmp_path: Path, boss: User
) -> None:
    sha256 = weights("garden", 1)
    run = run_row(tmp_path, status="succeeded", model_sha256=sha256)
    benchmark(sha256, middlebury=(35.0, 35.5))
    door(signed_in(boss), run)
    assert file_info(models_folder() / "trained_model.pth").sha256 == sha256
    entry = LogEntry.objects.get()
    assert (entry.user, entry.get_edited_object(), entry.object_repr) == (boss, run, str(run))
    assert entry.get_change_message() == "made garden the default model: +0.50 dB against the present default."
    door(signed_in(boss), run)  # it is the default already
    assert LogEntry.objects.count() == 1


def test_weights_of_no_run_are_in_the_audit_log_by_their_name(boss: User) -> None:
    benchmark(weights("garden", 1), middlebury=(35.0, 35.5))
    assert signed_in(boss).post("/api/v1/models/garden/promote/").status_code == 200
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.object_repr) == (boss, None, "garden")
    page = signed_in(boss).get("/admin/admin/logentry/").content.decode()
    assert "made garden the default model" in page


def test_weights_that_could_not_be_put_in_place_are_not_in_the_audit_log(
    boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark(weights("garden", 1), middlebury=(35.0, 35.5))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(promotion.shutil, "copy2", full)
    with pytest.raises(OSError, match="No space"):
        promotion.model_promote(name="garden", user=boss)
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"middlebury": (35.6, 35.5)}, "The benchmark says -0.10 dB against the present default: not better."),
        ({"middlebury": (35.0, 36.0), "ucf": (34.2, 34.0)}, "Better by +0.40 dB on the whole, but -0.20 dB on ucf."),
    ],
)
def test_weights_that_are_not_better_stay_what_they_are(
    tmp_path: Path, boss: User, figures: dict[str, Any], words: str
) -> None:
    benchmark(weights("garden", 1), **figures)
    with pytest.raises(services.ServiceError) as refused:
        promotion.model_promote(name="garden", user=boss)
    assert str(refused.value) == words
    assert not (models_folder() / "trained_model.pth").exists()


def test_without_a_benchmark_or_with_one_of_other_weights_nothing_is_promoted(boss: User) -> None:
    weights("garden", 1)
    with pytest.raises(services.ServiceError, match="Measure it first"):
        promotion.model_promote(name="garden", user=boss)
    benchmark("ab" * 32, middlebury=(30.0, 40.0))
    with pytest.raises(services.ServiceError, match="Measure it first"):
        promotion.model_promote(name="garden", user=boss)


def test_the_earlier_default_is_kept(boss: User) -> None:
    old, new = weights("trained_model", 1), weights("garden", 2)
    methods = [{"name": "trained_model", "sha256": old}, {"name": "garden", "sha256": new}]
    scores = {"set": {"trained_model": {"psnr": 30.0}, "garden": {"psnr": 31.0}}}
    (models_folder() / "benchmark.json").write_text(json.dumps({"methods": methods, "scores": scores}))
    promotion.model_promote(name="garden", user=boss)
    (kept,) = models_folder().glob("trained_model_until_*.pth")
    assert file_info(kept).sha256 == old


def test_only_administrators_promote(tmp_path: Path) -> None:
    bob = user("bob")
    run = run_row(tmp_path, owner=bob, status="succeeded", model_sha256=weights("garden", 1))
    assert signed_in(bob).post(f"/training/{run.pk}/promote/").status_code == 403
    assert "Make it the default" not in signed_in(bob).get(f"/training/{run.pk}/").content.decode()
